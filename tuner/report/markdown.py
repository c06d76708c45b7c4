"""The answer as a comment on a pull request: a line, a small table, the rest folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.report import numbers
from tuner.report.rows import (
    option_rows,
    pair_rows,
    per_record,
    percent_now,
    percentile_cell,
    percentile_note,
    size_rows,
)
from tuner.report.sanitize import code_span, markdown, markdown_finding
from tuner.report.wording import best_pair, certainty, cost_of_records, goal_line, headline

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tuner.model.recommendation import PercentileEstimate, Recommendation
    from tuner.report.rows import PairRow, SizeRow


DROPPED_FIRST: Final = ("chart", "sizes", "other goals", "assumptions", "findings")
"""What a comment can do without, in the order in which it is left out."""


def render(
    recommendation: Recommendation, *, change: str = "", without: Collection[str] = ()
) -> str:
    """Return GitHub- and GitLab-flavoured Markdown; everything foreign in it is inert.

    `change` is Markdown of what would have to be changed; `without` names whole sections of
    DROPPED_FIRST to leave out.
    """
    varied = bool(recommendation.choice.parameters)
    sections = [
        ("", brief(recommendation)),
        ("", _comparison(recommendation)),
        ("", _certainty(recommendation)),
        ("", markdown(cost_of_records(recommendation) or "")),
        ("", markdown(best_pair(recommendation) or "")),
        ("", change),
        ("other goals", _options(recommendation)),
        ("chart", "" if varied else cost_chart(recommendation)),
        ("sizes", "" if varied else _sizes(recommendation)),
        ("sizes", _pairs(recommendation)),
        ("findings", _findings(recommendation)),
        ("assumptions", _assumptions(recommendation)),
    ]
    return "\n\n".join(text for name, text in sections if text and name not in without) + "\n"


def _certainty(recommendation: Recommendation) -> str:
    """How sure it is, and under which goal."""
    sure = certainty(recommendation) or ""
    return f"{sure[:1].upper()}{sure[1:]} {goal_line(recommendation)}".strip()


def brief(recommendation: Recommendation) -> str:
    """The verdict in one line, and whose it is."""
    return f"**{markdown(headline(recommendation))}**\n\n{_subject(recommendation)}"


def _subject(recommendation: Recommendation) -> str:
    function = recommendation.function
    local = recommendation.environment == "local"
    parts = (
        code_span(function.name),
        "measured locally" if local else code_span(function.region),
        code_span(f"{function.runtime or 'container image'} {function.architecture}"),
        f"code {code_span(function.code_sha256[:7])}",
    )
    return " · ".join(parts)


def _comparison(recommendation: Recommendation) -> str:
    """Now and recommended; p95, or the percentile that was asked for, where it is known."""
    choice, current = recommendation.choice, recommendation.current
    asked = recommendation.goal.percentile or 95.0
    now, then = (
        None if size is None or choice.parameters else recommendation.percentile(size, asked)
        for size in (current.memory_mb, choice.memory_mb)
    )
    known = now is not None or then is not None
    name = f"p{asked:g}" if known else None
    lines = [
        _row("", "memory", "mean duration", name, "$ per million", "saving (90 %)"),
        f"|---|--:|--:|{'--:|' if known else ''}--:|---|",
        _row(
            "now",
            f"{numbers.memory(current.memory_mb)}{_values(current.parameters)}",
            numbers.known(current.duration_ms, numbers.duration),
            _percentile(now, known=known),
            numbers.known(current.cost_usd_per_million, numbers.usd_per_million),
            "",
        ),
    ]
    moves = choice.verdict == "resize" or choice.parameters != current.parameters
    if moves and choice.memory_mb is not None:
        lines.append(
            _row(
                "**recommended**",
                f"**{numbers.memory(choice.memory_mb)}**{_values(choice.parameters)}",
                numbers.known(choice.duration_ms, numbers.duration),
                _percentile(then, known=known),
                numbers.known(choice.cost_usd_per_million, numbers.usd_per_million),
                "–" if choice.saving_ratio is None else numbers.saving(choice.saving_ratio),
            )
        )
    note = percentile_note([now, then])
    return "\n".join(lines) + (f"\n\n<sub>{markdown(note)}</sub>" if note else "")


def _row(*cells: str | None) -> str:
    """A row of a table; a cell of a column that is not shown is None."""
    return "|" + "".join(f" {each} |" if each else " |" for each in cells if each is not None)


def _percentile(found: PercentileEstimate | None, *, known: bool) -> str | None:
    """A cell, where the column is shown; it does not break at its unit."""
    return _unbroken(percentile_cell(found).replace("~", "\\~")) if known else None


def _options(recommendation: Recommendation) -> str:
    """What each goal would answer, beside the current size."""
    rows = option_rows(recommendation)
    if not rows:
        return ""
    lines = [
        _row("", "memory", "mean duration", "$ per million", "vs now", ""),
        "|---|--:|--:|--:|--:|---|",
        *(
            _row(
                f"▶ **{row.name}**" if row.recommended else row.name,
                _unbroken(numbers.memory(row.memory_mb)),
                _unbroken(numbers.known(row.duration_ms, numbers.duration)),
                numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
                _unbroken(row.change),
                row.note,
            )
            for row in rows
        ),
    ]
    table = "\n".join(lines)
    return f"<details><summary>Cheapest, balanced, fastest</summary>\n\n{table}\n\n</details>"


def _sizes(recommendation: Recommendation) -> str:
    asked = recommendation.goal.percentile
    name = None if asked is None else f"p{asked:g}"
    sweep = recommendation.sweep
    spent = f"{sweep.invocation_count} invocations, {numbers.usd(sweep.cost_usd)}"
    rows = [
        _row("memory", "mean duration (90 %)", name, "$ per million", "vs now", ""),
        f"|--:|--:|{'--:|' if asked else ''}--:|--:|---|",
        *(_size(row, with_percentile=asked is not None) for row in size_rows(recommendation)),
    ]
    table = "\n".join(rows)
    return f"<details><summary>Sizes ({spent})</summary>\n\n{table}\n\n</details>"


def _values(parameters: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f", {code_span(name, in_table=True)} {markdown(value)}" for name, value in parameters
    )


def _pairs(recommendation: Recommendation) -> str:
    """The table of pairs, where a parameter was varied."""
    variation = recommendation.variation
    if variation is None:
        return ""
    name, sweep = code_span(variation.parameter.name, in_table=True), recommendation.sweep
    spent = f"{sweep.invocation_count} invocations, {numbers.usd(sweep.cost_usd)}"
    asked = recommendation.goal.percentile
    percentile = None if asked is None else f"p{asked:g}"
    rows = [
        _row(
            name, "memory", "mean event (90 %)", percentile,
            f"$ per million {per_record(variation)}", "vs now", "",
        ),
        f"|--:|--:|--:|{'--:|' if asked else ''}--:|--:|---|",
        *(_pair(row, with_percentile=asked is not None) for row in pair_rows(recommendation)),
    ]  # fmt: skip
    table = "\n".join(rows)
    return f"<details><summary>Sizes with each value ({spent})</summary>\n\n{table}\n\n</details>"


def _pair(row: PairRow, *, with_percentile: bool) -> str:
    spread = numbers.spread(row.duration_ms)
    duration = _unbroken(f"{numbers.duration(row.duration_ms.estimate)} {spread}")
    cost = numbers.usd_per_million(row.cost_usd_per_million_records.estimate)
    memory = _unbroken(numbers.memory(row.memory_mb))
    notes = [*(["**recommended**"] if row.recommended else []), *map(markdown, row.notes)]
    return _row(
        markdown(row.value),
        memory,
        duration,
        _percentile(row.percentile, known=with_percentile),
        cost,
        _unbroken(row.change),
        ", ".join(notes),
    )


def _size(row: SizeRow, *, with_percentile: bool) -> str:
    duration = numbers.known(row.duration_ms, numbers.duration)
    if row.duration_ms is not None:
        duration = _unbroken(f"{duration} {numbers.spread(row.duration_ms)}")
    cost = numbers.known(row.cost_usd_per_million, numbers.usd_per_million)
    marked = row.recommended and not row.current
    return _row(
        _unbroken(numbers.memory(row.memory_mb)),
        duration,
        _percentile(row.percentile, known=with_percentile),
        cost,
        _unbroken(percent_now(row)),
        ", ".join([*(["**recommended**"] if marked else []), *row.notes]),
    )


def _findings(recommendation: Recommendation) -> str:
    """Warnings, errors and where to run it stand open; what is only good to know is folded away."""
    lines = [
        (
            finding.severity != "info" or finding.code == "platform",
            markdown_finding(finding),
        )
        for finding in recommendation.findings
    ]
    shown = "\n".join(line for stands_open, line in lines if stands_open)
    folded = "\n".join(line for stands_open, line in lines if not stands_open)
    if folded:
        folded = f"<details><summary>Findings</summary>\n\n{folded}\n\n</details>"
    return "\n\n".join(text for text in (shown, folded) if text)


def _assumptions(recommendation: Recommendation) -> str:
    if not recommendation.assumptions:
        return ""
    assumed = "; ".join(markdown(text) for text in recommendation.assumptions)
    return f"<details><summary>Assumptions</summary>\n\nAssumes {assumed}.\n\n</details>"


def _unbroken(cell: str) -> str:
    """A cell that breaks nowhere: a figure stays with its unit."""
    return cell.replace(" ", "\u00a0")


_COLOUR: Final = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#0969da"}}}}%%'
"""Mermaid's own first colour is all but white; this one reads on light and dark."""


def cost_chart(recommendation: Recommendation) -> str:
    """A fenced `xychart-beta` block of the table's sizes; empty with fewer than three.

    The sizes are categories: xychart-beta has no logarithmic axis. It holds numbers alone.
    """
    rows = [
        (row.memory_mb, row.cost_usd_per_million.estimate)
        for row in size_rows(recommendation)
        if row.cost_usd_per_million is not None
    ]
    if len(rows) < 3:
        return ""
    sizes = ", ".join(f'"{memory_mb}"' for memory_mb, _ in rows)
    costs = ", ".join(f"{cost:.2f}" for _, cost in rows)
    top = max(cost for _, cost in rows) * 1.05
    return (
        f"```mermaid\n{_COLOUR}\nxychart-beta\n"
        '    title "Cost over memory"\n'
        f'    x-axis "memory (MB)" [{sizes}]\n'
        f'    y-axis "$ per million" 0 --> {top:.2f}\n'
        f"    line [{costs}]\n```"
    )
