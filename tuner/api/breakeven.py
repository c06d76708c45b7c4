"""Where a swept function is cheaper, at which rate of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.prices import current_price_book
from tuner.api.saved import recommend, seed_behind, sweep_behind
from tuner.api.worth import with_saving
from tuner.breakeven.analyse import analyse
from tuner.breakeven.question import Terms
from tuner.breakeven.work import Work, part_work, sizes_to_part
from tuner.decision.assumptions import with_prices_of
from tuner.decision.estimates import estimate
from tuner.decision.evidence import read_evidence
from tuner.errors import InputError, PriceError
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.recommendation import Platform

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def break_even(
    sweep: Sweep,
    terms: Terms | None = None,
    *,
    goal: Goal | None = None,
    answer: Recommendation | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> BreakEven:
    """Compare Lambda at the recommended size with the other platforms, from a sweep alone.

    `answer` saves deciding again. Where a batch size was chosen, a rate counts events of that size.
    Raises InputError where the sweep cannot tell waiting from
    computing, PriceError for an unknown region.
    """
    goal, book = goal or sweep.goal or Goal(), price_book or current_price_book()
    answer = answer or recommend(sweep, goal, price_book=book)
    memory_mb = answer.choice.memory_mb or sweep.function.memory_mb
    work = read_work(
        sweep_behind(answer, sweep),
        memory_mb,
        goal=goal,
        price_book=book,
        drawn_mb=[each.memory_mb for each in answer.curve],
        seed=seed_behind(answer, sweep),
    )
    return analyse(
        sweep.function,
        work,
        terms or Terms(),
        price_book=book,
        today=today,
        seed=sweep.plan.seed,
    )


def read_work(
    sweep: Sweep,
    memory_mb: int,
    *,
    goal: Goal,
    price_book: PriceBook,
    drawn_mb: Sequence[int] = (),
    seed: int | None = None,
) -> Work:
    """What an invocation needs, as draws, with Lambda at `memory_mb`. Raises as `break_even`.

    With `drawn_mb` and `seed` of an answer's curve the draws are those that it rests on.
    """
    function = sweep.function
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in sweep.plan.payloads})
    if not evidence.samples or evidence.unsampled_payloads:
        raise InputError(
            "the sweep has no warm sample of every payload, so nothing can be compared: "
            "tune again with more invocations (--max-invocations)"
        )
    parting = sizes_to_part(evidence.measured_mb)
    sizes = sorted({*parting, memory_mb})
    estimates = estimate(
        evidence,
        sizes,
        prices=price_book.lambda_prices(function.region, function.architecture),
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        cold_start_share=goal.cold_start_share,
        seed=sweep.plan.seed if seed is None else seed,
        drawn_mb=drawn_mb,
    )
    columns = [estimates.column(size) for size in parting]
    wait_ms, cpu_ms, core_count = part_work(parting, estimates.duration_ms[:, columns])
    chosen = estimates.column(memory_mb)
    return Work(
        wait_ms=wait_ms,
        cpu_ms=cpu_ms,
        core_count=core_count,
        lambda_ms=estimates.duration_ms[:, chosen],
        lambda_cost_usd=estimates.cost_usd[:, chosen],
        memory_used_mb=max(evidence.memory_used_mb.values(), default=memory_mb),
        lambda_memory_mb=memory_mb,
        cold_start_share=goal.cold_start_share,
    )


def add_platform(
    answer: Recommendation,
    sweep: Sweep,
    terms: Terms | None = None,
    *,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """Fill `platform`, and with a rate the month's saving, beside the memory answer.

    A resize for money that saves less than a flag needs becomes a keep (`worth.with_saving`);
    platforms are compared with Lambda at the size that was recommended. Without a rate the
    break-even rate alone is stated. A sweep that cannot be compared leaves `platform` empty, with a
    finding where a rate was given.
    """
    terms = terms or Terms()
    told = with_saving(answer, terms)
    try:
        found = break_even(
            sweep, terms, goal=answer.goal, answer=answer, price_book=price_book, today=today
        )
    except (InputError, PriceError) as error:
        if terms.traffic.rate_per_s is None:
            return told
        doubt = Finding("platform-unknown", "warning", f"no platform was compared: {error}")
        return replace(told, findings=(*told.findings, doubt))
    findings = [*told.findings]
    if found.verdict is not None:
        findings.append(Finding("platform", "info", _platform_line(found, terms)))
        told = with_prices_of(found.prices_as_of, told)
        known = {finding.code for finding in findings}
        findings += [f for f in found.findings if f.code == "old-prices" and f.code not in known]
    return replace(
        told,
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
