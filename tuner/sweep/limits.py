"""How many invocations at once leave live traffic its share of the concurrency there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.share import percent
from tuner.sweep.plan import CONCURRENCY

if TYPE_CHECKING:
    from tuner.model.plan import Isolation

LEAVE_CONCURRENCY: Final = 0.2
"""Share that is left to live traffic, unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """What there is; None where it is not known, or nothing is reserved."""

    unreserved: int | None = None
    """What functions without a reservation share: the account's limit less all reservations."""
    reserved: int | None = None
    """What the function has for itself alone."""

    def of(self, isolation: Isolation) -> int | None:
        """What the measured function can have: a copy never has its original's reservation."""
        if isolation != "clone" and self.reserved is not None:
            return self.reserved
        return self.unreserved


def polite_concurrency(
    limits: ConcurrencyLimits,
    *,
    isolation: Isolation,
    asked: int | None,
    leave_ratio: float = LEAVE_CONCURRENCY,
) -> tuple[int, Finding | None]:
    """Return the concurrency of a sweep, and a finding if it is less than was asked for.

    At least one. Raises InputError for a function whose reserved concurrency is 0: nothing runs.
    """
    wanted = asked or CONCURRENCY
    there_is = limits.of(isolation)
    if there_is is None:
        return wanted, None
    if there_is == 0:
        raise InputError(
            "the function's reserved concurrency is 0, so that nothing can run: give --isolation "
            "clone to measure a temporary copy, or raise it"
        )
    allowed = max(1, int(there_is * (1 - leave_ratio) + 1e-9))
    if asked is None or asked <= allowed:
        return min(wanted, allowed), None
    return allowed, Finding(
        "concurrency_lowered",
        "info",
        f"{asked} invocations at once were asked for, {allowed} are made: of {there_is} that can "
        f"run, {percent(leave_ratio)} is left to live traffic (--leave-concurrency)",
    )
