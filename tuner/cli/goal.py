"""The goal that the options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.goal import Goal

if TYPE_CHECKING:
    from tuner.model.goal import GoalName


def goal_of(
    name: GoalName,
    *,
    cost_slack: float,
    tolerance: float,
    max_duration: float | None,
    percentile: float | None,
    max_cost_per_million: float | None,
    cold_start_share: float,
) -> Goal:
    """Return the goal. A percentile without a limit is shown, and limits nothing."""
    return Goal(
        name=name,
        cost_slack_ratio=cost_slack,
        tolerance_ratio=tolerance,
        max_duration_ms=max_duration,
        percentile=percentile,
        max_cost_usd_per_million=max_cost_per_million,
        cold_start_share=cold_start_share,
    )
