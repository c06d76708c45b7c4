"""Slow calls: what the mean duration has beyond the typical level, seen and not yet seen.

A share of a function's calls may be slow (pauses, retries, a slow backend). Few samples show few
of them or none, and the bill has them all the same: rate and extra time are drawn from their
posterior, given how many of the samples were slow and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SLOW_EXCESS = 0.25
"""A sample pulled in by more than this was a slow call; less is the edge of the usual scatter."""
_SLOW_CALLS_SHARE = 0.3
"""Prior share of functions that have slow calls."""
_RATES = np.geomspace(0.005, 0.3, 9)
SLOW_CALL_EXTRA = 2.0
"""How much longer a slow call takes on average, over a usual one, before any was seen."""
_EXTRA_SHAPE = 3.0
"""Shape of its inverse gamma prior: a mean that is unsure by its own size."""
_PRIOR_COUNT = 4.0
_LARGEST_DEVIATION = 0.7  # a factor of two either way: beyond that nothing is known


@dataclass(frozen=True, slots=True)
class SlowCalls:
    """What was taken out of warm samples to find their typical level."""

    sample_count: int
    slow_count: int
    slow_excess: float
    """Sum over the slow calls of what they took longer, as a share of the typical level."""
    mild_log: float
    """Log ratio of mean to typical level without slow calls."""
    mild_deviation: float

    @classmethod
    def of(cls, pulled_in: Floats, within_ratio: float) -> SlowCalls:
        """Sort out by how much (log) each warm sample was pulled in.

        What is no slow call counts by its mean, where nothing counts as much as a few samples; the
        lognormal's own ratio of mean to median, within_ratio² / 2, is added.
        """
        excess = np.expm1(pulled_in)
        slow = excess > _SLOW_EXCESS
        mild = excess[~slow]
        count = _PRIOR_COUNT + len(mild)
        mean = float(mild.sum()) / count
        variance = float(np.sum(mild**2)) / count - mean**2
        deviation = float(np.sqrt((variance + within_ratio**4 / 2) / count)) / (1 + mean)
        return cls(
            sample_count=len(pulled_in),
            slow_count=int(slow.sum()),
            slow_excess=float(excess[slow].sum()),
            mild_log=float(np.log1p(mean)) + within_ratio**2 / 2,
            mild_deviation=min(deviation, _LARGEST_DEVIATION),
        )

    @property
    def log_ratio(self) -> float:
        """Log ratio of mean to typical level by what was seen alone."""
        seen = self.slow_excess / (_PRIOR_COUNT + self.sample_count)
        return self.mild_log + float(np.log1p(seen))

    def draw_log_ratios(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw the log ratio of mean to typical level: (count,).

        The slow calls' extra time is exponential around a mean that the seen ones tell.
        """
        typical_count = self.sample_count - self.slow_count
        rate = draw_slow_rates(self.slow_count, typical_count, count, rng)
        shape = _EXTRA_SHAPE + self.slow_count
        scale = SLOW_CALL_EXTRA * (_EXTRA_SHAPE - 1) + self.slow_excess
        extra = scale / rng.standard_gamma(shape, count)
        mild = self.mild_log + self.mild_deviation * rng.standard_normal(count)
        return np.asarray(mild + np.log1p(rate * extra))


def draw_slow_rates(
    slow_count: int, typical_count: int, draw_count: int, rng: np.random.Generator
) -> Floats:
    """Draw the share of slow calls, given how many were seen and not seen: a rate r shows k in n
    with probability r^k (1 - r)^(n - k). 0 for functions that have none.
    """
    rates = np.array([0.0, *_RATES])
    prior = np.array([1 - _SLOW_CALLS_SHARE, *[_SLOW_CALLS_SHARE / len(_RATES)] * len(_RATES)])
    weight = prior * rates**slow_count * (1 - rates) ** typical_count
    return rng.choice(rates, size=draw_count, p=weight / weight.sum())
