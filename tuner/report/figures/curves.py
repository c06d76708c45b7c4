"""Curves over memory as a picture: the answer of one sweep, and a comparison of two.

An answer's two panels share a log-2 memory axis. The first has duration on the left and cost on the
right, with 90% bands, the samples and the size for each goal; the second shows which size was
invoked when, and so is the key to the samples' colors.
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
    from collections.abc import Collection, Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.comparison import Comparison
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


_QUANTITIES: Final = (
    ("duration_ms", "warm duration (ms)", ""),
    ("cost_usd_per_million", "cost per million", "$"),
)
"""For a comparison's panels: the size's attribute, its label and its unit."""
_NAME_LENGTH: Final = 64
"""Lambda's own limit for a function's name."""
_LARGE_TITLE_LENGTH: Final = 64
_LOOKS: Final = ((canvas.NOW, "-"), (canvas.RECOMMENDED, "--"))
_BAND_ALPHA: Final = 0.16
_BOLD_COLUMNS: Final = 96


def draw_recommendation(recommendation: Recommendation, sweep: Sweep) -> Figure:
    """The figure of one answer and its sweep, 900 × 620 px.

    It needs no display and no pyplot. Raises InputError without matplotlib.
    """
    steps, curve = steps_of(sweep), recommendation.curve
    with canvas.styled():
        marks = size_marks(recommendation)
        sizes = {each.memory_mb for group in (steps, marks, curve) for each in group}
        figure = canvas.new_figure()
        duration, order = panels = _panels(figure, sizes, heights=(17, 5), right=0.92, bottom=0.13)
        cost = axes.cost_axis(duration)
        samples_ms = [step.duration_ms for step in steps]
        times = {each.memory_mb: each.duration_ms for each in curve}
        costs = {each.memory_mb: each.cost_usd_per_million for each in curve}
        others = [
            each
            for each in recommendation.by_architecture
            if each.architecture != recommendation.choice.architecture
        ]
        for other in others:
            axes.draw_other_curve(duration, other, "duration")
            axes.draw_other_curve(cost, other, "cost")
        axes.draw_curve(duration, times, marks, "duration")
        axes.draw_samples(duration, steps, samples_ms)
        axes.draw_curve(cost, costs, marks, "cost")
        sampled = [step.duration_ms for step in steps if step.has_duration]
        elsewhere = [each for other in others for each in other.curve]
        every_time = _ends([*times.values(), *(each.duration_ms for each in elsewhere)])
        every_cost = [*costs.values(), *(each.cost_usd_per_million for each in elsewhere)]
        axes.scale_values(duration, [*every_time, *sampled], unit="")
        axes.scale_values(cost, _ends(every_cost), unit="$")
        axes.draw_order(order, steps)
        duration.set_ylabel("warm duration (ms)")
        order.set_ylabel("invocation")
        figure.align_ylabels(panels)
        axes.draw_core_thresholds(panels, label_above=order)
        axes.draw_size_marks(panels, marks)
        payload_count = len(sweep.plan.payloads)
        keyed = (duration, cost, order)
        axes.draw_key(keyed, failures=failures_of(sweep), payload_count=payload_count)
        _write_heading(figure, recommendation)
    return figure


def _ends(intervals: Iterable[Interval]) -> list[float]:
    """Both ends of every interval."""
    return [end for each in intervals for end in (each.low, each.high)]


def _panels(
    figure: Figure,
    sizes_mb: Collection[int],
    *,
    heights: tuple[float, ...],
    bottom: float,
    right: float = 0.985,
) -> tuple[Axes, ...]:
    """Panels over one memory axis."""
    grid = {"left": 0.085, "right": right, "top": 0.81, "bottom": bottom, "hspace": 0.13}
    panels = tuple(
        figure.subplots(len(heights), sharex=True, height_ratios=heights, gridspec_kw=grid)
    )
    axes.draw_memory_axis(panels, sizes_mb)
    return panels


def _write_heading(figure: Figure, recommendation: Recommendation) -> None:
    """Function and verdict; foreign names are cut, and in characters that the font has."""
    function = recommendation.function
    name = plain(function.name)
    name = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    place = "local" if recommendation.environment == "local" else plain(function.region)
    title = f"{name} · {place} · {recommendation.choice.architecture or function.architecture}"
    size = 12 if len(title) <= _LARGE_TITLE_LENGTH else 9.5
    canvas.write_heading(figure, title, canvas.wrapped(headline(recommendation)), size=size)


def draw_comparison(found: Comparison) -> Figure:
    """The figure of a comparison, 900 × 620 px. Raises InputError without matplotlib."""
    sizes = [each.memory_mb for each in found.a.curve]
    with canvas.styled():
        figure = canvas.new_figure()
        panels = _panels(figure, sizes, heights=(1, 1), bottom=0.085)
        for panel, (name, label_y, unit) in zip(panels, _QUANTITIES, strict=True):
            panel.set_ylabel(label_y)
            values = []
            for (label, side), (color, line) in zip(found.sides, _LOOKS, strict=True):
                bands = [getattr(each, name) for each in side.curve]
                lows, highs = [each.low for each in bands], [each.high for each in bands]
                panel.fill_between(sizes, lows, highs, color=color, alpha=_BAND_ALPHA, linewidth=0)
                middle = [each.estimate for each in bands]
                panel.plot(sizes, middle, color=color, linestyle=line, linewidth=1.8, label=label)
                values += [*lows, *highs]
            axes.scale_values(panel, values, unit=unit)
        axes.draw_core_thresholds(panels, label_above=panels[1])
        figure.align_ylabels(panels)
        panels[0].legend(loc="upper right", handlelength=3.2)
        _write_sides(figure, found)
    return figure


def _write_sides(figure: Figure, found: Comparison) -> None:
    lines = textwrap.wrap(comparison.headline(found), _BOLD_COLUMNS, max_lines=2, placeholder=" …")
    sides = [
        f"{label} {comparison.describe_side(side)}"[: canvas.HEADLINE_COLUMNS]
        for label, side in found.sides
    ]
    below = canvas.drawable("\n".join(sides))
    canvas.write_heading(figure, "\n".join(lines), below, size=10, below_y=0.915)
