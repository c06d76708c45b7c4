"""All that the page shows of one sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.breakeven.answer import BreakEven
    from tuner.model.breakdown import Breakdown
    from tuner.model.plan import PayloadClass
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A sweep with its answers; `source` is what `tuner report` finds it by.

    `sweep` is what the curve is of: where a parameter was varied, the invocations of the value that
    was chosen. `sent` are the payloads of the whole sweep.

    Where nothing could be compared with other platforms, `break_even` is None and
    `no_break_even` says why.
    """

    source: str
    recommendation: Recommendation
    sweep: Sweep
    sent: tuple[PayloadClass, ...]
    breakdown: Breakdown
    break_even: BreakEven | None
    no_break_even: str = ""
    flags: tuple[str, ...] = ()
    """Options beside the goal's that shaped the answer, as they are given on the command line."""
