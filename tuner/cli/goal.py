"""The goal that the options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

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
    """Return the goal; a percentile without a limit to hold says nothing, so it is refused."""
    if percentile is not None and max_duration is None:
        raise typer.BadParameter(
            "--percentile says what --max-duration limits: give --max-duration too"
        )
    return Goal(
        name=name,
        cost_slack_ratio=cost_slack,
        tolerance_ratio=tolerance,
        max_duration_ms=max_duration,
        percentile=percentile,
        max_cost_usd_per_million=max_cost_per_million,
        cold_start_share=cold_start_share,
    )
