"""What a sweep will take: invocations, time and money, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Final

from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.function import FunctionConfig
    from tuner.pricing import LambdaPrices

# Lambda ends an on-demand INIT after 10 s; a later one counts against the function's timeout.
MAX_INIT_MS: Final = 10_000
PUBLISH_S: Final = 4.0
"""Updating, publishing and waiting for both, per size; from everyday use of AWS's API."""
LOOPBACK_PUBLISH_S: Final = 0.3
"""The same on a local endpoint."""
_PUBLISHED_AT_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Pricing:
    """What one invocation of the function can cost, and what it is expected to cost."""

    function: FunctionConfig
    prices: LambdaPrices
    recent_duration_ms: float | None = None
    """Mean duration at the function's current size, if known."""

    def cost_usd(self, memory_mb: int, billed_duration_ms: int) -> float:
        """Cost of an invocation with this billed duration."""
        return self.prices.invocation_cost_usd(
            memory_mb, billed_duration_ms, self.function.ephemeral_storage_mb
        )

    @property
    def worst_duration_ms(self) -> float:
        """Duration of an invocation with the longest possible init that then times out."""
        return self.function.timeout_s * 1000.0 + MAX_INIT_MS

    def worst_cost_usd(self, memory_mb: int) -> float:
        """Cost of an invocation with the longest possible init that then times out."""
        return self.cost_usd(memory_mb, self.function.timeout_s * 1000 + MAX_INIT_MS)

    def expected_duration_ms(self, memory_mb: int) -> float:
        """Return the duration of one CPU-bound thread; the worst case if nothing is known.

        Below its current size, a function can't slow down more than this for lack of CPU; above it,
        it gets no faster than one thread.
        """
        timeout_ms = self.function.timeout_s * 1000.0
        if self.recent_duration_ms is None:
            return timeout_ms + MAX_INIT_MS
        gain = _thread_share(self.function.memory_mb) / _thread_share(memory_mb)
        return min(self.recent_duration_ms * gain, timeout_ms)

    def expected_cost_usd(self, memory_mb: int) -> float:
        """Cost at the expected duration; the worst case if nothing is known."""
        if self.recent_duration_ms is None:
            return self.worst_cost_usd(memory_mb)
        return self.cost_usd(memory_mb, round(self.expected_duration_ms(memory_mb)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a whole sweep is expected to take, and what it takes at most."""

    invocation_count: int
    wall_s: float
    cost_usd: float
    max_wall_s: float
    max_cost_usd: float


def estimate_exhaustive(
    pricing: Pricing,
    sizes_mb: Sequence[int],
    *,
    per_size: int,
    concurrency: int,
    publish_s: float = PUBLISH_S,
) -> Estimate:
    """Every size is published and invoked `per_size` times, `concurrency` at a time."""
    publishing_s = len(sizes_mb) * publish_s
    busy_ms = sum(map(pricing.expected_duration_ms, sizes_mb)) * per_size
    worst_ms = pricing.worst_duration_ms * len(sizes_mb) * per_size
    return Estimate(
        invocation_count=per_size * len(sizes_mb),
        wall_s=publishing_s + busy_ms / 1000 / concurrency,
        cost_usd=per_size * sum(map(pricing.expected_cost_usd, sizes_mb)),
        max_wall_s=publishing_s + worst_ms / 1000 / concurrency,
        max_cost_usd=per_size * sum(map(pricing.worst_cost_usd, sizes_mb)),
    )


def estimate_adaptive(
    pricing: Pricing,
    sizes_mb: Sequence[int],
    *,
    invocation_count: int,
    concurrency: int,
    publish_s: float = PUBLISH_S,
) -> Estimate:
    """Some of the sizes are published; which ones, and when it ends, is decided as it goes."""
    publishing_s = min(len(sizes_mb), _PUBLISHED_AT_MOST) * publish_s
    slowest_s = max(map(pricing.expected_duration_ms, sizes_mb)) / 1000
    return Estimate(
        invocation_count=invocation_count,
        wall_s=publishing_s + invocation_count * slowest_s / concurrency,
        cost_usd=invocation_count * fmean(map(pricing.expected_cost_usd, sizes_mb)),
        max_wall_s=publishing_s + invocation_count * pricing.worst_duration_ms / 1000,
        max_cost_usd=invocation_count * max(map(pricing.worst_cost_usd, sizes_mb)),
    )


def within(budget_usd: float | None, cost_usd: float) -> float:
    """What a sweep costs if it ends with its budget."""
    return cost_usd if budget_usd is None else min(cost_usd, budget_usd)


def _thread_share(memory_mb: int) -> float:
    return min(1.0, vcpu_share(memory_mb))
