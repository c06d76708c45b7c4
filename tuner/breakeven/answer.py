"""The answer: what each platform costs, from which rate on it is cheaper, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tuner.breakeven.items import BillItem
    from tuner.breakeven.offers import Kind
    from tuner.model.finding import Finding
    from tuner.model.interval import Interval

Verdict = Literal["stay", "containers", "ec2", "managed-instances", "too-close"]


@dataclass(frozen=True, slots=True)
class RateInterval:
    """A break-even rate, 90 %. `high_per_s` is None where over 5 % of the draws have none."""

    estimate_per_s: float
    low_per_s: float
    high_per_s: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A platform's monthly cost at a rate, for the chart."""

    rate_per_s: float
    cost_usd_per_month: float


@dataclass(frozen=True, slots=True)
class PlatformCost:
    """One platform at the rate asked for (or, where that is unknown, at its break-even).

    `break_even` is None for Lambda, and where the platform never becomes cheaper for good.
    """

    name: str
    kind: Kind
    units: str
    cost_usd_per_month: Interval | None
    """None where no rate is known."""
    break_even: RateInterval | None
    same_architecture: bool = True
    curve: tuple[CurvePoint, ...] = ()
    bill: tuple[BillItem, ...] = ()
    """What the estimate adds up from; empty where no rate is known."""


@dataclass(frozen=True, slots=True)
class WorkSummary:
    """What one invocation needs, with intervals."""

    wait_ms: Interval
    cpu_ms: Interval
    core_count: Interval
    memory_used_mb: int


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The whole answer; `platforms` begins with Lambda. `verdict` is None without a rate."""

    function_name: str
    region: str
    architecture: str
    lambda_memory_mb: int
    verdict: Verdict | None
    reason: str
    rate_per_s: float | None
    platforms: tuple[PlatformCost, ...]
    work: WorkSummary
    break_even_rate_per_s: float | None
    """The lowest of the platforms of the function's own architecture."""
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices_as_of: str
    saving_usd_per_month: Interval | None = None
    """Of the platform that the verdict names, over Lambda."""
    payback_months: float | None = None
