"""Figures for notebooks, of whatever the other calls return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.saved import recommend
from tuner.breakeven.answer import BreakEven
from tuner.model.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


def plot(what: Sweep | Comparison | BreakEven, answer: Recommendation | None = None) -> Figure:
    """Draw a sweep (with its answer), a comparison or a break-even, 900 × 620 px.

    The figure shows itself in a notebook; `savefig` writes it. Without `answer` a sweep is answered
    under its own goal. Raises InputError without matplotlib, and as `recommend` does.
    """
    if isinstance(what, Comparison):
        from tuner.report import figure_comparison  # noqa: PLC0415 - one picture, one module

        return figure_comparison.draw(what)
    if isinstance(what, BreakEven):
        from tuner.report import breakeven_figure  # noqa: PLC0415 - as above

        return breakeven_figure.draw(what)
    from tuner.report import figure  # noqa: PLC0415 - as above

    return figure.draw(answer or recommend(what), what)
