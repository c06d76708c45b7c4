"""The answer as a comment on a pull request: a line, a small table, the rest folded away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.rows import (
    by_weight,
    mean_of,
    option_rows,
    pair_rows,
    per_record,
    percentile_cell,
    percentile_note,
    size_rows,
)
from tuner.report.sanitize import code_span, markdown, markdown_finding
from tuner.report.wording import (
    best_pair,
    certainty,
    cost_of_records,
    goal_line,
    headline,
    money,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tuner.model.recommendation import PercentileEstimate, Recommendation
    from tuner.report.rows import SizeRow


DROPPED_FIRST: Final = ("sizes", "assumptions", "findings")
"""What a comment can do without, in the order in which it is left out."""


def render(
    recommendation: Recommendation, *, change: str = "", without: Collection[str] = ()
) -> str:
    """Return GitHub- and GitLab-flavored Markdown; everything foreign in it is inert.

    `change` is Markdown of what would have to be changed; `without` names whole sections of
    DROPPED_FIRST to leave out.
    """
    varied = bool(recommendation.choice.parameters or recommendation.by_architecture)
    rows = option_rows(recommendation)
    sections = [
        ("", brief(recommendation)),
        ("", _options(recommendation, rows) if rows else _now_and_then(recommendation)),
        ("", markdown(_certainty(recommendation))),
        ("", markdown(cost_of_records(recommendation) or "")),
        ("", markdown(best_pair(recommendation) or "")),
        ("", change),
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
    """The verdict in one line with what it means in money, and whose it is."""
    verdict = f"**{markdown(headline(recommendation))}**"
    if gained := money(recommendation):
        verdict += f" {markdown(gained)}"
    return f"{verdict}\n\n{_subject(recommendation)}"


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


def _options(recommendation: Recommendation, rows: Sequence[SizeRow]) -> str:
    """Now, cheapest, balanced, fastest; p95, or the percentile asked for, where it is known."""
    asked = recommendation.goal.percentile or 95.0
    found = [recommendation.percentile(row.memory_mb, asked, row.architecture) for row in rows]
    known = any(each is not None for each in found)
    name = f"p{asked:g}" if known else None
    table = [
        _row("", "memory", "mean duration", name, "$ per million", "vs now", ""),
        f"|---|--:|--:|{'--:|' if known else ''}--:|--:|---|",
    ]
    for row, percentile in zip(rows, found, strict=True):
        name = f"▶ **{row.name}**" if row.recommended else row.name
        shown = replace(row, percentile=percentile)
        duration = numbers.known(row.duration_ms, numbers.duration)
        table.append(_size(shown, row.notes, name=name, duration=duration, with_percentile=known))
    note = percentile_note(found)
    return "\n".join(table) + (f"\n\n<sub>{markdown(note)}</sub>" if note else "")


def _now_and_then(recommendation: Recommendation) -> str:
    """The current and the recommended pair, or what is known of the current size alone."""
    choice, current = recommendation.choice, recommendation.current
    lines = [
        _row("", "memory", "mean duration", "$ per million"),
        "|---|--:|--:|--:|",
        _row(
            "now",
            f"{numbers.memory(current.memory_mb)}{_values(current.parameters)}",
            numbers.known(current.duration_ms, numbers.duration),
            numbers.known(current.cost_usd_per_million, numbers.usd_per_million),
        ),
    ]
    moves = choice.verdict == "resize" or choice.parameters != current.parameters
    if moves and choice.memory_mb is not None:
        lines.append(
            _row(
                "▶ **recommended**",
                f"**{numbers.memory(choice.memory_mb)}**{_values(choice.parameters)}",
                numbers.known(choice.duration_ms, numbers.duration),
                numbers.known(choice.cost_usd_per_million, numbers.usd_per_million),
            )
        )
    return "\n".join(lines)


def _row(*cells: str | None) -> str:
    """A row of a table; a cell of a column that is not shown is None."""
    return "|" + "".join(f" {each} |" if each else " |" for each in cells if each is not None)


def _percentile(found: PercentileEstimate | None, *, known: bool) -> str | None:
    """A cell, where the column is shown; it does not break at its unit."""
    return _unbroken(percentile_cell(found).replace("~", "\\~")) if known else None


def _sizes(recommendation: Recommendation) -> str:
    asked = recommendation.goal.percentile
    name = None if asked is None else f"p{asked:g}"
    table = [
        _row("memory", "mean duration (90%)", name, "$ per million", "vs now", ""),
        f"|--:|--:|{'--:|' if asked else ''}--:|--:|---|",
    ]
    for row in size_rows(recommendation):
        marked = row.recommended and not row.current
        notes = [*(["**recommended**"] if marked else []), *row.notes]
        table.append(_size(row, notes, with_percentile=asked is not None))
    return _folded(f"Sizes ({_spent(recommendation)})", "\n".join(table))


def _values(parameters: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f", {code_span(name, in_table=True)} {markdown(value)}" for name, value in parameters
    )


def _pairs(recommendation: Recommendation) -> str:
    """The table of pairs, where a parameter was varied."""
    variation = recommendation.variation
    if variation is None:
        return ""
    name = code_span(variation.parameter.name, in_table=True)
    asked = recommendation.goal.percentile
    percentile = None if asked is None else f"p{asked:g}"
    costs = f"$ per million {per_record(variation)}"
    table = [
        _row(name, "memory", f"{mean_of(variation)} (90%)", percentile, costs, "vs now", ""),
        f"|--:|--:|--:|{'--:|' if asked else ''}--:|--:|---|",
    ]
    for row in pair_rows(recommendation):
        notes = [*(["**recommended**"] if row.recommended else []), *map(markdown, row.notes)]
        value = markdown(row.name)
        table.append(_size(row, notes, name=value, with_percentile=asked is not None))
    return _folded(f"Sizes with each value ({_spent(recommendation)})", "\n".join(table))


def _size(
    row: SizeRow,
    notes: Sequence[str],
    *,
    name: str | None = None,
    duration: str | None = None,
    with_percentile: bool = False,
) -> str:
    """One row; its duration with the interval, unless another text is given."""
    if duration is None:
        duration = numbers.with_spread(row.duration_ms, numbers.duration)
    return _row(
        name,
        _unbroken(numbers.memory(row.memory_mb)),
        _unbroken(duration),
        _percentile(row.percentile, known=with_percentile),
        numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
        _unbroken(row.change),
        ", ".join(notes),
    )


def _spent(recommendation: Recommendation) -> str:
    sweep = recommendation.sweep
    return f"{counted(sweep.invocation_count, 'invocation')}, {numbers.usd(sweep.cost_usd)}"


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _findings(recommendation: Recommendation) -> str:
    """Warnings, errors and where to run it are open; what is only good to know is folded away."""
    open_lines: list[str] = []
    folded_lines: list[str] = []
    for each in by_weight(recommendation.findings):
        is_open = each.severity != "info" or each.code == "platform"
        (open_lines if is_open else folded_lines).append(markdown_finding(each))
    folded = _folded("Findings", "\n".join(folded_lines)) if folded_lines else ""
    return "\n\n".join(filter(None, ("\n".join(open_lines), folded)))


def _assumptions(recommendation: Recommendation) -> str:
    if not recommendation.assumptions:
        return ""
    assumed = "; ".join(markdown(text) for text in recommendation.assumptions)
    return _folded("Assumptions", f"Assumes {assumed}.")


def _unbroken(cell: str) -> str:
    """A cell that breaks nowhere: a figure stays with its unit."""
    return cell.replace(" ", "\u00a0")
