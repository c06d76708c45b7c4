"""What an earlier sweep says about a function, and how much it may have changed since.

An earlier sweep's levels are in the same posterior as this one's, with a change between the two: a
common one in the level (days and hosts differ), and a slow and a rough one in the shape, as a
discrepancy (`kernel`). Their size isn't known: a few sizes of change are weighed by how well the
two sweeps agree, and one of them is so large that the earlier sweep says nothing. So an earlier
sweep that this one contradicts loses its weight by itself (a robust mixture prior: Schmidli and
others, Biometrics 70 (2014), 1023-1032, doi:10.1111/biom.12242).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.inference.kernel import discrepancy_kernels
from tuner.inference.settling import Settling
from tuner.inference.variance_components import Levels, Observations, measure_levels

if TYPE_CHECKING:
    from tuner.inference.sample import Sample
    from tuner.model.arrays import Floats, Indices, Integers


@dataclass(frozen=True, slots=True)
class Change:
    """How much may be different: deviations (log) of the level, and of the slow and the rough part
    of the shape, with a prior weight; and of each earlier level by itself.
    """

    level: float
    slow: float
    rough: float
    weight: float
    apart: float = 0.0


SAME_CODE: Final = (
    Change(0.05, 0.01, 0.005, 0.3),
    Change(0.1, 0.03, 0.01, 0.35),
    Change(0.2, 0.06, 0.02, 0.15),
    Change(0.45, 0.15, 0.05, 0.1),
    Change(1.0, 0.4, 0.15, 0.1),
)
"""Between two sweeps of the same code with the same events. The first three are estimated
(nonparametric maximum likelihood) from INIT durations of the same package at four sizes on days one
to two months apart: 451 pairs of maxday/lambda-perf, November 2025 to August 2026, none of which
the benchmarks use. The others are judgment: what calls depend on may change as well, in unknown
ways."""
_USUAL_SLOW: Final = 0.06
_MEAN_ERROR_RATIO: Final = 0.005
"""How well the mean of a period is known by its invocations alone."""
_ANY_LEVEL: Final = 3.0
OTHER_CODE: Final = (
    Change(_ANY_LEVEL, 0.05, 0.02, 0.3),
    Change(_ANY_LEVEL, 0.15, 0.05, 0.3),
    Change(_ANY_LEVEL, 0.4, 0.15, 0.4),
)
"""With other code, events or surroundings the level says nothing, and the shape a little: judgment,
because no data say what an edit changes."""
PRODUCTION: Final = (
    Change(0.05, 0.01, 0.005, 0.1, 0.03),
    Change(0.15, 0.04, 0.01, 0.1, 0.05),
    Change(_ANY_LEVEL, 0.04, 0.01, 0.1, 0.05),
    Change(_ANY_LEVEL, 0.15, 0.05, 0.25, 0.1),
    Change(_ANY_LEVEL, 0.4, 0.15, 0.45, 0.1),
)
"""Between production's means and a sweep: its events may be the sweep's, or others that take
another time, whose curve may be another; and the mix shifts between the periods of two sizes
(`production`). Judgment."""


@dataclass(frozen=True, slots=True)
class PriorSamples:
    """One payload's samples (at least one) in an earlier sweep; whether code and event are the
    same. Of `production`, each is the mean of many invocations, and in an environment of its own.
    """

    samples: tuple[Sample, ...]
    same_code: bool
    production: bool = False


@dataclass(frozen=True, slots=True)
class JointLevels:
    """A sweep's levels, followed by an earlier one's; for the posterior, like `Levels`."""

    own: Levels
    earlier: Levels
    changes: tuple[Change, ...]
    """What may have changed in between."""
    sizes_mb: Integers
    """Of both, ascending."""

    @classmethod
    def of(cls, own: Levels, prior: PriorSamples) -> JointLevels:
        """Measure the earlier samples' levels; their scatter and slow calls are their own."""
        earlier = _measure(prior)
        changes = SAME_CODE if prior.same_code else OTHER_CODE
        if prior.production:
            changes = PRODUCTION
        return cls(own, earlier, changes, np.union1d(own.sizes_mb, earlier.sizes_mb))

    @property
    def log_anchor(self) -> float:
        """What every log level is relative to."""
        return self.own.log_anchor

    def within_log_weight(self, scale: float) -> float:
        """Like `Levels`, for the sweep's own noise."""
        return self.own.within_log_weight(scale)

    def observe(self, between_ratio: float, within_scale: float = 1.0) -> Observations:
        """Both sweeps' levels if environments differ by `between_ratio`, without the change. How
        the earlier ones agree says nothing about how this sweep's do.
        """
        own = self.own.observe(between_ratio, within_scale)
        before = self._before(between_ratio)
        count = len(own.log_level)
        covariance = np.zeros((count + len(before.log_level),) * 2)
        covariance[:count, :count] = own.covariance
        covariance[count:, count:] = before.covariance
        places = [
            np.searchsorted(self.sizes_mb, levels.sizes_mb)[seen.size_index]
            for levels, seen in ((self.own, own), (self.earlier, before))
        ]
        shift = self.earlier.log_anchor - self.own.log_anchor
        return Observations(
            size_index=np.concatenate(places),
            cold=np.concatenate([own.cold, before.cold]),
            log_level=np.concatenate([own.log_level, before.log_level + shift]),
            covariance=covariance,
            scatter_log_likelihood=own.scatter_log_likelihood,
        )

    def with_changes(
        self, level: Floats, noise: Floats, log_weight: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Repeat each noise for every change, which adds to the earlier levels' covariance: levels
        (noises, levels), covariances (noises, levels, levels) and weights (noises,).
        """
        before = self._before(0.0)
        sizes_mb = self.earlier.sizes_mb[before.size_index]
        slow, rough = discrepancy_kernels(sizes_mb, sizes_mb)
        changed = np.zeros((len(self.changes), *noise.shape[1:]))
        first = noise.shape[1] - len(sizes_mb)
        changed[:, first:, first:] = [
            c.level**2 + c.slow**2 * slow + c.rough**2 * rough + c.apart**2 * np.eye(len(sizes_mb))
            for c in self.changes
        ]
        weights = np.log([change.weight for change in self.changes])
        return (
            np.repeat(level, len(self.changes), axis=0),
            (noise[:, None] + changed).reshape(-1, *noise.shape[1:]),
            (log_weight[:, None] + weights).ravel(),
        )

    def _before(self, between_ratio: float) -> Observations:
        """The earlier levels; the environments of a whole period have no luck left."""
        return self.earlier.observe(0.0 if self.changes is PRODUCTION else between_ratio)

    def unchanged_share(self, changes: Indices) -> float:
        """Share of the draws with no more change than days and hosts explain."""
        usual = np.array([change.slow <= _USUAL_SLOW for change in self.changes])
        return float(usual[changes].mean())


@lru_cache(maxsize=32)
def _measure(prior: PriorSamples) -> Levels:
    """Cached, because every refit needs it: one per payload."""
    if prior.production:  # means are no typical calls: none is an outlier, and none is noisy
        levels = measure_levels(prior.samples)
        means = sorted(prior.samples, key=lambda each: (each.memory_mb, each.environment or ""))
        return replace(
            levels,
            warm_log_level=np.log([each.duration_ms for each in means]) - levels.log_anchor,
            warm_count=np.full(len(means), (levels.within_ratio / _MEAN_ERROR_RATIO) ** 2),
        )
    settling = Settling.of(prior.samples)
    return measure_levels(prior.samples, settling if settling.is_likely else None)
