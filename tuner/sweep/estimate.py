"""What a sweep is going to take: invocations, time and money, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.model.limits import vcpu_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.function import FunctionConfig
    from tuner.pricing import LambdaPrices

# Lambda ends an on-demand INIT after 10 s; a later one counts against the function's timeout.
MAX_INIT_MS: Final = 10_000
PUBLISH_S: Final = 4.0
"""Updating, publishing and waiting for both, a size; from everyday use of AWS's API."""
LOOPBACK_PUBLISH_S: Final = 0.3
"""The same at an endpoint of this machine."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """What one invocation of the function can cost, and is expected to."""

    function: FunctionConfig
    prices: LambdaPrices
    recent_duration_ms: float | None = None
    """Mean duration at the function's current size, where it is known."""

    def cost_usd(self, memory_mb: int, billed_duration_ms: int) -> float:
        """Cost of an invocation that was billed so long."""
        return self.prices.invocation_cost_usd(
            memory_mb, billed_duration_ms, self.function.ephemeral_storage_mb
        )

    @property
    def worst_duration_ms(self) -> float:
        """Duration of an invocation that initialises as long as it may and then times out."""
        return self.function.timeout_s * 1000.0 + MAX_INIT_MS

    def worst_cost_usd(self, memory_mb: int) -> float:
        """Cost of an invocation that initialises as long as it may and then times out."""
        return self.cost_usd(memory_mb, self.function.timeout_s * 1000 + MAX_INIT_MS)

    def expected_duration_ms(self, memory_mb: int) -> float:
        """Return the duration of one CPU-bound thread; the worst case where nothing is known.

        That is the slowest a function can get below its current size for want of CPU, and no
        faster above it than one thread gets.
        """
        timeout_ms = self.function.timeout_s * 1000.0
        if self.recent_duration_ms is None:
            return timeout_ms + MAX_INIT_MS
        gain = _thread_share(self.function.memory_mb) / _thread_share(memory_mb)
        return min(self.recent_duration_ms * gain, timeout_ms)

    def expected_cost_usd(self, memory_mb: int) -> float:
        """Cost at the expected duration; the worst case where nothing is known."""
        if self.recent_duration_ms is None:
            return self.worst_cost_usd(memory_mb)
        return self.cost_usd(memory_mb, round(self.expected_duration_ms(memory_mb)))


def expected_wall_s(
    pricing: Pricing,
    sizes_mb: Sequence[int],
    *,
    invocations_per_size: int,
    concurrency: int,
    publish_s: float = PUBLISH_S,
) -> float:
    """Time to publish every size and to make all its invocations, `concurrency` at once."""
    busy_ms = sum(pricing.expected_duration_ms(size) for size in sizes_mb) * invocations_per_size
    return len(sizes_mb) * publish_s + busy_ms / 1000 / concurrency


def worst_wall_s(
    pricing: Pricing,
    sizes_mb: Sequence[int],
    *,
    invocations_per_size: int,
    concurrency: int,
    publish_s: float = PUBLISH_S,
) -> float:
    """The same, every invocation initialising as long as it may and then timing out."""
    worst_ms = pricing.function.timeout_s * 1000 + MAX_INIT_MS
    busy_ms = worst_ms * len(sizes_mb) * invocations_per_size
    return len(sizes_mb) * publish_s + busy_ms / 1000 / concurrency


def within(budget_usd: float | None, cost_usd: float) -> float:
    """What a sweep costs where it ends with its budget."""
    return cost_usd if budget_usd is None else min(cost_usd, budget_usd)


def _thread_share(memory_mb: int) -> float:
    return min(1.0, vcpu_share(memory_mb))
