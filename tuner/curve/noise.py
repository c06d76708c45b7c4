"""Two layers of noise: between execution environments and within one.

Ten samples of one environment are not ten environments: an environment keeps its neighbour, its
host and its luck for life. So samples are averaged within an environment first, and a size's level
is known no better than the number of its environments allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.curve.sample import Sample

    Floats = NDArray[np.float64]

# Prior of the noise within an environment: worth this many samples at this relative deviation.
# A few per cent is what warm Lambda invocations of unchanged work scatter by.
_PRIOR_COUNT = 4.0
_PRIOR_RATIO = 0.04
_SMALLEST_DURATION_MS = 0.01  # the platform reports hundredths of a millisecond
_CLIP_DEVIATIONS = 3.0
_LARGEST_TAIL_DEVIATION = 0.7  # a factor of two either way: beyond that nothing is known


@dataclass(frozen=True, slots=True)
class Levels:
    """Samples as robust log levels of environments, and the tails that were taken out.

    `log_tail` is the logarithm of mean over robust level, pooled over all sizes: it puts the tails
    back into the level. `within_ratio` is the relative deviation within an environment.
    """

    sizes_mb: NDArray[np.int_]
    size_index: NDArray[np.intp]
    """For each environment, the index of its size in `sizes_mb`."""
    log_level: Floats
    sample_count: Floats
    within_ratio: float
    log_tail: float
    log_tail_deviation: float

    def at_sizes(self, between_ratio: float) -> tuple[Floats, Floats, float]:
        """Combine environments: log levels and their variances by size, and the log likelihood
        of the environments' scatter within sizes, if they differ by `between_ratio`.
        """
        variance = between_ratio**2 + self.within_ratio**2 / self.sample_count
        precision = 1.0 / variance
        k = len(self.sizes_mb)
        total = np.bincount(self.size_index, precision, minlength=k)
        level = np.bincount(self.size_index, precision * self.log_level, minlength=k) / total
        scatter = self.log_level - level[self.size_index]
        likelihood = -0.5 * (
            float(np.sum(np.log(variance)) + np.sum(precision * scatter**2))
            + float(np.sum(np.log(total)))
        )
        return level, 1.0 / total, likelihood


def measure_levels(samples: Sequence[Sample]) -> Levels:
    """Turn samples (at least one, in any order) into levels. Durations of 0 count as 0.01 ms."""
    ordered = sorted(samples, key=lambda s: (s.memory_mb, s.environment or "", s.duration_ms))
    logs = np.log(np.maximum([s.duration_ms for s in ordered], _SMALLEST_DURATION_MS))
    sizes, size_of_sample = np.unique([s.memory_mb for s in ordered], return_inverse=True)
    keys = sorted({(s.memory_mb, s.environment or "") for s in ordered})
    place = {key: index for index, key in enumerate(keys)}
    env_of_sample = np.array([place[(s.memory_mb, s.environment or "")] for s in ordered])
    size_of_env = np.searchsorted(sizes, [key[0] for key in keys])

    calm = _without_tails(logs, size_of_sample, len(sizes))
    counts = np.bincount(env_of_sample).astype(float)
    level = np.bincount(env_of_sample, calm) / counts
    squares = float(np.sum((calm - level[env_of_sample]) ** 2))
    freedom = float(len(logs) - len(keys))
    within = np.sqrt((_PRIOR_COUNT * _PRIOR_RATIO**2 + squares) / (_PRIOR_COUNT + freedom))
    tail, tail_deviation = _tail(logs, calm, size_of_sample, len(sizes), float(within))
    return Levels(
        sizes_mb=sizes,
        size_index=size_of_env,
        log_level=level,
        sample_count=counts,
        within_ratio=float(within),
        log_tail=tail,
        log_tail_deviation=tail_deviation,
    )


def _without_tails(logs: Floats, size_of_sample: NDArray[np.intp], size_count: int) -> Floats:
    """Pull in samples that lie far from their size's median, by the pooled robust deviation."""
    median = np.array([np.median(logs[size_of_sample == i]) for i in range(size_count)])
    residual = logs - median[size_of_sample]
    freedom = len(logs) - size_count
    if freedom < 4:
        return logs
    spread = np.quantile(np.abs(residual), 0.5 * freedom / len(logs) + size_count / len(logs))
    limit = _CLIP_DEVIATIONS * max(1.4826 * float(spread), _PRIOR_RATIO)
    clipped = np.clip(residual, -limit, limit)
    return np.asarray(median[size_of_sample] + clipped)


def _tail(
    logs: Floats, calm: Floats, size_of_sample: NDArray[np.intp], size_count: int, within: float
) -> tuple[float, float]:
    """Log ratio of mean to robust level, and its deviation, pooled over sizes.

    Few repetitions say little about a tail: the lognormal's own ratio, within² / 2, counts as much
    as `_PRIOR_COUNT` samples do.
    """
    counts = np.bincount(size_of_sample, minlength=size_count)
    level = np.bincount(size_of_sample, calm, minlength=size_count) / counts
    ratio = np.exp(logs - level[size_of_sample])
    mean_ratio = np.bincount(size_of_sample, ratio, minlength=size_count) / counts
    freedom = float(np.sum(counts - 1))
    weight = _PRIOR_COUNT + freedom
    tail = (_PRIOR_COUNT * within**2 / 2 + float(np.sum(counts * np.log(mean_ratio)))) / weight
    spread = float(np.sum((ratio - mean_ratio[size_of_sample]) ** 2))
    excess = max(spread / weight - within**2, 0.0)
    deviation = float(np.sqrt((excess + within**4 / 2) / weight))
    return tail, min(deviation, _LARGEST_TAIL_DEVIATION)
