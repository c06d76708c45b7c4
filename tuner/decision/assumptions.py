"""What an answer takes for granted, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.decision.strata import sweep_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.decision.evidence import Evidence
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices


def assumptions(
    sweep: Sweep, evidence: Evidence, goal: Goal, prices: LambdaPrices
) -> Iterator[str]:
    """Every assumption that changes the figures, most important first."""
    yield _payloads(sweep)
    yield _cold_starts(evidence, goal)
    yield _prices_of(prices.as_of)
    if goal.max_duration_ms is not None and goal.percentile is None:
        yield "the duration limit holds for the mean of warm invocations"
    if sweep.environment == "local":
        yield "durations of this machine, not of AWS"
    yield "describes the sweep's payloads and conditions, not future traffic"


def with_prices_of(as_of: str, answer: Recommendation) -> Recommendation:
    """Return an answer that older prices than its own have a part in: its date is theirs."""
    if as_of >= answer.prices.as_of:
        return answer
    own = _prices_of(answer.prices.as_of)
    assumed = (_prices_of(as_of) if each == own else each for each in answer.assumptions)
    return replace(answer, prices=replace(answer.prices, as_of=as_of), assumptions=tuple(assumed))


def _prices_of(as_of: str) -> str:
    return f"list prices of {as_of}, first tier, no free tier, no discounts"


def _payloads(sweep: Sweep) -> str:
    varied = sweep.plan.varied
    payloads = (
        sweep.plan.payloads if varied is None else sweep_at(sweep, varied.current).plan.payloads
    )
    weighted = len({payload.weight for payload in payloads}) > 1
    mix = " in the given weights" if weighted else ""
    count = f"{len(payloads)} payload{'s' if len(payloads) > 1 else ''}{mix}"
    if varied is None:
        return count
    if varied.is_setting:
        return f"{count}, the same mix of records with every {varied.name}"
    return f"{count}, every {varied.name} as often as the others"


def _cold_starts(evidence: Evidence, goal: Goal) -> str:
    share = f"{goal.cold_start_share:.3g}".rstrip()
    percent = f"{float(share) * 100:g} % cold starts"
    if goal.cold_start_share and not evidence.cold_starts:
        return f"{percent}, but none was seen: their INIT is not in the cost"
    return percent
