"""Weighs the prior's shapes by the measured levels, and draws curves from what remains.

Model, in logarithms (errors are relative): level at a size = shape + scale + departure + noise.
The scale has a flat prior. The departure is an Ornstein-Uhlenbeck process over log2 of memory: real
functions have kinks that no smooth form knows, near sizes share them, far ones do not. Its size
and the environments' scatter are unknown too, and averaged over a small grid with prior weights.
Given shape and grid point everything is Gaussian, so the posterior is an exact weighted mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.curve.shapes import prior_log_duration, prior_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tuner.curve.noise import Levels

    Floats = NDArray[np.float64]

_BETWEEN_RATIOS = ((0.01, 0.25), (0.03, 0.5), (0.08, 0.25))
"""Scatter between environments, and prior weight (public measurements: a few per cent)."""
_DEPARTURE_RATIOS = ((0.006, 0.3), (0.02, 0.5), (0.06, 0.2))
"""Deviation of the departure from a smooth shape, and prior weight."""
_DEPARTURE_OCTAVES = 0.7
"""How far along log2 of memory a departure is shared."""


@dataclass(frozen=True, slots=True)
class _Component:
    """One point of the grid: everything here is shared by all shapes."""

    departure_ratio: float
    level: Floats
    variance: Floats
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
    shapes = prior_shapes()
    at_sizes = np.column_stack([prior_log_duration(int(size)) for size in levels.sizes_mb])
    components = [
        _weigh(levels, at_sizes, between, departure, np.log(a * b))
        for between, a in _BETWEEN_RATIOS
        for departure, b in _DEPARTURE_RATIOS
    ]
    picked = _pick(np.concatenate([c.log_weight for c in components]), draw_count, rng)
    which, shape_index = np.divmod(picked, at_sizes.shape[0])
    curves = shapes.select(shape_index).log_duration(grid_mb)
    measured = np.searchsorted(grid_mb, levels.sizes_mb)
    for number in np.unique(which):
        rows = np.flatnonzero(which == number)
        component = components[number]
        residual = component.level - at_sizes[shape_index[rows]]
        scale = _draw_scales(component, residual, rng)
        residual -= scale[:, None]
        curves[rows] += scale[:, None] + _departures(component, residual, grid_mb, measured, rng)
    tail = levels.log_tail + levels.log_tail_deviation * rng.standard_normal((draw_count, 1))
    return _never_rising(curves) + tail


def _weigh(
    levels: Levels, at_sizes: Floats, between: float, departure: float, log_prior: float
) -> _Component:
    """Log marginal likelihood of every shape, its scale integrated out."""
    level, variance, scatter_likelihood = levels.at_sizes(between)
    octaves = np.log2(levels.sizes_mb)
    apart = np.abs(octaves[:, None] - octaves[None, :])
    covariance = departure**2 * np.exp(-apart / _DEPARTURE_OCTAVES) + np.diag(variance)
    inverse = np.linalg.inv(covariance)
    ones = inverse.sum(axis=1)
    scale_precision = float(ones.sum())
    residual = level[None, :] - at_sizes
    scale_free = inverse - np.outer(ones, ones) / scale_precision
    distance = np.einsum("ij,ij->i", residual @ scale_free, residual)
    sign_free = float(np.linalg.slogdet(covariance)[1]) + np.log(scale_precision)
    return _Component(
        departure_ratio=departure,
        level=level,
        variance=variance,
        inverse=inverse,
        scale_precision=scale_precision,
        log_weight=-0.5 * (distance + sign_free) + scatter_likelihood + log_prior,
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
    grid_mb: NDArray[np.int_],
    measured: NDArray[np.intp],
    rng: np.random.Generator,
) -> Floats:
    """Draw departures given the residuals at measured sizes (Matheron's rule): (rows, grid)."""
    x = np.log2(grid_mb)
    ratio = component.departure_ratio
    prior = ratio * _unit_process(x, len(residual), rng)
    noise = rng.standard_normal(residual.shape) * np.sqrt(component.variance)
    apart = np.abs(x[measured][:, None] - x[None, :])
    cross = ratio**2 * np.exp(-apart / _DEPARTURE_OCTAVES)
    return np.asarray(prior + (residual - prior[:, measured] - noise) @ (component.inverse @ cross))


def _unit_process(x: Floats, row_count: int, rng: np.random.Generator) -> Floats:
    """Ornstein-Uhlenbeck paths of unit variance at ascending x: a rescaled Brownian motion."""
    time = np.exp(2 * (x - x[0]) / _DEPARTURE_OCTAVES)
    steps = np.sqrt(np.diff(time, prepend=0.0))
    motion = np.cumsum(rng.standard_normal((row_count, len(x))) * steps, axis=1)
    return np.asarray(motion / np.sqrt(time))


def _never_rising(curves: Floats) -> Floats:
    """The middle between the running minimum and the maximum to come: both never rise."""
    lowest_so_far = np.minimum.accumulate(curves, axis=1)
    highest_to_come = np.maximum.accumulate(curves[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((lowest_so_far + highest_to_come) / 2)
