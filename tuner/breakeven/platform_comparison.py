"""From work and terms to the answer: the platforms with their costs, crossings and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.breakeven import platform_findings
from tuner.breakeven.answer import BreakEven, WorkSummary
from tuner.breakeven.cost_model import (
    fitting,
    interval,
    model_costs,
    price_lambda,
    price_platform,
)
from tuner.breakeven.lambda_bill import LambdaBill
from tuner.breakeven.platform_verdict import flipping_assumption, judge
from tuner.breakeven.platforms import (
    ON_LAMBDA,
    Prices,
    gateway_usd,
    list_candidates,
    log_price_usd,
)
from tuner.model.finding import Finding
from tuner.pricing.book import age_finding

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from tuner.breakeven.answer import PlatformCost
    from tuner.breakeven.cost_model import CostModel
    from tuner.breakeven.platform_verdict import Ruling
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.work import Work
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

    `today` dates the prices (None: no warning about their age). Raises PriceError where not even
    Lambda's price is known; what else is missing becomes a finding.
    """
    lambda_prices = price_book.lambda_prices(function.region, function.architecture)
    prices = Prices(price_book, function.region, dates={lambda_prices.as_of})
    bill = LambdaBill(
        lambda_prices,
        work.lambda_memory_mb,
        terms,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        snap_start=_pays_snap_start(function, prices, lambda_prices),
        log_gb_usd=log_price_usd(prices) if terms.log_kb_per_request else 0.0,
        gateway_usd=gateway_usd(prices, terms),
    )
    costs = model_costs(work, bill, terms, seed=seed)
    listed = list_candidates(prices, terms, function.architecture)
    fits = [each for each in (fitting(one, costs) for one in listed) if each is not None]
    platforms = (price_lambda(costs), *(price_platform(each, costs) for each in fits))
    asked = terms.traffic.rate_per_s is not None
    ruling = judge(fits, costs) if asked else None
    summary = WorkSummary(
        wait_ms=interval(work.wait_ms.mean(), work.wait_ms),
        cpu_ms=interval(work.cpu_ms.mean(), work.cpu_ms),
        core_count=interval(work.core_count.mean(), work.core_count),
        memory_used_mb=work.memory_used_mb,
    )
    findings = list(_findings(summary, costs, ruling, prices, today))
    if ruling is not None and (flip := flipping_assumption(listed, costs)):
        findings.append(Finding("verdict_rests_on", "info", flip))
    lowest = _lowest_rate(platforms)
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
        saving_usd_per_month=ruling.saving_usd if ruling else None,
        payback_months=_payback(ruling, terms),
    )


def _pays_snap_start(function: FunctionConfig, prices: Prices, of: LambdaPrices) -> bool:
    """SnapStart is billed but for managed Java; a note is made where its price is not known."""
    if not function.snap_start or (function.runtime or "").startswith("java"):
        return False
    if of.snap_start is None:
        prices.missing.add(f"{ON_LAMBDA}SnapStart")
    return of.snap_start is not None


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
    if ruling is not None and (
        rewrite := platform_findings.rewrite_finding(work, costs, ruling.threshold_usd)
    ):
        yield rewrite
    yield from platform_findings.price_findings(prices.missing, ruling)
    if today is not None and (old := age_finding(min(prices.dates), today)):
        yield old


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
        rate = f"{lowest:,.0f}" if lowest >= 1000 else f"{lowest:.3g}"
        return f"no rate is given; above {rate}/s another platform stays cheaper"
    need = f"${ruling.threshold_usd:,.2f} a month"
    if ruling.verdict == "stay":
        return f"no platform is likely to save the {need} that leaving Lambda must save"
    if ruling.verdict == "too-close":
        return f"a saving of {need} is possible but not sure"
    assert ruling.candidate is not None
    assert ruling.saving_usd is not None
    saved = ruling.saving_usd
    return (
        f"{ruling.candidate.name} saves ${saved.estimate:,.0f} a month "
        f"(${saved.low:,.0f} to ${saved.high:,.0f}), over {need}"
    )


def _payback(ruling: Ruling | None, terms: Terms) -> float | None:
    if ruling is None or ruling.saving_usd is None or terms.migration_cost_usd is None:
        return None
    return terms.migration_cost_usd / ruling.saving_usd.estimate
