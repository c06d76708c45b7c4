"""What `tuner live-check` saw, and two checks side by side, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, table_lines
from tuner.report.json import fields_json, headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.live_check import Assumption, CheckComparison, Difference, LiveCheck

_TITLES: Final = ("", "assumed", "seen", "")
_CELL: Final = 46
_SHOWN_STATES: Final = ("differs", "only in one")


def render(check: LiveCheck, *, after: int = 0, width: int = 100, encoding: str = "utf-8") -> str:
    """A table of the assumptions (those behind the first `after`), what wasn't seen, the sum."""
    rows = check.assumptions[after:]
    lines = [] if after else [_place(check), ""]
    lines += table_lines([_TITLES, *map(_cells, rows)], "<<<<")
    lines += ["", *_reasons(rows, width)]
    lines += [_sum(check), *([_bill(check)] if check.created else [])]
    return as_text(lines, encoding)


def render_comparison(comparison: CheckComparison, *, encoding: str = "utf-8") -> str:
    """A table of what differs, another of times and counts, and how much is the same."""
    first, second = comparison.first, comparison.second
    titles = ("", _word(first), _word(second), "")
    differing = [row for row in comparison.rows if row.state in _SHOWN_STATES]
    shown = [row for row in comparison.rows if row.state == "shown"]
    lines = [f"1: {_place(first)}", f"2: {_place(second)}", ""]
    if differing:
        lines += [*table_lines([titles, *map(_compared, differing)], "<<<<"), ""]
    if shown:
        lines += ["A place's own times and counts:"]
        lines += [*table_lines([titles, *map(_compared, shown)], "<>><"), ""]
    lines.append(
        f"{comparison.count('same')} the same, {comparison.count('differs')} differ, "
        f"{comparison.count('only in one')} only seen in one place."
    )
    return as_text(lines, encoding)


def comparison_json(comparison: CheckComparison) -> dict[str, Any]:
    """One object; rows that are the same are counted only."""
    head = ("environment", "region", "runtime", "made_at")
    return {
        **headed("live_check_comparison"),
        "first": fields_json(comparison.first, *head),
        "second": fields_json(comparison.second, *head),
        "same_count": comparison.count("same"),
        "differing_count": comparison.count("differs"),
        "rows": [
            fields_json(row, "what", "first", "second", "state")
            for row in comparison.rows
            if row.state != "same"
        ],
    }


def _place(check: LiveCheck) -> str:
    return f"{_word(check)} · {check.region} · {check.runtime} · {check.made_at}"


def _word(check: LiveCheck) -> str:
    return "AWS" if check.environment == "aws" else "local Lambda"


def _cells(row: Assumption) -> tuple[str, ...]:
    state = "" if row.state == "same" else row.state
    return (_cut(row.topic), _cut(row.assumed), _cut(row.seen), state)


def _compared(row: Difference) -> tuple[str, ...]:
    state = "" if row.state == "shown" else row.state
    return (plain(row.what), _cut(row.first), _cut(row.second), state)


def _cut(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _reasons(rows: Sequence[Assumption], width: int) -> list[str]:
    """What the table had no room for, of what doesn't simply hold."""
    texts = [
        f"! {plain(row.topic)}: {plain(row.seen)}"
        for row in rows
        if row.state != "same" and len(row.seen) > _CELL
    ]
    return [*paragraphs(texts, width, indent="  "), ""] if texts else []


def _sum(check: LiveCheck) -> str:
    states = [each.state for each in check.assumptions]
    text = f"{counted(len(states), 'assumption')}: {states.count('same')} hold"
    text += f", {states.count('differs')} differ, {states.count('not seen')} were not seen."
    return text if check.created else f"{text} Nothing was changed."


def _bill(check: LiveCheck) -> str:
    left = "nothing is left" if not check.left else f"left: {', '.join(check.left)}"
    what = "would have cost" if check.environment == "local" else "cost"
    return (
        f"It {what} ${check.cost_usd:.5f} (expected ${check.expected_cost_usd:.5f}) and took "
        f"{numbers.wall_time(check.wall_s)} · {left}"
    )
