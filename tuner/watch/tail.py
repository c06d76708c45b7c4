"""How far is far outside: a level that a function's own maxima say will not be passed by chance.

The largest values of each day are taken as draws from a tail that is exponential in the logarithm
(a Pareto tail in the value): Hill, "A simple general approach to inference about the tail of a
distribution" (Annals of Statistics 3, 1975), with peaks over the k-th largest; a function that
bursts by itself has a heavy tail, and a high level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tuner.model.arrays import Floats

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
