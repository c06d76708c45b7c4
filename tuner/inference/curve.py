"""From warm samples to a fitted curve: posterior draws of the mean warm duration over memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tuner.errors import InputError
from tuner.inference.posterior import draw_log_curves
from tuner.inference.prior_sweep import JointLevels
from tuner.inference.settling import Settling
from tuner.inference.variance_components import measure_levels
from tuner.model.lambda_limits import (
    CORE_THRESHOLDS_MB,
    MAX_MEMORY_MB,
    MB_PER_VCPU,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.inference.prior_sweep import PriorSamples
    from tuner.inference.sample import Sample
    from tuner.inference.variance_components import Levels

_GRID_STEP_MB = 64
_SLOW_CALLS_STREAM = 1


@dataclass(frozen=True, slots=True)
class Curve:
    """Draws over a grid of sizes, with log-log interpolation in between.

    Every draw is positive. `within_ratio` is the relative deviation of single invocations within
    one environment.

    >>> tuner.fit_curve(sweep).measured_mb
    (192, 256, 512, 576, 768, 960, 3008)
    """

    grid_mb: NDArray[np.int_] = field(repr=False)
    log_draws: NDArray[np.float64] = field(repr=False)
    slow_log_ratio: NDArray[np.float64] = field(repr=False)
    """Log ratio of the mean to a typical call, which single calls hardly show: like `log_draws`."""
    measured_mb: tuple[int, ...]
    within_ratio: float
    sample_count: int
    levels: Levels = field(repr=False)
    """What the draws rest on: settled calls, if the function likely settles."""
    settling: Settling = field(repr=False)
    prior_weight: float | None = None
    """Probability that no more has changed since an earlier sweep than days and hosts explain; None
    without one."""

    def draws_ms(self, sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Mean warm durations in ms, one row per draw and one column per size.

        Sizes outside the grid (128–10,240 MB and the measured ones) get its end's value.
        """
        return np.asarray(np.exp(self._at(self.log_draws, sizes_mb)))

    def settled(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        """The samples without the extra time of first calls, if the function likely settles."""
        return self.settling.removed_from(samples) if self.settling.is_likely else samples

    def slow_log_at(self, sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Draws of the log ratio of the mean to a typical call: like `draws_ms`."""
        return self._at(self.slow_log_ratio, sizes_mb)

    def _at(self, values: NDArray[np.float64], sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Interpolate over the logarithm of memory."""
        sizes = np.clip(np.asarray(sizes_mb, dtype=float), self.grid_mb[0], self.grid_mb[-1])
        above = np.clip(np.searchsorted(self.grid_mb, sizes), 1, len(self.grid_mb) - 1)
        low, high = np.log(self.grid_mb[above - 1]), np.log(self.grid_mb[above])
        share = (np.log(sizes) - low) / (high - low)
        return np.asarray(values[:, above - 1] * (1 - share) + values[:, above] * share)

    def mean_ms(self, sizes_mb: Sequence[int]) -> NDArray[np.float64]:
        """Posterior mean of the mean warm duration in ms at each size."""
        return np.asarray(self.draws_ms(sizes_mb).mean(axis=0))


def fit_curve(
    samples: Sequence[Sample],
    *,
    sizes_mb: Sequence[int] | None = None,
    seed: int = 0,
    slow_calls_seed: int = 0,
    draw_count: int = 200,
    runtime: str | None = None,
    prior: PriorSamples | None = None,
) -> Curve:
    """Fit mean warm duration over memory to the samples of one payload.

    The curve is drawn at `sizes_mb` and what was measured; by default at every size that a person
    would write.

    The order of the samples does not matter; scaling all durations scales the curve. Cold samples
    alone give a curve whose level is unsure. What is not known of slow calls is the same in all
    curves of one `slow_calls_seed`, and tells none apart; `runtime`, as Lambda names it, says how
    likely slow calls are before any was seen. `prior` is what an earlier sweep measured: it informs
    level and shape of typical calls, never slow calls. Raises InputError without a sample.
    """
    if not samples:
        raise InputError(
            "no warm sample to fit a curve to: every invocation was cold or failed; "
            "look at the function's errors, or allow more invocations"
        )
    settling = Settling.of(samples, runtime)
    measured_mb = sorted({s.memory_mb for s in (*samples, *(prior.samples if prior else ()))})
    grid = _grid(measured_mb, sizes_mb)

    def draw(rows: slice, first_calls: Settling | None) -> _Draws:
        levels = measure_levels(samples, first_calls)
        known = levels if prior is None else JointLevels.of(levels, prior)
        rng = np.random.default_rng(seed if first_calls is None else (seed, 1))
        typical, changes = draw_log_curves(known, grid, rows.stop - rows.start, rng)
        # All are drawn, so that other curves' draws stay the same.
        rng = np.random.default_rng((_SLOW_CALLS_STREAM, slow_calls_seed))
        slow = levels.slow_calls.draw_log_ratios(grid, draw_count, rng, runtime=runtime)[rows]
        unchanged = known.unchanged_share(changes) if isinstance(known, JointLevels) else None
        return _Draws(levels, typical, slow, unchanged)

    at_once = draw_count - settling.share_of(draw_count)
    parts = [
        draw(slice(first, last), first_calls)
        for first, last, first_calls in ((0, at_once, None), (at_once, draw_count, settling))
        if last > first
    ]
    slow_log_ratio = np.concatenate([part.slow_log_ratio for part in parts])
    likelier = max(parts, key=lambda part: len(part.typical_log))
    return Curve(
        grid_mb=grid,
        log_draws=np.concatenate([part.typical_log for part in parts]) + slow_log_ratio,
        slow_log_ratio=slow_log_ratio,
        measured_mb=tuple(sorted({s.memory_mb for s in samples if not s.cold})),
        within_ratio=likelier.levels.within_ratio,
        sample_count=len(samples),
        levels=likelier.levels,
        settling=settling,
        prior_weight=likelier.unchanged_share,
    )


@dataclass(frozen=True, slots=True)
class _Draws:
    """Draws of one reading of the first calls, and what they rest on."""

    levels: Levels
    typical_log: NDArray[np.float64]
    slow_log_ratio: NDArray[np.float64]
    unchanged_share: float | None


def _grid(measured_mb: Sequence[int], wanted_mb: Sequence[int] | None) -> NDArray[np.int_]:
    """The measured sizes, the wanted ones (by default every size that people would choose and both
    sides of the thresholds), and the platform's ends.
    """
    if wanted_mb is None:
        steps = range(MIN_MEMORY_MB, MAX_MEMORY_MB + 1, _GRID_STEP_MB)
        thresholds = [size - offset for size, _ in CORE_THRESHOLDS_MB for offset in (0, 1)]
        wanted_mb = [*steps, *thresholds, MB_PER_VCPU]
    return np.unique([*wanted_mb, *measured_mb, MIN_MEMORY_MB, MAX_MEMORY_MB]).astype(int)
