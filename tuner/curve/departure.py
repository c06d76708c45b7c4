"""How real functions depart from a smooth shape: slowly over memory.

A departure is an Ornstein-Uhlenbeck process at knots a third of an octave apart, log-linear
between them: kinks wander, but there is no new one between any two sizes that a person would write.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tuner.model.limits import MAX_MEMORY_MB, MIN_MEMORY_MB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_KNOTS_PER_OCTAVE = 3
_SHARED_OCTAVES = 1.5
"""How far along log2 of memory a departure is shared."""


def knot_weights(sizes_mb: NDArray[np.int_]) -> Floats:
    """Share of each knot in the departure at each size: (sizes, knots)."""
    knots = _knots()
    place = np.clip((np.log2(sizes_mb) - knots[0]) * _KNOTS_PER_OCTAVE, 0, len(knots) - 1)
    below = np.minimum(place.astype(int), len(knots) - 2)
    share = place - below
    weights = np.zeros((len(place), len(knots)))
    rows = np.arange(len(place))
    weights[rows, below] = 1 - share
    weights[rows, below + 1] = share
    return weights


@lru_cache(maxsize=1)
def knot_covariance() -> Floats:
    """Covariance of a departure of unit variance at the knots."""
    knots = _knots()
    return np.asarray(np.exp(-np.abs(knots[:, None] - knots[None, :]) / _SHARED_OCTAVES))


@lru_cache(maxsize=1)
def knot_factor() -> Floats:
    """Cholesky factor of that covariance."""
    return np.asarray(np.linalg.cholesky(knot_covariance()))


@lru_cache(maxsize=1)
def _knots() -> Floats:
    """Knots over the platform's range, as log2 of memory."""
    low, high = np.log2(MIN_MEMORY_MB), np.log2(MAX_MEMORY_MB)
    count = int(np.ceil((high - low) * _KNOTS_PER_OCTAVE)) + 1
    return np.asarray(low + np.arange(count) / _KNOTS_PER_OCTAVE)
