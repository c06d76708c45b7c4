"""What memory did to the cost of an invocation while an alias was split: a randomized experiment.

Lambda draws by weight which version an invocation of a weighted alias gets, so within a short slot
of time both versions see the same traffic. Slots are compared with themselves and added up by the
ratio of Mantel and Haenszel (J. Natl. Cancer Inst. 22 (1959), 719–748), which needs no large slot.
Invocations of one environment, and those of one slot, are no independent witnesses: the variance is
clustered by both (Cameron, Gelbach and Miller, J. Bus. Econ. Stat. 29 (2011), 238–249).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tuner.model.arrays import Flags, Floats, Indices
    from tuner.observe.use_hours import UseRows

FEWEST_IN_ARM: Final = 100
"""Invocations of a version, below which a split isn't taken for an experiment."""
SHORT_SLOT_S: Final = 300
SHORT_SPLIT_HOURS: Final = 6
_ENVIRONMENT_DEVIATION: Final = 0.03
"""Environments of the same code differ by so much, where there are too few to tell."""
_DRAW_COUNT: Final = 4000


def overlap(rows: UseRows, new_mb: int) -> UseRows:
    """The rows of slots in which versions of both sizes ran; `$LATEST` of both is no split."""
    slots, at = np.unique(rows.slot, return_inverse=True)
    is_new = rows.memory_mb == new_mb
    counts = [
        np.bincount(at, rows.count * side, minlength=len(slots)) for side in (~is_new, is_new)
    ]
    both = np.minimum(*counts) > 0
    chosen = rows.where(both[at])
    sides = [set(chosen.version[(chosen.memory_mb == new_mb) == side]) for side in (False, True)]
    return rows.where(np.zeros(len(at), dtype=bool)) if sides[0] & sides[1] else chosen


def fit_split(rows: UseRows, new_mb: int, *, seed: int = 0) -> Floats | None:
    """Draws of what the new size did to the logarithm of an invocation's mean cost, by comparing
    the two within slots; `rows` are by slot and environment. None if too few.

    A share of the traffic keeps fewer environments warm, so that the arms differ in cold starts for
    no reason of memory: cold starts are weighed to the share of the old size.
    """
    rows = overlap(rows, new_mb)
    new = rows.memory_mb == new_mb
    counts = (int(rows.count[~new].sum()), int(rows.count[new].sum()))
    if min(counts) < FEWEST_IN_ARM:
        return None
    count, cost = _equally_cold(rows, new)
    slots, slot = np.unique(rows.slot, return_inverse=True)

    def by_slot(values: Floats) -> Floats:
        return np.asarray(np.bincount(slot, values, minlength=len(slots)))

    n1, n0 = by_slot(count * new), by_slot(count * ~new)
    s1, s0 = by_slot(cost * new), by_slot(cost * ~new)
    total = np.maximum(n0 + n1, 1e-300)
    top, bottom = float((s1 * n0 / total).sum()), float((s0 * n1 / total).sum())
    if min(top, bottom) <= 0:
        return None
    ratio = top / bottom
    expected_old = (s0 + s1 / ratio) / total
    residual = np.where(new, cost - count * (ratio * expected_old)[slot],
                        -ratio * (cost - count * expected_old[slot]))  # fmt: skip
    influence = residual * np.where(new, (n0 / total)[slot], (n1 / total)[slot]) / top
    variance, freedom = _variance(influence, slot, rows, new)
    own = _own_variance(rows, new, counts)
    rng = np.random.default_rng(seed)
    noise = rng.standard_t(freedom, size=_DRAW_COUNT) * math.sqrt(max(variance, own))
    return np.asarray(math.log(ratio) + noise)


def _equally_cold(rows: UseRows, new: Flags) -> tuple[Floats, Floats]:
    """Counts and costs, with the new size's cold starts weighed to the share of the old one's."""
    old_share = rows.where(~new).cold_share
    new_share = rows.where(new).cold_share
    weight = np.ones(len(rows.count))
    if 0 < new_share < 1:
        weight[new & rows.cold] = old_share / new_share
        weight[new & ~rows.cold] = (1 - old_share) / (1 - new_share)
    return rows.count * weight, rows.cost_usd * weight


def _own_variance(rows: UseRows, new: Flags, counts: tuple[int, int]) -> float:
    """What the invocations' own scatter alone makes of it: no clustering can make it less."""
    found = 0.0
    for side, count in ((~new, counts[0]), (new, counts[1])):
        part = rows.where(side)
        found += max(part.cost_squares.sum() / count / part.mean_usd**2 - 1, 0.0) / count
    return float(found)


def _variance(influence: Floats, slot: Indices, rows: UseRows, new: Flags) -> tuple[float, float]:
    """Of the logarithm of the ratio, and its degrees of freedom."""
    names = [f"{side}{each}" for side, each in zip(new, rows.environment, strict=True)]
    known = bool((rows.environment != "").all())
    _, environment = np.unique(names, return_inverse=True)
    slot_count, environment_count = len(np.unique(slot)), len(np.unique(environment))
    by_slot = _of_clusters(influence, slot) * slot_count / max(slot_count - 1, 1)
    if not known:
        return by_slot, max(slot_count - 1, 2)
    _, cell = np.unique(slot * (environment_count + 1) + environment, return_inverse=True)
    by_environment = _of_clusters(influence, environment)
    by_environment *= environment_count / max(environment_count - 2, 1)
    by_cell = _of_clusters(influence, cell)
    variance = max(by_slot + by_environment - by_cell, by_environment, by_cell)
    arms = [len(set(rows.environment[new == side])) for side in (False, True)]
    least = _ENVIRONMENT_DEVIATION**2 * sum(1 / max(each, 1) for each in arms)
    if min(arms) < 8:
        variance = max(variance, least)
    freedom = min(slot_count - 1, environment_count - 2)
    return variance, float(max(freedom, 2 if environment_count > 3 else 4))


def _of_clusters(influence: Floats, cluster: Indices) -> float:
    return float((np.bincount(cluster, influence) ** 2).sum())
