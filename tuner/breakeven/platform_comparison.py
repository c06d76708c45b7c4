"""From work and terms to the answer: the platforms with their costs, crossings and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.breakeven import platform_findings
from tuner.breakeven.answer import BreakEven, WorkSummary
from tuner.breakeven.cost_model import (
    CostModel,
    fitting,
    interval,
    on_architecture,
    price_lambda,
    price_platform,
)
from tuner.breakeven.lambda_bill import LambdaBill
from tuner.breakeven.platform_findings import dollars
from tuner.breakeven.platform_verdict import deciding_assumption, judge
from tuner.breakeven.platforms import Prices, gateway_usd, list_candidates
from tuner.breakeven.terms import draw_scenarios
from tuner.errors import PriceError
from tuner.model.interval import figure
from tuner.pricing.book import age_findings

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from tuner.breakeven.answer import DecidingAssumption, PlatformCost
    from tuner.breakeven.platform_verdict import Ruling
    from tuner.breakeven.platforms import Candidate
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.work import Work
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.pricing import LambdaPrices, PriceBook


def compare_platforms(
    function: FunctionConfig,
    work: Work,
    terms: Terms,
    *,
    price_book: PriceBook,
    today: datetime.date | None = None,
    seed: int = 0,
) -> BreakEven:
    """Price the function's platforms, find the break-even rates, and give the verdict.

    `today` dates the prices (None: no warning about their age). Raises PriceError if not even
    Lambda's price is known; anything else missing becomes a finding.
    """
    lambda_prices = price_book.lambda_prices(function.region, function.architecture)
    prices = Prices(price_book, function.region, dates={lambda_prices.as_of})
    bill = _lambda_bill(function, work, terms, prices, lambda_prices)
    utilization, held = terms.utilization, terms.container_concurrency
    scenario = draw_scenarios(utilization, held, len(work.wait_ms), seed)
    costs = CostModel(work, scenario, bill, terms)
    listed = list_candidates(prices, terms, function.architecture)
    fits = [each for each in (fitting(one, costs) for one in listed) if each is not None]
    platforms = (price_lambda(costs), *(price_platform(each, costs) for each in fits))
    ruling = deciding = None
    findings: list[Finding] = []
    if terms.traffic.rate_per_s is not None:
        ruling, deciding = judge(fits, costs), deciding_assumption(fits, costs)
        elsewhere = _on_other_architecture(costs, price_book, function)
        findings += _verdict_findings(fits, costs, ruling, deciding, elsewhere)
    summary, lowest = _summary(work), _lowest_rate(platforms)
    findings += _findings(summary, costs, ruling, prices, today)
    return BreakEven(
        function_name=function.name,
        region=function.region,
        architecture=function.architecture,
        lambda_memory_mb=work.lambda_memory_mb,
        verdict=ruling.verdict if ruling else None,
        reason=_reason(ruling, lowest),
        rate_per_s=terms.traffic.rate_per_s,
        platforms=platforms,
        work=summary,
        break_even_rate_per_s=lowest,
        findings=tuple(findings),
        assumptions=platform_findings.assumptions(costs),
        prices_as_of=min(prices.dates),
        saving_usd_per_month=ruling.saving_usd if ruling and ruling.leaves else None,
        payback_months=_payback(ruling, terms),
        decided_by=deciding,
    )


def _lambda_bill(
    function: FunctionConfig, work: Work, terms: Terms, prices: Prices, lambda_prices: LambdaPrices
) -> LambdaBill:
    """Lambda's month under the terms; missing prices are noted in `prices`."""
    return LambdaBill(
        lambda_prices,
        work.lambda_memory_mb,
        terms,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        snap_start=_pays_snap_start(function, prices, lambda_prices),
        log_gb_usd=prices.known("logs_gb_usd", "log ingestion")
        if terms.log_kb_per_request
        else 0.0,
        gateway_usd=gateway_usd(prices, terms),
    )


def _summary(work: Work) -> WorkSummary:
    return WorkSummary(
        wait_ms=interval(work.wait_ms.mean(), work.wait_ms),
        cpu_ms=interval(work.cpu_ms.mean(), work.cpu_ms),
        core_count=interval(work.core_count.mean(), work.core_count),
        memory_used_mb=work.memory_used_mb,
    )


def _on_other_architecture(
    costs: CostModel, price_book: PriceBook, function: FunctionConfig
) -> CostModel | None:
    """None if Lambda has no price for it."""
    is_arm = function.architecture == "arm64"
    try:
        prices = price_book.lambda_prices(function.region, "x86_64" if is_arm else "arm64")
    except PriceError:
        return None
    arm_speed = costs.terms.arm_speed
    return on_architecture(costs, prices, 1 / arm_speed if is_arm else arm_speed)


def _pays_snap_start(function: FunctionConfig, prices: Prices, of: LambdaPrices) -> bool:
    """SnapStart is billed except for managed Java; an unknown price is noted."""
    if not function.snap_start or (function.runtime or "").startswith("java"):
        return False
    if of.snap_start is None:
        prices.missing_on_lambda.add("SnapStart")
    return of.snap_start is not None


def _verdict_findings(
    candidates: Sequence[Candidate],
    costs: CostModel,
    ruling: Ruling,
    deciding: DecidingAssumption | None,
    elsewhere: CostModel | None,
) -> Iterator[Finding]:
    """What the verdict rests on, and the fleets that it leaves out."""
    yield platform_findings.deciding_finding(deciding)
    if elsewhere is not None:
        yield from platform_findings.other_architecture_finding(
            candidates, costs, elsewhere, ruling
        )
    yield from platform_findings.many_units_finding(candidates, costs)


def _findings(
    work: WorkSummary,
    costs: CostModel,
    ruling: Ruling | None,
    prices: Prices,
    today: datetime.date | None,
) -> Iterator[Finding]:
    duration_ms = float(costs.work.lambda_ms.mean())
    yield from platform_findings.traffic_findings(costs.terms, duration_ms)
    yield from platform_findings.work_findings(work, duration_ms, needs_gpu=costs.terms.needs_gpu)
    yield from platform_findings.lambda_findings(costs)
    if ruling is not None:
        yield from platform_findings.rewrite_finding(work, costs, ruling.threshold_usd)
    yield from platform_findings.price_findings(prices, ruling)
    yield from age_findings(min(prices.dates), today)


def _lowest_rate(platforms: Sequence[PlatformCost]) -> float | None:
    rates = [
        each.break_even.estimate_per_s
        for each in platforms
        if each.break_even is not None and each.same_architecture
    ]
    return min(rates, default=None)


def _reason(ruling: Ruling | None, lowest: float | None) -> str:
    if ruling is None:
        if lowest is None:
            return "no platform becomes cheaper at any rate"
        return f"no rate given; above {figure(lowest)}/s another platform stays cheaper"
    need = f"${ruling.threshold_usd:,.0f} a month"
    if ruling.candidate is None or ruling.saving_usd is None:
        return f"no other platform can take it; leaving Lambda must save {need}"
    saved, name = ruling.saving_usd, ruling.candidate.name
    amounts = f"({dollars(saved.low)} to {dollars(saved.high)})"
    if ruling.leaves:
        return f"{name} saves {dollars(saved.estimate)} a month {amounts}, over {need}"
    if saved.estimate <= 0:
        more = dollars(-saved.estimate)
        return f"{name}, the cheapest other one on this architecture, costs {more} a month more"
    return (
        f"{name} would save {dollars(saved.estimate)} a month {amounts}, but it's only "
        f"{ruling.sure:.0%} sure to save {need}, the least that makes leaving Lambda worthwhile"
    )


def _payback(ruling: Ruling | None, terms: Terms) -> float | None:
    if ruling is None or not ruling.leaves or terms.migration_cost_usd is None:
        return None
    assert ruling.saving_usd is not None
    return terms.migration_cost_usd / ruling.saving_usd.estimate
