"""The shapes that duration over memory can have on Lambda, before anything was measured.

A shape is waiting, plus CPU work that ends at a core limit, plus pressure at small sizes:

    t(c) = wait + serial * min(c, knee)^-k + parallel * min(c, cores)^-k + pressure * c^-q
           + growth * c^g

with c in vCPUs (1,769 MB = 1). `wait`, `serial` and `parallel` are shares of the duration at one
vCPU. k scatters around 1 (credit is linear in memory); the knee of a single thread scatters around
one vCPU; pressure (garbage collection, paging, quota windows) is what makes durations fall faster
than 1/c at small sizes. Every term falls with c but the last, which a few shapes have: workers by
memory, heaps that are filled before they are collected, caches that thrash. All others never rise.

The prior is drawn once, from the platform's documented behavior and not from any one data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.lambda_limits import MB_PER_VCPU, MIN_MEMORY_MB, QUOTA_WINDOW_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.arrays import Flags, Floats, Indices, Integers

SHAPE_COUNT = 4500
WINDOWED_COUNT: Final = 800
WINDOWED_RANGE_MS: Final = (1.0, 120.0)
"""Serial CPU time over which the quota's windows show: a fraction of one, to a few of them."""
RISING_COUNT: Final = 200
"""This many shapes at the end rise with memory, somewhere or everywhere."""
_SMALLEST_VCPU = MIN_MEMORY_MB / MB_PER_VCPU
_ROUNDING = 1e-9
"""Errors (sums of logarithms) that differ by less are equal: rounding is near 1e-15."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """A set of shapes; every field is an array with one entry for each shape."""

    wait: Floats
    serial: Floats
    serial_exponent: Floats
    knee_vcpu: Floats
    parallel: Floats
    cores_vcpu: Floats
    pressure: Floats
    pressure_exponent: Floats
    growth: Floats
    growth_exponent: Floats
    windowed_ms: Floats
    """Serial CPU time of shapes that follow the quota's windows instead of their average, in
    milliseconds at one vCPU; 0 for the others, which have any scale."""
    step_share: Floats
    """How much of the windows' steps work that varies from call to call leaves."""
    random_start: Flags
    """Whether calls begin at any moment of a window, not with one."""

    def select(self, indices: Indices) -> Shapes:
        """Return the shapes at `indices`, in that order."""
        return Shapes(*(getattr(self, name)[indices] for name in self.__slots__))

    def log_duration(self, sizes_mb: Sequence[int] | Integers) -> Floats:
        """Logarithm of each shape at each size, up to its level: (shapes, sizes)."""
        c = np.log(np.asarray(sizes_mb, dtype=float) / MB_PER_VCPU)[None, :]
        serial = np.exp(
            -self.serial_exponent[:, None] * np.minimum(c, np.log(self.knee_vcpu)[:, None])
        )
        windowed = self.windowed_ms > 0
        if windowed.any():
            serial[windowed] = _in_windows(
                np.exp(c),
                self.windowed_ms[windowed][:, None],
                self.step_share[windowed][:, None],
                self.random_start[windowed][:, None],
            )
        parallel = np.exp(
            -self.serial_exponent[:, None] * np.minimum(c, np.log(self.cores_vcpu)[:, None])
        )
        pressure = np.exp(-self.pressure_exponent[:, None] * c)
        total = (
            self.wait[:, None]
            + self.serial[:, None] * serial
            + self.parallel[:, None] * parallel
            + self.pressure[:, None] * pressure
        )
        rising = self.growth > 0
        if rising.any():
            exponent = self.growth_exponent[rising][:, None]
            total[rising] += self.growth[rising][:, None] * np.exp(exponent * c)
        return np.asarray(np.log(total))


def _in_windows(vcpu: Floats, work_ms: Floats, step_share: Floats, random_start: Flags) -> Floats:
    """Mean duration of `work_ms` of CPU time under the quota, over `work_ms`.

    Every window gives its credit at full speed and then pauses until the next: the duration moves
    in steps, of which work that varies from call to call leaves `step_share`. Work begins with a
    window, or at a random moment of one, of which the second is the mean over all moments.
    """
    share = np.minimum(vcpu, 1.0)
    credit_ms = share * QUOTA_WINDOW_MS
    whole = np.floor(work_ms / credit_ms - 1e-9)
    rest_ms = work_ms - whole * credit_ms
    stepped = whole * QUOTA_WINDOW_MS + rest_ms
    average = np.maximum(work_ms / share - (1 - share) * QUOTA_WINDOW_MS / 2, work_ms)
    # The window's own credit is untouched where work begins in it, so less than one never waits.
    gained = (1 - share) * rest_ms - (1 - share**2) * QUOTA_WINDOW_MS / 2
    stepped = np.where(random_start & (whole > 0), stepped + gained, stepped)
    return np.asarray((step_share * stepped + (1 - step_share) * average) / work_ms)


@lru_cache(maxsize=512)
def prior_log_duration(memory_mb: int) -> Floats:
    """Logarithm of every shape in the library at one size; cached, because every refit needs it."""
    return prior_shapes().log_duration([memory_mb])[:, 0]


def typical_ratio(memory_mb: int, other_mb: int) -> float:
    """The median, over the library's shapes, of the duration at another size over that at one."""
    return float(np.exp(np.median(prior_log_duration(memory_mb) - prior_log_duration(other_mb))))


@lru_cache(maxsize=1)
def prior_log_scale() -> Floats:
    """Logarithm of the duration (ms) that is 1 in a windowed shape; NaN where any scale fits."""
    shapes = prior_shapes()
    bound = shapes.windowed_ms > 0
    scale = np.full(len(bound), np.nan)
    scale[bound] = np.log(shapes.windowed_ms[bound] / shapes.serial[bound])
    return scale


@lru_cache(maxsize=1)
def prior_shapes() -> Shapes:
    """Return the library: `SHAPE_COUNT` draws from the prior, the same in every process."""
    rng = np.random.default_rng(1769)
    n = SHAPE_COUNT
    # Waiting against work: no scale is preferred, so the logarithm of their ratio is uniform.
    wait = 1 / (1 + np.exp(rng.uniform(-8.0, 5.0, n)))
    wait[rng.random(n) < 0.2] = 0.0
    wait[rng.random(n) < 0.05] = 1.0
    work = 1.0 - wait
    parallel_share = np.where(rng.random(n) < 0.6, 0.0, rng.beta(1.0, 0.8, n))
    exponent = np.where(rng.random(n) < 0.6, rng.normal(1.0, 0.04, n), rng.normal(1.0, 0.15, n))
    pressure_exponent = rng.uniform(1.3, 3.5, n)
    # Pressure is drawn as a share of the duration at the smallest size, where it is felt.
    share = np.where(rng.random(n) < 0.55, 0.0, rng.beta(0.8, 3.0, n))
    at_smallest = wait + work * _SMALLEST_VCPU**-exponent
    pressure = share / (1 - share) * at_smallest * _SMALLEST_VCPU**pressure_exponent
    # What waits for something that grows with memory only so far ends to gain below one core.
    knee = np.exp(rng.normal(0.0, 0.12, n))
    early = rng.random(n) < 0.12
    knee[early] = np.exp(rng.uniform(np.log(0.1), 0.0, n))[early]
    # Short runs of one thread go in the windows' steps, which tie the shape to its scale.
    windowed_ms = np.exp(rng.uniform(np.log(WINDOWED_RANGE_MS[0]), np.log(WINDOWED_RANGE_MS[1]), n))
    windowed_ms[WINDOWED_COUNT:] = 0.0
    wait[:WINDOWED_COUNT][rng.random(WINDOWED_COUNT) < 0.6] = 0.0
    wait[:WINDOWED_COUNT] = np.minimum(wait[:WINDOWED_COUNT], 0.9)
    work = 1.0 - wait
    parallel_share[:WINDOWED_COUNT] = pressure[:WINDOWED_COUNT] = 0.0
    step_share = rng.random(n)
    # Numerical libraries and pools of workers put all of the work on all cores.
    parallel_share[(parallel_share > 0) & (rng.random(n) < 0.25)] = 1.0
    growth = np.zeros(n)
    growth[-RISING_COUNT:] = np.exp(rng.uniform(np.log(0.03), np.log(3.0), RISING_COUNT))
    return Shapes(
        wait=wait,
        serial=work * (1 - parallel_share),
        serial_exponent=np.clip(exponent, 0.5, 1.6),
        knee_vcpu=knee,
        parallel=work * parallel_share,
        cores_vcpu=np.exp(rng.uniform(np.log(1.2), np.log(6.0), n)),
        pressure=pressure,
        pressure_exponent=pressure_exponent,
        growth=growth,
        growth_exponent=rng.uniform(0.4, 1.4, n),
        windowed_ms=windowed_ms,
        step_share=step_share,
        random_start=np.arange(n) % 2 == 0,
    )


def nearest_shapes(
    sizes_mb: Integers, log_levels: Sequence[Sequence[float]]
) -> tuple[Floats, Floats]:
    """The never-rising shape with the least sum of absolute errors, at the levels' scale; and for
    each size, what the shapes nearest to all other sizes say, as a mean duration (flat ones are
    alike except at the size left out). Each size has one level or several.

    A few wild levels don't move it: it identifies them.
    """
    at_sizes = np.array([prior_log_duration(int(size)) for size in sizes_mb])
    counts = [len(levels) for levels in log_levels]
    error = np.repeat(at_sizes, counts, axis=0)
    np.subtract(np.concatenate(log_levels)[:, None], error, out=error)
    scale = _column_medians(error)
    error -= scale
    np.abs(error, out=error)
    total = error.sum(axis=0)
    of_size = error
    if max(counts) > 1:
        of_size = np.add.reduceat(error, np.cumsum([0, *counts[:-1]]), axis=0)
    of_all = at_sizes
    of_all += scale
    best = np.exp(of_all[:, _nearest(total)]).mean(axis=1)
    others = [
        np.exp(row[_nearest(total - own)]).mean() for row, own in zip(of_all, of_size, strict=True)
    ]
    return np.log(best), np.log(others)


def _column_medians(values: Floats) -> Floats:
    """`np.median` over the rows in half its time: it looks for NaN, and there is none."""
    rows = np.ascontiguousarray(values.T)
    low, high = (len(values) - 1) // 2, len(values) // 2
    rows.partition((low, high), axis=1)
    return np.asarray((rows[:, low] + rows[:, high]) / 2)


def _nearest(error: Floats) -> Flags:
    """The shapes with the least error, including all that differ from it only by rounding, because
    which of those is least depends on the processor.
    """
    return np.asarray(error <= error.min() + _ROUNDING)
