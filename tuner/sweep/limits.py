"""What a sweep may take: concurrency, money, invocations, and how it waits when throttled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.interval import percent
from tuner.model.request import LEAVE_CONCURRENCY

if TYPE_CHECKING:
    from random import Random

    from tuner.model.plan import Isolation

CONCURRENCY: Final = 8
"""New accounts often have a concurrency of 10: this leaves a share of it for live traffic."""
_REPLIES_TO_RECOVER: Final = 10


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """What is available; None if unknown, or if nothing is reserved."""

    unreserved: int | None = None
    """What functions without a reservation share: the account's limit minus all reservations."""
    reserved: int | None = None
    """What the function has to itself."""

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
    """Return the concurrency of a sweep, and a finding if it's less than was asked for.

    At least one. Raises InputError for a function whose reserved concurrency is 0: nothing can run.
    """
    wanted = asked or CONCURRENCY
    there_is = limits.of(isolation)
    if there_is is None:
        return wanted, None
    if there_is == 0:
        raise InputError(
            "the function's reserved concurrency is 0, so nothing can run: pass `isolation=clone` "
            "to measure a temporary copy, or raise it"
        )
    allowed = max(1, int(there_is * (1 - leave_ratio) + 1e-9))
    if asked is None or asked <= allowed:
        return min(wanted, allowed), None
    return allowed, Finding(
        "concurrency_lowered",
        "info",
        f"runs {allowed} invocations at once, not the {asked} asked for: of the {there_is} that "
        f"can run, {percent(leave_ratio)} is left for live traffic (`leave_concurrency_ratio`)",
    )


class Slots:
    """How many invocations may be in flight: fewer after throttles, more again when they stop.

    Starts with the plan's concurrency, never exceeds it and never falls below one.
    """

    def __init__(self, concurrency: int) -> None:
        self._most = concurrency
        self._replies = 0
        self.count = concurrency

    def throttled(self) -> None:
        """A call was throttled: live traffic may be short of concurrency too."""
        self.count = max(1, self.count - 1)
        self._replies = 0

    def replied(self) -> None:
        """A call was answered."""
        self._replies += 1
        if self._replies >= _REPLIES_TO_RECOVER:
            self.count = min(self._most, self.count + 1)
            self._replies = 0


class Ledger:
    """Lets a call start only if the limits hold even in the worst case for all calls in flight."""

    def __init__(self, *, budget_usd: float | None, max_invocations: int) -> None:
        self._budget_usd = budget_usd
        self._max_invocations = max_invocations
        self._started_count = 0
        self._spent_usd = 0.0
        self._reserved_usd: list[float] = []

    @property
    def remaining_invocations(self) -> int:
        """How many more calls may start."""
        return self._max_invocations - self._started_count

    def can_afford(self, worst_usd: float) -> bool:
        """Whether a call with this worst-case cost can start now."""
        if self._budget_usd is None:
            return True
        return self._spent_usd + sum(self._reserved_usd) + worst_usd <= self._budget_usd

    def add_spent(self, cost_usd: float) -> None:
        """A call was made and paid for before."""
        self._started_count += 1
        self._spent_usd += cost_usd

    def reserve(self, worst_usd: float) -> None:
        """A call starts."""
        self._started_count += 1
        self._reserved_usd.append(worst_usd)

    def settle(self, worst_usd: float, cost_usd: float) -> None:
        """A call that had reserved `worst_usd` ended and cost `cost_usd`."""
        self._reserved_usd.remove(worst_usd)
        self._spent_usd += cost_usd


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential waits with jitter, so that throttled calls don't come back together.

    With the defaults, the last of ten attempts comes after about a minute.
    """

    first_s: float = 0.2
    most_s: float = 20.0
    attempt_count: int = 10

    def wait_s(self, throttle_count: int, asked_s: float, rng: Random) -> float | None:
        """Return the wait after this many throttles of one call; None to give up.

        It is never shorter than what the service asks for (`asked_s`).
        """
        if throttle_count >= self.attempt_count:
            return None
        longest_s = min(self.most_s, self.first_s * 2.0 ** (throttle_count - 1))
        return asked_s + longest_s * rng.uniform(0.5, 1.0)
