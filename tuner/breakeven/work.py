"""What an invocation needs: waiting, CPU time, cores and memory."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from tuner.errors import InputError
from tuner.model.lambda_limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.model.arrays import Floats

T = TypeVar("T", bound=Any)

LEAST_FIT_MB: Final = 256
"""Below, memory pressure and quota windows bend the curve: it says less about CPU time."""
LEAST_SPAN: Final = 1.5
"""Sizes closer together than this say nothing about the slope."""
MIN_PROCESS_MB: Final = 32


@dataclass(frozen=True, slots=True)
class Work:
    """Draws of one invocation's needs, one element per draw; `lambda_*` are at the chosen size."""

    wait_ms: Floats
    cpu_ms: Floats
    """CPU time on one full core of Lambda (1,769 MB)."""
    core_count: Floats
    """Cores that the code can use, at least 1."""
    lambda_ms: Floats
    lambda_cost_usd: Floats
    """Per invocation in the first tier, including cold starts."""
    memory_used_mb: int
    lambda_memory_mb: int
    cold_start_share: float = 0.0

    @property
    def central(self) -> Work:
        """The same with a single draw: the means."""
        return with_draws(self, lambda draws: np.array([draws.mean()]))


def with_draws(value: T, change: Callable[[Floats], Floats]) -> T:
    """A dataclass with `change` applied to each of its arrays."""
    given = {field.name: getattr(value, field.name) for field in fields(value)}
    arrays = {name: each for name, each in given.items() if isinstance(each, np.ndarray)}
    return replace(value, **{name: change(each) for name, each in arrays.items()})


def sizes_to_part(measured_mb: Sequence[int]) -> tuple[int, ...]:
    """Sizes at which to separate a curve's waiting from its computing.

    Up to 1,769 MB CPU grows with memory: sizes between those measured there, because the curve is
    cautious beyond them; larger sizes only as measured. Raises InputError unless two were measured.
    """
    if len(measured_mb) < 2:
        sizes = ", ".join(f"{size} MB" for size in measured_mb) or "no size"
        raise InputError(
            f"only {sizes} gave warm samples, so waiting can't be separated from computing: "
            "measure at least two sizes (`memory_sizes_mb`)"
        )
    high = min(MB_PER_VCPU, max(measured_mb))
    low = max(min(measured_mb), LEAST_FIT_MB)
    if high < low * LEAST_SPAN:
        low = min(measured_mb)
    if high < low * LEAST_SPAN:
        low, high = min(low, MB_PER_VCPU // 2), MB_PER_VCPU
    steps = map(round, np.geomspace(low, high, 6).tolist())
    above = [size for size in measured_mb if size > MB_PER_VCPU]
    return tuple(sorted({*steps, high, *above}))


def part_work(sizes_mb: Sequence[int], duration_ms: Floats) -> tuple[Floats, Floats, Floats]:
    """Return draws of (waiting ms, CPU ms, usable cores) from durations (draws × sizes).

    Up to 1,769 MB duration = wait + CPU × 1769 / memory, fitted to each draw by least squares of
    the relative error; the CPU time is then the duration at the largest of these sizes minus the
    wait, in full-core time, and the speed-up above 1,769 MB gives the cores.
    """
    sizes = np.asarray(sizes_mb, dtype=float)
    below = sizes <= MB_PER_VCPU
    top = int(below.sum()) - 1
    share = sizes[top] / MB_PER_VCPU
    at_top = duration_ms[:, top]
    wait = np.clip(_intercept(MB_PER_VCPU / sizes[below], duration_ms[:, below]), 0, at_top)
    cpu = np.maximum(at_top - wait, 1e-3 * at_top) * share
    wait = np.maximum(at_top - cpu / share, 0.0)  # rounding may leave it slightly negative
    left = np.maximum(duration_ms[:, -1] - wait, cpu / max(float(sizes[-1]) / MB_PER_VCPU, 1.0))
    return wait, cpu, np.maximum(cpu / left, 1.0)


def _intercept(slowness: Floats, duration_ms: Floats) -> Floats:
    """Of the weighted line duration = intercept + slope × slowness, one per draw."""
    weights = 1 / duration_ms**2
    total = weights.sum(axis=1)
    x = (weights * slowness).sum(axis=1) / total
    y = (weights * duration_ms).sum(axis=1) / total
    dx = slowness[None, :] - x[:, None]
    slope = (weights * dx * duration_ms).sum(axis=1) / (weights * dx**2).sum(axis=1)
    return np.asarray(y - np.maximum(slope, 0) * x)
