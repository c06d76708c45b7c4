"""Stops a sweep whose invocations cost several times what its plan foresaw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuner.model.plan import SweepPlan

_LEAST_INVOCATIONS: Final = 5
_TOO_MANY_TIMES: Final = 5.0
"""The estimate scales a mean of live traffic to other sizes; within this factor it may be wrong."""


class RunawayGuard:
    """Compares what was spent with what the agreed plan foresaw for so many invocations.

    Where the plan knew no duration its estimate is the worst case already, and where a budget was
    given that is what was agreed to: there the guard has nothing to say.
    """

    def __init__(self, plan: SweepPlan) -> None:
        count = max(plan.estimated_invocation_count, 1)
        foresaw = plan.basis == "recent_duration" and plan.budget_usd is None
        self.foreseen_usd = plan.estimated_cost_usd / count if foresaw else None
        """For one invocation; None: nothing to compare with."""
        self._count = 0
        self._spent_usd = 0.0

    def is_runaway(self, cost_usd: float) -> bool:
        """Take the cost of one more invocation; say whether the sweep must stop."""
        self._count += 1
        self._spent_usd += cost_usd
        if self.foreseen_usd is None or self._count < _LEAST_INVOCATIONS:
            return False
        return self._spent_usd > _TOO_MANY_TIMES * self._count * self.foreseen_usd
