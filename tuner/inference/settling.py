"""Slow first calls: how much longer an environment's first warm calls take than the later ones.

Caches fill, connections open, compilers get to know the code. A sweep makes few calls in each
environment and traffic many, so the mean warm duration is that of settled calls. What the n-th call
takes longer is 1 + a·exp(-n/τ), the same at every size; a and τ are averaged over a grid. Only
calls of the same environment are compared: nothing else of them differs. That warm-up is common
and seldom regular: Barrett and others, "Virtual machine warmup blows hot and cold", OOPSLA 2017,
doi:10.1145/3133876.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.inference.sample import Sample
    from tuner.model.arrays import Floats, Integers

_EXTRAS: Final = np.geomspace(0.1, 4.0, 12)
_DECAYS: Final = np.geomspace(0.4, 16.0, 10)
"""Equally likely, in calls: judgment, wide, no data chose them."""
_SHAPE_RATIO: Final = 0.1
"""How far a call's extra time is from that form, as a share of it."""
_SHARE: Final = 0.08
"""Prior share of functions whose first warm calls are slower by a tenth or more."""
_COMPILING_RUNTIMES: Final = ("java", "dotnet")
_COMPILING_SHARE: Final = 0.3
_NEGLIGIBLE: Final = 0.1
_LAST_NUMBER: Final = 60
"""By then every one of them has settled."""
_PRIOR_COUNT: Final = 2.5
_PRIOR_RATIO: Final = 0.05
"""Prior of the noise within an environment, as in `variance_components`."""

_NUMBERS: Final = np.arange(_LAST_NUMBER + 1)
_PROFILES: Final = np.log1p(_EXTRAS[:, None, None] * np.exp(-_NUMBERS / _DECAYS[:, None])).reshape(
    -1, len(_NUMBERS)
)
"""Log of the n-th call's extra time: (hypotheses, numbers)."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What is known about an environment's first warm calls.

    `log_extra` (numbers,) and `covariance` (numbers, numbers) are of the log of the n-th call's
    extra time over settled ones, if the function settles at all, which has `probability`.
    """

    probability: float
    log_extra: Floats
    covariance: Floats

    @classmethod
    def of(cls, samples: Sequence[Sample], runtime: str | None = None) -> Settling:
        """Compare the warm calls within each environment."""
        environments: dict[tuple[int, str | None], list[tuple[int, float]]] = defaultdict(list)
        for sample in samples:
            if sample.call_number is not None and not sample.cold:
                place = min(sample.call_number, _LAST_NUMBER)
                log = float(np.log(max(sample.duration_ms, 0.01)))
                environments[sample.memory_mb, sample.environment].append((place, log))
        squares, none_squares, freedom = np.zeros(len(_PROFILES)), 0.0, 0
        for calls in environments.values():
            places = [place for place, _ in calls]
            logs = np.array([log for _, log in calls])
            expected = _PROFILES[:, places]
            logs -= logs.mean()
            none_squares += float(logs @ logs)
            apart = logs - (expected - expected.mean(axis=1, keepdims=True))
            squares += np.sum(apart**2, axis=1)
            freedom += len(calls) - 1
        known = _PRIOR_COUNT * _PRIOR_RATIO**2
        share = _COMPILING_SHARE if (runtime or "").startswith(_COMPILING_RUNTIMES) else _SHARE
        exponent = -(_PRIOR_COUNT + freedom) / 2
        log_weight = exponent * np.log((known + squares) / (known + none_squares))
        largest = float(log_weight.max())
        weight = np.exp(log_weight - largest)
        odds = share / (1 - share) * float(weight.mean() * np.exp(min(largest, 100.0)))
        weight /= weight.sum()
        mean = weight @ _PROFILES
        apart = _PROFILES - mean
        covariance = (apart.T * weight) @ apart + np.diag((_SHAPE_RATIO * mean) ** 2)
        return cls(odds / (1 + odds), mean, covariance)

    @property
    def is_likely(self) -> bool:
        """Whether the function likelier settles than not."""
        return self.probability > 0.5

    def share_of(self, draw_count: int) -> int:
        """How many draws are of a function that settles: none or all if hardly any would be
        otherwise, because no interval shows those.
        """
        if self.probability < _NEGLIGIBLE:
            return 0
        if self.probability > 1 - _NEGLIGIBLE:
            return draw_count
        return round(self.probability * draw_count)

    def doubt(self, call_count: int) -> float:
        """How much longer (log) than settled ones the call after this many warm ones may still
        take: the expected value and its deviation.
        """
        if self.probability < _NEGLIGIBLE:
            return 0.0
        place = min(call_count + 1, _LAST_NUMBER)
        extra = self.log_extra[place]
        square = self.probability * (self.covariance[place, place] + extra**2)
        return float(np.sqrt(square))

    def removed_from(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """The samples as settled ones, without the first warm calls' extra time."""
        return tuple(
            sample
            if sample.cold or sample.call_number is None
            else replace(
                sample,
                duration_ms=sample.duration_ms / float(np.exp(self.extra_at(sample.call_number))),
            )
            for sample in samples
        )

    def extra_at(self, call_number: int) -> float:
        """Expected log of a call's extra time, if the function settles at all."""
        return float(self.log_extra[min(call_number, _LAST_NUMBER)])

    def level_covariance(self, samples: Sequence[Sample], sizes_mb: Integers) -> Floats:
        """Covariance of the sizes' warm log levels due to what isn't known about the first calls:
        (sizes, sizes).
        """
        counts = np.zeros((len(sizes_mb), _LAST_NUMBER + 1))
        total = np.zeros(len(sizes_mb))
        for sample in samples:
            if not sample.cold:
                place = int(np.searchsorted(sizes_mb, sample.memory_mb))
                total[place] += 1
                if sample.call_number is not None:
                    counts[place, min(sample.call_number, _LAST_NUMBER)] += 1
        counts /= np.maximum(total, 1)[:, None]
        return np.asarray(counts @ self.covariance @ counts.T)
