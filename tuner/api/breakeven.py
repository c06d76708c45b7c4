"""Where a swept function is cheaper, at which rate of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.saved import recommend
from tuner.breakeven.analyse import analyse
from tuner.breakeven.question import Terms
from tuner.breakeven.work import Work, part_work, sizes_to_part
from tuner.decide.estimate import estimate
from tuner.decide.evidence import read_evidence
from tuner.errors import InputError
from tuner.model.goal import Goal
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    import datetime

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

    `answer` saves deciding again. Raises InputError where the sweep cannot tell waiting from
    computing, PriceError for an unknown region.
    """
    goal, book = goal or Goal(), price_book or load_price_book()
    answer = answer or recommend(sweep, goal)
    memory_mb = answer.choice.memory_mb or sweep.function.memory_mb
    work = read_work(sweep, memory_mb, goal=goal, price_book=book)
    return analyse(
        sweep.function,
        work,
        terms or Terms(),
        price_book=book,
        today=today,
        seed=sweep.plan.seed,
    )


def read_work(sweep: Sweep, memory_mb: int, *, goal: Goal, price_book: PriceBook) -> Work:
    """What an invocation needs, as draws, with Lambda at `memory_mb`. Raises as `break_even`."""
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
        seed=sweep.plan.seed,
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
    )
