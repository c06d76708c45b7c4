"""What speed costs: the front of cost and duration, its knee, and the size for each latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuner.model.recommendation import LatencyTarget, Tradeoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decide.case import Case

_NOTICEABLE_RATIO = 0.01
_SURE_QUANTILE = 0.9


def weigh_tradeoff(case: Case) -> Tradeoff:
    """Judge the allowed sizes by their posterior means; limits on cost and duration do not bar a
    size here, since they are what the front is looked at for.
    """
    limits = ("too slow", "too dear")
    open_sizes = [m for m, bar in case.admission.bars.items() if bar is None or bar in limits]
    front = _front(case, open_sizes)
    return Tradeoff(
        front_mb=tuple(front),
        knee_mb=_knee(case, front),
        latency_targets=tuple(_latency_targets(case, open_sizes)),
    )


def _front(case: Case, sizes_mb: Sequence[int]) -> list[int]:
    """Sizes that are noticeably faster than every cheaper one, by ascending memory."""
    cost, duration = _means(case)
    column = case.estimates.column
    front: list[int] = []
    fastest = float("inf")
    for size in sorted(sizes_mb, key=lambda m: (cost[column(m)], duration[column(m)])):
        if duration[column(size)] < fastest * (1 - _NOTICEABLE_RATIO):
            front.append(size)
            fastest = duration[column(size)]
    return sorted(front)


def _knee(case: Case, front: Sequence[int]) -> int | None:
    """The size farthest below the chord of the front, in logarithms scaled to its extent
    (the rule of Satopää et al., "Finding a kneedle in a haystack", 2011).
    """
    if len(front) < 3:
        return None
    cost, duration = (
        np.log(each[[case.estimates.column(m) for m in front]]) for each in _means(case)
    )
    x = (cost - cost.min()) / (cost.max() - cost.min())
    y = (duration - duration.min()) / (duration.max() - duration.min())
    return int(front[int(np.argmin(x + y))])


def _latency_targets(case: Case, sizes_mb: Sequence[int]) -> Iterator[LatencyTarget]:
    """Round targets (1, 2, 5 × 10^n) from the fastest to the slowest size, each with the cheapest
    size that is sure to keep it.
    """
    if not sizes_mb:
        return
    columns = [case.estimates.column(m) for m in sizes_mb]
    bounds = np.quantile(case.estimates.worst_ms[:, columns], _SURE_QUANTILE, axis=0)
    cost = _means(case)[0][columns]
    for target in _round_targets(float(bounds.min()), float(bounds.max())):
        within = np.flatnonzero(bounds <= target)
        yield LatencyTarget(target, int(sizes_mb[int(within[cost[within].argmin()])]))


def _round_targets(low_ms: float, high_ms: float) -> Iterator[float]:
    """1, 2, 5 × 10^n from the first that `low_ms` keeps to the first that `high_ms` keeps."""
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


def _means(case: Case) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    """(mean cost, mean duration) of every column."""
    return case.estimates.cost_usd.mean(axis=0), case.estimates.duration_ms.mean(axis=0)
