"""Which memory sizes a sweep measures."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tuner.errors import UsageError
from tuner.model.limits import (
    CORE_THRESHOLDS_MB,
    MAX_MEMORY_MB,
    MB_PER_VCPU,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Where CPU is a fraction of a core, duration changes most: these fill that part of the range, the
# most telling first.
_LADDER_MB: Final = (512, 1_024, 256, 768, 1_408, 384, 192)
_SIZE_COUNT: Final = 9
# Even a range full of thresholds gets this many sizes below one core.
_LEAST_LADDER_COUNT: Final = 3
# A rung this near to a size that is measured anyway tells nothing new.
_TOO_NEAR_RATIO: Final = 0.1


def sizes_by_priority(min_mb: int, max_mb: int, current_mb: int) -> tuple[int, ...]:
    """Return the sizes to measure in a range, the most needed first.

    Both ends, the current size, one whole core (1,769 MB), the sizes on both sides of every step
    in visible cores, and rungs where CPU is a fraction of a core: 9 sizes for 128-3,008 MB, 14 for
    128-10,240 MB, one more if the current size is none of them. Raises UsageError.
    """
    check_range(min_mb, max_mb)
    ends = _within(min_mb, max_mb, (min_mb, max_mb, MB_PER_VCPU))
    steps = _within(min_mb, max_mb, _threshold_sides())
    current = _within(min_mb, max_mb, (current_mb,))
    ladder = _within(min_mb, max_mb, _LADDER_MB)
    rungs = [size for size in ladder if not _is_near(size, (*ends, *steps))]
    rung_count = max(_LEAST_LADDER_COUNT, _SIZE_COUNT - len({*ends, *steps}))
    rungs = [size for size in rungs[:rung_count] if not _is_near(size, current)]
    return tuple(dict.fromkeys((*current, *ends, *rungs, *steps)))


def chosen_sizes(sizes_mb: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes that the user named, once they are whole, in range and ascending.

    Raises UsageError.
    """
    for size in sizes_mb:
        _check_size(size)
    for first, second in pairwise(sizes_mb):
        if first >= second:
            raise UsageError(f"memory sizes must ascend: {second} MB follows {first} MB")
    return tuple(sizes_mb)


def check_range(min_mb: int, max_mb: int) -> None:
    """Raise UsageError for limits that Lambda does not take, or that are the wrong way round."""
    _check_size(min_mb)
    _check_size(max_mb)
    if min_mb > max_mb:
        raise UsageError(f"the least memory ({min_mb} MB) is above the greatest ({max_mb} MB)")


def _check_size(size_mb: int) -> None:
    if not MIN_MEMORY_MB <= size_mb <= MAX_MEMORY_MB:
        raise UsageError(
            f"memory size {size_mb} MB is out of range: Lambda takes "
            f"{MIN_MEMORY_MB} to {MAX_MEMORY_MB} MB"
        )


def _threshold_sides() -> Iterator[int]:
    for first_mb, _cores in CORE_THRESHOLDS_MB:
        yield from (first_mb - 1, first_mb)


def _within(min_mb: int, max_mb: int, sizes: Iterable[int]) -> tuple[int, ...]:
    return tuple(size for size in sizes if min_mb <= size <= max_mb)


def _is_near(size: int, others: Sequence[int]) -> bool:
    return any(abs(size - other) <= _TOO_NEAR_RATIO * other for other in others)
