"""Functions drawn from the model's own prior, with samples as the model makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tests.inference import reference as model
from tuner.inference.prior import prior_shapes
from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DrawnFunction:
    """Samples, and for each size the mean of what they are samples of."""

    samples: list[Sample]
    calm_ms: dict[int, float]
    """Median duration without slow calls, in an environment without luck."""
    mean_ms: dict[int, float]
    """Of all calls, as `Curve.draws_ms` has it: in such an environment too."""


def draw_function(
    sizes_mb: Sequence[int],
    measured_mb: Sequence[int],
    rng: np.random.Generator,
    *,
    environment_count: int,
    sample_count: int,
    slow_calls: bool,
) -> DrawnFunction:
    """Draw a function that is known at `sizes_mb` (ascending), and measure some of them."""
    log_calm = _never_rising(np.array(sizes_mb), rng)
    between, _ = one_of(model.ENVIRONMENTS, rng)
    count = model.INVOCATION_COUNT
    within = model.INVOCATION_RATIO / np.sqrt(rng.chisquare(count) / count)
    rate, extra = 0.0, 0.0
    if slow_calls and rng.random() < model.SLOW_PROBABILITY:
        rate = rng.choice(model.SLOW_RATES)
        shape = model.SLOW_EXTRA_SHAPE
        extra = model.SLOW_EXTRA * (shape - 1) / rng.standard_gamma(shape)
    calm_ms = dict(zip(sizes_mb, np.exp(log_calm).tolist(), strict=True))
    samples = []
    for size in measured_mb:
        for number in range(environment_count):
            luck = between * rng.standard_normal()
            for _ in range(sample_count):
                ratio = np.exp(luck + within * rng.standard_normal())
                if rng.random() < rate:
                    ratio *= 1 + rng.exponential(extra)
                samples.append(Sample(size, float(calm_ms[size] * ratio), f"{size}/{number}"))
    raised = np.exp(within**2 / 2) * (1 + rate * extra)
    return DrawnFunction(
        samples, calm_ms, {size: float(calm * raised) for size, calm in calm_ms.items()}
    )


def _never_rising(sizes_mb: NDArray[np.int_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw log durations; a curve that rises somewhere is drawn again: the model has none."""
    shapes = prior_shapes()
    windowed = shapes.windowed_ms > 0
    while True:
        in_windows = rng.random() < model.WINDOWED_ODDS / (1 + model.WINDOWED_ODDS)
        chosen = rng.choice(np.flatnonzero(windowed == in_windows), 1)
        if in_windows:
            scale = np.log(shapes.windowed_ms[chosen] / shapes.serial[chosen])
            scale = scale + model.WINDOWED_RATIO * rng.standard_normal()
        else:
            scale = rng.uniform(*np.log(model.WINDOWED_RANGE_MS))
        ratios, _ = one_of(model.DISCREPANCIES, rng)
        covariance = model.discrepancy_covariance(sizes_mb, sizes_mb, ratios)
        own = rng.multivariate_normal(np.zeros(len(sizes_mb)), covariance)
        log_calm = scale + shapes.select(chosen).log_duration(sizes_mb)[0] + own
        if (np.diff(log_calm) <= 0).all():
            return np.asarray(log_calm)


def one_of(weighted: Sequence[tuple[T, float]], rng: np.random.Generator) -> tuple[T, float]:
    """One of some values with their probabilities, and its own."""
    return weighted[rng.choice(len(weighted), p=[weight for _, weight in weighted])]
