"""The answer as a picture: duration, cost and the order of the invocations over memory.

Three panels share a log-2 memory axis. The first two show the curve, its 90 % band and the samples;
the third shows which size was invoked when, and so is the key to the samples' colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.report.figures import axes, canvas
from tuner.report.figures.marks import failures_of, size_marks, steps_of
from tuner.report.sanitize import plain
from tuner.report.wording import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

_LEFT: Final = 0.085
_RIGHT: Final = 0.985
_NAME_LENGTH: Final = 64
"""Lambda's own limit for a function's name."""
_LARGE_TITLE_LENGTH: Final = 64


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
    figure.suptitle(
        canvas.drawable(title),
        x=0.012,
        y=0.985,
        ha="left",
        fontsize=12 if len(title) <= _LARGE_TITLE_LENGTH else 9.5,
        fontweight="bold",
    )
    figure.text(0.012, 0.943, canvas.wrapped(headline(recommendation)), va="top", linespacing=1.35)
