"""A sweep that is planned and may be run: everything is read, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.model.plan import PriceOfDeciding
from tuner.sweep.estimate import Pricing
from tuner.sweep.hooks import NO_HOOKS, Hooks

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.finding import Finding
    from tuner.model.function import Build, FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.plan import SweepPlan
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices


@dataclass(frozen=True, slots=True)
class PreparedSweep:
    """The function as it was read, the plan for it, and the file that the sweep goes to."""

    function: FunctionConfig
    goal: Goal
    """Kept with the sweep, so that it is answered again as it was."""
    plan: SweepPlan
    payloads: tuple[Payload, ...]
    prices: LambdaPrices
    file: Path
    environment: Literal["aws", "local"]
    harms_nothing: bool = False
    """Whether the endpoint was started for this run: nobody else knows what is there."""
    findings: tuple[Finding, ...] = ()
    """What is known before it runs: of the host, and of the qualifier that was named."""
    reached_by: tuple[str, ...] = ()
    """What leads live traffic to $LATEST, so that a copy is measured; asked for auto only."""
    side_effects: tuple[str, ...] = ()
    """What an invocation may touch, in words; empty once a sweep of the function was kept."""
    hooks: Hooks = NO_HOOKS
    build: Build | None = None
    """Measured in place of the deployed code, in a copy."""
    earlier: Sweep | None = None
    """The sweep that this one goes on from: what it measured, spent and took counts."""
    prior: PriorEvidence | None = None
    """What an earlier sweep tells of the function."""
    recent_duration_ms: float | None = None
    """The function's mean duration at its current size, where it is known."""
    force: bool = False
    """Replace the sweep that the file holds already."""

    @property
    def costs_nothing(self) -> bool:
        """Whether the endpoint is on this machine, where nothing is billed."""
        return self.environment == "local"

    def price(self, rate_per_s: float | None = None) -> PriceOfDeciding | None:
        """What the sweep is expected to cost, in invocations at the current size.

        With a rate of requests also as a share of what the function costs a month. None where
        nothing is billed, and where no recent duration is known.
        """
        if self.costs_nothing or self.recent_duration_ms is None:
            return None
        pricing = Pricing(self.function, self.prices, self.recent_duration_ms)
        now_usd = pricing.expected_cost_usd(self.function.memory_mb)
        cost_usd = self.plan.estimated_cost_usd
        month = None if not rate_per_s else now_usd * rate_per_s * SECONDS_PER_MONTH
        return PriceOfDeciding(
            cost_usd / now_usd, month, None if month is None else cost_usd / month
        )
