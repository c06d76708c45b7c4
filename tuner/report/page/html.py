"""Puts the page of sweeps together: words and numbers of one or several, or of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.report import numbers
from tuner.report.comparison import KINDS
from tuner.report.page.data import THRESHOLDS, break_even_data, chart_data
from tuner.report.page.platforms import platform_page
from tuner.report.page.sections import comparison_data, comparison_section, section
from tuner.report.page.shell import fill
from tuner.report.page.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.comparison import Comparison
    from tuner.model.recommendation import Recommendation
    from tuner.report.page.data import SweepView


def render(views: Sequence[SweepView], *, comparison: Comparison | None = None) -> str:
    """The page of one or several sweeps, UTF-8. What others named is inert in it.

    A comparison comes first, and the views are its two sides.
    """
    sections = [section(each, number) for number, each in enumerate(views, start=1)]
    data: dict[str, Any] = {
        "thresholds": THRESHOLDS,
        "sweeps": [chart_data(each) for each in views],
        "comparison": None if comparison is None else comparison_data(comparison),
    }
    return fill(
        "page.html.j2",
        ("charts.js",),
        data,
        title=_title(views, comparison),
        sections=sections,
        overview=_overview(views),
        overlay=sum(bool(each.recommendation.curve) for each in views) > 1,
        level=1 if len(views) == 1 else 2,
        sources=", ".join(each.source for each in views),
        comparison=None if comparison is None else comparison_section(comparison),
        elsewhere=None,
    )


def render_break_even(answer: BreakEven, *, source: str) -> str:
    """The page of a break-even alone; `source` is what `tuner break-even` finds its sweep by."""
    return fill(
        "page.html.j2",
        ("charts.js",),
        {"thresholds": [], "sweeps": [], "breakEven": break_even_data(answer)},
        title=f"{answer.function_name}: on Lambda, or elsewhere?",
        sections=[],
        sources=source,
        comparison=None,
        elsewhere=platform_page(answer),
    )


def _title(views: Sequence[SweepView], comparison: Comparison | None) -> str:
    if comparison is not None:
        return f"{comparison.b.function.name}: {KINDS[comparison.kind]}"
    if len(views) > 1:
        return f"{len(views)} sweeps"
    return f"{views[0].recommendation.function.name}: how much memory"


def _overview(views: Sequence[SweepView]) -> Table:
    """One row a sweep: its verdict and what that changes."""
    rows = []
    for number, view in enumerate(views):
        answer = view.recommendation
        choice, function = answer.choice, answer.function
        saved = choice.saving_ratio if choice.verdict == "resize" else None
        cells = (
            function.name,
            choice.verdict,
            _sizes(answer),
            "–" if saved is None else numbers.saving(saved),
            f"{function.architecture}, code {function.code_sha256[:7]}",
        )
        rows.append(Row(cells, swatch=number, link=f"sweep-{number + 1}"))
    return Table(("function", "verdict", "memory", "saving", "of"), tuple(rows))


def _sizes(answer: Recommendation) -> str:
    """The size now, and the recommended one if that's another."""
    now, then = answer.current.memory_mb, answer.choice.memory_mb
    sizes = numbers.memory(now) if then in {None, now} else f"{now} → {then} MB"
    return sizes if answer.moves_to is None else f"{sizes} on {answer.moves_to}"
