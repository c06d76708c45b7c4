"""A fitted curve: posterior draws of the mean warm duration over memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.inference.variance_components import Levels


@dataclass(frozen=True, slots=True)
class Curve:
    """Draws over a grid of sizes; sizes between are log-log interpolated.

    Every draw is positive and never rises with memory, and so is their mean. `within_ratio` is
    the relative deviation of single invocations within one environment.
    """

    grid_mb: NDArray[np.int_] = field(repr=False)
    log_draws: NDArray[np.float64] = field(repr=False)
    slow_log_ratio: NDArray[np.float64] = field(repr=False)
    """Log ratio of the mean to a calm call in each draw, which single calls hardly show."""
    measured_mb: tuple[int, ...]
    within_ratio: float
    sample_count: int
    levels: Levels = field(repr=False)
    """What the draws rest on."""

    def draws_ms(self, sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Mean warm durations in ms, one row for each draw and one column for each size.

        Sizes outside the grid (128–10,240 MB and the measured ones) get its end's value.
        """
        sizes = np.clip(np.asarray(sizes_mb, dtype=float), self.grid_mb[0], self.grid_mb[-1])
        above = np.clip(np.searchsorted(self.grid_mb, sizes), 1, len(self.grid_mb) - 1)
        low, high = np.log(self.grid_mb[above - 1]), np.log(self.grid_mb[above])
        share = (np.log(sizes) - low) / (high - low)
        mixed = self.log_draws[:, above - 1] * (1 - share) + self.log_draws[:, above] * share
        return np.asarray(np.exp(mixed))

    def mean_ms(self, sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Posterior mean of the mean warm duration in ms at each size."""
        return np.asarray(self.draws_ms(sizes_mb).mean(axis=0))
