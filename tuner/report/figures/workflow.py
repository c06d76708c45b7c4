"""A workflow as a picture: its duration now and then above, cost over latency below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model import interval
from tuner.report import numbers
from tuner.report.figures import canvas
from tuner.report.sanitize import plain
from tuner.report.workflow import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.workflow import Outcome, WorkflowAnswer


def draw_workflow(answer: WorkflowAnswer) -> Figure:
    """The figure of an answer, 900 × 620 px. Raises InputError without matplotlib."""
    with canvas.styled():
        figure = canvas.new_figure()
        above = figure.add_axes((0.085, 0.56, 0.885, 0.29))
        below = figure.add_axes((0.085, 0.12, 0.885, 0.33))
        for name, outcome, color in (
            ("now", answer.now, canvas.NOW),
            ("then", answer.then, canvas.RECOMMENDED),
        ):
            _draw_outcome(above, name, outcome, color)
        _draw_frontier(below, answer)
        limit, name = answer.goal.max_duration_ms, f"p{answer.percentile:g}"
        if limit is not None:
            for panel in (above, below):
                panel.axvline(limit, color=canvas.FAILED, linewidth=1, linestyle=(0, (4, 3)))
            above.annotate(
                f"limit {numbers.duration(limit)}", (limit, 50), xytext=(4, 0),
                textcoords="offset points", color=canvas.FAILED, fontsize=8,
            )  # fmt: skip
        above.axhline(answer.percentile, color=canvas.THRESHOLD, linewidth=0.8)
        above.set_ylim(0, 100)
        above.set_xlim(left=0)
        above.set_ylabel("% of executions")
        above.set_xlabel("end-to-end duration, ms")
        above.legend(frameon=False, fontsize=8, loc="lower right")
        below.set_xlabel(f"{name} of the whole, ms")
        below.set_ylabel("$ per million executions")
        title = f"{plain(answer.name)}: sizes for the whole workflow"
        canvas.write_heading(figure, title, canvas.wrapped(headline(answer)), size=11)
    return figure


def _draw_outcome(panel: Axes, name: str, outcome: Outcome, color: str) -> None:
    shares = [each + 0.5 for each in range(len(outcome.quantiles_ms))]
    panel.plot(outcome.quantiles_ms, shares, color=color, linewidth=1.8, label=name)


def _draw_frontier(panel: Axes, answer: WorkflowAnswer) -> None:
    points = answer.frontier
    panel.plot(
        [ms for ms, _ in points],
        [usd for _, usd in points],
        color=canvas.CURVE, linewidth=1.2, marker=".", markersize=4, label="least cost",
    )  # fmt: skip
    for name, outcome, color in (
        ("now", answer.now, canvas.NOW),
        ("then", answer.then, canvas.RECOMMENDED),
    ):
        found, usd = outcome.duration_ms, outcome.cost_usd_per_million.estimate
        panel.plot([found.low, found.high], [usd, usd], color=color, linewidth=1.2)
        panel.plot([found.estimate], [usd], color=color, marker="o", linestyle="", label=name)
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415 - heavy

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: interval.figure(value, 4)))
    panel.grid(color=canvas.GRID)
    panel.legend(frameon=False, fontsize=8, loc="best")
