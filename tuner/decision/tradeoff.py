"""What speed costs: the front of cost and duration, its knee, and the size for each latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuner.model.recommendation import LatencyTarget, Tradeoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats

_NOTICEABLE_RATIO = 0.01
_SURE_QUANTILE = 0.9


def weigh_tradeoff(problem: Problem) -> Tradeoff:
    """Judge the allowed sizes by their posterior means; limits on cost and duration don't bar a
    size here, because the front helps to choose them.
    """
    limits = ("too slow", "too dear")
    open_sizes = [m for m, bar in problem.constraints.bars.items() if bar is None or bar in limits]
    front = _front(problem, open_sizes)
    return Tradeoff(
        front_mb=tuple(front),
        knee_mb=_knee(problem, front),
        latency_targets=tuple(_latency_targets(problem, open_sizes)),
    )


def _front(problem: Problem, sizes_mb: Sequence[int]) -> list[int]:
    """Sizes that are noticeably faster than every cheaper one, by ascending memory."""
    cost, duration = (each.tolist() for each in _means(problem))
    wanted = {problem.estimates.column(size): size for size in sizes_mb}
    front: list[int] = []
    fastest = float("inf")
    for column in sorted(wanted, key=lambda each: (cost[each], duration[each])):
        if duration[column] < fastest * (1 - _NOTICEABLE_RATIO):
            front.append(wanted[column])
            fastest = duration[column]
    return sorted(front)


def _knee(problem: Problem, front: Sequence[int]) -> int | None:
    """The size farthest below the chord of the front, in logarithms scaled to its extent
    (the rule of Satopää et al., "Finding a kneedle in a haystack", 2011).
    """
    if len(front) < 3:
        return None
    cost, duration = (np.log(each[problem.estimates.columns(front)]) for each in _means(problem))
    x = (cost - cost.min()) / (cost.max() - cost.min())
    y = (duration - duration.min()) / (duration.max() - duration.min())
    return int(front[int(np.argmin(x + y))])


def _latency_targets(problem: Problem, sizes_mb: Sequence[int]) -> Iterator[LatencyTarget]:
    """Round targets (1, 2, 5 × 10^n) from the fastest to the slowest size, each with the cheapest
    size that is sure to meet it.
    """
    if not sizes_mb:
        return
    columns = problem.estimates.columns(sizes_mb)
    worst_ms = np.ascontiguousarray(problem.estimates.worst_ms.T)[columns]
    bounds = np.quantile(worst_ms, _SURE_QUANTILE, axis=1, overwrite_input=True)
    cost = _means(problem)[0][columns]
    for target in _round_targets(float(bounds.min()), float(bounds.max())):
        within = np.flatnonzero(bounds <= target)
        yield LatencyTarget(target, int(sizes_mb[int(within[cost[within].argmin()])]))


def _round_targets(low_ms: float, high_ms: float) -> Iterator[float]:
    """1, 2, 5 × 10^n from the first that `low_ms` meets to the first that `high_ms` meets."""
    decade = 10.0 ** np.floor(np.log10(low_ms))
    target = 0.0
    while target < high_ms:
        for step in (1, 2, 5):
            target = float(step * decade)
            if target >= low_ms:
                yield target
            if target >= high_ms:
                return
        decade *= 10


def _means(problem: Problem) -> tuple[Floats, ...]:
    """(mean cost, mean duration) of every column."""
    return problem.estimates.cost_usd.mean(axis=0), problem.estimates.duration_ms.mean(axis=0)
