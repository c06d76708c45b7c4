"""All calls of one run, and what is needed to redo the analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.invocation import Invocation
    from tuner.model.plan import SweepPlan

SweepEnd = Literal["complete", "interrupted", "budget", "failed"]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as measured.

    `environment` is "local" for an endpoint on loopback. `findings` are those of the run itself
    (host, throttles, refused sizes); those of the analysis come later. `end` is None for a file
    that stops in the middle.
    """

    plan: SweepPlan
    function: FunctionConfig
    environment: Literal["aws", "local"]
    started_at: str
    """UTC, ISO 8601."""
    tool_version: str
    invocations: tuple[Invocation, ...] = ()
    findings: tuple[Finding, ...] = ()
    end: SweepEnd | None = None
    wall_s: float = 0.0
    throttle_count: int = 0
    file: str | None = None

    @property
    def cost_usd(self) -> float:
        """What the invocations cost, failed and cold ones included."""
        return sum(invocation.cost_usd for invocation in self.invocations)
