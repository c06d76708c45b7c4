"""Whether a daily figure of a function moved, and by how much: two stretches of days compared.

A day's value is a logarithm, so a shift is a ratio. Days scatter for two reasons: the invocations
in them (known from the sums), and the day itself, whose variance is estimated from the days of both
stretches together with a prior (some days say little about how days differ). What a day adds lasts
for days, so a mean of days is no surer than that of a third as many independent ones.

A shift is called one where its whole interval is beyond what would matter. So on a function that
nobody changed, chance has to bridge both the margin and the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import stdtrit

from tuner.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.arrays import Floats

FEWEST_DAYS: Final = 3
"""Of a stretch: with fewer nothing is said."""
_SURE: Final = 0.999
"""Two-sided: several figures of many functions are looked at, again and again."""
_PRIOR_DAY_DEVIATION: Final = 0.03
_PRIOR_FREEDOM: Final = 4.0
"""How days of one function differ, and how many degrees of freedom that's worth. Judgment."""
_LASTING: Final = 3.0
"""The variance of a mean of days in a row over that of independent ones: (1 + r) / (1 - r), where a
day keeps r = 0.5 of the excess of the day before (a first-order autoregression; Box and Jenkins,
"Time Series Analysis")."""
_WHOLE_WEEK: Final = 7
_KNOWN_WEEKS: Final = 14
_WEEKEND_DEVIATION: Final = 0.05
"""What a stretch without a whole week may differ by for its weekdays alone, where there aren't two
weeks of earlier days, whose scatter has that in it."""
_NORMAL_90: Final = 1.645


@dataclass(frozen=True, slots=True, eq=False)
class DayValues:
    """Logarithms of a figure, a day each, with the variance that their invocations explain."""

    logs: Floats
    own_variance: Floats

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> DayValues:
        """From (value, relative variance of the value) of each day; values above 0 count."""
        kept = [(math.log(value), max(own, 0.0)) for value, own in pairs if value > 0]
        array = np.asarray(kept, dtype=np.float64).reshape(-1, 2)
        return cls(array[:, 0], array[:, 1])

    def __len__(self) -> int:
        return len(self.logs)


@dataclass(frozen=True, slots=True)
class Shift:
    """The later level over the earlier one, with an interval that holds 99.9%."""

    before: float
    after: float
    ratio: Interval

    def is_beyond(self, margin_ratio: float) -> bool:
        """Whether it is surely more than this margin, up or down (0.1: by a tenth)."""
        return self.ratio.low > 1 + margin_ratio or self.ratio.high < 1 / (1 + margin_ratio)


def shift_of(before: DayValues | Interval, after: DayValues) -> Shift | None:
    """Compare days with earlier ones, or with an estimate and its 90% interval.

    None where either has too few days, or the estimate isn't above 0.
    """
    if len(after) < FEWEST_DAYS:
        return None
    if isinstance(before, Interval):
        if min(before.estimate, before.low) <= 0:
            return None
        level, own = math.log(before.estimate), _variance_of(before)
        variance, freedom = _day_variance([after])
        knows_weeks = False
    else:
        if len(before) < FEWEST_DAYS:
            return None
        variance, freedom = _day_variance([before, after])
        knows_weeks = len(before) >= _KNOWN_WEEKS
        level, own = _mean(before, variance, knows_weeks=knows_weeks)
    later, noise = _mean(after, variance, knows_weeks=knows_weeks)
    reach = float(stdtrit(freedom, 0.5 + _SURE / 2)) * math.sqrt(own + noise)
    moved = later - level
    return Shift(
        math.exp(level),
        math.exp(later),
        Interval(math.exp(moved), math.exp(moved - reach), math.exp(moved + reach)),
    )


def _variance_of(interval: Interval) -> float:
    """Of the logarithm, by the wider side of a 90% interval."""
    wide = max(
        math.log(interval.high / interval.estimate), math.log(interval.estimate / interval.low)
    )
    return (wide / _NORMAL_90) ** 2


def _day_variance(stretches: Sequence[DayValues]) -> tuple[float, float]:
    """What days differ by beyond their invocations, and with how many degrees of freedom."""
    squares, freedom = 0.0, 0.0
    for each in stretches:
        if len(each) > 1:
            residual = each.logs - each.logs.mean()
            excess = float((residual**2).sum()) - float(each.own_variance.sum()) * (
                1 - 1 / len(each)
            )
            squares += max(excess, 0.0)
            freedom += len(each) - 1
    prior = _PRIOR_FREEDOM * _PRIOR_DAY_DEVIATION**2
    return (prior + squares) / (_PRIOR_FREEDOM + freedom), _PRIOR_FREEDOM + freedom


def _mean(days: DayValues, day_variance: float, *, knows_weeks: bool) -> tuple[float, float]:
    """The weighted mean of a stretch's days, and its variance."""
    weights = 1 / (days.own_variance + day_variance)
    share = weights / weights.sum()
    own = float((share**2 * days.own_variance).sum())
    lasting = _LASTING * day_variance * float((share**2).sum())
    week = 0.0
    if len(days) < _WHOLE_WEEK and not knows_weeks:
        week = _WEEKEND_DEVIATION**2 * (1 - len(days) / _WHOLE_WEEK)
    return float((share * days.logs).sum()), own + lasting + week
