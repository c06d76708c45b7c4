"""Everything that the report page shows about one sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner import decision
from tuner.breakeven.terms import Terms
from tuner.decision.recommendation import with_prices_of
from tuner.decision.summary import break_down
from tuner.errors import InputError, PriceError
from tuner.report.page.data import SweepView
from tuner.session.breakeven import platforms_of, saving_needed, with_platform

if TYPE_CHECKING:
    import datetime

    from tuner.breakeven.answer import BreakEven
    from tuner.decision import Analysis


def view(
    analysis: Analysis,
    *,
    source: str,
    terms: Terms | None = None,
    today: datetime.date | None = None,
) -> SweepView:
    """Answer, break down the mean and compare platforms. Raises PriceError.

    A sweep that can't be compared with other platforms is shown without that, giving the reason.
    """
    terms = terms or Terms()
    found: BreakEven | InputError | PriceError
    try:
        found = platforms_of(analysis, terms, today=today)
    except (InputError, PriceError) as error:
        found = error
    answer = decision.recommend(analysis, needed=saving_needed(terms), today=today)
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
