"""Bounds on a percentile of duration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURENESS = 0.9


def upper_bound_ms(durations_ms: Sequence[float], percentile: float) -> float | None:
    """One-sided 90 % upper bound on a percentile (0–100), whatever the distribution; None if the
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


def _binomial(count: int, successes: int, share: float) -> float:
    """P(Binomial(count, share) = successes), by logarithms: counts may be in the thousands."""
    ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    chance = successes * math.log(share) + (count - successes) * math.log1p(-share)
    return math.exp(ways + chance)


def samples_needed(percentile: float) -> int:
    """Fewest samples whose largest bounds the percentile: 45 for p95, 230 for p99."""
    return math.ceil(math.log(1 - _SURENESS) / math.log(percentile / 100))
