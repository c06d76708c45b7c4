"""The curves of an answer in a terminal: duration above cost, with their marks and a legend."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rich.text import Text

from tuner.report import chart
from tuner.report.foreign import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.recommendation import Recommendation, SizeEstimate
    from tuner.report.glyphs import Glyphs

HEIGHT: Final = 7
_LEGEND_WIDTH: Final = 63


def draw_curves(
    recommendation: Recommendation, *, width: int, glyphs: Glyphs, style: str
) -> list[Text]:
    """Lines of at most `width` columns, none without a curve; `style` is of what is recommended."""
    durations = _points(recommendation, lambda size: size.duration_ms.estimate)
    costs = _points(recommendation, lambda size: size.cost_usd_per_million.estimate)
    plot = partial(chart.draw, width=width, height=HEIGHT, glyphs=glyphs)
    upper = plot(durations, label=chart.duration_label)
    lower = plot(costs, label=chart.cost_label)
    if not upper:
        return []
    marks = {glyphs.measured: "bold", glyphs.recommended: style, glyphs.current: "bold magenta"}
    value = _with_value(recommendation)
    return [
        Text(f"  mean duration, warm{value}", "bold"),
        *(_plot_line(line, glyphs.axis_y, marks) for line in upper),
        Text(f"  cost of a million invocations{value}", "bold"),
        *(_plot_line(line, glyphs.axis_y, marks) for line in lower),
        *(
            Text(line, "dim")
            for line in chart.draw_memory_axis(durations, width=width, glyphs=glyphs)
        ),
        _legend(marks, with_unit=width >= _LEGEND_WIDTH),
    ]


def _plot_line(line: str, axis: str, marks: dict[str, str]) -> Text:
    """Colour the marks, and keep the axis in the background."""
    label, _, plot = line.partition(axis)
    text = Text().append(label + axis, "dim")
    for char in plot:
        text.append(char, marks.get(char))
    return text


def _legend(marks: dict[str, str], *, with_unit: bool) -> Text:
    text = Text("  MB (log scale)   " if with_unit else "  ")
    for (mark, style), word in zip(marks.items(), ("measured", "recommended", "now"), strict=True):
        text.append(mark, style)
        text.append(f" {word}   ")
    text.rstrip()
    return text


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
