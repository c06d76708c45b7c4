"""Simulated traffic of two versions: bursts of errors, heavy tails, a level that moves."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.model.interval import Interval
from tuner.rollout.comparison import Comparison
from tuner.rollout.figures import Arm, Block
from tuner.rollout.forecast import Forecast
from tuner.rollout.needed import needed_for

if TYPE_CHECKING:
    from tuner.rollout.steps import Step

AS_BEFORE: Final = Forecast(
    Interval(1.0, 1.0, 1.0), Interval(1.0, 1.0, 1.0), "the sweep's forecast"
)


@dataclass(frozen=True)
class World:
    """What happens each minute; the rise and the ratios are the new version's."""

    per_minute: int = 50
    error_ratio: float = 0.01
    rise: float = 0.0
    cv: float = 0.5
    duration_ratio: float = 1.0
    burst_share: float = 0.0
    """Of the minutes in which a third of all invocations fail."""
    outlier_share: float = 0.0
    """Of the invocations that take thirty times as long."""

    def minute(self, rng: random.Random, weight: float) -> Block:
        """One minute at a share of the new version."""
        count = sum(rng.random() < 0.5 for _ in range(2 * self.per_minute))
        new_count = sum(rng.random() < weight for _ in range(count))
        level = 100 * math.exp(rng.gauss(0, 0.3))
        errors = 0.33 if rng.random() < self.burst_share else self.error_ratio
        old = self._arm(rng, count - new_count, errors, level)
        return Block(
            old, self._arm(rng, new_count, errors + self.rise, level * self.duration_ratio)
        )

    def _arm(self, rng: random.Random, count: int, errors: float, level: float) -> Arm:
        failures = sum(rng.random() < errors for _ in range(count))
        width = math.sqrt(math.log1p(self.cv**2))
        durations = tuple(
            level * math.exp(rng.gauss(0, width)) * (30 if rng.random() < self.outlier_share else 1)
            for _ in range(count - failures)
        )
        return Arm(count, failures, durations_ms=durations, billed_ms=durations)


def roll(world: World, seed: int, *, steps: tuple[Step, ...], most_minutes: int) -> Rolled:
    """Roll out in a world: each step until it's settled, or the minutes are over."""
    rng = random.Random(seed)
    baseline = world.minute(rng, 0.0).old.durations_ms
    comparison = Comparison(AS_BEFORE, 1.0, baseline)
    total = 0
    for step in steps:
        needed = needed_for(step, error_ratio=world.error_ratio, cv=world.cv).count
        seen = 0
        for _ in range(most_minutes):
            block = world.minute(rng, step.weight)
            comparison.add(block)
            seen += block.new.count + block.old.count
            if (why := comparison.worse()) is not None:
                return Rolled(total + seen, why)
            if seen >= needed and comparison.is_settled:
                break
        else:
            return Rolled(total + seen, None, is_settled=False)
        total += seen
    return Rolled(total, None)


@dataclass(frozen=True)
class Rolled:
    """What came of it."""

    invocation_count: int
    worse: str | None
    is_settled: bool = True
