"""How many invocations a step needs, stated before it begins."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scipy.special import bdtrc

from tuner.rollout.comparison import ALPHA
from tuner.rollout.evidence import ShareTest
from tuner.rollout.forecast import MARGIN

if TYPE_CHECKING:
    from tuner.rollout.steps import Step

RISE: Final = 0.20
"""A rise of the share of errors that must be seen at once: from 1% to 21%, say."""
USUAL_ERROR_RATIO: Final = 0.01
ASSUMED_CV: Final = 0.5
_MISSED: Final = 0.005
_Z_SELDOM: Final = 2.81
"""One-sided 0.25%: half of what may be missed."""
_MOST_ERRORS: Final = 0.5
"""If more of the old version's invocations fail, a rise isn't what matters."""
_SPARE: Final = 1.25
"""Blocks tell a little less than the same invocations put together."""
_Z_BOTH: Final = 1.645 + 1.282
"""One-sided 5% at a power of 90%."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What one step needs, in invocations of the alias."""

    for_errors: int
    """A rise of errors by `RISE` is returned within these, in 99 of 100."""
    for_cost: int
    """A change of the cost by `MARGIN` is told from none with a power of 90%."""

    @property
    def count(self) -> int:
        """Both."""
        return max(self.for_errors, self.for_cost)


def needed_for(step: Step, *, error_ratio: float, cv: float) -> Needed:
    """What a step needs.

    `error_ratio` is the old version's share of errors and `cv` the variation of its cost (standard
    deviation over mean). The second is 8.56·(CV/δ)²·(1 + w/(1−w)) of the new version's invocations:
    at a weight of a half 17·(CV/δ)², as for any two equal arms.
    """
    new_for_cost = _Z_BOTH**2 * (cv / MARGIN) ** 2 / (1 - step.weight)
    new_for_errors = detection_count(
        step.weight, min(max(error_ratio, USUAL_ERROR_RATIO), _MOST_ERRORS)
    )
    return Needed(
        math.ceil(new_for_errors / step.weight), math.ceil(max(new_for_cost, 50) / step.weight)
    )


def detection_count(weight: float, error_ratio: float) -> int:
    """The new version's invocations by which a rise of its errors by `RISE` is told."""

    def is_told(new_count: int) -> bool:
        return _power(new_count, weight, error_ratio) >= 1 - _MISSED

    low, high = 4, 8
    while not is_told(high) and high < 1_000_000:
        low, high = high, 2 * high
    least = low + 1 + bisect_left(range(low + 1, high), True, key=is_told)
    return math.ceil(least * _SPARE)


def _power(new_count: int, weight: float, error_ratio: float) -> float:
    """Least probability that this many of the new version's invocations tell the rise.

    All at once, and with so many errors of the old version as it seldom has: both halves of what
    may go wrong.
    """
    old_count = round(new_count * (1 - weight) / weight)
    middle, spread = old_count * error_ratio, math.sqrt(old_count * error_ratio * (1 - error_ratio))
    old_hits = min(math.ceil(middle + _Z_SELDOM * spread + 1), old_count)
    risen = min(error_ratio + RISE, 1.0)
    fewest = _fewest(new_count, old_hits, old_count)
    return float(bdtrc(fewest - 1, new_count, risen)) - _MISSED / 2


def _fewest(new_count: int, old_hits: int, old_count: int) -> int:
    """How many errors of the new version it takes."""

    def is_told(new_hits: int) -> bool:
        test = ShareTest()
        test.add(new_hits, new_count, old_hits, old_count)
        return test.log_evidence >= -math.log(ALPHA)

    return 1 + bisect_left(range(1, new_count + 1), True, key=is_told)
