"""What an invocation needs: waiting, CPU time, cores and memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.errors import InputError
from tuner.model.limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_FIT_MB: Final = 512
"""Below, memory pressure and quota windows bend the curve: it says less of CPU time."""
MIN_PROCESS_MB: Final = 32


@dataclass(frozen=True, slots=True)
class Work:
    """Draws of one invocation's needs, one element a draw; `lambda_*` are at the chosen size."""

    wait_ms: Floats
    cpu_ms: Floats
    """CPU time on one full core of Lambda (1,769 MB)."""
    core_count: Floats
    """Cores that the code can use, at least 1."""
    lambda_ms: Floats
    lambda_cost_usd: Floats
    """Of one invocation in the first tier, cold starts in it."""
    memory_used_mb: int
    lambda_memory_mb: int

    @property
    def central(self) -> Work:
        """The same with a single draw: the means."""
        return replace(
            self,
            wait_ms=np.array([self.wait_ms.mean()]),
            cpu_ms=np.array([self.cpu_ms.mean()]),
            core_count=np.array([self.core_count.mean()]),
            lambda_ms=np.array([self.lambda_ms.mean()]),
            lambda_cost_usd=np.array([self.lambda_cost_usd.mean()]),
        )


def sizes_to_part(measured_mb: Sequence[int]) -> tuple[int, ...]:
    """Sizes at which a curve is asked to part waiting from computing.

    Between 512 and 1,769 MB CPU grows with memory; above, only what was measured counts. Raises
    InputError unless two sizes were measured.
    """
    if len(measured_mb) < 2:
        sizes = ", ".join(f"{size} MB" for size in measured_mb) or "no size"
        raise InputError(
            f"only {sizes} gave warm samples, so waiting cannot be told from computing: "
            "measure at least two sizes (--memory-sizes)"
        )
    low = min(max(min(measured_mb), LEAST_FIT_MB), MB_PER_VCPU // 2)
    steps = np.geomspace(low, MB_PER_VCPU, 6).astype(int)
    above = [size for size in measured_mb if size > MB_PER_VCPU]
    return tuple(sorted({*map(int, steps), MB_PER_VCPU, *above}))


def part_work(sizes_mb: Sequence[int], duration_ms: Floats) -> tuple[Floats, Floats, Floats]:
    """Return draws of (waiting ms, CPU ms, usable cores) from durations (draws × sizes).

    Below 1,769 MB duration = wait + CPU × 1769 / memory, fitted to each draw by least squares of
    the relative error; the CPU time is then the duration at 1,769 MB less the wait, and the
    speed-up at the largest size above it tells the cores. `sizes_mb` must have 1,769.
    """
    sizes = np.asarray(sizes_mb, dtype=float)
    at_core = duration_ms[:, list(sizes_mb).index(MB_PER_VCPU)]
    below = sizes <= MB_PER_VCPU
    wait = np.clip(_intercept(MB_PER_VCPU / sizes[below], duration_ms[:, below]), 0, at_core)
    cpu = np.maximum(at_core - wait, 1e-3 * at_core)
    wait = at_core - cpu
    largest = float(sizes[-1])
    left = np.maximum(duration_ms[:, -1] - wait, cpu / max(largest / MB_PER_VCPU, 1.0))
    return wait, cpu, np.maximum(cpu / left, 1.0)


def _intercept(slowness: Floats, duration_ms: Floats) -> Floats:
    """Of the weighted line duration = intercept + slope × slowness, one for each draw."""
    weights = 1 / duration_ms**2
    total = weights.sum(axis=1)
    x = (weights * slowness).sum(axis=1) / total
    y = (weights * duration_ms).sum(axis=1) / total
    dx = slowness[None, :] - x[:, None]
    slope = (weights * dx * duration_ms).sum(axis=1) / (weights * dx**2).sum(axis=1)
    return np.asarray(y - np.maximum(slope, 0) * x)
