"""What requests take when some are cold: lognormal durations, mixed. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Final

from tuner.cold.init_curve import SAMPLE_SPREAD
from tuner.cold.result import Percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

_NORMAL: Final = NormalDist()
_LEAST_SPREAD: Final = 0.02


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A duration's distribution, by mean and deviation of its log (ms)."""

    middle: float
    spread: float

    @property
    def mean_ms(self) -> float:
        """The mean."""
        return math.exp(self.middle + self.spread**2 / 2)

    @property
    def cv(self) -> float:
        """Coefficient of variation."""
        return math.sqrt(math.expm1(self.spread**2))

    def below(self, ms: float) -> float:
        """The share up to a duration."""
        return _NORMAL.cdf((math.log(ms) - self.middle) / self.spread)


def lognormal_of(samples_ms: Sequence[float]) -> Lognormal | None:
    """The distribution that samples are from; None without any."""
    logs = [math.log(max(ms, 0.01)) for ms in samples_ms]
    if not logs:
        return None
    spread = stdev(logs) if len(logs) > 1 else SAMPLE_SPREAD  # one says nothing of it
    return Lognormal(fmean(logs), max(spread, _LEAST_SPREAD))


def percentiles(parts: Sequence[tuple[float, Lognormal]]) -> Percentiles:
    """Percentiles of a mixture of (share, distribution)."""
    return Percentiles(*(_quantile(parts, at) for at in (0.50, 0.95, 0.99)))


def _quantile(parts: Sequence[tuple[float, Lognormal]], at: float) -> float:
    """By bisection of log ms: 60 halvings of a range that holds every part's tail."""
    present = [(share, each) for share, each in parts if share > 0]
    low = min(each.middle - 8 * each.spread for _, each in present)
    high = max(each.middle + 8 * each.spread for _, each in present)
    for _ in range(60):
        middle = (low + high) / 2
        if sum(share * each.below(math.exp(middle)) for share, each in present) < at:
            low = middle
        else:
            high = middle
    return math.exp(high)
