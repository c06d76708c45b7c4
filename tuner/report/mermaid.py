"""Cost over memory as a Mermaid chart, which GitHub and GitLab draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.report.size_rows import size_rows

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation

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
