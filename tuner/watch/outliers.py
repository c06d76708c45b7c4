"""Minutes far outside a function's own pattern, in windows from minutes to a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.watch.minutes import DAY, daily_maxima, expected_by_minute, window_sums
from tuner.watch.tail import MOST_STEP, return_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tuner.model.arrays import Flags, Floats

WINDOWS: Final = (3, 15, 60, 360, 1440)
"""Minutes: short ones see what is fast, long ones what is small."""
_LONG: Final = 360
_LONG_STEP: Final = float(np.log(4.0))
"""Over hours single bursts average out: four times as much as ever before is far outside."""


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """For each minute, whether any window up to it is far outside, and what was expected of it."""

    flags: Flags
    expected: Floats
    width: NDArray[np.int64]
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
