"""Two layers of noise: between execution environments and within one; cold handlers separately.

Ten samples of one environment aren't ten environments: an environment keeps its neighbor, its host
and its luck for life. So samples are averaged within an environment first, and a size's level is
known no better than the number of its environments allows. The handler's own time in a cold start
also says something about the shape, but not about the level: it is a separate kind of level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.inference.outliers import winsorize
from tuner.inference.slow_calls import SlowCalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.inference.sample import Sample
    from tuner.inference.settling import Settling
    from tuner.model.arrays import Flags, Floats, Indices, Integers

# Prior of the noise within an environment: worth this many samples at this relative deviation.
# A few percent is what warm Lambda invocations of unchanged work scatter by.
_PRIOR_COUNT = 2.5
_PRIOR_RATIO = 0.05
# How differently sizes take to a cold start, once its common factor is taken out.
_COLD_PRIOR_COUNT = 3.0
_COLD_PRIOR_RATIO = 0.06
_SMALLEST_DURATION_MS = 0.01  # the platform reports hundredths of a millisecond


@dataclass(frozen=True, slots=True)
class Observations:
    """Levels of sizes, warm ones and cold ones, for one assumed scatter between environments."""

    size_index: Indices
    cold: Flags
    log_level: Floats
    covariance: Floats
    """Of the noise; a size's warm and cold level share their environments' luck."""
    scatter_log_likelihood: float
    """How well environments of one size agree under that assumption."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Samples as robust log levels of environments, and the slow calls that were taken out.

    `slow_calls`, pooled over all sizes, put back into the level what was taken out. `within_ratio`
    is the relative deviation within an environment. Arrays by environment have a count of 0 if it
    has no such sample.
    """

    sizes_mb: Integers
    size_index: Indices
    """For each environment, the index of its size in `sizes_mb`."""
    warm_log_level: Floats
    warm_count: Floats
    cold_log_level: Floats
    cold_count: Floats
    within_ratio: float
    within_count: float
    """How many samples' worth of knowledge `within_ratio` rests on, its prior included."""
    cold_ratio: float
    slow_calls: SlowCalls
    log_anchor: float
    """What every log level is relative to."""
    shared_covariance: Floats
    """Of the sizes' warm levels, due to what isn't known about first calls: (sizes, sizes)."""

    def within_log_weight(self, scale: float) -> float:
        """Log posterior density (over log scale) of the deviation within an environment being
        `scale` times `within_ratio`: inverse gamma, by the repetitions alone.
        """
        return -self.within_count * (math.log(scale) + (scale**-2 - 1) / 2)

    def observe(self, between_ratio: float, within_scale: float = 1.0) -> Observations:
        """Combine the environments of each size, if they differ by `between_ratio` and single
        samples by `within_scale` times `within_ratio`.
        """
        solved = self._solve(between_ratio, within_scale)
        size_index, kind = np.nonzero(solved.present)
        matrix = np.diag(solved.variance[solved.present])
        both = solved.present.all(axis=1)
        first = np.searchsorted(size_index, np.flatnonzero(both))
        matrix[first, first + 1] = matrix[first + 1, first] = solved.covariance[both]
        warm = np.flatnonzero(kind == 0)
        matrix[np.ix_(warm, warm)] += self.shared_covariance[np.ix_(*[size_index[warm]] * 2)]
        return Observations(
            size_index=size_index,
            cold=kind == 1,
            log_level=solved.level[solved.present],
            covariance=matrix,
            scatter_log_likelihood=solved.log_likelihood,
        )

    def scatter_log_likelihood(self, between_ratio: float) -> float:
        """How well environments of one size agree, if they differ by `between_ratio`."""
        return self._solve(between_ratio, 1.0).log_likelihood

    def _solve(self, between_ratio: float, within_scale: float) -> _Solved:
        """Generalized least squares with, for each environment, the covariance
        [[s + w, s], [s, s + c]]: s shared luck, w and c the variances of its two means.
        """
        within = (within_scale * self.within_ratio) ** 2
        warm = self.warm_count / within
        cold = self.cold_count / (within + self.cold_ratio**2)
        both = 1 + between_ratio**2 * (warm + cold)
        shared = between_ratio**2 / both
        weighted = warm * self.warm_log_level + cold * self.cold_log_level
        squares = warm * self.warm_log_level**2 + cold * self.cold_log_level**2
        likelihood = -0.5 * float(
            np.sum(squares - shared * weighted**2)
            + np.sum(np.log(both))
            - np.sum(np.log(warm[warm > 0]))
            - np.sum(np.log(cold[cold > 0]))
        )

        def at_sizes(values: Floats) -> Floats:
            found = np.bincount(self.size_index, values, minlength=len(self.sizes_mb))
            return np.asarray(found, dtype=float)

        precision = np.column_stack(
            [at_sizes(warm - shared * warm**2), at_sizes(cold - shared * cold**2)]
        )
        moment = np.column_stack(
            [
                at_sizes(warm * (self.warm_log_level - shared * weighted)),
                at_sizes(cold * (self.cold_log_level - shared * weighted)),
            ]
        )
        return _solve_sizes(precision, at_sizes(-shared * warm * cold), moment, likelihood)


@dataclass(frozen=True, slots=True)
class _Solved:
    """Warm and cold levels of each size: (sizes, 2)."""

    present: Flags
    level: Floats
    variance: Floats
    covariance: Floats
    """Of a size's two levels: (sizes,)."""
    log_likelihood: float


def _solve_sizes(precision: Floats, shared: Floats, moment: Floats, likelihood: float) -> _Solved:
    """Levels and their covariance from every size's 2 x 2 system; a missing kind's mean is
    meaningless.

    `precision` is the systems' diagonal, `shared` the off-diagonal.
    """
    present = precision > 0
    # An absent kind gets a precision of 1 of its own, so that one formula inverts every system.
    diagonal = np.where(present, precision, 1.0)
    volume = diagonal[:, 0] * diagonal[:, 1] - shared**2
    variance = diagonal[:, ::-1] / volume[:, None]
    covariance = -shared / volume
    level = variance * moment + covariance[:, None] * moment[:, ::-1]
    likelihood += 0.5 * float(np.sum(moment * level) - np.sum(np.log(volume)))
    return _Solved(present, level, variance, covariance, likelihood)


def measure_levels(samples: Sequence[Sample], settling: Settling | None = None) -> Levels:
    """Turn samples (at least one, in any order) into levels, of settled calls if the function
    settles as `settling` says. Durations of 0 count as 0.01 ms.
    """
    if settling is not None:
        samples = settling.removed_from(samples)
    ordered = sorted(
        samples, key=lambda s: (s.memory_mb, s.environment or "", s.cold, s.duration_ms)
    )
    logs = np.log(np.maximum([s.duration_ms for s in ordered], _SMALLEST_DURATION_MS))
    anchor = float(logs.mean())
    logs = np.round(logs - anchor, 9)  # so that the unit of time changes no later comparison
    cold = np.array([s.cold for s in ordered])
    sizes, size_of_sample = np.unique([s.memory_mb for s in ordered], return_inverse=True)
    keys = sorted({(s.memory_mb, s.environment or "") for s in ordered})
    place = {key: index for index, key in enumerate(keys)}
    env_of_sample = np.array([place[(s.memory_mb, s.environment or "")] for s in ordered])
    size_of_env = np.searchsorted(sizes, [key[0] for key in keys])

    warm = ~cold
    typical_logs, doubt = winsorize(logs, cold, size_of_sample, sizes)
    typical = typical_logs[warm]
    warm_level, warm_count = _means(typical, env_of_sample[warm], len(keys))
    cold_level, cold_count = _means(typical_logs[cold], env_of_sample[cold], len(keys))
    squares = float(np.sum((typical - warm_level[env_of_sample[warm]]) ** 2))
    freedom = float(len(typical) - np.count_nonzero(warm_count))
    within = float(np.sqrt((_PRIOR_COUNT * _PRIOR_RATIO**2 + squares) / (_PRIOR_COUNT + freedom)))
    # A doubted sample is the only one of its environment, and counts as the part of one.
    doubted = np.bincount(env_of_sample, doubt**2, minlength=len(keys))
    trust = within**2 / (within**2 + doubted)
    return Levels(
        sizes_mb=sizes,
        size_index=size_of_env,
        warm_log_level=warm_level,
        warm_count=warm_count * trust,
        cold_log_level=cold_level,
        cold_count=cold_count * trust,
        within_ratio=within,
        within_count=_PRIOR_COUNT + freedom,
        cold_ratio=_cold_ratio(warm_level, warm_count, cold_level, cold_count, within),
        slow_calls=SlowCalls.of(logs[warm], typical, sizes[size_of_sample[warm]], within),
        log_anchor=anchor,
        shared_covariance=(
            np.zeros((len(sizes), len(sizes)))
            if settling is None
            else settling.level_covariance(samples, sizes)
        ),
    )


def _means(values: Floats, group: Indices, count: int) -> tuple[Floats, Floats]:
    """Mean and number of the values in each group; a mean of 0 if there are none."""
    counts = np.bincount(group, minlength=count).astype(float)
    return np.bincount(group, values, minlength=count) / np.maximum(counts, 1), counts


def _cold_ratio(
    warm_level: Floats, warm_count: Floats, cold_level: Floats, cold_count: Floats, within: float
) -> float:
    """Scatter of cold over warm from environment to environment, around their common ratio, minus
    the scatter of single invocations.
    """
    both = (warm_count > 0) & (cold_count > 0)
    ratios = (cold_level - warm_level)[both]
    squares = float(np.sum((ratios - ratios.mean()) ** 2)) if len(ratios) else 0.0
    freedom = max(len(ratios) - 1, 0)
    usual = within**2 * np.mean(1 / warm_count[both] + 1 / cold_count[both]) if freedom else 0.0
    own = max(squares - freedom * float(usual), 0.0)
    prior = _COLD_PRIOR_COUNT * _COLD_PRIOR_RATIO**2
    return float(np.sqrt((prior + own) / (_COLD_PRIOR_COUNT + freedom)))
