"""Weighs the prior's shapes by the measured levels, and draws curves from what remains.

Model, in logarithms (errors are relative): level at a size = shape + scale + discrepancy + noise,
and a cold level has the cold start's factor besides. The scale has a flat prior, but for shapes
that follow the quota's windows, whose steps tell it. The discrepancy is a slow and a rough process
over log2 of memory (`discrepancy`): real functions have kinks that no smooth form knows. How large
both are, and both layers' scatter, is unknown too, and averaged over a grid with prior weights;
so is what changed since an earlier sweep, whose levels may stand beside this one's (`prior_sweep`),
and how far the traffic of two periods differs where production is the evidence (`production`).
Given shape and grid point everything is Gaussian, so the posterior is an exact weighted mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.inference.kernel import discrepancy_kernels, draw_units
from tuner.inference.prior import (
    RISING_COUNT,
    SHAPE_COUNT,
    WINDOWED_COUNT,
    WINDOWED_RANGE_MS,
    prior_log_duration,
    prior_log_scale,
    prior_shapes,
)
from tuner.inference.prior_sweep import JointLevels
from tuner.inference.production import ObservedLevels

if TYPE_CHECKING:
    from tuner.inference.variance_components import Levels, Observations
    from tuner.model.arrays import Flags, Floats, Indices, Integers

    AnyLevels = Levels | JointLevels | ObservedLevels

BETWEEN_RATIOS = ((0.01, 0.2), (0.03, 0.4), (0.06, 0.25), (0.12, 0.15))
"""Scatter between environments, and prior weight (a few percent is usual, more isn't rare)."""
_WITHIN_SCALES = (0.6, 1.0, 1.7, 3.0, 5.5)
"""Deviation within an environment, over its estimate from repetitions, of which a few say
little."""
_NEGLIGIBLE = 7.0
"""Noises whose log weight is this far below the best one's are left out."""
_DISCREPANCY_RATIOS = (
    (0.001, 0.003, 0.34),
    (0.02, 0.007, 0.26),
    (0.03, 0.018, 0.17),
    (0.06, 0.025, 0.12),
    (0.1, 0.07, 0.07),
    (0.25, 0.05, 0.02),
    (0.1, 0.3, 0.02),
)
"""Deviations of the slow and the rough discrepancy, and prior weight."""
_USUAL_DISCREPANCY = 2
_WINDOWED_ODDS = 0.3
"""Prior odds that a function of a few milliseconds follows the quota's windows."""
_WINDOWED_SCALE_RATIO = 0.15
"""How closely a windowed shape's duration follows from its steps."""
_WINDOWED_LOG_WEIGHT = float(
    np.log(_WINDOWED_ODDS * (SHAPE_COUNT / WINDOWED_COUNT - 1))
    + np.log(np.log(WINDOWED_RANGE_MS[1] / WINDOWED_RANGE_MS[0]))
    - 0.5 * np.log(2 * np.pi)
)
"""A windowed shape's share of those odds: the density of its scale, which others have flat."""
_RISING_ODDS = 0.02
"""Prior odds of a duration that rises with memory somewhere."""
_PLAUSIBLE_COUNT = 700
"""Shapes that get a closer look."""
_INDISTINCT = 1e-4
_NEGLIGIBLE_VARIANCE = 1e-6
_COLD_LOG_FACTOR, _COLD_LOG_FACTOR_DEVIATION = 0.05, 0.3
"""What a cold start does to the handler's own time, before any was seen."""
_COLD_TILT_DEVIATION = 0.03
"""How that factor may change with each octave of memory."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """The grid of noises and discrepancies: everything that all shapes share.

    Points are numbered noise by noise, within each noise discrepancy by discrepancy. With an
    earlier sweep, every noise comes once for each change since, one after the other.
    """

    size_index: Indices
    """(levels,)."""
    level: Floats
    """Log levels, cold ones less their expected factor: (noises, levels)."""
    noise_root: Floats
    """Cholesky factors of the noises' covariance: (noises, levels, levels)."""
    inverse: Floats
    """Inverse covariance of the levels, discrepancy plus noise: (points, levels, levels)."""
    scale_weights: Floats
    """What each level adds to the estimate of the scale: (points, levels)."""
    scale_precision: Floats
    """(points,)."""
    log_constant: Floats
    """Log weight of a shape that fits exactly: (points,)."""
    change_count: int

    @classmethod
    def of(cls, levels: AnyLevels) -> _Grid:
        """The whole grid, except for noises ruled out by the scatter that shows without a curve."""
        change_count = 1
        if isinstance(levels, ObservedLevels):
            noises, change_count = levels.noises(), len(levels.changes)
        else:
            noises = _plausible_noises(levels)
        first = noises[0][0]
        seen, cold = first.size_index, first.cold
        octaves = cold * np.log2(levels.sizes_mb[seen] / 1024)
        factor = _COLD_LOG_FACTOR_DEVIATION**2 * np.outer(cold, cold)
        factor = factor + _COLD_TILT_DEVIATION**2 * np.outer(octaves, octaves)
        noise = np.array([observed.covariance for observed, _ in noises]) + factor
        level = np.array([each.log_level for each, _ in noises]) - _COLD_LOG_FACTOR * cold
        prior = np.array([w + observed.scatter_log_likelihood for observed, w in noises])
        if isinstance(levels, JointLevels):
            level, noise, prior = levels.with_changes(level, noise, prior)
            change_count = len(levels.changes)
        slow, rough = discrepancy_kernels(levels.sizes_mb[seen], levels.sizes_mb[seen])
        own = np.array([a**2 * slow + b**2 * rough for a, b, _ in _DISCREPANCY_RATIOS])
        covariance = (noise[:, None] + own[None, :]).reshape(-1, len(seen), len(seen))
        inverse = np.linalg.inv(covariance)
        ones = inverse.sum(axis=2)
        precision = ones.sum(axis=1)
        volume = np.linalg.slogdet(covariance)[1] + np.log(precision)
        own_prior = np.log([weight for _, _, weight in _DISCREPANCY_RATIOS])
        return cls(
            size_index=seen,
            level=level,
            noise_root=np.linalg.cholesky(noise),
            inverse=inverse,
            scale_weights=ones / precision[:, None],
            scale_precision=precision,
            log_constant=(prior[:, None] + own_prior).ravel() - 0.5 * volume,
            change_count=change_count,
        )

    def noise_of(self, points: Indices) -> Indices:
        """The number of each point's noise."""
        return points // len(_DISCREPANCY_RATIOS)

    def change_of(self, points: Indices) -> Indices:
        """The number of each point's change; 0 without an earlier sweep."""
        return self.noise_of(points) % self.change_count

    def usual(self) -> Indices:
        """One point in the middle for every change."""
        middle = len(self.level) // self.change_count // 2 * self.change_count
        noises = middle + np.arange(self.change_count)
        return noises * len(_DISCREPANCY_RATIOS) + _USUAL_DISCREPANCY

    def all(self) -> Indices:
        """Every point."""
        return np.arange(len(self.inverse))

    def log_weights(self, shapes: _Compact, points: Indices) -> Floats:
        """Log marginal likelihood of every shape at some points, its scale integrated out:
        (shapes, points).
        """
        seen = self.size_index
        level = self.level[self.noise_of(points)]
        apart = np.concatenate(
            [
                (level - shapes.centre[seen])[:, None, :],
                np.broadcast_to(
                    -shapes.directions[:, seen], (len(points), len(shapes.directions), len(seen))
                ),
            ],
            axis=1,
        )
        weights = self.scale_weights[points]
        inverse, precision = self.inverse[points], self.scale_precision[points]
        scale = apart @ weights[:, :, None]
        distance = apart @ inverse @ apart.transpose(0, 2, 1)
        distance -= precision[:, None, None] * (scale @ scale.transpose(0, 2, 1))
        result = self.log_constant[points] - 0.5 * _quadratic_forms(shapes.places, distance)
        bound = np.flatnonzero(np.isfinite(shapes.log_scale))
        variance = _WINDOWED_SCALE_RATIO**2 + 1 / precision
        off = shapes.places[bound] @ scale[:, :, 0].T - shapes.log_scale[bound, None]
        result[bound] += _WINDOWED_LOG_WEIGHT - 0.5 * (off**2 / variance + np.log(variance))
        return np.asarray(result)


@dataclass(frozen=True, slots=True)
class _Compact:
    """Shapes at the measured sizes in the few directions in which they differ: with hundreds of
    shapes and tens of points, that's an order of magnitude less to compute.
    """

    centre: Floats
    directions: Floats
    """(directions, sizes)."""
    places: Floats
    """(shapes, 1 + directions); the first column is 1."""
    log_scale: Floats
    """Relative to the levels' anchor; NaN where any scale fits."""

    @classmethod
    def whole(cls, at_sizes: Floats, log_scale: Floats) -> _Compact:
        """Keep every size as a direction: for a single point, that's less to compute."""
        ones = np.ones((len(at_sizes), 1))
        size_count = at_sizes.shape[1]
        return cls(np.zeros(size_count), np.eye(size_count), np.hstack([ones, at_sizes]), log_scale)

    @classmethod
    def of(cls, at_sizes: Floats, log_scale: Floats) -> _Compact:
        """Keep the directions in which shapes differ by more than a hundredth of a percent."""
        centre = at_sizes.mean(axis=0)
        apart = at_sizes - centre
        extent, directions = np.linalg.eigh(apart.T @ apart / len(apart))
        kept = directions[:, extent > _INDISTINCT**2].T
        places = np.hstack([np.ones((len(apart), 1)), apart @ kept.T])
        return cls(centre, kept, places, log_scale)


def _plausible_noises(levels: Levels | JointLevels) -> list[tuple[Observations, float]]:
    """The noises of a sweep that its repetitions do not rule out, with their log weight."""
    weights = {
        (between, scale): np.log(weight) + levels.within_log_weight(scale)
        for between, weight in BETWEEN_RATIOS
        for scale in _WITHIN_SCALES
    }
    least = max(weights.values()) - _NEGLIGIBLE
    return [(levels.observe(*noise), w) for noise, w in weights.items() if w > least]


def draw_log_curves(
    levels: AnyLevels,
    grid_mb: Integers,
    draw_count: int,
    rng: np.random.Generator,
    shape_log_weight: Floats | None = None,
) -> tuple[Floats, Indices]:
    """Draw log durations of typical calls at ascending sizes that include the measured ones:
    (draws, grid); and which change since an earlier sweep each draw has: (draws,).

    Draws never rise with memory, unless the levels do. `shape_log_weight` is what else speaks for
    each shape of the library: (shapes,).
    """
    at_sizes = np.column_stack([prior_log_duration(int(size)) for size in levels.sizes_mb])
    log_scale = prior_log_scale() - levels.log_anchor
    grid = _Grid.of(levels)
    known = np.zeros(len(at_sizes)) if shape_log_weight is None else shape_log_weight
    glance = grid.log_weights(_Compact.whole(at_sizes, log_scale), grid.usual()).max(axis=1) + known
    # Rounded, so that shapes that agree at the measured sizes keep their order.
    plausible = _largest(np.round(glance, 9), _PLAUSIBLE_COUNT)
    compact = _Compact.of(at_sizes[plausible], log_scale[plausible])
    weights = grid.log_weights(compact, grid.all()) + known[plausible, None]
    which, shape_index = np.divmod(_pick(weights.T.ravel(), draw_count, rng), len(plausible))
    shape = plausible[shape_index]
    curves = prior_shapes().select(shape).log_duration(grid_mb)
    measured = np.searchsorted(grid_mb, levels.sizes_mb)
    curves += _discrepancies(
        grid, which, shapes=curves, grid_mb=grid_mb, measured=measured, rng=rng
    )
    falling = _never_rising(curves, grid_mb)
    rising = (shape >= SHAPE_COUNT - RISING_COUNT) | _may_rise(curves[:, measured], rng)
    drawn = np.where(rising[:, None], curves, falling) + levels.log_anchor
    return drawn, grid.change_of(which)


def _may_rise(curves: Floats, rng: np.random.Generator) -> Flags:
    """Which draws are left to rise with memory: few, unless the measured sizes contradict a curve
    that never does: the odds grow with the surest rise from one of them to a larger one, by its
    deviations. `curves` are the draws at ascending sizes; (draws,).
    """
    mean, covariance = curves.mean(axis=0), np.atleast_2d(np.cov(curves.T))
    own = np.diag(covariance)
    variance = own[:, None] + own[None, :] - 2 * covariance + _NEGLIGIBLE_VARIANCE
    rise = np.triu(mean[None, :] - mean[:, None], 1) / np.sqrt(variance)
    odds = _RISING_ODDS * np.exp(min(float(rise.max()) ** 2 / 2, 50.0))
    return np.asarray(rng.random(len(curves)) < odds / (1 + odds))


def _discrepancies(
    grid: _Grid,
    points: Indices,
    *,
    shapes: Floats,
    grid_mb: Integers,
    measured: Indices,
    rng: np.random.Generator,
) -> Floats:
    """Draw scales and discrepancies given the levels, by correcting draws of the prior (Matheron's
    rule), for shapes at their grid points: (rows, grid), to be added to the shapes.
    """
    where = measured[grid.size_index]
    own = points % len(_DISCREPANCY_RATIOS)
    slow, rough = draw_units(grid_mb, len(points), rng)
    ratios = np.array([(slow, rough) for slow, rough, _ in _DISCREPANCY_RATIOS])[own]
    prior = ratios[:, :1] * slow + ratios[:, 1:] * rough
    residual = grid.level[grid.noise_of(points)] - shapes[:, where]
    scale = np.sum(residual * grid.scale_weights[points], axis=1)
    scale += rng.standard_normal(len(scale)) / np.sqrt(grid.scale_precision[points])
    roots = grid.noise_root[grid.noise_of(points)]
    noise = (roots @ rng.standard_normal((*residual.shape, 1)))[:, :, 0]
    wanted = residual - scale[:, None] - prior[:, where] - noise
    pull = (grid.inverse[points] @ wanted[:, :, None])[:, :, 0]
    moved = scale[:, None] + prior
    pulled = [pull @ kernel for kernel in discrepancy_kernels(grid_mb[where], grid_mb)]
    moved += ratios[:, :1] ** 2 * pulled[0] + ratios[:, 1:] ** 2 * pulled[1]
    return np.asarray(moved)


def _quadratic_forms(places: Floats, matrices: Floats) -> Floats:
    """The form of every row with every symmetric matrix: (rows, matrices)."""
    if len(matrices) == 1:
        return np.asarray(np.sum((places @ matrices[0]) * places, axis=1)[:, None])
    first, second = np.triu_indices(places.shape[1])
    twice = matrices[:, first, second] * np.where(first == second, 1.0, 2.0)
    return np.asarray((places[:, first] * places[:, second]) @ twice.T)


def _largest(values: Floats, count: int) -> Indices:
    """Indices of the largest values in descending order, earlier ones first where they tie."""
    least = np.partition(values, len(values) - count)[len(values) - count]
    among = np.flatnonzero(values >= least)
    return np.asarray(among[np.argsort(-values[among], kind="stable")[:count]])


def _pick(log_weight: Floats, count: int, rng: np.random.Generator) -> Indices:
    """Systematic resampling: `count` indices in proportion to weight, with little extra noise."""
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    points = (np.arange(count) + rng.random()) / count * total[-1]
    picked = np.minimum(np.searchsorted(total, points), len(weight) - 1)
    return np.asarray(rng.permutation(picked))


def _never_rising(curves: Floats, grid_mb: Integers) -> Floats:
    """The nearest curves that never rise (isotonic regression).

    Nearest in what is known: a size counts by the octaves it represents, over its variance, so that
    the draws' wandering between measured sizes doesn't move the measured ones.
    """
    weights = np.gradient(np.log2(grid_mb)) / (curves.var(axis=0) + _NEGLIGIBLE_VARIANCE)
    return never_rising(curves, weights)


def never_rising(curves: Floats, weights: Floats) -> Floats:
    """The nearest rows (weighted least squares) that never rise: (rows, columns), with a positive
    weight for each column.

    Pools adjacent violators, after Barlow et al., Statistical Inference under Order Restrictions
    (1972): whatever rises becomes one block at its mean, in all rows at once, until nothing does.
    `scipy.optimize.isotonic_regression` does one row at a time, takes three times as long for 200,
    and half a second to import, which every report would wait for.
    """
    row_count, column_count = curves.shape
    weight = np.tile(np.asarray(weights, dtype=float), row_count)
    total = weight * np.asarray(curves, dtype=float).ravel()
    place = np.arange(total.size)
    first = place % column_count == 0
    while True:
        mean = total / weight
        begins = first.copy()
        begins[1:] |= mean[1:] <= mean[:-1]
        if begins.all():
            return np.repeat(mean, np.diff(place, append=curves.size)).reshape(curves.shape)
        starts = np.flatnonzero(begins)
        total, weight = np.add.reduceat(total, starts), np.add.reduceat(weight, starts)
        place, first = place[starts], first[starts]
