"""Two sweeps against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.prices import current_price_book
from tuner.api.saved import recommend
from tuner.decide.compare import Entry
from tuner.decide.compare import compare as compare_entries
from tuner.model.goal import Goal

if TYPE_CHECKING:
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
) -> Comparison:
    """How large the difference from sweep `a` to sweep `b` is, and whether it is real.

    Before and after, two architectures, two versions of the code, a forecast and what was measured
    after it was rolled out: which of them it is follows from what differs. `answers` saves deciding
    again. Raises InputError for a sweep without warm samples, and PriceError.
    """
    goal, book = goal or Goal(), price_book or current_price_book()
    first, second = answers or tuple(recommend(each, goal, price_book=book) for each in (a, b))
    return compare_entries(
        Entry(sources[0], a, first),
        Entry(sources[1], b, second),
        price_book=book,
        goal=goal,
    )
