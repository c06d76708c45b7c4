"""The answer as a person reads it in a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuner.report import numbers
from tuner.report.chart import draw_curves
from tuner.report.console import MAX_COLUMNS, SIGNS, fit_to, glyphs_for, printed_lines, text_console
from tuner.report.rows import (
    by_weight,
    main_pair_rows,
    mean_of,
    option_rows,
    pair_rows,
    per_record,
    percentile_cell,
    percentile_note,
    size_rows,
)
from tuner.report.sanitize import plain
from tuner.report.wording import (
    assumption_line,
    best_pair,
    break_even_line,
    certainty,
    cost_of_records,
    describe_function,
    describe_sweep,
    goal_line,
    headline,
    money,
    pay_back,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation, Variation
    from tuner.report.console import Glyphs
    from tuner.report.rows import SizeRow

_HELD_SPACE: Final = "\ue000"
"""Replaces a space where a line mustn't break; private, so that foreign text can't have one
(`plain`)."""
MIN_WIDTH: Final = 44
ROOMY_WIDTH: Final = 64
WIDE_WIDTH: Final = 90
_PERCENTILE_WIDTH: Final = 10
"""Of a column such as `~12.3 s`, with the space before it."""
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
    apply: str | None = None,
    again: str | None = None,
    more: str = "",
    explain: bool = False,
) -> str:
    """Return the whole answer, lines at most `width` columns wide (at least 44, at most 100).

    `color` allows escape sequences. If `encoding` can't show the signs, the text is plain ASCII.
    `apply` is how to apply the answer, `again` shows the saved sweep again, and `more` says how to
    get what `explain` adds: sizes, curves, assumptions.
    """
    glyphs = glyphs_for(encoding)
    width = min(max(width, MIN_WIDTH), MAX_COLUMNS)
    style = _VERDICT_STYLES[recommendation.choice.verdict]
    console = text_console(width, color=color)
    console.print(describe_function(recommendation), style="bold")
    console.print()
    _print_verdict(console, recommendation, style)
    _print_tables(console, recommendation, explain=explain)
    console.print()
    _print_remarks(console, recommendation, more="" if explain else more)
    if apply:
        console.print(f"Apply: {plain(apply)}", soft_wrap=True)
    if back := pay_back(recommendation):
        console.print(_held(back), style="dim")
    kept = f" · saved: {plain(again)}" if again else ""
    console.print(f"{describe_sweep(recommendation)}{kept}", style="dim", soft_wrap=True)
    if explain:
        _print_explanation(console, recommendation, glyphs, style)
    text = "\n".join(printed_lines(console)).replace(_HELD_SPACE, " ")
    return fit_to(text + "\n", glyphs)


def _print_verdict(console: Console, recommendation: Recommendation, style: str) -> None:
    verdict = f"{headline(recommendation)} {money(recommendation) or ''}"
    console.print(_held(verdict), style=style)
    sure = f"{certainty(recommendation) or ''} {goal_line(recommendation)}"
    for line in (sure, cost_of_records(recommendation), best_pair(recommendation)):
        if line:
            console.print(Padding(_held(line), (0, 0, 0, 2)))


def _print_tables(console: Console, recommendation: Recommendation, *, explain: bool) -> None:
    """The options; pairs if a parameter was varied; without either, what each size showed."""
    options = option_rows(recommendation)
    if options:
        console.print()
        _print_options(console, options, recommendation.goal.percentile)
    if recommendation.variation is not None:
        console.print()
        _print_pairs(console, recommendation, recommendation.variation, explain=explain)
    elif not options and not explain and recommendation.sizes:
        console.print()
        _print_sizes(console, recommendation)


def _print_options(console: Console, rows: Sequence[SizeRow], percentile: float | None) -> None:
    """What each goal would answer, beside the current size."""
    roomy = console.width >= ROOMY_WIDTH
    titles = ("", "memory", "mean duration" if roomy else "mean")
    table = _table(rows, titles, "$/million", percentile, roomy=roomy, signed=False)
    table.columns[0].justify = "left"
    _print_with_notes(console, table, rows, [] if roomy else [row.name for row in rows])


def _print_with_notes(
    console: Console, table: Table, rows: Sequence[SizeRow], names: Sequence[str]
) -> None:
    """The table; below it the notes on its rows by their names, where it had no room for them."""
    console.print(table)
    if note := percentile_note(row.percentile for row in rows):
        console.print(f"  {note}", style="dim")
    for name, row in zip(names, rows, strict=False):
        if row.notes:
            console.print(f"  {name}: {', '.join(row.notes)}")


def _print_pairs(
    console: Console, recommendation: Recommendation, variation: Variation, *, explain: bool
) -> None:
    rows: Sequence[SizeRow]
    rows = pair_rows(recommendation) if explain else main_pair_rows(recommendation)
    asked = recommendation.goal.percentile
    # What goes beside a percentile; without room, it goes below with the notes.
    width = console.width - (0 if asked is None else _PERCENTILE_WIDTH)
    roomy = width >= ROOMY_WIDTH
    million = "$/million" if width >= WIDE_WIDTH else "$/M"
    event = mean_of(variation).removeprefix("mean ")
    titles = [plain(variation.parameter.name), "memory", f"{event} (90%)" if roomy else event]
    costs = f"{million} {per_record(variation)}"
    table = _table(rows, titles, costs, asked if roomy else None, roomy=roomy)
    if asked is not None:
        rows = [
            replace(row, notes=(f"p{asked:g} {percentile_cell(row.percentile)}", *row.notes))
            for row in rows
        ]
    names = [f"{plain(row.name)}, {numbers.memory(row.memory_mb)}" for row in rows]
    _print_with_notes(console, table, rows, [] if roomy else names)


def _print_sizes(console: Console, recommendation: Recommendation) -> None:
    """The table; without room, notes on a size go below it."""
    rows, roomy = size_rows(recommendation), console.width >= ROOMY_WIDTH
    titles = ["memory", "mean (90%)" if roomy else "mean"]
    table = _table(rows, titles, "$/million", recommendation.goal.percentile, roomy=roomy)
    names = [] if roomy else [numbers.memory(row.memory_mb) for row in rows]
    _print_with_notes(console, table, rows, names)


def _table(
    rows: Sequence[SizeRow],
    titles: Sequence[str],
    costs: str,
    percentile: float | None,
    *,
    roomy: bool,
    signed: bool = True,
) -> Table:
    """Columns for the recommendation's sign, the titles (with one for names), a percentile if asked
    for, the costs, their changes, and notes if there is room. The sign is before the name if it has
    no column.
    """
    has_names = any(row.name for row in rows)
    asked = [] if percentile is None else [f"p{percentile:g}"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    if signed:
        table.add_column("")
    for title in (*titles, *asked, costs, "vs now"):
        table.add_column(title, justify="right", no_wrap=True)
    if roomy:
        table.add_column("")
    for row in rows:
        table.add_row(
            *(["▶" if row.recommended else ""] if signed else []),
            *([_named(row, signed=signed)] if has_names else []),
            numbers.memory(row.memory_mb),
            _duration_cell(row.duration_ms, roomy=roomy),
            *([percentile_cell(row.percentile)] if asked else []),
            numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
            row.change,
            *([", ".join(map(plain, row.notes))] if roomy else []),
            style="dim" if row.excluded else "bold" * row.recommended,
        )
    return table


def _named(row: SizeRow, *, signed: bool) -> str:
    return plain(row.name) if signed else f"{'▶' if row.recommended else ' '} {plain(row.name)}"


def _duration_cell(duration_ms: Interval | None, *, roomy: bool) -> str:
    text = numbers.known(duration_ms, numbers.duration)
    if duration_ms is None or not roomy:
        return text
    return f"{text} {numbers.spread(duration_ms):>5}"


def _print_remarks(console: Console, recommendation: Recommendation, *, more: str) -> None:
    """Findings by weight, and the most important assumptions."""
    remarks = Table.grid(padding=(0, 1, 0, 0))
    for finding in by_weight(recommendation.findings):
        style = _SEVERITY_STYLES[finding.severity]
        sign = Text(SIGNS[finding.severity], style)
        remarks.add_row(sign, Text(_held(finding.message), style))
    if elsewhere := break_even_line(recommendation):
        remarks.add_row("·", _held(elsewhere))
    if remarks.row_count:
        console.print(remarks)
    if recommendation.assumptions and more:
        console.print(_held(f"{assumption_line(recommendation)} {more}"), style="dim")


def _print_explanation(
    console: Console, recommendation: Recommendation, glyphs: Glyphs, style: str
) -> None:
    """Every size, the curves, and every assumption."""
    paired = recommendation.choice.parameters or recommendation.by_architecture
    if recommendation.sizes and not paired:
        console.print()
        _print_sizes(console, recommendation)
    if lines := draw_curves(recommendation, width=console.width - 1, glyphs=glyphs, style=style):
        console.print()
        for line in lines:
            console.print(line, soft_wrap=True)
    if recommendation.assumptions:
        console.print()
        console.print("Assumes:")
        for text in recommendation.assumptions:
            console.print(Padding(_held(text), (0, 0, 0, 2)))


def _held(text: str) -> str:
    """Text on one line, with numbers kept together with their units when it wraps."""
    return numbers.held(plain(text).strip(), _HELD_SPACE)
