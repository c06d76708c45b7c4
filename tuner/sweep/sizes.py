"""Which memory sizes a sweep measures, and how often if it measures all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tuner.errors import UsageError
from tuner.model.lambda_limits import (
    CORE_THRESHOLDS_MB,
    MAX_MEMORY_MB,
    MB_PER_VCPU,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.sweep.estimate import Pricing

# Where CPU is a fraction of a core, duration changes most: these fill that part of the range, the
# most telling first.
_LADDER_MB: Final = (512, 1_024, 256, 768, 1_408, 384, 192)
_SIZE_COUNT: Final = 9
# Even a range full of thresholds gets this many sizes below one core.
_LEAST_LADDER_COUNT: Final = 3
WARM_COUNT: Final = 5
"""Warm samples per size, if the limits allow."""
_USUAL_INVOCATIONS: Final = 60
_LEAST_SIZE_COUNT: Final = 3
# A rung this close to a measured size adds nothing.
_TOO_NEAR_RATIO: Final = 0.1


def sizes_by_priority(min_mb: int, max_mb: int, current_mb: int) -> tuple[int, ...]:
    """Return the sizes to measure in a range, the most needed first.

    Both ends, the current size, one whole core (1,769 MB), the sizes on both sides of every step in
    visible cores, and rungs where CPU is a fraction of a core: 9 sizes for 128-3,008 MB, 14 for
    128-10,240 MB, and one more if the current size isn't among them. Raises UsageError.
    """
    check_range(min_mb, max_mb)
    ends = _within(min_mb, max_mb, (min_mb, max_mb, MB_PER_VCPU))
    sides = (each for first_mb, _ in CORE_THRESHOLDS_MB for each in (first_mb - 1, first_mb))
    steps = _within(min_mb, max_mb, sides)
    current = _within(min_mb, max_mb, (current_mb,))
    ladder = _within(min_mb, max_mb, _LADDER_MB)
    rungs = [size for size in ladder if not _is_near(size, (*ends, *steps))]
    rung_count = max(_LEAST_LADDER_COUNT, _SIZE_COUNT - len({*ends, *steps}))
    rungs = [size for size in rungs[:rung_count] if not _is_near(size, current)]
    return tuple(dict.fromkeys((*current, *ends, *rungs, *steps)))


def chosen_sizes(sizes_mb: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes that the user named, checked to be whole, in range and ascending.

    Raises UsageError.
    """
    for size in sizes_mb:
        _check_size(size)
    for first, second in pairwise(sizes_mb):
        if first >= second:
            raise UsageError(f"memory sizes must ascend: {second} MB follows {first} MB")
    return tuple(sizes_mb)


def check_range(min_mb: int, max_mb: int) -> None:
    """Raise UsageError for limits that Lambda doesn't take, or in the wrong order."""
    _check_size(min_mb)
    _check_size(max_mb)
    if min_mb > max_mb:
        raise UsageError(f"the smallest memory ({min_mb} MB) is above the largest ({max_mb} MB)")


def _check_size(size_mb: int) -> None:
    if not MIN_MEMORY_MB <= size_mb <= MAX_MEMORY_MB:
        raise UsageError(
            f"memory size {size_mb} MB is out of range: Lambda takes "
            f"{MIN_MEMORY_MB} to {MAX_MEMORY_MB} MB"
        )


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """How many sizes and repetitions the invocations and the money allow."""

    pricing: Pricing
    warmup_count: int
    payload_count: int
    max_invocations: int | None
    budget_usd: float | None

    def reduced(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """Return as many of the wanted sizes (by priority) as can each get a warm sample."""
        for count in range(len(wanted), min(_LEAST_SIZE_COUNT, len(wanted)) - 1, -1):
            sizes = tuple(sorted(wanted[:count]))
            if self._allows(sizes, 1):
                break
        return sizes

    def repetitions(self, sizes: tuple[int, ...], wanted: int | None) -> int:
        """Return the repetitions that the limits allow at these sizes. Raises UsageError."""
        most = self._usual_repetitions(len(sizes)) if wanted is None else wanted
        for repetitions in range(most, 0, -1):
            if self._allows(sizes, repetitions):
                return repetitions
        raise UsageError(self._refusal(sizes))

    def _usual_repetitions(self, size_count: int) -> int:
        for repetitions in range(WARM_COUNT, 1, -1):
            if size_count * self._per_size(repetitions) <= _USUAL_INVOCATIONS:
                return repetitions
        return 1

    def _per_size(self, repetitions: int) -> int:
        return self.warmup_count + repetitions * self.payload_count

    def _allows(self, sizes: tuple[int, ...], repetitions: int) -> bool:
        needed = self._per_size(repetitions) * len(sizes)
        if self.max_invocations is not None and needed > self.max_invocations:
            return False
        return self.budget_usd is None or self._needed_usd(sizes, repetitions) <= self.budget_usd

    def _needed_usd(self, sizes: tuple[int, ...], repetitions: int) -> float:
        """Return the smallest budget: the last call at the most expensive size must fit with its
        worst case.

        The cost of the calls before it counts only if a mean duration is known: without one they
        may cost next to nothing, and the budget is enforced call by call.
        """
        worst = max(map(self.pricing.worst_cost_usd, sizes))
        if self.pricing.recent_duration_ms is None:
            return worst
        expected = sum(map(self.pricing.expected_cost_usd, sizes)) * self._per_size(repetitions)
        return expected + worst - max(map(self.pricing.expected_cost_usd, sizes))

    def _refusal(self, sizes: tuple[int, ...]) -> str:
        needed = self._per_size(1) * len(sizes)
        what = f"{len(sizes)} sizes ({', '.join(map(str, sizes))} MB) with one warm sample each"
        if self.max_invocations is not None and needed > self.max_invocations:
            return (
                f"{what} need {needed} invocations, `max_invocations` allows "
                f"{self.max_invocations}: raise it or name fewer `memory_sizes_mb`"
            )
        return (
            f"{what} need a budget of ${self._needed_usd(sizes, 1):.6f} (an invocation may last "
            f"until its timeout of {self.pricing.function.timeout_s} s), `budget_usd` allows "
            f"${self.budget_usd:.6f}: raise it or name fewer or smaller `memory_sizes_mb`"
        )


def _within(min_mb: int, max_mb: int, sizes: Iterable[int]) -> tuple[int, ...]:
    return tuple(size for size in sizes if min_mb <= size <= max_mb)


def _is_near(size: int, others: Sequence[int]) -> bool:
    return any(abs(size - other) <= _TOO_NEAR_RATIO * other for other in others)
