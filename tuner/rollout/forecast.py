"""What a new size is expected to do, and what counts as worse than that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.model.interval import Interval

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation

MARGIN: Final = 0.10
"""What is given to the forecast before a change counts as worse, and what a step can tell."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the change is expected to do, as ratios of the new version's to the old one's."""

    duration_ratio: Interval
    cost_ratio: Interval
    basis: str
    """Where it's from, in words: "the sweep"."""

    @property
    def duration_limit(self) -> float:
        """The ratio of durations above which it's worse."""
        return max(1.0, self.duration_ratio.high) * (1 + MARGIN)

    @property
    def cost_limit(self) -> float:
        """The same for the cost of an invocation."""
        return max(1.0, self.cost_ratio.high) * (1 + MARGIN)


def forecast_of(answer: Recommendation) -> Forecast | None:
    """What a sweep forecasts for its recommendation; None if it doesn't know both sizes."""
    choice, current = answer.choice, answer.current
    if choice.duration_ms is None or current.duration_ms is None:
        return None
    if choice.cost_usd_per_million is None or current.cost_usd_per_million is None:
        return None
    return Forecast(
        _ratio(choice.duration_ms, current.duration_ms),
        _ratio(choice.cost_usd_per_million, current.cost_usd_per_million),
        "the sweep's forecast",
    )


def worst_case(from_mb: int, to_mb: int) -> Forecast:
    """What a function that only computes would do at worst: without a sweep, nothing else is known.

    With less memory it gets slower by as much, at the same cost; with more it isn't slower, and
    costs as much more.
    """
    slower, dearer = max(1.0, from_mb / to_mb), max(1.0, to_mb / from_mb)
    return Forecast(
        Interval(slower, min(1.0, slower), slower),
        Interval(dearer, min(1.0, dearer), dearer),
        "the two sizes alone, without a sweep",
    )


def _ratio(new: Interval, old: Interval) -> Interval:
    """The ratio of two independent estimates, its width by their relative widths."""
    estimate = new.estimate / old.estimate
    up = math.hypot(math.log(new.high / new.estimate), math.log(old.estimate / old.low))
    down = math.hypot(math.log(new.estimate / new.low), math.log(old.high / old.estimate))
    return Interval(estimate, estimate * math.exp(-down), estimate * math.exp(up))
