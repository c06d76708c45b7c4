"""Bounds on a percentile of duration."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from tuner.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURENESS = 0.9
_RAREST = 1e-12


def upper_bound_ms(durations_ms: Sequence[float], percentile: float) -> float | None:
    """One-sided 90% upper bound on a percentile (0–100), whatever the distribution; None if the
    samples are too few for any.

    The r-th smallest of n samples is above the p-quantile with probability P(Binomial(n, p) < r)
    (order statistics; e.g. Conover, Practical Nonparametric Statistics, 3.2).
    """
    count, share = len(durations_ms), percentile / 100
    below = 0.0
    for rank in range(1, count + 1):
        below += _binomial(count, rank - 1, share)
        if below >= _SURENESS:
            return sorted(durations_ms)[rank - 1]
    return None


def measured_interval(durations_ms: Sequence[float], percentile: float) -> Interval | None:
    """Sample percentile with a 90% interval, whatever the distribution; None if the samples are
    too few for one.

    Between the r-th and the s-th smallest of n samples lies the p-quantile with probability
    P(r <= Binomial(n, p) < s). Both sides get 5%, but a side that the samples cannot give so
    much gets what it can, and the other side the rest.
    """
    ranks = _interval_ranks(len(durations_ms), percentile)
    if ranks is None:
        return None
    ordered, (low, high) = sorted(durations_ms), ranks
    return Interval(_sample_quantile(ordered, percentile / 100), ordered[low], ordered[high])


@lru_cache(maxsize=512)
def _interval_ranks(count: int, percentile: float) -> tuple[int, int] | None:
    """Which of the sorted samples are the interval's ends, from 0; None if there are too few."""
    below = list(
        accumulate(_binomial(count, rank, percentile / 100) for rank in range(count))
    )  # for index i: how surely the percentile is below the i-th smallest
    if not below or below[-1] < _SURENESS:
        return None
    one_side = (1 + _SURENESS) / 2
    high = next((i for i, sure in enumerate(below) if sure >= one_side), len(below) - 1)
    lows = [i for i, sure in enumerate(below) if sure <= below[high] - _SURENESS]
    return (lows[-1], high) if lows else None


def _sample_quantile(ordered: Sequence[float], share: float) -> float:
    """Median-unbiased estimate (Hyndman and Fan, 1996, definition 8)."""
    place = min(max((len(ordered) + 1 / 3) * share - 2 / 3, 0.0), len(ordered) - 1.0)
    left = min(int(place), len(ordered) - 2)
    return ordered[left] + (place - left) * (ordered[left + 1] - ordered[left])


def _binomial(count: int, successes: int, share: float) -> float:
    """P(Binomial(count, share) = successes), by logarithms: counts may be in the thousands."""
    ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    chance = successes * math.log(share) + (count - successes) * math.log1p(-share)
    return math.exp(ways + chance)


@lru_cache(maxsize=32)
def samples_needed(percentile: float) -> int:
    """Fewest samples that measure the percentile (a 90% interval, whatever the distribution): 5
    for p50, 45 for p95, 230 for p99. Above 10,000, within a ten thousandth.
    """
    share = min(max(percentile / 100, _RAREST), 1 - _RAREST)
    count = math.ceil(math.log(1 - _SURENESS) / math.log(max(share, 1 - share)))
    while not _are_enough(count, share):
        count += 1 + count // 10_000
    return count


def _are_enough(count: int, share: float) -> bool:
    """Whether `measured_interval` has one for so many samples, without all of their ranks."""
    lowest, highest = (1 - share) ** count, 1 - share**count
    one_side = (1 + _SURENESS) / 2
    if highest < one_side:
        return lowest <= highest - _SURENESS
    if lowest <= one_side - _SURENESS:
        return True
    below = accumulate(_binomial(count, rank, share) for rank in range(count))
    return lowest <= next(sure for sure in below if sure >= one_side) - _SURENESS
