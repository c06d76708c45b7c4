"""Weighs the prior's shapes by the measured levels, and draws curves from what remains.

Model, in logarithms (errors are relative): level at a size = shape + scale + departure + noise,
and a cold level has the cold start's factor besides. The scale has a flat prior. The departure is
a slow and a rough process over log2 of memory (`departure`): real functions have kinks that no
smooth form knows. How large both are, and both layers' scatter, is unknown too, and averaged over
a grid with prior weights. Given shape and grid point everything is Gaussian, so the posterior is
an exact weighted mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from tuner.curve.departure import LENGTHS_OCTAVES, departure_covariance, draw_unit
from tuner.curve.shapes import prior_log_duration, prior_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.curve.noise import Levels, Observations

    Floats = NDArray[np.float64]

_BETWEEN_RATIOS = ((0.01, 0.2), (0.03, 0.4), (0.06, 0.25), (0.12, 0.15))
"""Scatter between environments, and prior weight (a few per cent is usual, more is not rare)."""
_WITHIN_SCALES = (0.6, 1.0, 1.7, 3.0)
"""Deviation within an environment, over its estimate from repetitions: few of those say little."""
_NEGLIGIBLE = 7.0
"""Points of the grid whose log weight is this far below the best noise's are left out."""
_DEPARTURE_RATIOS = (
    (0.001, 0.003, 0.4),
    (0.02, 0.006, 0.3),
    (0.03, 0.015, 0.15),
    (0.06, 0.02, 0.1),
    (0.1, 0.06, 0.05),
)
"""Deviations of the slow and the rough departure, and prior weight."""
_SLOW_CALLS_SHARE = 0.3
"""Prior share of functions that have slow calls (pauses, retries, a slow backend)."""
_SLOW_CALL_RATES = np.geomspace(0.005, 0.1, 6)
_SLOW_CALL_EXTRA = 2.0
"""How much longer a slow call takes on average, over a usual one."""
_PLAUSIBLE_COUNT = 1000
_GLANCE = 20
"""Every so many of the plausible shapes tell which points are worth a whole look."""
_INDISTINCT = 1e-4
_COLD_LOG_FACTOR, _COLD_LOG_FACTOR_DEVIATION = 0.05, 0.3
"""What a cold start makes of the handler's own time, before any was seen."""
_COLD_TILT_DEVIATION = 0.03
"""How that factor may change with each octave of memory."""


@dataclass(frozen=True, slots=True)
class _Point:
    """One point of the grid of noises and departures: everything here is shared by all shapes."""

    departure: tuple[float, float]
    """Deviations of the slow and the rough departure."""
    observations: Observations
    noise: Floats
    """Covariance of all that is not the curve's."""
    inverse: Floats
    """Inverse covariance of the levels: departure plus noise."""
    scale_precision: float
    log_constant: float
    """Log weight of a shape that fits exactly."""

    def level(self) -> Floats:
        """Log levels, cold ones less their expected factor."""
        seen = self.observations
        return np.asarray(seen.log_level - _COLD_LOG_FACTOR * seen.cold)

    def log_weights(self, shapes: _Compact) -> Floats:
        """Log marginal likelihood of every shape, its scale integrated out."""
        seen = self.observations.size_index
        ones = self.inverse.sum(axis=1)
        scale_free = self.inverse - np.outer(ones, ones) / self.scale_precision
        basis = np.vstack([self.level() - shapes.centre[seen], -shapes.directions[:, seen]])
        distance = basis @ scale_free @ basis.T
        return np.asarray(
            self.log_constant - 0.5 * np.einsum("ij,ij->i", shapes.places @ distance, shapes.places)
        )


@dataclass(frozen=True, slots=True)
class _Compact:
    """Shapes at the measured sizes in the few directions in which they differ: with hundreds of
    shapes and tens of points that is an order of magnitude less to compute.
    """

    centre: Floats
    directions: Floats
    """(directions, sizes)."""
    places: Floats
    """(shapes, 1 + directions); the first column is 1."""

    @classmethod
    def of(cls, at_sizes: Floats) -> _Compact:
        """Keep the directions in which shapes differ by more than a hundredth of a per cent."""
        centre = at_sizes.mean(axis=0)
        apart = at_sizes - centre
        extent, directions = np.linalg.eigh(apart.T @ apart / len(apart))
        kept = directions[:, extent > _INDISTINCT**2].T
        return cls(centre, kept, np.hstack([np.ones((len(apart), 1)), apart @ kept.T]))

    def few(self) -> _Compact:
        """Every so many of the shapes."""
        return _Compact(self.centre, self.directions, self.places[::_GLANCE])


def draw_log_curves(
    levels: Levels, grid_mb: NDArray[np.int_], draw_count: int, rng: np.random.Generator
) -> Floats:
    """Draw log mean durations at ascending sizes that include the measured ones: (draws, grid).

    Draws never rise with memory.
    """
    at_sizes = np.column_stack([prior_log_duration(int(size)) for size in levels.sizes_mb])
    points = _points(levels)
    plausible = _plausible(points, at_sizes)
    compact = _Compact.of(at_sizes[plausible])
    points = _likely(points, compact.few())
    weights = [point.log_weights(compact) for point in points]
    which, shape_index = np.divmod(_pick(np.concatenate(weights), draw_count, rng), len(plausible))
    shapes = prior_shapes().select(plausible[shape_index])
    curves = shapes.log_duration(grid_mb)
    units = [draw_unit(grid_mb, octaves, draw_count, rng) for octaves in LENGTHS_OCTAVES]
    measured = np.searchsorted(grid_mb, levels.sizes_mb)
    for number in np.unique(which):
        rows = np.flatnonzero(which == number)
        prior = sum(d * unit[rows] for d, unit in zip(points[number].departure, units, strict=True))
        curves[rows] += _correction(
            points[number],
            shapes=curves[rows],
            prior=prior,
            grid_mb=grid_mb,
            measured=measured,
            rng=rng,
        )
    return _never_rising(curves) + _draw_tails(levels, draw_count, rng) + levels.log_anchor


def _points(levels: Levels) -> list[_Point]:
    """The whole grid, but for noises that the scatter rules out that shows without a curve."""
    noises = [
        (levels.observe(between, scale), np.log(weight) + levels.within_log_weight(scale))
        for between, weight in _BETWEEN_RATIOS
        for scale in _WITHIN_SCALES
    ]
    best = max(weight for _, weight in noises)
    departures = [
        departure_covariance(levels.sizes_mb, levels.sizes_mb, (slow, rough))
        for slow, rough, _ in _DEPARTURE_RATIOS
    ]
    return [
        point
        for observations, weight in noises
        if weight > best - _NEGLIGIBLE
        for point in _points_of_noise(levels, observations, weight, np.asarray(departures))
    ]


def _points_of_noise(
    levels: Levels, observations: Observations, log_prior: float, departures: Floats
) -> list[_Point]:
    """One noise with every departure: `departures` are covariances between sizes."""
    seen = observations.size_index
    octaves = np.log2(levels.sizes_mb[seen] / 1024)
    factor = _COLD_LOG_FACTOR_DEVIATION**2 + _COLD_TILT_DEVIATION**2 * np.outer(octaves, octaves)
    noise = observations.covariance + factor * np.outer(observations.cold, observations.cold)
    covariances = noise + departures[:, seen[:, None], seen[None, :]]
    inverses = np.linalg.inv(covariances)
    precisions = inverses.sum(axis=(1, 2))
    volumes = np.linalg.slogdet(covariances)[1] + np.log(precisions)
    return [
        _Point(
            departure=(slow, rough),
            observations=observations,
            noise=noise,
            inverse=inverse,
            scale_precision=float(precision),
            log_constant=log_prior
            + float(np.log(weight) - 0.5 * volume)
            + observations.scatter_log_likelihood,
        )
        for (slow, rough, weight), inverse, precision, volume in zip(
            _DEPARTURE_RATIOS, inverses, precisions, volumes, strict=True
        )
    ]


def _plausible(points: Sequence[_Point], at_sizes: Floats) -> NDArray[np.intp]:
    """Shapes worth a closer look, the likeliest first, under a usual noise and departure."""
    usual = points[len(points) // 2 // len(_DEPARTURE_RATIOS) * len(_DEPARTURE_RATIOS) + 2]
    weight = usual.log_weights(_Compact.of(at_sizes))
    return np.asarray(np.argsort(-weight, kind="stable")[:_PLAUSIBLE_COUNT])


def _likely(points: Sequence[_Point], shapes: _Compact) -> list[_Point]:
    """Points that are not ruled out by a glance at a few plausible shapes."""
    weights = np.array([np.logaddexp.reduce(point.log_weights(shapes)) for point in points])
    likely = weights > weights.max() - _NEGLIGIBLE
    return [point for point, kept in zip(points, likely, strict=True) if kept]


def _correction(
    point: _Point,
    *,
    shapes: Floats,
    prior: Floats,
    grid_mb: NDArray[np.int_],
    measured: NDArray[np.intp],
    rng: np.random.Generator,
) -> Floats:
    """Draw scales and departures given the levels, from departures `prior` to them (Matheron's
    rule): (rows, grid), to be added to the shapes.
    """
    where = measured[point.observations.size_index]
    residual = point.level() - shapes[:, where]
    scale = residual @ point.inverse.sum(axis=0) / point.scale_precision
    scale += rng.standard_normal(len(scale)) / np.sqrt(point.scale_precision)
    noise = rng.standard_normal(residual.shape) @ np.linalg.cholesky(point.noise).T
    wanted = residual - scale[:, None] - prior[:, where] - noise
    cross = departure_covariance(grid_mb[where], grid_mb, point.departure)
    return np.asarray(scale[:, None] + prior + wanted @ point.inverse @ cross)


def _pick(log_weight: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic resampling: `count` indices in proportion to weight, with little extra noise."""
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    points = (np.arange(count) + rng.random()) / count * total[-1]
    picked = np.minimum(np.searchsorted(total, points), len(weight) - 1)
    return np.asarray(rng.permutation(picked))


def _draw_tails(levels: Levels, count: int, rng: np.random.Generator) -> Floats:
    """Draw the log ratio of mean to calm level: what was seen of tails, and what may not have
    shown yet. A slow call of a rate r stays unseen in n calls with probability (1 - r)^n.
    """
    seen = levels.log_tail + levels.log_tail_deviation * rng.standard_normal(count)
    unseen = (1 - _SLOW_CALL_RATES) ** levels.warm_sample_count / len(_SLOW_CALL_RATES)
    odds = np.array([1 - _SLOW_CALLS_SHARE, *(_SLOW_CALLS_SHARE * unseen)])
    rate = rng.choice([0.0, *_SLOW_CALL_RATES], size=count, p=odds / odds.sum())
    slow = np.log1p(rate * _SLOW_CALL_EXTRA * rng.standard_exponential(count))
    return np.asarray((seen + slow)[:, None])


def _never_rising(curves: Floats) -> Floats:
    """The nearest curves that never rise (isotonic regression): it keeps every draw's mean."""
    return np.array([isotonic_regression(curve, increasing=False).x for curve in curves])
