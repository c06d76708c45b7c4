"""The comparison at the head of a page: its words, and what its charts are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.report import comparison, numbers
from tuner.report.page.chart_data import curve_data
from tuner.report.page.sections import findings
from tuner.report.page.tables import Row, Table

if TYPE_CHECKING:
    from tuner.model.comparison import Comparison


def comparison_section(found: Comparison) -> dict[str, Any]:
    """What the template `comparison.html.j2` places."""
    line = comparison.headline(found)
    titles = ("what", "size of A", "size of B", "A", "B", "change (90 %)", "real?")
    sizes = comparison.size_rows(found)
    return {
        "title": comparison.KINDS[found.kind],
        "verdict_word": line.partition(":")[0],
        "headline": line.partition(": ")[2],
        "sides": [
            (label, comparison.describe_side(side), number)
            for number, (label, side) in enumerate((("A", found.a), ("B", found.b)))
        ],
        "pairs": Table(titles, tuple(Row(cells) for cells in comparison.pair_rows(found))),
        "sizes": Table(("size", *titles[3:]), tuple(Row((cells[0], *cells[3:])) for cells in sizes))
        if sizes
        else None,
        "caption": _caption(found),
        "findings": findings(found.findings),
        "assumptions": found.assumptions,
    }


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Both curves over the sizes that both sides estimate, and the change at each in words."""
    now = found.pair("now")
    return {
        "a": curve_data(found.a.curve),
        "b": curve_data(found.b.curve),
        "start": found.b.function.memory_mb if now is None else now.b_memory_mb,
        "readouts": [
            [
                f"A {numbers.duration(a.duration_ms.estimate)}",
                f"B {numbers.duration(b.duration_ms.estimate)}",
                f"time {' '.join(comparison.change_cells(duration))}",
                f"cost {' '.join(comparison.change_cells(cost))}",
            ]
            for a, b, (duration, cost) in zip(
                found.a.curve, found.b.curve, found.by_size, strict=True
            )
        ],
    }


def _caption(found: Comparison) -> str:
    first, last = found.by_size[0][0], found.by_size[-1][0]
    low, high = found.a.curve[0].memory_mb, found.a.curve[-1].memory_mb
    return (
        f"B against A: {comparison.change_cells(first)[0]} at {low} MB, "
        f"{comparison.change_cells(last)[0]} at {high} MB."
    )
