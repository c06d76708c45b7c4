"""A load as a picture: requests and answers over time above, latency percentiles below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tuner.load.saturation import first_to_give_way
from tuner.report import numbers
from tuner.report.figures import axes, canvas
from tuner.report.load import headline
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.load.result import LoadResult, Window

_WINDOWS = 40
_COLORS = (canvas.NOW, canvas.RECOMMENDED, canvas.OPTION, canvas.COST)


def draw_load(results: Sequence[LoadResult]) -> Figure:
    """The figure of a load at one or several sizes, 900 × 620 px. Raises InputError without
    matplotlib.
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
        canvas.write_heading(figure, title, canvas.wrapped(headline(results[-1])), size=11)
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
    middles = [(each.from_s + each.to_s) / 2 for each in windows]
    lengths = [each.to_s - each.from_s for each in windows]
    counts = [each.invocation_count - each.error_count for each in windows]
    answered = [count / length for count, length in zip(counts, lengths, strict=True)]
    panel.plot(middles, answered, color=color, linewidth=1.6, label=f"succeeded, {name}")
    bad = [each.throttle_count + each.error_count for each in windows]
    marks = [
        (at, count / length)
        for at, count, length in zip(middles, bad, lengths, strict=True)
        if count
    ]
    if marks:
        xs, ys = zip(*marks, strict=True)
        panel.scatter(xs, ys, marker="x", s=26, color=canvas.FAILED, label="throttled or failed")


def _draw_first_limit(panel: Axes, result: LoadResult) -> None:
    """Where what is behind the function gives way, if the panel reaches that far."""
    first = first_to_give_way(result.downstream)
    at = None if first is None else first.limited_at_rate_per_s
    if first is None or at is None or at > panel.get_ylim()[1]:
        return
    panel.axhline(at, color=canvas.FAILED, linewidth=1.0, linestyle=(0, (4, 3)))
    panel.annotate(
        f"{plain(first.limit.resource)[:40]} gives way at {numbers.rate(at)}",
        (0.995, at),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=canvas.FAILED,
    )


def _draw_times(panel: Axes, windows: Sequence[Window], color: str, name: str) -> None:
    middles = [(each.from_s + each.to_s) / 2 for each in windows]
    for share, dashes, width in (
        ("p50", "solid", 1.8),
        ("p95", (0, (6, 2)), 1.4),
        ("p99", (0, (2, 2)), 1.2),
    ):
        # A pause is a gap in the line.
        values = [getattr(each.latency_ms, share, math.nan) for each in windows]
        panel.plot(
            middles,
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
            frameon=False,
            fontsize=7.5,
            borderaxespad=0.2,
        )
