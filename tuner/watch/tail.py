"""How far is far outside: a level that a function's own maxima say will not be passed by chance.

The largest values of each day are taken as draws from a tail that is exponential in the logarithm
(a Pareto tail in the value): Hill, "A simple general approach to inference about the tail of a
distribution" (Annals of Statistics 3, 1975), with peaks over the k-th largest; a function that
bursts by itself has a heavy tail, and a high level.

Minutes are held against it in windows from minutes to a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.watch.watched import DAY, daily_maxima, expected_by_minute, window_sums

if TYPE_CHECKING:
    from tuner.model.arrays import Flags, Floats, Integers

FEWEST_DAYS: Final = 3
_ONCE_IN_DAYS: Final = 7 * 5_000
"""A level is passed by chance once in 5,000 weeks: some twenty levels watch a function, and all of
them together may be wrong once in 100 weeks."""
_PRIOR_COUNT: Final = 3
_PRIOR_MEAN: Final = 0.15
"""What the mean excess is taken for before there is much of it: as of three maxima."""
MOST_STEP: Final = float(np.log(10.0))
"""Ten times as much as ever before is far outside, whatever the tail."""
_LEAST_STEP: Final = float(np.log(1.5))
"""Nothing is far outside that isn't half as much again as ever before."""
_UNKNOWN_WEEK: Final = float(np.log(3.0))
"""With no whole week of history yet, the days not seen may be three times as busy."""
WINDOWS: Final = (3, 15, 60, 360, 1440)
"""Minutes: short ones see what is fast, long ones what is small."""
_LONG: Final = 360
_LONG_STEP: Final = float(np.log(4.0))
"""Over hours single bursts average out: four times as much as ever before is far outside."""


def return_level(maxima: Floats, *, most_step: float = MOST_STEP) -> float:
    """The level, in the unit of the maxima (logarithms, one a day); infinite under three days.

    It is at most `most_step` above the largest.
    """
    count = len(maxima)
    if count < FEWEST_DAYS:
        return float("inf")
    ordered = np.sort(maxima)[::-1]
    most = max(FEWEST_DAYS, -(-count // 3))
    base = ordered[min(most, count - 1)]
    excess = float((ordered[:most] - base).sum()) + _PRIOR_COUNT * _PRIOR_MEAN
    mean = excess / (most + _PRIOR_COUNT) * (1 + 1 / np.sqrt(most + _PRIOR_COUNT))
    level = base + mean * max(float(np.log(most / count * _ONCE_IN_DAYS)), 0.0)
    level = min(level, float(ordered[0]) + most_step)
    level = max(level, float(ordered[0]) + _LEAST_STEP)
    return float(level + (_UNKNOWN_WEEK if count < 7 else 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """For each minute, whether any window up to it is far outside, and what was expected of it."""

    flags: Flags
    expected: Floats
    width: Integers
    """The shortest such window, in minutes; 0 where none is."""
    level: Floats
    """How many times as much as expected its level is; of the shortest window there is."""


def find_outliers(values: Floats, first: int, seen: int, *, few: float) -> Outliers:
    """Judge every minute by the days before it: by their own maxima over what was expected of them.

    `few` is what a window may have without a word: it's added to what it has and to what it's
    expected to have. What was far outside is no example for later days.
    """
    found = _judged(values, values, first, seen, few=few)
    if found.flags.any():
        usual = np.where(found.flags, np.minimum(values, found.expected), values)
        found = _judged(values, usual, first, seen, few=few)
    return found


def _judged(values: Floats, usual: Floats, first: int, seen: int, *, few: float) -> Outliers:
    """Judge values where what is expected is learnt from `usual`."""
    expected = expected_by_minute(usual, first, seen)
    unknown = np.isnan(expected)
    usable = np.where(unknown, 0.0, expected)
    width = np.zeros(len(values), dtype=np.int64)
    level = np.full(len(values), np.nan)
    for window in WINDOWS:
        step = _LONG_STEP if window >= _LONG else MOST_STEP
        has = window_sums(values, window)
        over = np.log((has + few) / (window_sums(usable, window) + few))
        over[window_sums(unknown.astype(np.float64), window) > 0] = -np.inf
        kept: list[float] = []
        for day, most in enumerate(daily_maxima(over)):
            limit = return_level(np.array(kept), most_step=step)
            rows = slice(day * DAY, (day + 1) * DAY)
            flagged = over[rows] > limit
            width[rows] = np.where(flagged & (width[rows] == 0), window, width[rows])
            level[rows] = np.where(np.isnan(level[rows]), np.exp(limit), level[rows])
            if np.isfinite(most) and most <= limit:
                kept.append(float(most))
    return Outliers(width > 0, usable, width, level)
