"""What the operator wants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from tuner.errors import UsageError
from tuner.model.number_fields import check_number_fields

GoalName = Literal["cost", "speed", "balanced"]
OptionName = Literal["cheapest", "balanced", "fastest"]

TIME_WEIGHTS: Final[dict[GoalName, float]] = {"cost": 0.1, "balanced": 1.0, "speed": 10.0}
"""How many percent of cost one percent of time is worth: with 0.1, a size twice as fast may cost 7%
more (2 to the power of 0.1)."""
OPTION_WEIGHTS: Final[dict[OptionName, float]] = {
    "cheapest": 0.0,
    "balanced": TIME_WEIGHTS["balanced"],
    "fastest": TIME_WEIGHTS["speed"],
}
"""The time weights whose answers every recommendation shows side by side."""
MOST_TIME_WEIGHT: Final = 1000.0
USUAL_COLD_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Goal:
    """The objective, log cost + w log duration, and its limits.

    `time_weight` is w; None: the name's own. Loss is the objective over its best, less 1.
    `tolerance_ratio` is a loss that doesn't matter to the operator. `cold_start_share` is the share
    of invocations that start cold; None: what an observation says, or 1%. Raises UsageError for
    an impossible limit.

    >>> tuner.Goal("speed", max_duration_ms=800, percentile=95).weight
    10.0
    """

    name: GoalName = "cost"
    tolerance_ratio: float = 0.01
    max_duration_ms: float | None = None
    percentile: float | None = None
    max_cost_usd_per_million: float | None = None
    cold_start_share: float | None = None
    allow_different_replies: bool = False
    """Whether to recommend sizes whose replies differ from the current size's."""
    time_weight: float | None = None

    def __post_init__(self) -> None:
        """Check every field, so that a mistake is reported where it was made."""
        if self.name not in tuple(TIME_WEIGHTS):
            raise UsageError(f"{self.name!r} isn't a goal: pass {', '.join(TIME_WEIGHTS)}")
        check_number_fields(self)
        above_0, share = math.nextafter(0, 1), "a share from 0 to 1, such as 0.02"
        for name, low, high, wanted in (
            ("tolerance_ratio", 0, 1, share),
            ("cold_start_share", 0, 1, share),
            ("max_duration_ms", above_0, math.inf, "a number above 0"),
            ("max_cost_usd_per_million", above_0, math.inf, "a number above 0"),
            ("percentile", above_0, math.nextafter(100, 0), "a number between 0 and 100"),
            ("time_weight", 0, MOST_TIME_WEIGHT, f"a number from 0 to {MOST_TIME_WEIGHT:g}"),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"`{name}` is {value!r}: pass {wanted}")

    @property
    def weight(self) -> float:
        """The time weight."""
        return TIME_WEIGHTS[self.name] if self.time_weight is None else self.time_weight

    @property
    def cold_share(self) -> float:
        """The share of cold starts, or the usual one."""
        return USUAL_COLD_SHARE if self.cold_start_share is None else self.cold_start_share

    @property
    def first(self) -> GoalName:
        """What matters most under the weight, whatever the goal's name."""
        if self.weight == TIME_WEIGHTS["balanced"]:
            return "balanced"
        return "cost" if self.weight < TIME_WEIGHTS["balanced"] else "speed"

    @property
    def cost_ratio_for_twice_the_speed(self) -> float:
        """How many times as much a size twice as fast may cost, for the same objective."""
        return float(2**self.weight)

    @property
    def speed_ratio_for_twice_the_cost(self) -> float:
        """How many times as fast a size that costs twice as much must be; for weights above 1."""
        return float(2 ** (1 / self.weight))

    @property
    def exponents(self) -> tuple[float, float]:
        """Exponents of cost and duration in the objective, the larger of which is 1."""
        most = max(self.weight, 1.0)
        return 1 / most, self.weight / most
