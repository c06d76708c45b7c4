"""Where else a swept function could run, from an analysis of its sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.breakeven.answer import VERDICT_WORDS
from tuner.breakeven.platform_comparison import compare_platforms
from tuner.breakeven.work import Work, part_work, sizes_to_part
from tuner.decision.recommendation import with_prices_of
from tuner.decision.saving import SavingNeeded
from tuner.errors import InputError, PriceError
from tuner.model.finding import Finding
from tuner.model.recommendation import Platform
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from tuner.breakeven.answer import BreakEven
    from tuner.breakeven.terms import Terms
    from tuner.decision.analysis import Analysis
    from tuner.decision.problem import Problem
    from tuner.model.goal import Goal
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.model.recommendation import Recommendation
    from tuner.pricing import PriceBook


def platforms_of(
    analysis: Analysis,
    terms: Terms,
    *,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> BreakEven:
    """Compare the platforms, from an analysis. Raises what `break_even` raises."""
    terms = with_observed_rate(terms, analysis.sweep.prior)
    function = analysis.sweep.function
    return compare_platforms(
        function,
        read_work(analysis, analysis.choice.memory_mb or function.memory_mb),
        terms,
        price_book=price_book or current_price_book(),
        today=today,
        seed=analysis.sweep.plan.seed,
    )


def with_observed_rate(terms: Terms, prior: PriorEvidence | None) -> Terms:
    """The terms, at the rate that production has where they have none."""
    if terms.traffic.rate_per_s is not None or prior is None or prior.rate_per_s is None:
        return terms
    return replace(terms, traffic=replace(terms.traffic, rate_per_s=prior.rate_per_s))


def with_observed_share(goal: Goal, prior: PriorEvidence | None) -> Goal:
    """The goal, with production's share of cold starts where it has none."""
    if prior is None or prior.cold_start_share is None or goal.cold_start_share is not None:
        return goal
    return replace(goal, cold_start_share=prior.cold_start_share)


def read_work(analysis: Analysis, memory_mb: int) -> Work:
    """What an invocation needs, as draws, with Lambda at `memory_mb`. Raises InputError."""
    problem = analysis.problem
    if problem is None:
        raise InputError(
            "the sweep has no warm sample of every payload, so nothing can be compared: "
            f"{analysis.choice.reason}"
        )
    parting = sizes_to_part(problem.measured)
    estimates = problem.fitted_at(sorted({*parting, memory_mb}))
    columns = estimates.columns(parting)
    wait_ms, cpu_ms, core_count = part_work(parting, estimates.duration_ms[:, columns])
    chosen = estimates.column(memory_mb)
    return Work(
        wait_ms=wait_ms,
        cpu_ms=cpu_ms,
        core_count=core_count,
        lambda_ms=estimates.duration_ms[:, chosen],
        lambda_cost_usd=estimates.cost_usd[:, chosen],
        memory_used_mb=max(_memory_used_mb(problem), default=memory_mb),
        lambda_memory_mb=memory_mb,
        cold_start_share=problem.goal.cold_share,
    )


def _memory_used_mb(problem: Problem) -> Iterator[int]:
    """The most at each size, by the sweep's events and in production."""
    yield from problem.evidence.memory_used_mb.values()
    prior = problem.question.prior
    for each in prior.production if prior else ():
        if each.max_memory_used_mb is not None:
            yield each.max_memory_used_mb


def saving_needed(terms: Terms) -> SavingNeeded:
    """What a resize has to save, out of all the terms."""
    return SavingNeeded(
        terms.traffic.rate_per_s, terms.min_saving_usd_per_month, terms.min_saving_ratio
    )


_TOLD: Final = frozenset({"old_prices", "other_architecture"})
"""What the recommendation says about the comparison, besides its verdict."""


def with_platform(
    answer: Recommendation, found: BreakEven | InputError | PriceError, terms: Terms
) -> Recommendation:
    """The recommendation with the result of comparing the platforms."""
    if isinstance(found, InputError | PriceError):
        if terms.traffic.rate_per_s is None:
            return answer
        doubt = Finding("platform_unknown", "warning", f"platforms weren't compared: {found}")
        return replace(answer, findings=(*answer.findings, doubt))
    findings = [*answer.findings]
    if found.verdict is not None:
        fleet = "an autoscaled fleet" if terms.autoscaling else "a fleet of fixed size"
        peak = f"{fleet}, peaks of {terms.traffic.peak_ratio:g} times the mean"
        line = f"{VERDICT_WORDS[found.verdict]}: {found.reason} ({peak}; details: tuner break-even)"
        findings.append(Finding("platform", "info", line))
        answer = with_prices_of(found.prices_as_of, answer)
        told = [each for each in found.findings if each.code in _TOLD]
        codes = {each.code for each in told}  # the comparison's prices are the older ones
        findings = [*(each for each in findings if each.code not in codes), *told]
    return replace(
        answer,
        platform=Platform(found.verdict, found.break_even_rate_per_s),
        findings=tuple(findings),
    )
