"""Weighs the prior's shapes by the measured levels, and draws curves from what remains.

Model, in logarithms (errors are relative): level at a size = shape + scale + departure + noise,
and a cold level has the cold start's factor besides. The scale has a flat prior. The departure is
a slow process over log2 of memory (`departure`): real functions have kinks that no smooth form
knows, near sizes share them, far ones do not. Its size, the noise that a size keeps however often
it is measured in one sweep, and the environments' scatter are unknown too, and averaged over a
small grid with prior weights. Given shape and grid point everything is Gaussian, so the posterior
is an exact weighted mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.curve.departure import knot_covariance, knot_factor, knot_weights
from tuner.curve.shapes import prior_log_duration, prior_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tuner.curve.noise import Levels, Observations

    Floats = NDArray[np.float64]

_BETWEEN_RATIOS = ((0.01, 0.2), (0.03, 0.4), (0.09, 0.4))
"""Scatter between environments, and prior weight (a few per cent is usual, more is not rare)."""
_WITHIN_SCALES = (0.6, 1.0, 1.7, 3.0)
"""Deviation within an environment, over its estimate from repetitions: few of those say little."""
_NEGLIGIBLE = 7.0
"""Points of the grid whose log weight is this far below the best noise's are left out."""
_DEPARTURE_RATIOS = (
    (0.001, 0.004, 0.3),
    (0.02, 0.008, 0.35),
    (0.05, 0.01, 0.2),
    (0.12, 0.03, 0.15),
)
"""Deviation of the departure, of the noise that a size keeps, and prior weight."""
_PLAUSIBLE_COUNT = 1000
_COLD_LOG_FACTOR, _COLD_LOG_FACTOR_DEVIATION = 0.05, 0.3
"""What a cold start makes of the handler's own time, before any was seen."""
_COLD_TILT_DEVIATION = 0.03
"""How that factor may change with each octave of memory."""


@dataclass(frozen=True, slots=True)
class _Component:
    """One point of the grid: everything here is shared by all shapes."""

    shared_ratio: float
    observations: Observations
    noise: Floats
    """Covariance of all that is not the curve's."""
    inverse: Floats
    """Inverse covariance of the levels: departure plus noise."""
    scale_precision: float
    log_weight: Floats
    """By shape."""


def draw_log_curves(
    levels: Levels, grid_mb: NDArray[np.int_], draw_count: int, rng: np.random.Generator
) -> Floats:
    """Draw log mean durations at ascending sizes that include the measured ones: (draws, grid).

    Draws never rise with memory.
    """
    at_sizes = np.column_stack([prior_log_duration(int(size)) for size in levels.sizes_mb])
    plausible = _plausible(levels, at_sizes)
    components = []
    for observations, noise_weight in _noises(levels):
        residual = _centred(observations) - at_sizes[np.ix_(plausible, observations.size_index)]
        components += [
            _weigh(levels.sizes_mb, observations, residual, shared, own, noise_weight + np.log(w))
            for shared, own, w in _DEPARTURE_RATIOS
        ]
    picked = _pick(np.concatenate([c.log_weight for c in components]), draw_count, rng)
    which, shape_index = np.divmod(picked, len(plausible))
    curves = prior_shapes().select(plausible[shape_index]).log_duration(grid_mb)
    measured, knots = np.searchsorted(grid_mb, levels.sizes_mb), knot_weights(grid_mb)
    for number in np.unique(which):
        rows = np.flatnonzero(which == number)
        component = components[number]
        where = measured[component.observations.size_index]
        residual = _centred(component.observations) - curves[np.ix_(rows, where)]
        scale = _draw_scales(component, residual, rng)[:, None]
        curves[rows] += scale + _departures(component, residual - scale, knots, where, rng)
    tail = levels.log_tail + levels.log_tail_deviation * rng.standard_normal((draw_count, 1))
    return _never_rising(curves) + tail + levels.log_anchor


def _noises(levels: Levels) -> list[tuple[Observations, float]]:
    """Both layers' grid: observations under each point, and its log weight by the scatter that
    shows without a curve. What that rules out is left out.
    """
    points = [
        (levels.observe(between, scale), np.log(weight) + levels.within_log_weight(scale))
        for between, weight in _BETWEEN_RATIOS
        for scale in _WITHIN_SCALES
    ]
    best = max(weight for _, weight in points)
    return [(seen, weight) for seen, weight in points if weight > best - _NEGLIGIBLE]


def _plausible(levels: Levels, at_sizes: Floats) -> NDArray[np.intp]:
    """Shapes worth a closer look: the likeliest under much noise, in the library's order."""
    observations = levels.observe(_BETWEEN_RATIOS[1][0])
    residual = _centred(observations) - at_sizes[:, observations.size_index]
    shared, own, _ = _DEPARTURE_RATIOS[2]
    weight = _weigh(levels.sizes_mb, observations, residual, shared, own, 0.0).log_weight
    return np.asarray(np.sort(np.argpartition(-weight, _PLAUSIBLE_COUNT)[:_PLAUSIBLE_COUNT]))


def _centred(observations: Observations) -> Floats:
    """Levels, cold ones less their expected factor."""
    return observations.log_level - _COLD_LOG_FACTOR * observations.cold


def _weigh(
    sizes_mb: NDArray[np.int_],
    observations: Observations,
    residual: Floats,
    *grid_point: float,
) -> _Component:
    """Log marginal likelihood of every shape, its scale integrated out."""
    shared, own, log_prior = grid_point
    octaves = np.log2(sizes_mb[observations.size_index] / 1024)
    factor = _COLD_LOG_FACTOR_DEVIATION**2 + _COLD_TILT_DEVIATION**2 * np.outer(octaves, octaves)
    both_cold = np.outer(observations.cold, observations.cold)
    noise = (
        observations.covariance
        + own**2 * (octaves[:, None] == octaves[None, :])
        + factor * both_cold
    )
    knots = knot_weights(sizes_mb)[observations.size_index]
    covariance = noise + shared**2 * knots @ knot_covariance() @ knots.T
    inverse = np.linalg.inv(covariance)
    ones = inverse.sum(axis=1)
    scale_precision = float(ones.sum())
    scale_free = inverse - np.outer(ones, ones) / scale_precision
    distance = np.einsum("ij,ij->i", residual @ scale_free, residual)
    volume = float(np.linalg.slogdet(covariance)[1]) + np.log(scale_precision)
    return _Component(
        shared_ratio=shared,
        observations=observations,
        noise=noise,
        inverse=inverse,
        scale_precision=scale_precision,
        log_weight=log_prior - 0.5 * (distance + volume) + observations.scatter_log_likelihood,
    )


def _draw_scales(component: _Component, residual: Floats, rng: np.random.Generator) -> Floats:
    """Draw the scale of each row's shape, given its residuals at the measured sizes."""
    best = residual @ component.inverse.sum(axis=0) / component.scale_precision
    return np.asarray(best + rng.standard_normal(len(best)) / np.sqrt(component.scale_precision))


def _pick(log_weight: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic resampling: `count` indices in proportion to weight, with little extra noise."""
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    points = (np.arange(count) + rng.random()) / count * total[-1]
    picked = np.minimum(np.searchsorted(total, points), len(weight) - 1)
    return np.asarray(rng.permutation(picked))


def _departures(
    component: _Component,
    residual: Floats,
    knots: Floats,
    where: NDArray[np.intp],
    rng: np.random.Generator,
) -> Floats:
    """Draw departures given the residuals of the levels at grid rows `where` of the knot weights
    (Matheron's rule): (rows, grid).
    """
    ratio, factor = component.shared_ratio, knot_factor()
    prior = ratio * rng.standard_normal((len(residual), len(factor))) @ factor.T
    noise = rng.standard_normal(residual.shape) @ np.linalg.cholesky(component.noise).T
    cross = ratio**2 * knots[where] @ knot_covariance()
    wanted = residual - prior @ knots[where].T - noise
    return np.asarray((prior + wanted @ component.inverse @ cross) @ knots.T)


def _never_rising(curves: Floats) -> Floats:
    """The middle between the running minimum and the maximum to come: both never rise."""
    lowest_so_far = np.minimum.accumulate(curves, axis=1)
    highest_to_come = np.maximum.accumulate(curves[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((lowest_so_far + highest_to_come) / 2)
