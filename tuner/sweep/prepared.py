"""A planned sweep, ready to run: everything is read, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.model.function import WantedCopy
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.model.plan import PriceOfDeciding
from tuner.sweep.estimate import Pricing
from tuner.sweep.hooks import NO_HOOKS, Hooks

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.finding import Finding
    from tuner.model.function import Architecture, Build, FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.plan import SweepPlan
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices


@dataclass(frozen=True, slots=True)
class OtherArchitecture:
    """The architecture that isn't the function's own, measured beside it in a copy."""

    architecture: Architecture
    prices: LambdaPrices
    build: Build | None = None
    """Its code; None: the function's own package."""


@dataclass(frozen=True, slots=True)
class PreparedSweep:
    """The function as it was read, the plan for it, and the sweep's file."""

    function: FunctionConfig
    goal: Goal
    """Kept with the sweep, so that it can be answered again."""
    plan: SweepPlan
    payloads: tuple[Payload, ...]
    prices: LambdaPrices
    file: Path
    environment: Literal["aws", "local"]
    harms_nothing: bool = False
    """Whether the endpoint was started for this run: nobody else depends on it."""
    findings: tuple[Finding, ...] = ()
    """What is known before it runs: about the host, and about the named qualifier."""
    reached_by: tuple[str, ...] = ()
    """What sends live traffic to $LATEST, so that a copy is measured; asked for auto only."""
    side_effects: tuple[str, ...] = ()
    """What an invocation may touch, in words; empty once a sweep of the function was kept."""
    hooks: Hooks = NO_HOOKS
    build: Build | None = None
    """Measured instead of the deployed code, in a copy."""
    other: OtherArchitecture | None = None
    """Compared with the function's own architecture."""
    earlier: Sweep | None = None
    """The sweep being resumed: what it measured, spent and took counts."""
    prior: PriorEvidence | None = None
    """What an earlier sweep says about the function."""
    recent_duration_ms: float | None = None
    """The function's mean duration at its current size, if known."""
    force: bool = False
    """Replace the sweep that the file already has."""

    @property
    def copies(self) -> tuple[WantedCopy, ...]:
        """What is leased: the function or a copy of it, then the other architecture's copy."""
        own, other = WantedCopy(self.build), self.other
        return (own,) if other is None else (own, WantedCopy(other.build, other.architecture))

    def pricing(self, architecture: Architecture | None = None) -> Pricing:
        """What one invocation can cost on an architecture; None: the function's own."""
        prices = self.prices
        if self.other is not None and architecture == self.other.architecture:
            prices = self.other.prices
        return Pricing(self.function, prices, self.recent_duration_ms)

    @property
    def costs_nothing(self) -> bool:
        """Whether the endpoint is on this machine, where nothing is billed."""
        return self.environment == "local"

    def price(self, rate_per_s: float | None = None) -> PriceOfDeciding | None:
        """What the sweep is expected to cost, in invocations at the current size.

        With a request rate, also as a share of the function's monthly cost. None if nothing is
        billed, or if no recent duration is known.
        """
        if self.costs_nothing or self.recent_duration_ms is None:
            return None
        pricing = self.pricing()
        now_usd = pricing.expected_cost_usd(self.function.memory_mb)
        cost_usd = self.plan.estimated_cost_usd
        month = None if not rate_per_s else now_usd * rate_per_s * SECONDS_PER_MONTH
        return PriceOfDeciding(
            cost_usd / now_usd, month, None if month is None else cost_usd / month
        )
