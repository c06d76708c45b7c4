"""Which sizes get fresh environments, how many, and what that costs at most."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner.errors import UsageError
from tuner.model.lambda_limits import MAX_MEMORY_MB, MB_PER_VCPU, MIN_MEMORY_MB
from tuner.sweep.estimate import within
from tuner.sweep.sizes import check_range, chosen_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.request import Measure
    from tuner.sweep.estimate import Pricing

SAMPLES: Final = 5
"""Cold starts a size: with the spread that INITs have, 90% intervals of about ± 17%."""
WARM: Final = 10
"""Warm invocations at the function's own size."""
LEAST_SAMPLES: Final = 2
_MORE: Final = 2
"""Invocations a size beyond the plan, for those that meet a warm environment."""
_STEPS_MB: Final = (128, 256, 512, 1_024, MB_PER_VCPU, 3_008)
_USUAL_MOST_MB: Final = 3_008


@dataclass(frozen=True, slots=True)
class ColdPlan:
    """What will be measured, and for which other sizes the curve speaks."""

    sizes_mb: tuple[int, ...]
    shown_mb: tuple[int, ...]
    pricing: Pricing
    samples: int = SAMPLES
    at_once: int = 1
    """Invocations sent at a time to a new version; each gets an environment of its own."""
    budget_usd: float | None = None
    is_timed: bool = False
    """Whether a temporary copy times its imports, with one more invocation a size."""
    max_invocations: int | None = None
    """What was asked for as a limit."""

    @property
    def warm_count(self) -> int:
        """Warm invocations at the function's own size: of each environment as many."""
        return self.samples * math.ceil(WARM / self.samples)

    @property
    def timed_count(self) -> int:
        """Invocations that time imports."""
        return len(self.sizes_mb) if self.is_timed else 0

    @property
    def invocation_count(self) -> int:
        """All of them, if each request meets a new environment."""
        return len(self.sizes_mb) * self.samples + self.warm_count + self.timed_count

    @property
    def most_invocations(self) -> int:
        """With those that are sent again because some met a warm environment."""
        return self.max_invocations or self.invocation_count + _MORE * len(self.sizes_mb)

    @property
    def window_count(self) -> int:
        """How often each size is published."""
        return math.ceil(self.samples / self.at_once)

    @property
    def max_cost_usd(self) -> float:
        """If every invocation has the longest INIT and times out, or the budget."""
        more_usd = self.pricing.worst_cost_usd(max(self.sizes_mb))
        more_usd *= self.most_invocations - self.invocation_count
        return within(self.budget_usd, self._cost_usd(self.pricing.worst_cost_usd) + more_usd)

    @property
    def expected_cost_usd(self) -> float | None:
        """By the function's recent duration, without INIT; None if that isn't known."""
        if self.pricing.recent_duration_ms is None:
            return None
        return self._cost_usd(self.pricing.expected_cost_usd)

    def _cost_usd(self, of: Callable[[int], float]) -> float:
        """All invocations, each at what `of` says of its size."""
        rest = self.warm_count + self.timed_count
        cold_usd = self.samples * sum(map(of, self.sizes_mb))
        return cold_usd + rest * of(self.pricing.function.memory_mb)


def plan_cold(
    pricing: Pricing,
    measure: Measure,
    *,
    at_once: int,
    most_mb: int | None,
    max_invocations: int | None,
    budget_usd: float | None,
    is_timed: bool = False,
) -> ColdPlan:
    """Plan the current size and named ones, or a few of a range. Raises UsageError for sizes that
    the place can't have, and for limits that leave nothing to measure.
    """
    sizes, shown = _sizes(measure, pricing.function.memory_mb, most_mb)
    plan = ColdPlan(
        *(sizes, shown, pricing),
        at_once=at_once,
        budget_usd=budget_usd,
        is_timed=is_timed,
        max_invocations=max_invocations,
    )
    for samples in range(SAMPLES, LEAST_SAMPLES - 1, -1):  # as many as the limit allows
        fewer = replace(plan, samples=samples)
        if max_invocations is None or fewer.invocation_count <= max_invocations:
            return fewer
    least = len(sizes) * LEAST_SAMPLES + WARM + plan.timed_count
    raise UsageError(
        f"`max_invocations` {max_invocations} is too few for {len(sizes)} sizes: give "
        f"{least} or more, or fewer `memory_sizes_mb`"
    )


def _sizes(
    measure: Measure, current_mb: int, most_mb: int | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes to measure, and all to show, ascending; the current one is always measured."""
    low = measure.min_memory_mb or MIN_MEMORY_MB
    high = measure.max_memory_mb or most_mb or MAX_MEMORY_MB
    check_range(low, high)
    named = measure.memory_sizes_mb
    largest_mb = max((measure.max_memory_mb or 0, *named))
    if most_mb is not None and largest_mb > most_mb:
        raise UsageError(
            f"this machine can run at most {most_mb} MB: give `memory_sizes_mb` and "
            "`max_memory_mb` within that"
        )
    if named:
        sizes = tuple(sorted({*chosen_sizes(named), current_mb}))
        return sizes, sizes
    if measure.max_memory_mb is None:
        high = max(min(high, _USUAL_MOST_MB), min(current_mb, high))
    steps = sorted(mb for mb in {*_STEPS_MB, low, high} if low <= mb <= high)
    # Half of what the function has: far below it, it may run out of memory.
    smaller = [mb for mb in steps if mb <= current_mb / 2]
    measured = tuple(sorted({*smaller[-1:], *steps[-1:], current_mb}))
    return measured, tuple(sorted({*steps, *measured}))
