"""The shapes that duration over memory can have on Lambda, before anything was measured.

A shape is waiting, plus CPU work that ends at a core limit, plus pressure at small sizes:

    t(c) = wait + serial * min(c, knee)^-k + parallel * min(c, cores)^-k + pressure * c^-q

with c in vCPUs (1,769 MB = 1). `wait`, `serial` and `parallel` are shares of the duration at one
vCPU. k scatters around 1 (credit is linear in memory); the knee of a single thread scatters around
one vCPU; pressure (garbage collection, paging, quota windows) is what makes durations fall faster
than 1/c at small sizes. Every term falls with c, so a shape never rises with memory.

The prior is drawn once, from the platform's documented behaviour and not from any one data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tuner.model.limits import MB_PER_VCPU, MIN_MEMORY_MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHAPE_COUNT = 4000
_SMALLEST_VCPU = MIN_MEMORY_MB / MB_PER_VCPU


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
    window_share: Floats
    """How much of the serial work follows the quota's windows instead of their average."""

    def select(self, indices: NDArray[np.intp]) -> Shapes:
        """Return the shapes at `indices`, in that order."""
        return Shapes(*(getattr(self, name)[indices] for name in self.__slots__))

    def log_duration(self, sizes_mb: Sequence[int] | NDArray[np.int_]) -> Floats:
        """Logarithm of each shape at each size, up to its level: (shapes, sizes)."""
        c = np.log(np.asarray(sizes_mb, dtype=float) / MB_PER_VCPU)[None, :]
        serial = np.exp(
            -self.serial_exponent[:, None] * np.minimum(c, np.log(self.knee_vcpu)[:, None])
        )
        windowed = self.window_share > 0
        if windowed.any():
            stepped = _in_windows(np.exp(c), self.knee_vcpu[windowed][:, None])
            share = self.window_share[windowed][:, None]
            serial[windowed] += share * (stepped - serial[windowed])
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
        return np.asarray(np.log(total))


def _in_windows(vcpu: Floats, knee_vcpu: Floats) -> Floats:
    """Duration of work that fits into one quota window from `knee_vcpu` on, over 1 / knee_vcpu.

    Below, every window gives its credit at full speed and then stands still until the next: the
    duration goes in steps. The phase of the first window is random, which smooths half of them.
    """
    credit = np.minimum(vcpu / knee_vcpu, 1.0)
    window = 1 / knee_vcpu
    whole = np.floor(1 / credit - 1e-9)
    stepped = whole * window + 1 - whole * credit
    share = np.minimum(vcpu, 1.0)
    average = 1 / share - (1 - share) / (2 * knee_vcpu)
    return np.asarray((stepped + np.maximum(average, 1.0)) / (2 * knee_vcpu))


@lru_cache(maxsize=512)
def prior_log_duration(memory_mb: int) -> Floats:
    """Logarithm of every shape of the library at one size; kept, since every refit needs it."""
    return prior_shapes().log_duration([memory_mb])[:, 0]


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
    # Work that fits into a quota window's credit, or that waits for something that grows with
    # memory only so far, ends to gain below one core.
    knee = np.exp(rng.normal(0.0, 0.12, n))
    early = rng.random(n) < 0.12
    knee[early] = np.exp(rng.uniform(np.log(0.1), 0.0, n))[early]
    return Shapes(
        wait=wait,
        serial=work * (1 - parallel_share),
        serial_exponent=np.clip(exponent, 0.5, 1.6),
        knee_vcpu=knee,
        parallel=work * parallel_share,
        cores_vcpu=np.exp(rng.uniform(np.log(1.2), np.log(6.0), n)),
        pressure=pressure,
        pressure_exponent=pressure_exponent,
        window_share=np.where(early & (rng.random(n) < 0.5), rng.random(n), 0.0),
    )


def nearest_log_duration(sizes_mb: NDArray[np.int_], log_level: Floats) -> Floats:
    """The shape of the library whose sum of absolute errors is least, at the levels' scale.

    A few wild levels do not move it: it tells which ones they are.
    """
    at_sizes = np.column_stack([prior_log_duration(int(size)) for size in sizes_mb])
    apart = log_level - at_sizes
    scale = np.median(apart, axis=1, keepdims=True)
    best = int(np.abs(apart - scale).sum(axis=1).argmin())
    return np.asarray(at_sizes[best] + scale[best])
