"""All that the report page shows of one sweep, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.breakeven import add_platform, break_even
from tuner.api.prices import current_price_book
from tuner.api.saved import recommend, seed_behind, sweep_behind
from tuner.api.worth import with_saving
from tuner.breakeven.question import Terms
from tuner.decision.assumptions import with_prices_of
from tuner.decision.breakdown import break_down
from tuner.errors import InputError, PriceError
from tuner.model.goal import Goal
from tuner.report.frame import limits_flags, terms_flags
from tuner.report.page.exhibit import Exhibit

if TYPE_CHECKING:
    import datetime

    from tuner.model.sweep import Sweep


def exhibit(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    source: str,
    terms: Terms | None = None,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    today: datetime.date | None = None,
) -> Exhibit:
    """Answer, look under the mean and compare platforms. Raises PriceError and InputError.

    A sweep that cannot be compared with other platforms is shown without, and with the reason.
    """
    goal, terms, book = goal or sweep.goal or Goal(), terms or Terms(), current_price_book()
    answer = recommend(
        sweep,
        goal,
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        price_book=book,
        today=today,
    )
    sizes = tuple(each.memory_mb for each in answer.curve)
    behind = sweep_behind(answer, sweep)
    seed = seed_behind(answer, sweep)
    breakdown = break_down(behind, sizes, price_book=book, goal=goal, seed=seed)
    found, reason = None, ""
    try:
        found = break_even(sweep, terms, goal=goal, answer=answer, price_book=book, today=today)
    except (InputError, PriceError) as error:
        reason = str(error)
    if terms.traffic.rate_per_s is not None:
        answer = add_platform(answer, sweep, terms, price_book=book, today=today)
    else:
        answer = with_saving(answer, terms)
    if found is not None:
        answer = with_prices_of(found.prices_as_of, answer)
    flags = [*limits_flags(min_memory_mb, max_memory_mb), *terms_flags(terms)]
    return Exhibit(
        source, answer, behind, sweep.plan.payloads, breakdown, found, reason, tuple(flags)
    )
