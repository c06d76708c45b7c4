"""Curves over memory as a picture: the answer of one sweep, and two sweeps against each other.

An answer's three panels share a log-2 memory axis. The first two show the curve, its 90 % band and
the samples; the third shows which size was invoked when, and so is the key to the samples' colors.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from tuner.report import comparison
from tuner.report.figures import axes, canvas
from tuner.report.figures.marks import failures_of, size_marks, steps_of
from tuner.report.sanitize import plain
from tuner.report.wording import headline

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.comparison import Comparison
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation, SizeEstimate
    from tuner.model.sweep import Sweep


_LEFT: Final = 0.085
_RIGHT: Final = 0.985
_NAME_LENGTH: Final = 64
"""Lambda's own limit for a function's name."""
_LARGE_TITLE_LENGTH: Final = 64
_LOOKS: Final = ((canvas.NOW, "-"), (canvas.RECOMMENDED, "--"))
_BAND_ALPHA: Final = 0.16
_BOLD_COLUMNS: Final = 96


def draw_recommendation(recommendation: Recommendation, sweep: Sweep) -> Figure:
    """The figure of one answer and the sweep that it rests on, 900 × 620 px.

    It needs no display and no pyplot. Raises InputError without matplotlib.
    """
    with canvas.styled():
        figure = canvas.new_figure()
        duration, cost, order = figure.subplots(
            3,
            sharex=True,
            gridspec_kw={
                "height_ratios": (10, 8.5, 5),
                "left": _LEFT,
                "right": _RIGHT,
                "top": 0.81,
                "bottom": 0.13,
                "hspace": 0.13,
            },
        )
        _fill((duration, cost, order), recommendation, sweep)
        _write_heading(figure, recommendation)
        figure.align_ylabels([duration, cost, order])
    return figure


def _fill(panels: tuple[Axes, Axes, Axes], recommendation: Recommendation, sweep: Sweep) -> None:
    duration, cost, order = panels
    steps, marks, curve = steps_of(sweep), size_marks(recommendation), recommendation.curve
    sizes = {each.memory_mb for group in (steps, marks, curve) for each in group}
    axes.draw_memory_axis(panels, sizes)
    for panel, band, values, unit in (
        (
            duration,
            {each.memory_mb: each.duration_ms for each in curve},
            [step.duration_ms for step in steps],
            "",
        ),
        (
            cost,
            {each.memory_mb: each.cost_usd_per_million for each in curve},
            [step.cost_usd_per_million for step in steps],
            "$",
        ),
    ):
        axes.draw_curve(panel, band, marks)
        axes.draw_samples(panel, steps, values)
        known = [value for each in band.values() for value in (each.low, each.high)]
        shown = [v for step, v in zip(steps, values, strict=True) if step.has_duration]
        axes.scale_values(panel, [*known, *shown], unit=unit)
    axes.draw_order(order, steps)
    duration.set_ylabel("warm duration (ms)")
    cost.set_ylabel("cost per million")
    order.set_ylabel("invocation")
    axes.draw_core_thresholds(panels, label_above=cost)
    axes.draw_size_marks(panels, marks)
    axes.draw_key(panels, failures=failures_of(sweep), payload_count=len(sweep.plan.payloads))


def _write_heading(figure: Figure, recommendation: Recommendation) -> None:
    """Function and verdict; what others named is cut, and is in letters that the font has."""
    function = recommendation.function
    name = plain(function.name)
    name = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    place = "local" if recommendation.environment == "local" else plain(function.region)
    title = f"{name} · {place} · {function.architecture}"
    size = 12 if len(title) <= _LARGE_TITLE_LENGTH else 9.5
    canvas.write_heading(figure, title, canvas.wrapped(headline(recommendation)), size=size)


def draw_comparison(found: Comparison) -> Figure:
    """The figure of a comparison, 900 × 620 px. Raises InputError without matplotlib."""
    with canvas.styled():
        figure = canvas.new_figure()
        duration, cost = figure.subplots(
            2,
            sharex=True,
            gridspec_kw={
                "left": 0.085,
                "right": 0.985,
                "top": 0.81,
                "bottom": 0.085,
                "hspace": 0.13,
            },
        )
        sizes = {each.memory_mb for each in found.a.curve}
        axes.draw_memory_axis((duration, cost), sizes)
        _draw_sides(duration, found, lambda each: each.duration_ms, unit="")
        _draw_sides(cost, found, lambda each: each.cost_usd_per_million, unit="$")
        duration.set_ylabel("warm duration (ms)")
        cost.set_ylabel("cost per million")
        axes.draw_core_thresholds((duration, cost), label_above=cost)
        duration.legend(loc="upper right", frameon=False, handlelength=3.2)
        _write_sides(figure, found)
        figure.align_ylabels([duration, cost])
    return figure


def _draw_sides(
    panel: Axes, found: Comparison, read: Callable[[SizeEstimate], Interval], *, unit: str
) -> None:
    values = []
    for label, side, (color, line) in zip("AB", (found.a, found.b), _LOOKS, strict=True):
        sizes = [each.memory_mb for each in side.curve]
        bands = [read(each) for each in side.curve]
        lows, highs = [each.low for each in bands], [each.high for each in bands]
        panel.fill_between(sizes, lows, highs, color=color, alpha=_BAND_ALPHA, linewidth=0)
        middle = [each.estimate for each in bands]
        panel.plot(sizes, middle, color=color, linestyle=line, linewidth=1.8, label=label)
        values += [*lows, *highs]
    axes.scale_values(panel, values, unit=unit)


def _write_sides(figure: Figure, found: Comparison) -> None:
    lines = textwrap.wrap(comparison.headline(found), _BOLD_COLUMNS, max_lines=2, placeholder=" …")
    sides = [
        f"{label} {comparison.describe_side(side)}"[: canvas.HEADLINE_COLUMNS]
        for label, side in zip("AB", (found.a, found.b), strict=True)
    ]
    below = canvas.drawable("\n".join(sides))
    canvas.write_heading(figure, "\n".join(lines), below, size=10, below_y=0.915)
