"""Duration above cost over memory, drawn with characters: braille dots, or ASCII."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from rich.text import Text

from tuner.report import numbers
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.model.recommendation import Recommendation, SizeEstimate
    from tuner.report.console import Glyphs


LABEL_WIDTH: Final = 10
MIN_PLOT_WIDTH: Final = 16
_DOT_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot in a braille cell, [row][column] (Unicode, "Braille Patterns")."""


@dataclass(frozen=True, slots=True)
class Point:
    """One size on the chart, in the unit of its axis."""

    memory_mb: int
    value: float
    measured: bool = False
    recommended: bool = False
    current: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to 0…1, linearly or by logarithm."""

    low: float
    high: float
    logarithmic: bool

    def position(self, value: float) -> float:
        """The value's place between the ends."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(value)
        return 0.5 if high == low else min(max((at - low) / (high - low), 0.0), 1.0)

    def value(self, position: float) -> float:
        """The value at a place between the ends."""
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** position)
        return self.low + (self.high - self.low) * position


def draw(
    points: Sequence[Point],
    *,
    label: Callable[[float], str],
    width: int,
    height: int,
    glyphs: Glyphs,
) -> list[str]:
    """Lines of one plot with its vertical axis: a curve through the points, and their marks.

    `width` is the whole line's, `height` counts cells. The horizontal axis is log 2 of memory.
    Fewer than two sizes make no picture: the result is empty.
    """
    points = sorted(points, key=lambda point: point.memory_mb)
    if len(points) < 2:
        return []
    plot_width = max(width - LABEL_WIDTH - 2, MIN_PLOT_WIDTH)
    across = memory_axis(points)
    up = _value_axis(points)
    wide, high = (2, 4) if glyphs.braille else (1, 1)
    curve = []
    for x in range(plot_width * wide):
        value = _value_at(points, across.value(x / (plot_width * wide - 1)))
        curve.append(round((1 - up.position(value)) * (height * high - 1)))
    cells = [[" "] * plot_width for _ in range(height)]
    if glyphs.braille:
        _draw_braille(cells, curve)
    else:
        for x, y in enumerate(curve):
            cells[y][x] = "*"
    for point in sorted(points, key=lambda point: (point.current, point.recommended)):
        if mark := _mark(point, glyphs):
            # In the cell of the curve's own dot, so that a mark is on its curve.
            column = round(across.position(point.memory_mb) * (plot_width * wide - 1)) // wide
            row = round((1 - up.position(point.value)) * (height * high - 1)) // high
            cells[row][column] = mark
    return labelled(cells, up, label, glyphs)


def labelled(
    cells: Sequence[Sequence[str]], up: Axis, label: Callable[[float], str], glyphs: Glyphs
) -> list[str]:
    """A plot's lines behind its vertical axis, with labels at both ends and in the middle."""
    last = len(cells) - 1
    lines = []
    for row, line in enumerate(cells):
        is_labelled = row in {0, len(cells) // 2, last}
        text = label(up.value(1 - row / last)) if is_labelled else ""
        lines.append(f"{text:>{LABEL_WIDTH}} {glyphs.axis_y}{''.join(line)}")
    return lines


def draw_memory_axis(points: Sequence[Point], *, width: int, glyphs: Glyphs) -> list[str]:
    """Two lines: the horizontal axis with its ticks, and the sizes below them, in MB."""
    plot_width = max(width - LABEL_WIDTH - 2, MIN_PLOT_WIDTH)
    across = memory_axis(points)
    axis = [glyphs.axis_x] * plot_width
    labels = [" "] * (plot_width + 4)
    free_from = 0
    for memory_mb in _ticks(across):
        column = round(across.position(memory_mb) * (plot_width - 1))
        text = str(memory_mb)
        start = max(column - len(text) // 2, 0)
        axis[column] = glyphs.tick
        if start >= free_from and start + len(text) <= len(labels):
            labels[start : start + len(text)] = text
            free_from = start + len(text) + 1
    margin = " " * (LABEL_WIDTH + 1)
    return [f"{margin}{glyphs.corner}{''.join(axis)}", f"{margin} {''.join(labels)}".rstrip()]


def memory_axis(points: Sequence[Point]) -> Axis:
    """Log axis from the smallest to the largest size."""
    sizes = [point.memory_mb for point in points]
    return Axis(min(sizes), max(sizes), logarithmic=True)


def _value_axis(points: Sequence[Point]) -> Axis:
    """From the smallest to the largest value; logarithmic if they are over eight-fold apart."""
    values = [point.value for point in points]
    low, high = min(values), max(values)
    if low > 0 and high / low > 8:
        return Axis(low, high, logarithmic=True)
    # A nearly flat curve is drawn flat: its range is at least a tenth of its level.
    room = max(high / 10 - (high - low), 0) / 2
    return Axis(low - room, high + room, logarithmic=False)


def _draw_braille(cells: list[list[str]], curve: Sequence[int]) -> None:
    """Draw a row of dots for each of their columns; steep parts are joined to stay a line."""
    bits = [[0] * len(line) for line in cells]
    previous = curve[0]
    for x, y in enumerate(curve):
        first = min(y, previous + 1) if y > previous else y
        last = max(y, previous - 1) if y < previous else y
        for dot in range(first, last + 1):
            bits[dot // 4][x // 2] |= _DOT_BITS[dot % 4][x % 2]
        previous = y
    for row, line in enumerate(bits):
        cells[row] = [chr(0x2800 + cell) if cell else " " for cell in line]


def _value_at(points: Sequence[Point], memory_mb: float) -> float:
    """Value between two neighbors, linear in log 2 of memory."""
    for left, right in itertools.pairwise(points):
        if memory_mb <= right.memory_mb:
            share = Axis(left.memory_mb, right.memory_mb, logarithmic=True).position(memory_mb)
            return left.value + (right.value - left.value) * share
    return points[-1].value


def _mark(point: Point, glyphs: Glyphs) -> str | None:
    if point.recommended:
        return glyphs.recommended
    if point.current:
        return glyphs.current
    return glyphs.measured if point.measured else None


def _ticks(across: Axis) -> list[int]:
    first, last = int(across.low), int(across.high)
    powers = [2**power for power in range(5, 15) if first < 2**power < last]
    return [first, *powers, last]


def duration_label(value_ms: float) -> str:
    """Label of the duration's axis."""
    return numbers.duration(max(value_ms, 0))


def cost_label(value: float) -> str:
    """Label of the cost's axis, dollars per million."""
    return f"${numbers.usd_per_million(max(value, 0))}"


HEIGHT: Final = 7
_LEGEND_WIDTH: Final = 63


def draw_curves(
    recommendation: Recommendation, *, width: int, glyphs: Glyphs, style: str
) -> list[Text]:
    """Lines of at most `width` columns, none without a curve, for each architecture if several were
    compared; `style` marks the recommendation.
    """
    drawn = partial(_drawn, width=width, glyphs=glyphs, style=style)
    now_mb, chosen_mb = recommendation.current.memory_mb, recommendation.choice.memory_mb
    if not recommendation.by_architecture:
        title = _with_value(recommendation)
        return drawn(recommendation.curve, now_mb=now_mb, chosen_mb=chosen_mb, title=title)
    lines = []
    for each in recommendation.by_architecture:
        in_use = each.architecture == recommendation.function.architecture
        is_chosen = each.architecture == recommendation.architecture
        lines += drawn(
            each.curve,
            now_mb=now_mb if in_use else None,
            chosen_mb=chosen_mb if is_chosen else None,
            title=f", on {each.architecture}",
        )
    return lines


def _drawn(
    curve: Sequence[SizeEstimate],
    *,
    now_mb: int | None,
    chosen_mb: int | None,
    title: str,
    width: int,
    glyphs: Glyphs,
    style: str,
) -> list[Text]:
    """The lines of one curve."""
    durations = _points(curve, now_mb, chosen_mb, lambda size: size.duration_ms.estimate)
    costs = _points(curve, now_mb, chosen_mb, lambda size: size.cost_usd_per_million.estimate)
    plot = partial(draw, width=width, height=HEIGHT, glyphs=glyphs)
    upper = plot(durations, label=duration_label)
    lower = plot(costs, label=cost_label)
    if not upper:
        return []
    marks = {glyphs.measured: "bold", glyphs.recommended: style, glyphs.current: "bold magenta"}
    return [
        Text(f"  mean duration, warm{title}", "bold"),
        *(_plot_line(line, glyphs.axis_y, marks) for line in upper),
        Text(f"  cost of a million invocations{title}", "bold"),
        *(_plot_line(line, glyphs.axis_y, marks) for line in lower),
        *(Text(line, "dim") for line in draw_memory_axis(durations, width=width, glyphs=glyphs)),
        _legend(marks, with_unit=width >= _LEGEND_WIDTH),
    ]


def _plot_line(line: str, axis: str, marks: dict[str, str]) -> Text:
    """Color the marks, and keep the axis in the background."""
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
    """The value of a varied parameter that the curve is for."""
    return "".join(f", with {plain(n)} {plain(v)}" for n, v in recommendation.choice.parameters)


def _points(
    curve: Sequence[SizeEstimate],
    now_mb: int | None,
    chosen_mb: int | None,
    value: Callable[[SizeEstimate], float],
) -> list[Point]:
    return [
        Point(
            size.memory_mb,
            value(size),
            measured=size.measured,
            recommended=size.memory_mb == chosen_mb,
            current=size.memory_mb == now_mb,
        )
        for size in curve
    ]
