"""Answers as a notebook shows them: a card of HTML with the verdict and one table.

Colors are the notebook's own, so that it reads on a light and on a dark page. Styles stand on the
elements, since what shows notebooks takes style sheets out.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from tuner.report import breakeven, comparison, numbers
from tuner.report.rows import option_rows, pair_rows, per_record
from tuner.report.sanitize import plain
from tuner.report.wording import certainty, describe_function, goal_line, headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.comparison import Comparison
    from tuner.model.finding import Finding
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation

_RULE: Final = "1px solid rgba(128,128,128,.45)"
_EDGES: Final = {"resize": "#d9730d", "keep": "#2e9e5b", "inconclusive": "#c29500"}
_NEUTRAL: Final = "#8a8f98"
_OPTION_HEAD: Final = ("", "size", "mean duration (90 %)", "$/million", "vs now")
_MOST_FINDINGS: Final = 4


def recommendation_card(answer: Recommendation) -> str:
    """The verdict, how sure it is, and cheapest, balanced and fastest (or the varied pairs)."""
    said = [text for text in (certainty(answer), goal_line(answer)) if text]
    return _card(
        headline(answer),
        describe_function(answer),
        said,
        _table(*_options(answer)),
        answer.findings,
        edge=_EDGES[answer.choice.verdict],
    )


def break_even_card(answer: BreakEven) -> str:
    """The verdict and what each platform costs."""
    rows = [(breakeven.platform_cells(each), False) for each in answer.platforms]
    table = _table(breakeven.TITLES, breakeven.JUSTIFY, rows)
    about = f"{answer.function_name} · {answer.region} · {answer.architecture}"
    said = [breakeven.describe_work(answer)]
    return _card(breakeven.headline(answer), about, said, table, answer.findings)


def comparison_card(found: Comparison) -> str:
    """What changed, and the pairs."""
    rows = [(cells, False) for cells in comparison.pair_rows(found)]
    table = _table(comparison.HEAD, comparison.JUSTIFY, rows)
    sides = [f"{label} {comparison.describe_side(side)}" for label, side in found.sides]
    title, about = comparison.headline(found), comparison.KINDS[found.kind]
    return _card(title, about, sides, table, found.findings)


def _options(
    answer: Recommendation,
) -> tuple[Sequence[str], str, Iterable[tuple[Sequence[str], bool]]]:
    """Titles, how columns are justified, and rows with whether each is recommended.

    Where a parameter was varied: what is in use, and the size that is best with each value.
    """
    rows = [
        (
            (
                row.name,
                numbers.memory(row.memory_mb),
                _spread(row.duration_ms),
                numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
                row.change,
            ),
            row.recommended,
        )
        for row in option_rows(answer)
    ]
    if rows or answer.variation is None:
        return _OPTION_HEAD, "<>>>>", rows
    name, unit = plain(answer.variation.parameter.name), per_record(answer.variation)
    current = (answer.variation.parameter.current, answer.current.memory_mb)
    shown = {(each.value, each.memory_mb) for each in answer.variation.values} | {current}
    pairs = [
        (
            (
                row.value,
                numbers.memory(row.memory_mb),
                _spread(row.duration_ms),
                numbers.usd_per_million(row.cost_usd_per_million_records.estimate),
                row.change,
            ),
            row.recommended,
        )
        for row in pair_rows(answer)
        if row.recommended or (row.value, row.memory_mb) in shown
    ]
    return (name, *_OPTION_HEAD[1:3], f"$/million {unit}", "vs now"), "<>>>>", pairs


def _spread(interval: Interval | None) -> str:
    if interval is None:
        return numbers.known(None, numbers.duration)
    return f"{numbers.duration(interval.estimate)} {numbers.spread(interval)}"


def _card(
    title: str,
    about: str,
    said: Iterable[str],
    table: str,
    findings: Sequence[Finding],
    *,
    edge: str = _NEUTRAL,
) -> str:
    word, colon, rest = title.partition(":")
    verdict = f"<b>{_text(word)}{colon}</b>{_text(rest)}"
    parts = [
        f'<div style="opacity:.75;font-size:.9em">{_text(about)}</div>',
        f'<div style="font-size:1.15em;margin:2px 0 4px">{verdict}</div>',
        *(f'<div style="opacity:.85">{_text(line[0].upper() + line[1:])}</div>' for line in said),
        table,
        *_findings(findings),
    ]
    style = (
        f"border:{_RULE};border-left:5px solid {edge};border-radius:6px;padding:10px 14px;"
        "margin:4px 0;max-width:960px;line-height:1.45"
    )
    return f'<div style="{style}">{"".join(parts)}</div>'


def _table(head: Sequence[str], justify: str, rows: Iterable[tuple[Sequence[str], bool]]) -> str:
    lines = [_row("th", head, justify)]
    lines += [_row("td", cells, justify, strong=strong) for cells, strong in rows]
    if len(lines) == 1:
        return ""
    style = (
        "border-collapse:collapse;margin:8px 0;font-size:.95em;color:inherit;"
        "font-variant-numeric:tabular-nums"
    )
    return f'<div style="overflow-x:auto"><table style="{style}">{"".join(lines)}</table></div>'


def _row(tag: str, cells: Sequence[str], justify: str, *, strong: bool = False) -> str:
    weight = "600" if strong else "400"
    written = (
        f'<{tag} style="text-align:{"left" if side == "<" else "right"};font-weight:{weight};'
        f'padding:3px 12px 3px 0;border:0;border-bottom:{_RULE};white-space:nowrap">'
        f"{_text(cell)}</{tag}>"
        for cell, side in zip(cells, justify, strict=True)
    )
    return f'<tr style="background:transparent">{"".join(written)}</tr>'


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """The gravest, and how many there are beside them."""
    grave = [each for each in findings if each.severity != "info"]
    for each in grave[:_MOST_FINDINGS]:
        yield f'<div style="margin-top:4px"><b>{each.severity}</b> {_text(each.message)}</div>'
    left = len(findings) - len(grave[:_MOST_FINDINGS])
    if left:
        note = f"{left} more finding{'s' if left > 1 else ''} in .findings"
        yield f'<div style="opacity:.75;font-size:.9em;margin-top:4px">{note}</div>'


def _text(text: str) -> str:
    return html.escape(plain(text))
