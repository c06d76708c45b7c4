"""What the operator wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GoalName = Literal["cost", "speed", "balanced"]


@dataclass(frozen=True, slots=True)
class Goal:
    """The objective and its limits.

    Loss is the objective over its best, less 1: cost = mean cost per invocation, speed = mean
    duration, balanced = cost x duration. Sizes within `cost_slack_ratio` of the best are
    admissible; among them cost prefers the faster, speed the cheaper, and the current size wins
    ties. `tolerance_ratio` is the regret that the operator does not mind.
    """

    name: GoalName = "cost"
    cost_slack_ratio: float = 0.02
    tolerance_ratio: float = 0.01
    max_duration_ms: float | None = None
    percentile: float | None = None
    max_cost_usd_per_million: float | None = None
    cold_start_share: float = 0.01
    allow_different_replies: bool = False
    """Whether a size may be recommended whose replies differ from the current size's."""
