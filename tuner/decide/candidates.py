"""The sizes that an answer may name."""

from __future__ import annotations

from tuner.errors import InputError
from tuner.model.limits import (
    CORE_THRESHOLDS_MB,
    MAX_MEMORY_MB,
    MB_PER_VCPU,
    MIN_MEMORY_MB,
)

_STEP_MB = 64


def candidate_sizes(
    min_memory_mb: int | None, max_memory_mb: int | None, current_memory_mb: int
) -> tuple[int, ...]:
    """Sizes that a person would write, ascending, within the limits (None: the platform's).

    Multiples of 64 MB, the size of one vCPU, both sides of every core threshold, and the current
    size if it lies within the limits. Raises InputError if the limits leave nothing.
    """
    low = MIN_MEMORY_MB if min_memory_mb is None else min_memory_mb
    high = MAX_MEMORY_MB if max_memory_mb is None else max_memory_mb
    sizes = {*range(MIN_MEMORY_MB, MAX_MEMORY_MB + 1, _STEP_MB), MB_PER_VCPU, current_memory_mb}
    for first_mb, _ in CORE_THRESHOLDS_MB:
        sizes |= {first_mb - 1, first_mb}
    within = tuple(sorted(size for size in sizes if low <= size <= high))
    if not within:
        raise InputError(
            f"no size to choose from between {low} and {high} MB: "
            f"widen --min-memory and --max-memory ({MIN_MEMORY_MB} to {MAX_MEMORY_MB} MB)"
        )
    return within
