"""What a saved sweep tells, for commands and notebooks: the answer, platforms, curve and figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner import decision
from tuner.breakeven.answer import BreakEven
from tuner.breakeven.terms import Terms
from tuner.errors import InputError
from tuner.model.comparison import Comparison
from tuner.pricing.renewal import current_price_book
from tuner.session import analyse
from tuner.session.breakeven import platforms_of

if TYPE_CHECKING:
    import datetime

    from matplotlib.figure import Figure

    from tuner.inference.curve import Curve
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def recommend(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """Answer from a sweep alone, as `analyse` reads it.

    With `today` prices that are over 90 days old get a warning. Raises PriceError and InputError.
    """
    analysis = analyse(
        sweep,
        goal,
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        price_book=price_book,
    )
    return decision.recommend(analysis, today=today)


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


def fit_curve(sweep: Sweep, payload: str | None = None, *, draw_count: int = 200) -> Curve:
    """Mean warm duration over memory of one payload: the curve that the sweep's answer rests on.

    `curve.mean_ms(sizes)` is the estimate, `curve.draws_ms(sizes)` what else it may be: one row a
    draw, one column a size, in ms. `payload` must be named where there are several. Raises
    InputError for an unknown payload and where there is no curve for want of samples.
    """
    analysis = analyse(sweep, draw_count=draw_count)
    names = list(analysis.evidence.samples)
    wanted = names[0] if payload is None and len(names) == 1 else payload
    if wanted is None or wanted not in analysis.evidence.samples:
        raise InputError(f"name one of the sweep's payloads: {', '.join(names)}")
    for problem in analysis.problems:
        if wanted in problem.estimates.curves:
            return problem.estimates.curves[wanted]
    raise InputError(f"there is no curve: {analysis.choice.reason}")


def plot(what: Sweep | Comparison | BreakEven, answer: Recommendation | None = None) -> Figure:
    """Draw a sweep (with its answer), a comparison or a break-even, 900 × 620 px.

    The figure shows itself in a notebook; `savefig` writes it. Without `answer` a sweep is answered
    under its own goal. Raises InputError without matplotlib, and as `recommend` does.
    """
    if isinstance(what, Comparison):
        from tuner.report.figures.curves import draw_comparison  # noqa: PLC0415 - one picture, one module

        return draw_comparison(what)
    if isinstance(what, BreakEven):
        from tuner.report.figures.breakeven import draw_break_even  # noqa: PLC0415 - as above

        return draw_break_even(what)
    from tuner.report.figures.curves import draw_recommendation  # noqa: PLC0415 - as above

    return draw_recommendation(answer or recommend(what), what)
