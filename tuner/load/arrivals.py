"""When requests are due: pure, known before the first is sent.

Evenly spaced arrivals come where the integral of the rate reaches 0.5, 1.5, 2.5, …: at a constant
rate that is every 1/rate seconds, on a ramp closer and closer. A Poisson process takes steps drawn
from an exponential distribution in place of the ones (the time change of a unit process). The
integral goes on across phases, so a phase's last fraction isn't lost.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.load.phases import Phase

Spacing = Literal["even", "poisson"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is due, in seconds from the beginning, and in which phase."""

    due_s: float
    phase: int


def arrivals(
    phases: Sequence[Phase], spacing: Spacing = "even", seed: int = 0
) -> tuple[Arrival, ...]:
    """Every arrival of the phases, in order; the same for the same seed."""
    steps = _drawn(seed) if spacing == "poisson" else itertools.chain([0.5], itertools.repeat(1.0))
    found: list[Arrival] = []
    began_s, passed, reached = 0.0, 0.0, next(steps)
    for index, phase in enumerate(phases):
        end = passed + phase.arrival_count
        while reached < end or math.isclose(reached, end, rel_tol=1e-12):
            found.append(Arrival(began_s + _time_of(phase, reached - passed), index))
            reached += next(steps)
        began_s, passed = began_s + phase.duration_s, end
    return tuple(found)


def _drawn(seed: int) -> Iterator[float]:
    rng = Random(seed)  # noqa: S311 - arrivals, no secret
    while True:
        yield rng.expovariate(1.0)


def _time_of(phase: Phase, count: float) -> float:
    """When a phase's integral reaches `count`: the root of slope/2 × t² + rate × t = count.

    In the form that stays exact where the slope, or the first rate, is 0.
    """
    slope = (phase.rate_to_per_s - phase.rate_from_per_s) / phase.duration_s
    inner = max(0.0, phase.rate_from_per_s**2 + 2 * slope * count)
    below = phase.rate_from_per_s + math.sqrt(inner)
    return min(2 * count / below, phase.duration_s) if below > 0 else 0.0
