"""What single samples say about their size's typical level, if some of them were slow calls."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from tuner.inference.prior import nearest_shapes

if TYPE_CHECKING:
    from tuner.model.arrays import Flags, Floats, Indices, Integers

_USUAL_RATIO = 0.04
"""Scatter that is normal, even if repetitions happen to agree better."""
_CLIP_DEVIATIONS = 3.0  # one typical sample in 370 is farther out
_USUAL_SHARE = 0.75
_FEWEST_TO_PULL_IN = 5
"""Three sizes, two of them twice: with fewer samples, each is needed to judge the rest."""
_ENOUGH_FOR_A_MEDIAN = 4
"""With this many, one slow call doesn't move the median far: no vote for each is needed."""
LARGEST_KINK_RATIO = 0.25
"""A single sample farther from every shape counts as a slow call, not a kink."""


def winsorize(
    logs: Floats, cold: Flags, size_of_sample: Indices, sizes: Integers
) -> tuple[Floats, Floats]:
    """Pull in samples that are far from their size's center, by the pooled robust deviation; and
    return by how much (log) each may still be wrong.

    The center is the median of the size's samples and the nearest shape: so two that agree outvote
    the shape, and a single one is compared with it, allowing for a kink. Cold samples are centered
    by the median of their extra time.

    If a size's only sample is far above the shape of all the others, it is either a slow call or
    the foot of a steep curve, and only a second sample can show which: its level is put halfway,
    with half of the distance as its deviation.
    """
    doubt = np.zeros(len(logs))
    if len(logs) < _FEWEST_TO_PULL_IN:
        return logs, doubt
    level = logs - cold * _cold_shift(logs, cold, size_of_sample)
    counts = np.bincount(size_of_sample)
    groups = [level[size_of_sample == index].tolist() for index in range(len(sizes))]
    # Of two samples that differ the other sizes tell which one to believe; of many, the median.
    votes = [group if len(group) < _ENOUGH_FOR_A_MEDIAN else [median(group)] for group in groups]
    shape, of_others = nearest_shapes(sizes, votes)
    centre = np.array(
        [
            near if len(group) == 1 else median([*group, near])
            for group, near in zip(groups, shape.tolist(), strict=True)
        ]
    )[size_of_sample]
    alone = counts[size_of_sample] == 1
    residual, spread = level - centre, 0.0
    if (counts > 1).any():
        # The median itself has taken one sample of each size to zero: count those as inside.
        inside = 0.5 * (1 + np.count_nonzero(counts > 1) / np.count_nonzero(~alone))
        spread = 1.4826 * float(np.quantile(np.abs(residual[~alone]), inside))
    limit = _CLIP_DEVIATIONS * max(spread, _USUAL_RATIO) + LARGEST_KINK_RATIO * alone
    # If a quarter of all samples do it, that's the function's scatter, not slow calls.
    limit = np.maximum(limit, np.quantile(np.abs(residual), _USUAL_SHARE))
    typical = logs + np.clip(residual, -limit, limit) - residual
    above = level + typical - logs - of_others[size_of_sample]
    doubt = np.where(alone & (above > limit), above / 2, 0.0)
    return np.asarray(typical - doubt), doubt


def _cold_shift(logs: Floats, cold: Flags, size_of_sample: Indices) -> float:
    """Median over sizes of a cold handler's extra time (log); 0 if unknown."""
    shifts = [
        median(logs[here & cold].tolist()) - median(logs[here & ~cold].tolist())
        for here in (size_of_sample == index for index in range(int(size_of_sample.max()) + 1))
        if (here & cold).any() and (here & ~cold).any()
    ]
    return median(shifts) if shifts else 0.0
