"""Two sweeps against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.prices import current_price_book
from tuner.api.saved import recommend
from tuner.decide.compare import Entry
from tuner.decide.compare import compare as compare_entries
from tuner.model.goal import Goal
from tuner.pricing.age import age_finding

if TYPE_CHECKING:
    import datetime

    from tuner.model.comparison import Comparison
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def compare(
    a: Sweep,
    b: Sweep,
    goal: Goal | None = None,
    *,
    sources: tuple[str, str] = ("A", "B"),
    answers: tuple[Recommendation, Recommendation] | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Comparison:
    """How large the difference from sweep `a` to sweep `b` is, and whether it is real.

    Before and after, two architectures, two versions of the code, a forecast and what was measured
    after it was rolled out: which of them it is follows from what differs. `answers` saves deciding
    again. With `today` prices that are over 90 days old get a warning. Raises InputError for a
    sweep without warm samples, and PriceError.
    """
    goal, book = goal or Goal(), price_book or current_price_book()
    first, second = answers or tuple(recommend(each, goal, price_book=book) for each in (a, b))
    found = compare_entries(
        Entry(sources[0], a, first),
        Entry(sources[1], b, second),
        price_book=book,
        goal=goal,
    )
    if today is None or (old := age_finding(found.prices.as_of, today)) is None:
        return found
    return replace(found, findings=(*found.findings, old))
