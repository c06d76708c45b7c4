"""How many calls both sizes of a move need where calls of one size scatter widely.

A curve borrows strength from all sizes, which few calls that differ by half of their duration or
more don't give: whichever sizes had luck look best. There a move's own two sizes are called again
before it is answered, as often as a comparison of their calls alone would need.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.move import SURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.problem import Problem
    from tuner.inference.sample import Sample

NOISE_RATIO: Final = 0.25
"""Relative scatter of a size's calls that most functions don't have."""
MOST_NEEDED: Final = 12
"""Calls of one size that are enough, however widely they scatter."""
_FEW_SHARE: Final = 0.5
"""A size with less than this share of the calls it needs can't carry a move."""
_LEAST_FREEDOM: Final = 2


def calls_needed(problem: Problem, column: int) -> int:
    """Calls of each of the two sizes that show a move's gain with the sureness that it needs, at
    most `MOST_NEEDED`; 1 where calls don't scatter widely.
    """
    payload = weightiest(problem)
    curve = problem.estimates.curves[payload]
    scatter = scatter_of(curve.settled(problem.evidence.samples[payload]))
    if scatter < NOISE_RATIO:
        return 1
    gain = -math.log1p(-min(float(problem.ranking.gains(column).mean()), 0.99))
    if gain <= 0:
        return 1
    needed = 2 * (NormalDist().inv_cdf(SURE) * scatter / gain) ** 2
    return min(math.ceil(needed), MOST_NEEDED)


def lacking_calls(problem: Problem, column: int) -> tuple[int, int, int] | None:
    """The size of a move that was called far less often than others and than it needs, its warm
    calls, and what it needs; None if neither was.

    A plan that calls all sizes alike favors none, however few its calls are.
    """
    needed = calls_needed(problem, column)
    for memory_mb, of in (
        (problem.estimates.sizes_mb[column], problem),
        (problem.current_mb, problem.of_current),
    ):
        evidence, payload = of.evidence, weightiest(of)
        most = max(len(evidence.warm_ms(payload, m)) for m in evidence.measured_mb)
        called = len(evidence.warm_ms(payload, memory_mb))
        if called < _FEW_SHARE * min(needed, most):
            return memory_mb, called, needed
    return None


def weightiest(problem: Problem) -> str:
    """The payload that decides most of a move's gain."""
    weights = problem.evidence.weights
    return max(weights, key=weights.__getitem__)


def scatter_of(samples: Sequence[Sample]) -> float:
    """Relative deviation of calls of one size: of warm ones, and of cold ones from those, less what
    cold calls take longer at all sizes. 0 where too few calls show it.
    """
    logs: dict[tuple[int, bool], list[float]] = {}
    for sample in samples:
        log = math.log(max(sample.duration_ms, 0.01))
        logs.setdefault((sample.memory_mb, sample.cold), []).append(log)
    warm = [np.array(each) for (_, cold), each in logs.items() if not cold]
    squares = sum(float(np.sum((each - each.mean()) ** 2)) for each in warm)
    freedom = sum(len(each) - 1 for each in warm)
    apart, variances = [], []
    for (memory_mb, cold), each in logs.items():
        if cold and (usual := logs.get((memory_mb, False))):
            apart.append(float(np.mean(each) - np.mean(usual)))
            variances.append(1 / len(each) + 1 / len(usual))
    if len(apart) > 1:
        residual = np.array(apart) - np.mean(apart)
        squares += float(np.sum(residual**2 / np.array(variances)))
        freedom += len(apart) - 1
    return math.sqrt(squares / freedom) if freedom >= _LEAST_FREEDOM else 0.0
