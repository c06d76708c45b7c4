"""How sure it is that the new version is worse, at every look and over the whole rollout.

A weighted alias draws the version of every invocation at random, so that which invocations of a
minute were the new version's is a permutation, whatever else went on in that minute. Both tests
rest on that alone: they compare within blocks of time, and add up over blocks.

- `ShareTest`, for what an invocation has or hasn't (an error). In a block where k of N invocations
  have it, the count among the new version's n is hypergeometric. Its likelihood ratio against
  Fisher's noncentral hypergeometric distribution, averaged over odds ratios above 1, is an
  e-process: it reaches 1/α with a probability of at most α at any time (Ville's inequality;
  Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", 2023).
- `MeanTest`, for amounts. The sum over the new version's invocations of their difference from the
  block's mean has the variance n(N−n)/N·s² under permutation; the bound is Robbins's one-sided
  normal mixture (Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence
  sequences", 2021, equation 3.7), which holds at all looks together once there are enough
  invocations for a sum to be normal.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ODDS_RATIOS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""From a rise that only much traffic shows to one that a few invocations show."""
LEAST_SAMPLES: Final = 50
"""Of the new version, before a mean is judged: its sum isn't normal earlier."""
_MOST_OF_MEDIAN: Final = 10.0
"""An amount counts as this many times the block's median at most, in both versions: otherwise a
single one could decide."""
_SETTLED_Z: Final = 1.645
"""One-sided 95%."""


class ShareTest:
    """Whether something is more frequent among the new version's invocations."""

    def __init__(self) -> None:
        self._log_ratios = [0.0] * len(ODDS_RATIOS)

    def add(self, new_hits: int, new_count: int, old_hits: int, old_count: int) -> None:
        """Take a block: counts of each version's invocations, and of those that have it."""
        hits = new_hits + old_hits
        if not (hits and new_count and old_count):
            return
        least, most = max(0, hits - old_count), min(new_count, hits)
        if least == most:
            return
        total = log_choose(new_count + old_count, hits)
        log_shares = [
            log_choose(new_count, each) + log_choose(old_count, hits - each) - total
            for each in range(least, most + 1)
        ]
        for index, odds in enumerate(ODDS_RATIOS):
            log_odds = math.log(odds)
            tilted = [s + log_odds * (least + i) for i, s in enumerate(log_shares)]
            expected = float(np.logaddexp.reduce(tilted))
            self._log_ratios[index] += new_hits * log_odds - expected

    @property
    def log_evidence(self) -> float:
        """Logarithm of the e-value that it's more frequent."""
        return float(np.logaddexp.reduce(self._log_ratios)) - math.log(len(ODDS_RATIOS))


class MeanTest:
    """Whether the new version's mean is above a limit: a ratio to the old version's."""

    def __init__(self, limit_ratio: float) -> None:
        self._limit = limit_ratio
        self._sum = 0.0
        self._variance = 0.0
        self._count = 0

    def add(self, new: Sequence[float], old: Sequence[float]) -> None:
        """Take a block's amounts."""
        if not (new and old):
            return
        held = [each / self._limit for each in new]
        middle = median([*held, *old])
        if middle <= 0:
            return
        held, rest = ([min(y / middle, _MOST_OF_MEDIAN) for y in part] for part in (held, old))
        count = len(held) + len(rest)
        mean = (sum(held) + sum(rest)) / count
        spread = sum((y - mean) ** 2 for y in (*held, *rest)) / (count - 1)
        self._sum += sum(held) - len(held) * mean
        self._variance += len(held) * len(rest) / count * spread
        self._count += len(held)

    def is_above(self, alpha: float) -> bool:
        """Whether it's above the limit, at an error rate over all looks together."""
        if self._count < LEAST_SAMPLES or self._sum <= 0:
            return False
        return self._sum > mixture_bound(self._variance, alpha)

    @property
    def is_below(self) -> bool:
        """Whether it's below the limit, by 95% at this look."""
        if self._count < LEAST_SAMPLES:
            return False
        return self._sum <= -_SETTLED_Z * math.sqrt(self._variance)


def mixture_bound(variance: float, alpha: float) -> float:
    """What a sum of this variance exceeds at any time with a probability of at most `alpha`.

    The mixture is narrowest at about the variance of 400 invocations that vary by half their mean.
    """
    rho = 25.0
    grown = variance + rho
    return math.sqrt(2 * grown * math.log(math.sqrt(grown / rho) / (2 * alpha) + 1))


def log_choose(count: int, chosen: int) -> float:
    """Logarithm of the number of ways."""
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
