"""Where a swept function is cheaper, at which rate of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner import decision
from tuner.api.saved import analyse
from tuner.breakeven.platform_comparison import compare_platforms
from tuner.breakeven.terms import Terms
from tuner.breakeven.work import Work, part_work, sizes_to_part
from tuner.decision.recommendation import with_prices_of
from tuner.decision.saving import SavingNeeded
from tuner.errors import InputError, PriceError
from tuner.model.finding import Finding
from tuner.model.recommendation import Platform
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime

    from tuner.breakeven.answer import BreakEven
    from tuner.decision import Analysis
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def break_even(
    sweep: Sweep,
    terms: Terms | None = None,
    *,
    goal: Goal | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> BreakEven:
    """Compare Lambda at the recommended size with the other platforms, from a sweep alone.

    Where a batch size was chosen, a rate counts events of that size. Raises InputError where the
    sweep cannot tell waiting from computing, PriceError for an unknown region.
    """
    book = price_book or current_price_book()
    analysis = analyse(sweep, goal, price_book=book)
    return platforms_of(analysis, terms or Terms(), price_book=book, today=today)


def platforms_of(
    analysis: Analysis,
    terms: Terms,
    *,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> BreakEven:
    """Compare the platforms by what an analysis knows. Raises as `break_even` does."""
    function = analysis.sweep.function
    return compare_platforms(
        function,
        read_work(analysis, analysis.choice.memory_mb or function.memory_mb),
        terms,
        price_book=price_book or current_price_book(),
        today=today,
        seed=analysis.sweep.plan.seed,
    )


def read_work(analysis: Analysis, memory_mb: int) -> Work:
    """What an invocation needs, as draws, with Lambda at `memory_mb`. Raises InputError."""
    problem = analysis.problem
    if problem is None:
        raise InputError(
            "the sweep has no warm sample of every payload, so nothing can be compared: "
            "tune again with more invocations (--max-invocations)"
        )
    parting = sizes_to_part(problem.measured)
    estimates = problem.fitted_at(sorted({*parting, memory_mb}))
    columns = [estimates.column(size) for size in parting]
    wait_ms, cpu_ms, core_count = part_work(parting, estimates.duration_ms[:, columns])
    chosen = estimates.column(memory_mb)
    return Work(
        wait_ms=wait_ms,
        cpu_ms=cpu_ms,
        core_count=core_count,
        lambda_ms=estimates.duration_ms[:, chosen],
        lambda_cost_usd=estimates.cost_usd[:, chosen],
        memory_used_mb=max(problem.evidence.memory_used_mb.values(), default=memory_mb),
        lambda_memory_mb=memory_mb,
        cold_start_share=problem.goal.cold_start_share,
    )


def saving_needed(terms: Terms) -> SavingNeeded:
    """What a resize has to save, of all the terms."""
    return SavingNeeded(
        terms.traffic.rate_per_s, terms.min_saving_usd_per_month, terms.min_saving_ratio
    )


def recommend_with_platform(
    analysis: Analysis,
    terms: Terms | None = None,
    *,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """The recommendation with `platform` filled, and with a rate the month's saving.

    A resize for money that saves less than a flag needs is a keep; platforms are compared with
    Lambda at the size that was the answer before. Without a rate the break-even rate alone is
    stated. A sweep that cannot be compared leaves `platform` empty, with a finding where a rate was
    given.
    """
    terms = terms or Terms()
    found: BreakEven | InputError | PriceError
    try:
        found = platforms_of(analysis, terms, price_book=price_book, today=today)
    except (InputError, PriceError) as error:
        found = error
    answer = decision.recommend(analysis, needed=saving_needed(terms), today=today)
    return with_platform(answer, found, terms)


def with_platform(
    answer: Recommendation, found: BreakEven | InputError | PriceError, terms: Terms
) -> Recommendation:
    """The recommendation with what came of comparing the platforms."""
    if isinstance(found, InputError | PriceError):
        if terms.traffic.rate_per_s is None:
            return answer
        doubt = Finding("platform-unknown", "warning", f"no platform was compared: {found}")
        return replace(answer, findings=(*answer.findings, doubt))
    findings = [*answer.findings]
    if found.verdict is not None:
        findings.append(Finding("platform", "info", _platform_line(found, terms)))
        answer = with_prices_of(found.prices_as_of, answer)
        known = {finding.code for finding in findings}
        findings += [f for f in found.findings if f.code == "old-prices" and f.code not in known]
    return replace(
        answer,
        platform=Platform(found.verdict, found.break_even_rate_per_s),
        findings=tuple(findings),
    )


def _platform_line(found: BreakEven, terms: Terms) -> str:
    what = {
        "stay": "stay on Lambda",
        "too-close": "too close to call",
        "containers": "candidate for containers",
        "ec2": "candidate for EC2",
        "managed-instances": "candidate for Managed Instances",
    }[found.verdict or "stay"]
    peak = f"with a peak of {terms.traffic.peak_ratio:g} times the mean"
    return f"{what}: {found.reason} ({peak}; tuner break-even tells more)"
