"""Answers as a notebook shows them: an HTML card with the verdict and one table.

Colors are the notebook's own, so it reads on a light and on a dark page. Styles are on the
elements, because notebook viewers remove style sheets.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from tuner.model.interval import counted
from tuner.report import breakeven, comparison, numbers, spend
from tuner.report.rows import by_weight, main_pair_rows, option_rows, per_record
from tuner.report.sanitize import plain
from tuner.report.wording import certainty, describe_function, goal_line, headline, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.comparison import Comparison
    from tuner.model.finding import Finding
    from tuner.model.recommendation import Recommendation
    from tuner.model.spend import Spend

_RULE: Final = "1px solid rgba(128,128,128,.45)"
_EDGES: Final = {"resize": "#d9730d", "keep": "#2e9e5b", "inconclusive": "#c29500"}
_NEUTRAL: Final = "#8a8f98"
_MOST_FINDINGS: Final = 4
_MOST_KEYS: Final = 12


def recommendation_card(answer: Recommendation) -> str:
    """The verdict, how sure it is, and cheapest, balanced and fastest (or the varied pairs)."""
    said = [text for text in (money(answer), certainty(answer), goal_line(answer)) if text]
    return _card(
        headline(answer),
        describe_function(answer),
        said,
        _options(answer),
        by_weight(answer.findings),
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
    """What changed, and the pairs; for a sweep and itself only that."""
    if found.kind == "same":
        return _card(comparison.headline(found), comparison.describe_side(found.a), [], "", ())
    rows = [(cells, False) for cells in comparison.pair_rows(found)]
    table = _table(comparison.HEAD, comparison.JUSTIFY, rows)
    sides = [f"{label} {comparison.describe_side(side)}" for label, side in found.sides]
    title, about = comparison.headline(found), comparison.KINDS[found.kind]
    return _card(title, about, sides, table, found.findings)


def spend_card(answer: Spend) -> str:
    """What it all cost, what moved it, and a row a key."""
    keys = spend.key_rows(answer, bars=True)[:_MOST_KEYS]
    table = _table(spend.key_head(answer), spend.KEY_JUSTIFY, [(each, False) for each in keys])
    said = spend.change_sentences(answer)
    about = spend.title(answer)
    return _card(f"Spend: {spend.summary(answer)}", about, said, table, answer.findings)


def _options(answer: Recommendation) -> str:
    """The options; if a parameter was varied, what is in use and the best size for each value."""
    head: tuple[str, ...] = ("", "size", "mean duration (90%)", "$/million", "vs now")
    rows = option_rows(answer)
    if not rows and answer.variation is not None:
        varied = answer.variation
        head = (varied.parameter.name, *head[1:3], f"$/million {per_record(varied)}", head[4])
        rows = main_pair_rows(answer)
    cells = []
    for row in rows:
        duration = numbers.with_spread(row.duration_ms, numbers.duration)
        cost = numbers.known(row.cost_usd_per_million, numbers.usd_per_million)
        name = f"▶ {row.name}" if row.recommended else row.name
        shown = (name, numbers.memory(row.memory_mb), duration, cost, row.change)
        cells.append((shown, row.recommended))
    return _table(head, "<>>>>", cells)


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
    """The most severe, and how many others there are."""
    grave = [each for each in findings if each.severity != "info"]
    for each in grave[:_MOST_FINDINGS]:
        yield f'<div style="margin-top:4px"><b>{each.severity}</b> {_text(each.message)}</div>'
    left = len(findings) - len(grave[:_MOST_FINDINGS])
    if left:
        note = f"{counted(left, 'more finding')} in .findings"
        yield f'<div style="opacity:.75;font-size:.9em;margin-top:4px">{note}</div>'


def _text(text: str) -> str:
    return html.escape(plain(text))
