"""Slow calls: what the mean duration has beyond the typical level, seen and not yet seen.

A share of a function's calls may be slow (pauses, retries, a slow backend). A few samples show few
of them or none, but the bill has them anyway: rate and extra time are drawn from their posterior,
given how many of the samples were slow and by how much. Sizes share them in part: one size's mean
may have more of them than the others suggest, and the more samples it has, the more its own mean
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.inference.kernel import octaves_apart

if TYPE_CHECKING:
    from tuner.model.arrays import Floats, Integers

_SLOW_EXCESS = 0.25
"""A sample pulled in by more than this was a slow call; less is the edge of the usual scatter."""
_SLOW_CALLS_SHARE = 0.3
"""Prior share of functions that have slow calls."""
_RATES = np.geomspace(0.005, 0.3, 9)
SLOW_CALL_EXTRA = 2.0
"""How much longer than a usual call a slow one takes on average, before any was seen."""
_EXTRA_SHAPE = 3.0
"""Shape of its inverse gamma prior: a mean as uncertain as it is large."""
_EXPONENTS = np.array([-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0])
"""The power of memory by which the extra time, as a share of a usual call's, falls. It rises if
another service stays slow while the work gets faster, and falls if a pause needs the processor and
calls mostly wait."""
_EXPONENT_WEIGHTS = np.array([0.03, 0.07, 0.12, 0.43, 0.2, 0.1, 0.05])
_PAUSING_RUNTIMES = ("java", "dotnet")
"""They compile while they run and pause for garbage collection: on other threads, for which a small
size has no processor left. Most of their functions have slow calls, which weigh more at small
sizes."""
_PAUSING_SHARE = 0.7
_PAUSING_EXPONENT_WEIGHTS = np.array([0.0, 0.0, 0.05, 0.2, 0.25, 0.3, 0.2])
_OWN_SCALES = np.array([0.05, 0.4, 2.0])
"""How far a size's own slow calls deviate from what all sizes suggest, as a share of that."""
_OWN_WEIGHTS = np.array([0.97, 0.02, 0.01])
_OWN_LEAST = 0.005
"""The same if no slow calls are known: of the usual duration."""
_OWN_OCTAVES = 1.0
"""How far along log2 of memory that deviation is shared."""
_LEAST_RATIO = 0.5
_NEVER = 1e-30
_PRIOR_COUNT = 4.0
_LARGEST_DEVIATION = 0.7  # a factor of two either way: nothing is known beyond that


@dataclass(frozen=True, slots=True)
class OwnRatios:
    """What a size's warm samples say about its ratio of mean to typical level; arrays by size."""

    sizes_mb: Integers
    count: Floats
    ratio: Floats
    """Mean of the samples over their typical level."""
    square: Floats
    """Mean square of the slow calls' extra time, as a share of the typical level."""

    @classmethod
    def of(cls, logs: Floats, typical_logs: Floats, sizes_mb: Integers) -> OwnRatios:
        """Compare warm samples with their pulled-in values; `sizes_mb` are theirs."""
        sizes, where, count = np.unique(sizes_mb, return_inverse=True, return_counts=True)
        level = np.bincount(where, typical_logs, minlength=len(sizes)) / count
        mean = np.bincount(where, np.exp(logs), minlength=len(sizes)) / count
        excess = np.expm1(logs - typical_logs)
        slow = excess * (excess > _SLOW_EXCESS)
        square = np.bincount(where, slow**2, minlength=len(sizes)) / count
        return cls(sizes, count.astype(float), mean / np.exp(level), square)


@dataclass(frozen=True, slots=True)
class SlowCalls:
    """What was taken out of warm samples to find their typical level."""

    sample_count: int
    slow_excesses: tuple[float, ...]
    """Each slow call's extra time, as a share of its size's typical level."""
    slow_octaves: tuple[float, ...]
    """How many octaves its size is above the middle of the sampled ones."""
    middle_mb: float
    mild_log: float
    """Log ratio of mean to typical level without slow calls."""
    mild_deviation: float
    within_ratio: float
    own: OwnRatios

    @classmethod
    def of(
        cls, logs: Floats, typical_logs: Floats, sizes_mb: Integers, within_ratio: float
    ) -> SlowCalls:
        """Sort by how much each warm sample was pulled in; `sizes_mb` are theirs.

        Other calls count by their mean, in which zero counts as much as a few samples; the
        lognormal's own ratio of mean to median, within_ratio² / 2, is added.
        """
        excess = np.expm1(logs - typical_logs)
        slow = excess > _SLOW_EXCESS
        mild = excess[~slow]
        count = _PRIOR_COUNT + len(mild)
        mean = float(mild.sum()) / count
        variance = float(np.sum(mild**2)) / count - mean**2
        deviation = float(np.sqrt((variance + within_ratio**4 / 2) / count)) / (1 + mean)
        octaves = np.log2(sizes_mb) if len(sizes_mb) else np.zeros(1)
        return cls(
            sample_count=len(logs),
            slow_excesses=tuple(float(each) for each in excess[slow]),
            slow_octaves=tuple(float(each) for each in (octaves - octaves.mean())[slow]),
            middle_mb=float(2 ** octaves.mean()),
            mild_log=float(np.log1p(mean)) + within_ratio**2 / 2,
            mild_deviation=min(deviation, _LARGEST_DEVIATION),
            within_ratio=within_ratio,
            own=OwnRatios.of(logs, typical_logs, sizes_mb),
        )

    @property
    def log_ratio(self) -> float:
        """Log ratio of mean to typical level from what was seen alone."""
        seen = sum(self.slow_excesses) / (_PRIOR_COUNT + self.sample_count)
        return self.mild_log + float(np.log1p(seen))

    def draw_log_ratios(
        self,
        sizes_mb: Integers,
        count: int,
        rng: np.random.Generator,
        *,
        runtime: str | None = None,
    ) -> Floats:
        """Draw the log ratio of mean to typical level at ascending sizes that include the measured
        ones: (count, sizes).

        The slow calls' extra time is exponential around a mean estimated from the seen ones; that
        mean, as a share of the typical level, may vary with memory; and each size has its own
        deviation.
        """
        slow_count = len(self.slow_excesses)
        pauses = (runtime or "").startswith(_PAUSING_RUNTIMES)
        share = _PAUSING_SHARE if pauses else _SLOW_CALLS_SHARE
        rate = draw_slow_rates(slow_count, self.sample_count - slow_count, count, rng, share=share)
        shape = _EXTRA_SHAPE + slow_count
        # What each slow call would have been at the middle size, for every exponent: (exponents,).
        at_middle = np.array(self.slow_excesses) * 2 ** np.outer(_EXPONENTS, self.slow_octaves)
        scales = SLOW_CALL_EXTRA * (_EXTRA_SHAPE - 1) + at_middle.sum(axis=1)
        likelihood = _EXPONENTS * np.log(2) * sum(self.slow_octaves) - shape * np.log(scales)
        prior = _PAUSING_EXPONENT_WEIGHTS if pauses else _EXPONENT_WEIGHTS
        weight = prior * np.exp(likelihood - likelihood.max())
        which = rng.choice(len(_EXPONENTS), size=count, p=weight / weight.sum())
        middle = scales[which] / rng.standard_gamma(shape, count)
        mild = np.exp(self.mild_log + self.mild_deviation * rng.standard_normal(count))
        octaves = np.log2(sizes_mb) - np.log2(self.middle_mb)
        extra = middle[:, None] * 2 ** (-_EXPONENTS[which][:, None] * octaves[None, :])
        added = rate[:, None] * extra
        ratio = mild[:, None] * (1 + added)
        ratio += self._own_deviations(sizes_mb, ratio, added, 2 * added * extra, rng)
        return np.asarray(np.log(np.maximum(ratio, _LEAST_RATIO)))

    def _own_deviations(
        self,
        sizes_mb: Integers,
        ratio: Floats,
        added: Floats,
        square: Floats,
        rng: np.random.Generator,
    ) -> Floats:
        """Draw how far each size's ratio of mean to typical level is from `ratio`, given its
        samples' own (Matheron's rule): (draws, sizes).

        `added` is what slow calls add to the mean and `square` what they add to a call's variance,
        by the draws: (draws, sizes).
        """
        own, where = self.own, np.searchsorted(sizes_mb, self.own.sizes_mb)
        # Ornstein-Uhlenbeck, as the rough discrepancy.
        shared = np.exp(-octaves_apart(sizes_mb, sizes_mb) / _OWN_OCTAVES)
        units = rng.standard_normal(ratio.shape) @ np.linalg.cholesky(shared).T
        extent = added + _OWN_LEAST
        shared_variance = (square[:, where] + self.within_ratio**2) / own.count
        variance = np.maximum(shared_variance, own.square / own.count)
        apart = own.ratio - ratio[:, where]
        near = shared[np.ix_(where, where)]
        scales = _draw_scales(apart, extent[:, where], shared_variance, near, rng)[:, None]
        extent *= scales
        prior, seen = extent * units, extent[:, where]
        covariance = seen[:, :, None] * near * seen[:, None, :]
        diagonal = np.arange(len(where))
        covariance[:, diagonal, diagonal] += variance
        noise = np.sqrt(variance) * rng.standard_normal(variance.shape)
        wanted = apart - prior[:, where] - noise
        pull = np.linalg.solve(covariance, wanted[:, :, None])[:, :, 0]
        return np.asarray(prior + extent * ((pull * seen) @ shared[where]))


def _draw_scales(
    apart: Floats, extent: Floats, variance: Floats, near: Floats, rng: np.random.Generator
) -> Floats:
    """Draw the scale of sizes' own deviations, by how well a usual draw explains them: (draws,)."""
    middle = extent.mean(axis=0)
    covariance = _OWN_SCALES[:, None, None] ** 2 * near * np.outer(middle, middle)
    covariance = covariance + np.diag(variance.mean(axis=0))
    residual = apart.mean(axis=0)
    distance = np.array([residual @ np.linalg.solve(each, residual) for each in covariance])
    log_weight = -0.5 * (distance + np.linalg.slogdet(covariance)[1])
    weight = _OWN_WEIGHTS * np.exp(log_weight - log_weight.max())
    return np.asarray(rng.choice(_OWN_SCALES, size=len(apart), p=weight / weight.sum()))


def draw_slow_rates(
    slow_count: int,
    typical_count: int,
    draw_count: int,
    rng: np.random.Generator,
    *,
    share: float = _SLOW_CALLS_SHARE,
) -> Floats:
    """Draw the share of slow calls, given how many were seen and not seen: a rate r shows k in n
    with probability r^k (1 - r)^(n - k). 0 for functions that have none, all but `share` of them.
    """
    rates = np.array([0.0, *_RATES])
    prior = np.array([1 - share, *[share / len(_RATES)] * len(_RATES)])
    # In logarithms: the likelihood of a thousand samples underflows.
    slow_log = slow_count * np.log(np.maximum(rates, _NEVER)) if slow_count else 0.0
    log_weight = np.log(prior) + slow_log + typical_count * np.log1p(-rates)
    weight = np.exp(log_weight - log_weight.max())
    return rng.choice(rates, size=draw_count, p=weight / weight.sum())
