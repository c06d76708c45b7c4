"""The answer as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuner.report import numbers
from tuner.report.chart import draw_curves
from tuner.report.console import SIGNS, fit_to, glyphs_for, printed_lines, text_console
from tuner.report.rows import (
    option_rows,
    pair_rows,
    per_record,
    percentile_cell,
    percentile_note,
    size_rows,
)
from tuner.report.sanitize import plain
from tuner.report.wording import (
    best_pair,
    break_even_line,
    certainty,
    cost_of_records,
    describe_function,
    describe_sweep,
    goal_line,
    headline,
    pay_back,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation
    from tuner.report.rows import SizeRow

_HELD_SPACE: Final = "\ue000"
"""Stands for a space where no line may end; private, so that nothing foreign has one (`plain`)."""
MIN_WIDTH: Final = 44
ROOMY_WIDTH: Final = 64
WIDE_WIDTH: Final = 90
_PERCENTILE_WIDTH: Final = 10
"""Of a column such as `~12.3 s`, with the space before it."""
MAX_WIDTH: Final = 100
"""Longer lines are hard to read."""
_SEVERITY_STYLES: Final = {"info": "", "warning": "yellow", "error": "bold red"}
_VERDICT_STYLES: Final = {
    "keep": "bold green",
    "resize": "bold cyan",
    "inconclusive": "bold yellow",
}


def render(
    recommendation: Recommendation,
    *,
    width: int,
    color: bool,
    encoding: str = "utf-8",
    commands: Sequence[str] = (),
) -> str:
    """Return the whole answer, lines at most `width` columns wide (44 at least, 100 at most).

    `color` decides about escape sequences: without it there are none. Where `encoding` cannot show
    the signs, the text is plain ASCII. `commands` are what to do next.
    """
    glyphs = glyphs_for(encoding)
    width = min(max(width, MIN_WIDTH), MAX_WIDTH)
    style = _VERDICT_STYLES[recommendation.choice.verdict]
    console = text_console(width, color=color)
    _print_header(console, recommendation)
    console.print()
    _print_tables(console, recommendation, roomy=width >= ROOMY_WIDTH)
    if lines := draw_curves(recommendation, width=width - 1, glyphs=glyphs, style=style):
        console.print()
        for line in lines:
            console.print(line, soft_wrap=True)
    console.print()
    _print_verdict(console, recommendation, style)
    _print_options(console, recommendation, roomy=width >= ROOMY_WIDTH)
    _print_remarks(console, recommendation, commands)
    text = "\n".join(printed_lines(console)).replace(_HELD_SPACE, " ")
    return fit_to(text + "\n", glyphs)


def _print_header(console: Console, recommendation: Recommendation) -> None:
    console.print(describe_function(recommendation), style="bold")
    console.print(f"  {describe_sweep(recommendation)}", style="dim")


def _print_tables(console: Console, recommendation: Recommendation, *, roomy: bool) -> None:
    """Sizes, and pairs where a parameter was varied: alone where it is chosen with the size."""
    if not recommendation.choice.parameters:
        _print_sizes(console, recommendation, roomy=roomy)
    if recommendation.variation is None:
        return
    if not recommendation.choice.parameters:
        console.print()
    rows, variation = pair_rows(recommendation), recommendation.variation
    asked = recommendation.goal.percentile
    # What there is beside a percentile: without room that stands below, with what else is said.
    width = console.width - (0 if asked is None else _PERCENTILE_WIDTH)
    roomy = width >= ROOMY_WIDTH
    million = "$/million" if width >= WIDE_WIDTH else "$/M"
    titles = [plain(variation.parameter.name), "memory", "event (90 %)" if roomy else "event"]
    costs = f"{million} {per_record(variation)}"
    console.print(_table(rows, titles, costs, asked if roomy else None, roomy=roomy))
    if note := percentile_note(row.percentile for row in rows):
        console.print(f"  {note}", style="dim")
    for row in rows:
        below = [] if asked is None else [f"p{asked:g} {percentile_cell(row.percentile)}"]
        if (below or row.notes) and not roomy:
            said = ", ".join([*below, *row.notes])
            console.print(f"  {plain(row.name)}, {numbers.memory(row.memory_mb)}: {said}")


def _print_sizes(console: Console, recommendation: Recommendation, *, roomy: bool) -> None:
    """The table; without room, what is to be said of a size stands below it."""
    rows = size_rows(recommendation)
    titles = ["memory", "mean (90 %)" if roomy else "mean"]
    console.print(_table(rows, titles, "$/million", recommendation.goal.percentile, roomy=roomy))
    if note := percentile_note(row.percentile for row in rows):
        console.print(f"  {note}", style="dim")
    for row in rows:
        if row.notes and not roomy:
            console.print(f"  {numbers.memory(row.memory_mb)}: {', '.join(row.notes)}")


def _table(
    rows: Sequence[SizeRow],
    titles: Sequence[str],
    costs: str,
    percentile: float | None,
    *,
    roomy: bool,
) -> Table:
    """Columns for the sign of what is recommended, the titles (with one for names), a percentile if
    it is asked for, the costs, what they change, and notes where there is room.
    """
    has_names = any(row.name for row in rows)
    asked = [] if percentile is None else [f"p{percentile:g}"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for title in (*titles, *asked, costs, "vs now"):
        table.add_column(title, justify="right", no_wrap=True)
    if roomy:
        table.add_column("")
    for row in rows:
        table.add_row(
            "▶" if row.recommended else "",
            *([plain(row.name)] if has_names else []),
            numbers.memory(row.memory_mb),
            _duration_cell(row.duration_ms, roomy=roomy),
            *([percentile_cell(row.percentile)] if asked else []),
            numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
            row.change,
            *([", ".join(map(plain, row.notes))] if roomy else []),
            style="dim" if row.excluded else "bold" * row.recommended,
        )
    return table


def _duration_cell(duration_ms: Interval | None, *, roomy: bool) -> str:
    text = numbers.known(duration_ms, numbers.duration)
    if duration_ms is None or not roomy:
        return text
    return f"{text} {numbers.spread(duration_ms):>6}"


def _print_verdict(console: Console, recommendation: Recommendation, style: str) -> None:
    console.print(_held(headline(recommendation)), style=style)
    lines = (certainty, goal_line, cost_of_records, best_pair, pay_back)
    for line in (write(recommendation) for write in lines):
        if line:
            console.print(Padding(_held(line), (0, 0, 0, 2)))


def _print_options(console: Console, recommendation: Recommendation, *, roomy: bool) -> None:
    """What each goal would answer, beside the current size."""
    rows = option_rows(recommendation)
    if not rows:
        return
    table = _table(rows, ("goal", "memory", "mean"), "$/million", None, roomy=roomy)
    table.columns[1].justify = "left"
    console.print()
    console.print(table)
    console.print()


def _print_remarks(
    console: Console, recommendation: Recommendation, commands: Sequence[str]
) -> None:
    remarks = Table.grid(padding=(0, 1, 0, 0))
    for finding in recommendation.findings:
        style = _SEVERITY_STYLES[finding.severity]
        sign = Text(SIGNS[finding.severity], style)
        remarks.add_row(sign, Text(_held(finding.message), style))
    if elsewhere := break_even_line(recommendation):
        remarks.add_row("·", _held(elsewhere))
    if remarks.row_count:
        console.print(remarks)
    if recommendation.assumptions:
        assumed = "; ".join(_held(text) for text in recommendation.assumptions)
        console.print(f"Assumes {assumed}.", style="dim")
    for label, command in zip(("Next:", "     "), commands, strict=False):
        console.print(f"{label} {command}", soft_wrap=True)


def _held(text: str) -> str:
    """Text on one line, its numbers held together with their units where it is wrapped."""
    return numbers.held(plain(text), _HELD_SPACE)
