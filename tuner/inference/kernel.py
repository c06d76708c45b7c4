"""How real functions differ from a smooth shape over memory: slowly, and roughly.

A discrepancy is the sum of two Gaussian processes over log2 of memory. The slow one (Matern 3/2) is
what no shape in the library has: it bends, and near and far sizes share it. The rough one
(Ornstein-Uhlenbeck) belongs to one size: the kinks of quota windows, allocators and hosts, which
neighboring sizes share at most in part. Both belong to the function and aren't noise: a bill has
them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tuner.model.arrays import Floats, Integers

SLOW_OCTAVES: Final = 1.5
"""How far along log2 of memory the slow discrepancy is shared."""
ROUGH_OCTAVES: Final = 0.4
"""The same for the rough one: about to the next of four sizes an octave or so."""
_JITTER = 1e-9
"""Added to the slow covariance's diagonal, which is singular to rounding otherwise."""


def octaves_apart(rows_mb: Integers, columns_mb: Integers) -> Floats:
    """The distance between sizes along log2 of memory: (rows, columns)."""
    return np.asarray(np.abs(np.log2(rows_mb)[:, None] - np.log2(columns_mb)[None, :]))


def discrepancy_kernels(rows_mb: Integers, columns_mb: Integers) -> Floats:
    """Correlation of the slow and the rough discrepancy between sizes: (2, rows, columns)."""
    apart = octaves_apart(rows_mb, columns_mb)
    scaled = np.sqrt(3) * apart / SLOW_OCTAVES
    return np.array([(1 + scaled) * np.exp(-scaled), np.exp(-apart / ROUGH_OCTAVES)])


def draw_units(sizes_mb: Integers, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw the slow and the rough discrepancy at sizes with unit variance: each (count, sizes)."""
    slow, rough = discrepancy_kernels(sizes_mb, sizes_mb)
    slow = np.linalg.cholesky(slow + _JITTER * np.eye(len(sizes_mb)))
    rough = np.linalg.cholesky(rough)
    shape = (count, len(sizes_mb))
    return rng.standard_normal(shape) @ slow.T, rng.standard_normal(shape) @ rough.T
