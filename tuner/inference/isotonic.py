"""Isotonic regression by itself: the one of `scipy.optimize` is the same, and takes half a second
to import, which every report would wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def never_rising(curves: Floats, weights: Floats) -> Floats:
    """The nearest rows (weighted least squares) that never rise: (rows, columns), with a positive
    weight for each column.

    Pools adjacent violators, after Barlow et al., Statistical Inference under Order Restrictions
    (1972): whatever rises becomes one block at its mean, in all rows at once, until nothing does.
    """
    row_count, column_count = curves.shape
    weight = np.tile(np.asarray(weights, dtype=float), row_count)
    total = weight * np.asarray(curves, dtype=float).ravel()
    count, row = np.ones(total.size, dtype=int), np.repeat(np.arange(row_count), column_count)
    while True:
        mean = total / weight
        begins = np.append(True, (mean[1:] <= mean[:-1]) | (row[1:] != row[:-1]))
        if begins.all():
            return np.repeat(mean, count).reshape(curves.shape)
        starts = np.flatnonzero(begins)
        total, weight = np.add.reduceat(total, starts), np.add.reduceat(weight, starts)
        count, row = np.add.reduceat(count, starts), row[starts]
