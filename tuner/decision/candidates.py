"""The sizes that an answer may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import UsageError
from tuner.model.lambda_limits import (
    CORE_THRESHOLDS_MB,
    MAX_MEMORY_MB,
    MB_PER_VCPU,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.sweep import Sweep

_STEP_MB = 64


def candidate_sizes(
    min_memory_mb: int | None, max_memory_mb: int | None, current_memory_mb: int
) -> tuple[int, ...]:
    """Sizes that people would choose, ascending, within the limits (None: the platform's).

    Multiples of 64 MB, the size of one vCPU, both sides of every core threshold, and the current
    size if it's within the limits. Raises UsageError if the limits leave nothing.
    """
    low = MIN_MEMORY_MB if min_memory_mb is None else min_memory_mb
    high = MAX_MEMORY_MB if max_memory_mb is None else max_memory_mb
    sizes = {*range(MIN_MEMORY_MB, MAX_MEMORY_MB + 1, _STEP_MB), MB_PER_VCPU, current_memory_mb}
    for first_mb, _ in CORE_THRESHOLDS_MB:
        sizes |= {first_mb - 1, first_mb}
    within = tuple(sorted(size for size in sizes if low <= size <= high))
    if not within:
        raise UsageError(
            f"no size to choose from between {low} and {high} MB: "
            f"widen `min_memory_mb` and `max_memory_mb` ({MIN_MEMORY_MB} to {MAX_MEMORY_MB} MB)"
        )
    return within


def named_within(
    sizes_mb: Sequence[int], min_memory_mb: int | None, max_memory_mb: int | None
) -> tuple[int, ...]:
    """The named sizes within the limits (None: any). Raises UsageError if there are none."""
    low, high = min_memory_mb or MIN_MEMORY_MB, max_memory_mb or MAX_MEMORY_MB
    within = tuple(size for size in sizes_mb if low <= size <= high)
    if not within:
        raise UsageError(
            f"none of the sizes to choose among ({', '.join(map(str, sizes_mb))} MB) lies between "
            f"{low} and {high} MB: widen `min_memory_mb` and `max_memory_mb`"
        )
    return within


def candidates_of(
    sweep: Sweep, min_memory_mb: int | None = None, max_memory_mb: int | None = None
) -> frozenset[int]:
    """The sizes that the operator named, or those that people would choose and those invoked;
    within the limits, or the planned range. Sizes that the account refused aren't candidates.
    Raises UsageError if the limits leave nothing.
    """
    candidates = _asked_for(sweep, min_memory_mb, max_memory_mb)
    if sweep.memory_cap_mb is None:
        return candidates
    had = {sweep.function.memory_mb, *(each.memory_mb for each in sweep.invocations)}
    return frozenset(size for size in candidates if size <= sweep.memory_cap_mb or size in had)


def _asked_for(
    sweep: Sweep, min_memory_mb: int | None, max_memory_mb: int | None
) -> frozenset[int]:
    planned = sweep.plan.sizes_mb
    if sweep.plan.sizes_named:
        return frozenset(named_within(planned, min_memory_mb, max_memory_mb))
    low_mb = min(planned, default=None) if min_memory_mb is None else min_memory_mb
    high_mb = max(planned, default=None) if max_memory_mb is None else max_memory_mb
    candidates = {*candidate_sizes(low_mb, high_mb, sweep.function.memory_mb)}
    low, high = min(candidates), max(candidates)
    invoked = {invocation.memory_mb for invocation in sweep.invocations}
    return frozenset(candidates | {size for size in invoked if low <= size <= high})
