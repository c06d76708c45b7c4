"""INIT over memory: what was measured at some sizes, and what that says of the others. Pure.

Lambda gives an INIT more CPU than the size has, so on AWS INIT hardly depends on memory (on
`tests/bench/cold_init.py`'s public data the ratio of 128 MB to 1,024 MB is within 0.94 and 1.06 for
half of all functions); elsewhere it may fall as CPU rises. So log INIT = level + slope × log of the
CPU share that a thread lacks, with a slope that is most likely about 0, and may be anything: its
prior has the tails of a Cauchy distribution. Sizes stray from the line a little, samples of a size
more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import mul
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, Final

from scipy.special import stdtrit

from tuner.model.interval import Interval
from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SLOPES: Final = tuple(number / 50 for number in range(-25, 101))
"""From −0.5 (slower with more CPU, as noise may have it) to 2 (worse than CPU alone explains)."""
_SLOPE_SCALE: Final = 0.02
_SIZE_SPREAD: Final = 0.05
"""Of log INIT, at sizes around the line. Half of the public data shows none beyond its sampling:
this is a margin for what isn't in it."""
SAMPLE_SPREAD: Final = 0.18
"""Of log INIT, between environments of a size: the median of the same half."""
_SPREAD_WEIGHT: Final = 4.0
"""For how many samples that counts: a handful of samples says little about its own spread."""
_Z90: Final = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True)
class InitCurve:
    """Mean INIT, in ms, over memory; made by `fit_init`."""

    samples_ms: Mapping[int, tuple[float, ...]]
    spread: float
    """Of log INIT between environments."""

    def at(self, memory_mb: int) -> Interval:
        """The mean INIT at a size with its 90% interval: from its own samples, or the others'."""
        own = self.samples_ms.get(memory_mb)
        if own:
            middle = fmean(map(math.log, own))
            quantile = float(stdtrit(len(own) - 1 + _SPREAD_WEIGHT, 0.95))  # of Student's t
            half = quantile * self.spread / math.sqrt(len(own))
        else:
            middle, deviation = self._predicted(memory_mb)
            half = _Z90 * deviation
        shift = self.spread**2 / 2  # from the middle of a lognormal to its mean
        low, estimate, high = (math.exp(middle + at + shift) for at in (-half, 0.0, half))
        return Interval(estimate, low, high)

    def _predicted(self, memory_mb: int) -> tuple[float, float]:
        """Mean and deviation of log INIT at a size without samples, over all slopes."""
        measured = sorted(self.samples_ms.items())
        sizes = [(_lack(mb), fmean(map(math.log, of)), len(of)) for mb, of in measured]
        weights = [1 / (_SIZE_SPREAD**2 + self.spread**2 / count) for _, _, count in sizes]
        total, lack = sum(weights), _lack(memory_mb)
        found: list[tuple[float, float]] = []  # (log weight, mean) of each slope
        for slope in _SLOPES:
            rests = [log_ms - slope * at for at, log_ms, _ in sizes]
            level = sum(map(mul, weights, rests)) / total
            misfit = sum(w * (rest - level) ** 2 for w, rest in zip(weights, rests, strict=True))
            prior = -math.log1p((slope / _SLOPE_SCALE) ** 2)
            found.append((prior - misfit / 2, level + slope * lack))
        best = max(log_weight for log_weight, _ in found)
        shares = [math.exp(log_weight - best) for log_weight, _ in found]
        mean = sum(map(mul, shares, (at for _, at in found))) / sum(shares)
        between = sum(s * (at - mean) ** 2 for s, (_, at) in zip(shares, found, strict=True))
        return mean, math.sqrt(between / sum(shares) + 1 / total + _SIZE_SPREAD**2)


def fit_init(samples_ms: Mapping[int, Sequence[float]]) -> InitCurve | None:
    """The curve through the INIT (or restore) of fresh environments, by size in MB; None without
    any.
    """
    kept = {mb: tuple(ms for ms in of if ms > 0) for mb, of in samples_ms.items()}
    kept = {mb: of for mb, of in kept.items() if of}
    if not kept:
        return None
    squares = _SPREAD_WEIGHT * SAMPLE_SPREAD**2
    freedom = _SPREAD_WEIGHT
    for of in kept.values():
        mean = fmean(map(math.log, of))
        squares += sum((math.log(ms) - mean) ** 2 for ms in of)
        freedom += len(of) - 1
    return InitCurve(kept, math.sqrt(squares / freedom))


def _lack(memory_mb: int) -> float:
    """How far one thread is short of a whole vCPU: log of the ratio, 0 from 1,769 MB on."""
    return max(0.0, -math.log(vcpu_share(memory_mb)))
