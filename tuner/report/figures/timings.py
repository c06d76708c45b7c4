"""A load and a workflow as pictures: latency over time, and what durations cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tuner.load.limits import first_to_give_way
from tuner.model.interval import figure as written
from tuner.report import load, numbers, workflow
from tuner.report.figures import axes, canvas
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.load.result import LoadResult, Window
    from tuner.model.workflow import Outcome, WorkflowAnswer

_WINDOWS = 40
_COLORS = (canvas.NOW, canvas.RECOMMENDED, canvas.OPTION, canvas.COST)


def draw_load(results: Sequence[LoadResult]) -> Figure:
    """Requests and answers of a load over time above, latency percentiles below, at one or several
    sizes, 900 × 620 px. Raises InputError without matplotlib.
    """
    with canvas.styled():
        figure = canvas.new_figure()
        rates = figure.add_axes((0.085, 0.59, 0.885, 0.25))
        times = figure.add_axes((0.085, 0.13, 0.885, 0.38), sharex=rates)
        windows = [each.over_time(_WINDOWS) for each in results]
        _draw_plan(rates, windows[0])
        for number, (result, over_time) in enumerate(zip(results, windows, strict=True)):
            color = _COLORS[number % len(_COLORS)]
            name = numbers.memory(result.function.memory_mb)
            _draw_rates(rates, over_time, color, name)
            _draw_times(times, over_time, color, name)
        _scale(rates, times, windows)
        _draw_first_limit(rates, results[-1])
        function = results[0].function
        title = f"{plain(function.name)} under load · {function.region}"
        canvas.write_heading(figure, title, canvas.wrapped(load.headline(results[-1])), size=11)
        canvas.write_note(
            figure,
            "by the time when a request was due · latency from then to its whole answer, failures "
            "too · throttled requests have none",
        )
    return figure


def _draw_plan(panel: Axes, windows: Sequence[Window]) -> None:
    xs, ys = [], []
    for each in windows:
        xs += [each.from_s, each.to_s]
        ys += [each.rate_from_per_s, each.rate_to_per_s]
    panel.fill_between(xs, ys, color=canvas.BAND, alpha=0.7, linewidth=0, label="planned")


def _draw_rates(panel: Axes, windows: Sequence[Window], color: str, name: str) -> None:
    good = [_rate(each, each.invocation_count - each.error_count) for each in windows]
    panel.plot(_middles(windows), good, color=color, linewidth=1.6, label=f"succeeded, {name}")
    failed = [each for each in windows if each.throttle_count + each.error_count]
    bad = [_rate(each, each.throttle_count + each.error_count) for each in failed]
    if failed:
        at, color = _middles(failed), canvas.FAILED
        panel.scatter(at, bad, marker="x", s=26, color=color, label="throttled or failed")


def _middles(windows: Sequence[Window]) -> list[float]:
    return [(each.from_s + each.to_s) / 2 for each in windows]


def _rate(window: Window, count: int) -> float:
    return count / (window.to_s - window.from_s)


def _draw_first_limit(panel: Axes, result: LoadResult) -> None:
    """Where what is behind the function gives way, if the panel reaches that far."""
    first = first_to_give_way(result.downstream)
    at = None if first is None else first.limited_at_rate_per_s
    if first is None or at is None or at > panel.get_ylim()[1]:
        return
    panel.axhline(at, color=canvas.FAILED, linewidth=1.0, linestyle=(0, (4, 3)))
    text = f"{plain(first.limit.resource)[:40]} gives way at {numbers.rate(at)}"
    coords, color = ("axes fraction", "data"), canvas.FAILED
    canvas.write_at(
        panel, text, (0.995, at), (0, 2),
        coords=coords, ha="right", va="bottom", fontsize=7.5, color=color,
    )  # fmt: skip


def _draw_times(panel: Axes, windows: Sequence[Window], color: str, name: str) -> None:
    for share, dashes, width in (
        ("p50", "solid", 1.8),
        ("p95", (0, (6, 2)), 1.4),
        ("p99", (0, (2, 2)), 1.2),
    ):
        # A pause is a gap in the line.
        values = [getattr(each.latency_ms, share, math.nan) for each in windows]
        panel.plot(
            _middles(windows),
            values,
            color=color,
            linestyle=dashes,
            linewidth=width,
            marker=".",
            markersize=4,
            label=f"{share}, {name}",
        )


def _scale(rates: Axes, times: Axes, windows: Sequence[Sequence[Window]]) -> None:
    values = [
        value
        for each in windows
        for window in each
        if window.latency_ms is not None
        for value in (window.latency_ms.p50, window.latency_ms.p99)
    ]
    axes.scale_values(times, values, unit="")
    times.set_ylabel("latency (ms)")
    times.set_xlabel("seconds since the load began")
    rates.set_ylabel("requests/s")
    rates.set_ylim(bottom=0)
    rates.set_xlim(0, windows[0][-1].to_s)
    rates.tick_params(axis="x", labelbottom=False)
    for panel in (rates, times):
        panel.grid(visible=True, axis="y", color=canvas.GRID, linewidth=0.7)
        panel.legend(
            loc="lower left",
            bbox_to_anchor=(-0.005, 1.0),
            ncols=6,
            fontsize=7.5,
            borderaxespad=0.2,
        )


def draw_workflow(answer: WorkflowAnswer) -> Figure:
    """Durations of a workflow now and then above, cost over latency below, 900 × 620 px. Raises
    InputError without matplotlib.
    """
    with canvas.styled():
        figure = canvas.new_figure()
        above = figure.add_axes((0.085, 0.56, 0.885, 0.29))
        below = figure.add_axes((0.085, 0.12, 0.885, 0.33))
        for name, outcome, color in _outcomes(answer):
            shares = [each + 0.5 for each in range(len(outcome.quantiles_ms))]
            above.plot(outcome.quantiles_ms, shares, color=color, linewidth=1.8, label=name)
        _draw_frontier(below, answer)
        limit, name = answer.goal.max_duration_ms, f"p{answer.percentile:g}"
        if limit is not None:
            for panel in (above, below):
                panel.axvline(limit, color=canvas.FAILED, linewidth=1, linestyle=(0, (4, 3)))
            text, color = f"limit {numbers.duration(limit)}", canvas.FAILED
            canvas.write_at(
                above, text, (limit, 50), (4, 0), coords="data", color=color, fontsize=8
            )
        above.axhline(answer.percentile, color=canvas.THRESHOLD, linewidth=0.8)
        above.set_ylim(0, 100)
        above.set_xlim(left=0)
        above.set_ylabel("% of executions")
        above.set_xlabel("end-to-end duration, ms")
        above.legend(fontsize=8, loc="lower right")
        below.set_xlabel(f"{name} of the whole, ms")
        below.set_ylabel("$ per million executions")
        title = f"{plain(answer.name)}: sizes for the whole workflow"
        canvas.write_heading(figure, title, canvas.wrapped(workflow.headline(answer)), size=11)
    return figure


def _outcomes(answer: WorkflowAnswer) -> tuple[tuple[str, Outcome, str], ...]:
    """Both, with their names and colors."""
    return ("now", answer.now, canvas.NOW), ("then", answer.then, canvas.RECOMMENDED)


def _draw_frontier(panel: Axes, answer: WorkflowAnswer) -> None:
    points = answer.frontier
    panel.plot(
        [ms for ms, _ in points],
        [usd for _, usd in points],
        color=canvas.CURVE, linewidth=1.2, marker=".", markersize=4, label="least cost",
    )  # fmt: skip
    for name, outcome, color in _outcomes(answer):
        found, usd = outcome.duration_ms, outcome.cost_usd_per_million.estimate
        panel.plot([found.low, found.high], [usd, usd], color=color, linewidth=1.2)
        panel.plot([found.estimate], [usd], color=color, marker="o", linestyle="", label=name)
    from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415 - heavy

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(lambda value, _: written(value, 4))
    panel.grid(color=canvas.GRID)
    panel.legend(fontsize=8, loc="best")
