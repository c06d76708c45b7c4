"""How real functions depart from a smooth shape over memory: slowly, and roughly.

A departure is the sum of two Ornstein-Uhlenbeck processes over log2 of memory. The slow one is
what no form of the library has: near and far sizes share it. The rough one is a size's own: the
kinks of quota windows, of allocators, of hosts, which neighbouring sizes share at most in part.
Both are the function's, not noise: a bill has them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LENGTHS_OCTAVES: Final = (1.5, 0.2)
"""How far along log2 of memory the slow and the rough departure are shared: the rough one from a
size that a person would write to the next or so."""


def departure_covariance(
    rows_mb: NDArray[np.int_], columns_mb: NDArray[np.int_], ratios: tuple[float, float]
) -> Floats:
    """Covariance between sizes of departures whose parts deviate by `ratios`: (rows, columns)."""
    apart = np.abs(np.log2(rows_mb)[:, None] - np.log2(columns_mb)[None, :])
    slow, rough = (r**2 * np.exp(-apart / o) for r, o in zip(ratios, LENGTHS_OCTAVES, strict=True))
    return np.asarray(slow + rough)


def draw_unit(
    sizes_mb: NDArray[np.int_], octaves: float, count: int, rng: np.random.Generator
) -> Floats:
    """Draw one part at ascending sizes with unit variance, each point from the one before it:
    (count, sizes).
    """
    kept = np.exp(-np.diff(np.log2(sizes_mb)) / octaves)
    fresh = np.sqrt(1 - kept**2)
    path = rng.standard_normal((len(sizes_mb), count))
    for index in range(len(kept)):
        path[index + 1] = kept[index] * path[index] + fresh[index] * path[index + 1]
    return np.asarray(path.T)
