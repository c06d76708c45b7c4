"""The answer as a person reads it in a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from tuner.report import chart, numbers
from tuner.report.foreign import plain
from tuner.report.frame import describe_function, describe_sweep, next_commands
from tuner.report.glyphs import fit_to, glyphs_for
from tuner.report.pair_rows import pair_rows, per_record
from tuner.report.size_rows import percent_now, percentile_cell, percentile_note, size_rows
from tuner.report.verdict import best_pair, certainty, cost_of_records, headline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation, SizeEstimate, Variation
    from tuner.report.glyphs import Glyphs
    from tuner.report.pair_rows import PairRow
    from tuner.report.size_rows import SizeRow

MIN_WIDTH: Final = 44
ROOMY_WIDTH: Final = 64
MAX_CHART_WIDTH: Final = 100
CHART_HEIGHT: Final = 7
_SEVERITY_SIGNS: Final = {"info": "·", "warning": "!", "error": "!!"}
_SEVERITY_STYLES: Final = {"info": "dim", "warning": "yellow", "error": "bold red"}
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
    source: str | None = None,
) -> str:
    """Return the whole answer, lines at most `width` columns wide (at least 44).

    `color` decides about escape sequences: without it there are none. Where `encoding` cannot show
    the signs, the text is plain ASCII. `source` is what `tuner report` finds the sweep by, if that
    is shorter than its file.
    """
    glyphs = glyphs_for(encoding)
    width = max(width, MIN_WIDTH)
    console, out = _console(width, color=color)
    _print_header(console, recommendation)
    console.print()
    _print_tables(console, recommendation, roomy=width >= ROOMY_WIDTH)
    if lines := _chart_lines(recommendation, min(width, MAX_CHART_WIDTH) - 1, glyphs):
        console.print()
        for line in lines:
            console.print(line, soft_wrap=True)
    console.print()
    _print_verdict(console, recommendation)
    _print_remarks(console, recommendation, source)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return fit_to(text, glyphs)


def _console(width: int, *, color: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    return console, out


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
    rows = pair_rows(recommendation)
    console.print(_pair_table(rows, recommendation.variation, roomy=roomy))
    for row in rows:
        if row.notes and not roomy:
            console.print(
                f"  {plain(row.value)}, {numbers.memory(row.memory_mb)}: {', '.join(row.notes)}"
            )


def _pair_table(rows: Sequence[PairRow], variation: Variation, *, roomy: bool) -> Table:
    costs = f"$/million {per_record(variation)}" if roomy else f"$/M {per_record(variation)}"
    titles = (
        plain(variation.parameter.name),
        "memory",
        "mean event (90 %)" if roomy else "event",
        costs,
        "vs now",
    )
    table = _empty_table(titles, roomy=roomy)
    for row in rows:
        cells = [
            "▶" if row.recommended else "",
            plain(row.value),
            numbers.memory(row.memory_mb),
            _duration_cell(row.duration_ms, roomy=roomy),
            numbers.usd_per_million(row.cost_usd_per_million_records.estimate),
            row.change,
        ]
        notes = [", ".join(map(plain, row.notes))] if roomy else []
        table.add_row(*cells, *notes, style="bold" if row.recommended else "")
    return table


def _print_sizes(console: Console, recommendation: Recommendation, *, roomy: bool) -> None:
    """The table; without room, what is to be said of a size stands below it."""
    rows = size_rows(recommendation)
    console.print(_table(rows, recommendation.goal.percentile, roomy=roomy))
    if note := percentile_note(row.percentile for row in rows):
        console.print(f"  {note}", style="dim")
    for row in rows:
        if row.notes and not roomy:
            console.print(f"  {numbers.memory(row.memory_mb)}: {', '.join(row.notes)}")


def _table(rows: Sequence[SizeRow], percentile: float | None, *, roomy: bool) -> Table:
    asked = [] if percentile is None else [f"p{percentile:g}"]
    titles = ("memory", "mean (90 %)" if roomy else "mean", *asked, "$/million", "vs now")
    table = _empty_table(titles, roomy=roomy)
    for row in rows:
        cells = [
            "▶" if row.recommended else "",
            numbers.memory(row.memory_mb),
            _duration_cell(row.duration_ms, roomy=roomy),
            *([percentile_cell(row.percentile)] if asked else []),
            _known(row.cost_usd_per_million, numbers.usd_per_million),
            percent_now(row),
        ]
        table.add_row(*cells, *([", ".join(row.notes)] if roomy else []), style=_row_style(row))
    return table


def _empty_table(titles: Sequence[str], *, roomy: bool) -> Table:
    """Columns for the sign of what is recommended, the titles, and notes where there is room."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    if roomy:
        table.add_column("")
    return table


def _duration_cell(duration_ms: Interval | None, *, roomy: bool) -> str:
    text = _known(duration_ms, numbers.duration)
    if duration_ms is None or not roomy:
        return text
    return f"{text} {numbers.spread(duration_ms):>6}"


def _known(interval: Interval | None, write: Callable[[float], str]) -> str:
    return "–" if interval is None else write(interval.estimate)


def _row_style(row: SizeRow) -> str:
    if row.excluded:
        return "dim"
    return "bold" if row.recommended else ""


def _chart_lines(recommendation: Recommendation, width: int, glyphs: Glyphs) -> list[str]:
    durations = _points(recommendation, lambda size: size.duration_ms.estimate)
    costs = _points(recommendation, lambda size: size.cost_usd_per_million.estimate)
    layout = {"width": width, "height": CHART_HEIGHT, "glyphs": glyphs}
    upper = chart.draw(durations, label=chart.duration_label, **layout)  # type: ignore[arg-type]
    lower = chart.draw(costs, label=chart.cost_label, **layout)  # type: ignore[arg-type]
    if not upper:
        return []
    legend = f"{glyphs.measured} measured   {glyphs.recommended} recommended   {glyphs.current} now"
    return [
        f"  mean duration, warm{_with_value(recommendation)}",
        *upper,
        f"  cost of a million invocations{_with_value(recommendation)}",
        *lower,
        *chart.draw_memory_axis(durations, width=width, glyphs=glyphs),
        *([f"  MB (log scale)   {legend}"] if width >= ROOMY_WIDTH - 1 else [f"  {legend}"]),
    ]


def _with_value(recommendation: Recommendation) -> str:
    """The value of a varied parameter that the curve is of."""
    return "".join(f", with {plain(n)} {plain(v)}" for n, v in recommendation.choice.parameters)


def _points(
    recommendation: Recommendation, value: Callable[[SizeEstimate], float]
) -> list[chart.Point]:
    return [
        chart.Point(
            size.memory_mb,
            value(size),
            measured=size.measured,
            recommended=size.memory_mb == recommendation.choice.memory_mb,
            current=size.memory_mb == recommendation.current.memory_mb,
        )
        for size in recommendation.curve
    ]


def _print_verdict(console: Console, recommendation: Recommendation) -> None:
    style = _VERDICT_STYLES[recommendation.choice.verdict]
    console.print(headline(recommendation), style=style)
    if sure := certainty(recommendation):
        console.print(f"  {sure}")
    for line in (cost_of_records(recommendation), best_pair(recommendation)):
        if line:
            console.print(f"  {line}")


def _print_remarks(console: Console, recommendation: Recommendation, source: str | None) -> None:
    for finding in recommendation.findings:
        sign = _SEVERITY_SIGNS[finding.severity]
        console.print(f"{sign} {plain(finding.message)}", style=_SEVERITY_STYLES[finding.severity])
    if recommendation.assumptions:
        assumed = "; ".join(plain(text) for text in recommendation.assumptions)
        console.print(f"Assumes {assumed}.", style="dim")
    for label, command in zip(
        ("Next:", "     "), next_commands(recommendation, source), strict=False
    ):
        console.print(f"{label} {command}", soft_wrap=True)
