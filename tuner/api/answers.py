"""Answers from a saved sweep, for commands and notebooks: size, platforms, curve, figure, page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner import session
from tuner.api.given import day_of, goal_of, sweep_of, terms_of, unusable
from tuner.breakeven.answer import BreakEven
from tuner.breakeven.terms import Terms
from tuner.decision.analysis import Analysis
from tuner.decision.recommendation import recommend as recommend_by
from tuner.decision.recommendation import with_prices_of
from tuner.decision.strata import sweep_at
from tuner.decision.summary import break_down
from tuner.errors import InputError, PriceError, UsageError
from tuner.model.comparison import Comparison
from tuner.model.number_fields import check_number
from tuner.model.recommendation import Recommendation
from tuner.model.spend import Spend
from tuner.pricing.renewal import current_price_book
from tuner.report.page.data import SweepView
from tuner.session import analyse
from tuner.session.breakeven import (
    platforms_of,
    saving_needed,
    with_observed_rate,
    with_platform,
)
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    import datetime

    from matplotlib.figure import Figure

    from tuner.api.given import GoalLike, SweepLike, TermsLike
    from tuner.inference.curve import Curve
    from tuner.pricing import PriceBook

_FEWEST_DRAWS = 20


def recommend(
    sweep: SweepLike,
    goal: GoalLike | None = None,
    *,
    terms: TermsLike | None = None,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | str | None = None,
) -> Recommendation:
    """Answer from a sweep alone (or its file, or a function's name), as `tuner report` does.

    `goal` defaults to the sweep's own. With `terms`, such as "50/s", the answer gives the monthly
    saving, and a resize that saves too little becomes a keep. With `today`, prices over 90 days old
    get a warning. Raises UsageError, SweepFileError, PriceError and InputError.

    >>> answer = tuner.recommend("examples/sweeps/mixed.jsonl", "balanced", max_memory_mb=2048)
    >>> answer.goal.name, answer.verdict, answer.memory_mb <= 2048
    ('balanced', 'resize', True)
    """
    for name, limit in (("min_memory_mb", min_memory_mb), ("max_memory_mb", max_memory_mb)):
        check_number(name, limit, "int | None")
    analysis = analyse(
        sweep_of(sweep),
        goal_of(goal),
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        price_book=price_book,
    )
    return session.recommend(analysis, terms_of(terms), price_book=price_book, today=day_of(today))


def break_even(
    sweep: SweepLike,
    terms: TermsLike | None = None,
    *,
    goal: GoalLike | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | str | None = None,
) -> BreakEven:
    """Compare Lambda at the recommended size with the other platforms, from a sweep alone.

    `terms` may be a rate, such as "50/s", "1M/day" or 50. If a batch size was chosen, a rate counts
    events of that size. Raises UsageError and SweepFileError, InputError if the sweep can't
    separate waiting from computing, PriceError for an unknown region.

    >>> tuner.break_even("examples/sweeps/mixed.jsonl", "1M/day").verdict
    'stay'
    """
    book = price_book or current_price_book()
    analysis = analyse(sweep_of(sweep), goal_of(goal), price_book=book)
    return platforms_of(analysis, terms_of(terms), price_book=book, today=day_of(today))


def fit_curve(sweep: SweepLike, payload: str | None = None, *, draw_count: int = 200) -> Curve:
    """Mean warm duration over memory for one payload: the curve behind the sweep's answer.

    `curve.mean_ms(sizes)` is the estimate, `curve.draws_ms(sizes)` its uncertainty: one row per
    draw, one column per size, in ms. Name `payload` if there are several. Raises InputError for an
    unknown payload, and if there are too few samples for a curve.

    >>> curve = tuner.fit_curve("examples/sweeps/mixed.jsonl")
    >>> curve.mean_ms([512, 1024]).shape, curve.draws_ms([512, 1024]).shape
    ((2,), (200, 2))
    """
    check_number("draw_count", draw_count, "int")
    if draw_count < _FEWEST_DRAWS:
        raise UsageError(f"draw_count={draw_count} is too few: pass {_FEWEST_DRAWS} or more")
    analysis = analyse(sweep_of(sweep), draw_count=draw_count)
    names = list(analysis.evidence.samples)
    wanted = names[0] if payload is None and len(names) == 1 else payload
    if wanted is None or wanted not in analysis.evidence.samples:
        raise InputError(f"name one of the sweep's payloads: {', '.join(names)}")
    for problem in analysis.problems:
        if wanted in problem.estimates.curves:
            return problem.estimates.curves[wanted]
    raise InputError(f"there is no curve: {analysis.choice.reason}")


def plot(
    what: SweepLike | Recommendation | Analysis | Comparison | BreakEven | Spend,
    answer: Recommendation | None = None,
) -> Figure:
    """Draw a sweep with its answer, a comparison, a break-even or a spend, 900 × 620 px.

    The figure shows itself in a notebook; `savefig` writes it. A sweep without `answer` is answered
    for its own goal; an answer alone is drawn with the sweep from its file. Raises InputError
    without matplotlib and for an answer whose sweep has no file, and whatever `recommend` raises.

    >>> tuner.plot("examples/sweeps/mixed.jsonl")._repr_png_()[1:4]
    b'PNG'
    """
    if isinstance(what, Comparison):
        from tuner.report.figures.curves import draw_comparison

        return draw_comparison(what)
    if isinstance(what, BreakEven):
        from tuner.report.figures.breakeven import draw_break_even

        return draw_break_even(what)
    if isinstance(what, Spend):
        from tuner.report.figures.spend import draw_spend

        return draw_spend(what)
    from tuner.report.figures.curves import draw_recommendation

    if answer is not None and not isinstance(answer, Recommendation):
        raise unusable(answer, "the sweep's Recommendation")
    if isinstance(what, Analysis):
        sweep, answer = what.sweep, answer or session.recommend(what)
    elif isinstance(what, Recommendation):
        if what.sweep.file is None:
            raise InputError(
                "the answer's sweep has no file: pass the sweep first, then the answer"
            )
        sweep, answer = load_sweep(what.sweep.file), what
    else:
        sweep = sweep_of(what)
        answer = answer or recommend(sweep)
    for _name, value in answer.choice.parameters:
        sweep = sweep_at(sweep, value)
    if answer.choice.architecture is not None:
        sweep = sweep_at(sweep, answer.choice.architecture)
    return draw_recommendation(answer, sweep)


def view(
    analysis: Analysis,
    *,
    source: str,
    terms: Terms | None = None,
    today: datetime.date | None = None,
) -> SweepView:
    """What the page shows of a sweep: its answer, mean and platforms. Raises PriceError.

    A sweep that can't be compared with other platforms is shown without that, giving the reason.
    """
    terms = with_observed_rate(terms or Terms(), analysis.sweep.prior)
    found: BreakEven | InputError | PriceError
    try:
        found = platforms_of(analysis, terms, today=today)
    except (InputError, PriceError) as error:
        found = error
    answer = recommend_by(analysis, needed=saving_needed(terms), today=today)
    if terms.traffic.rate_per_s is not None:
        answer = with_platform(answer, found, terms)
    compared = None if isinstance(found, InputError | PriceError) else found
    if compared is not None:
        answer = with_prices_of(compared.prices_as_of, answer)
    return SweepView(
        source=source,
        recommendation=answer,
        sweep=analysis.answered,
        sent=analysis.sweep.plan.payloads,
        breakdown=break_down(analysis.problem),
        break_even=compared,
        no_break_even="" if compared is not None else str(found),
    )
