"""What the operator wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GoalName = Literal["cost", "speed", "balanced"]
OptionName = Literal["cheapest", "balanced", "fastest"]

TIME_WEIGHTS: Final[dict[GoalName, float]] = {"cost": 0.1, "balanced": 1.0, "speed": 10.0}
"""How many per cent of cost a per cent of time is worth: with 0.1 a size that is twice as fast may
cost 7 % more (2 to the power of 0.1)."""
OPTION_WEIGHTS: Final[dict[OptionName, float]] = {
    "cheapest": 0.0,
    "balanced": TIME_WEIGHTS["balanced"],
    "fastest": TIME_WEIGHTS["speed"],
}
"""The time weights whose answers every recommendation shows side by side."""
MOST_TIME_WEIGHT: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Goal:
    """The objective, log cost + w log duration, and its limits.

    `time_weight` is w; None: what the name stands for. Loss is the objective over its best, less 1.
    `tolerance_ratio` is the loss that the operator does not mind.
    """

    name: GoalName = "cost"
    tolerance_ratio: float = 0.01
    max_duration_ms: float | None = None
    percentile: float | None = None
    max_cost_usd_per_million: float | None = None
    cold_start_share: float = 0.01
    allow_different_replies: bool = False
    """Whether a size may be recommended whose replies differ from the current size's."""
    time_weight: float | None = None

    @property
    def weight(self) -> float:
        """The time weight."""
        return TIME_WEIGHTS[self.name] if self.time_weight is None else self.time_weight

    @property
    def first(self) -> GoalName:
        """What counts first under the weight, whatever the goal's name."""
        if self.weight == TIME_WEIGHTS["balanced"]:
            return "balanced"
        return "cost" if self.weight < TIME_WEIGHTS["balanced"] else "speed"

    @property
    def exponents(self) -> tuple[float, float]:
        """Exponents of cost and duration in the objective, the larger of which is 1."""
        most = max(self.weight, 1.0)
        return 1 / most, self.weight / most
