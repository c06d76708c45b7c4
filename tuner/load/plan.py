"""What a load needs and costs, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tuner.load.phases import Arrival, arrivals
from tuner.model.finding import Finding
from tuner.sweep.estimate import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.load.phases import Phase, Spacing
    from tuner.sweep.estimate import Pricing

MOST_IN_FLIGHT: Final = 1000
"""A new account's concurrency, and as many threads as a machine takes well."""
LIVE_SHARE: Final = 0.2
"""Of the available concurrency, what live traffic may be expected to need."""


@dataclass(frozen=True)  # without slots, for the cached property
class LoadPlan:
    """The arrivals of a load at each of its sizes, and the limits that hold for all of them."""

    phases: tuple[Phase, ...]
    sizes_mb: tuple[int, ...]
    """The whole load is sent to each size, one after the other."""
    pricing: Pricing
    spacing: Spacing = "even"
    seed: int = 0
    budget_usd: float | None = None
    most_in_flight: int = MOST_IN_FLIGHT
    available_concurrency: int | None = None
    """The function's reserved concurrency, or what the account has unreserved; None: unknown."""
    is_reserved: bool = False

    @cached_property
    def arrivals(self) -> tuple[Arrival, ...]:
        """When each request is due, at each size."""
        return arrivals(self.phases, self.spacing, self.seed)

    @property
    def planned_count(self) -> int:
        """Arrivals at all sizes."""
        return len(self.arrivals) * len(self.sizes_mb)

    @property
    def duration_s(self) -> float:
        """How long requests are due, at one size."""
        return sum(phase.duration_s for phase in self.phases)

    @property
    def peak_per_s(self) -> float:
        """The highest rate."""
        return max(max(p.rate_from_per_s, p.rate_to_per_s) for p in self.phases)

    @property
    def needed_concurrency(self) -> float | None:
        """Little's law: the highest rate × the expected duration at the slowest size."""
        if self.pricing.recent_duration_ms is None:
            return None
        slowest_ms = max(map(self.pricing.expected_duration_ms, self.sizes_mb))
        return self.peak_per_s * slowest_ms / 1000

    @property
    def expected_cost_usd(self) -> float | None:
        """By the function's recent duration, without cold starts; None if that isn't known."""
        if self.pricing.recent_duration_ms is None:
            return None
        return len(self.arrivals) * sum(map(self.pricing.expected_cost_usd, self.sizes_mb))

    @property
    def max_cost_usd(self) -> float:
        """If every invocation has the longest INIT and times out, or the budget."""
        worst = len(self.arrivals) * sum(map(self.pricing.worst_cost_usd, self.sizes_mb))
        return within(self.budget_usd, worst)

    def findings(self) -> Iterator[Finding]:
        """A rate that needs more concurrency than there is, or nearly all of it."""
        needed, there_is = self.needed_concurrency, self.available_concurrency
        if needed is None or there_is is None or needed <= there_is * (1 - LIVE_SHARE):
            return
        whose = "the function has reserved" if self.is_reserved else "the account has unreserved"
        yield Finding(
            "concurrency_short",
            "warning",
            f"{self.peak_per_s:g} requests/s at {self.pricing.recent_duration_ms:.0f} ms need "
            f"a concurrency of about {needed:.0f}, and {whose} {there_is}: requests will be "
            "throttled, live traffic's too. Lower the rate, or raise the limit",
        )
