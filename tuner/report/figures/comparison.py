"""Two sweeps as a picture: both curves with their bands, duration above cost."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from tuner.report.comparison import describe_side, headline
from tuner.report.figures import axes, canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.comparison import Comparison
    from tuner.model.interval import Interval
    from tuner.model.recommendation import SizeEstimate

_LOOKS: Final = ((canvas.NOW, "-"), (canvas.RECOMMENDED, "--"))
_BAND_ALPHA: Final = 0.16
_BOLD_COLUMNS: Final = 96


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
        _write_heading(figure, found)
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


def _write_heading(figure: Figure, found: Comparison) -> None:
    lines = textwrap.wrap(headline(found), _BOLD_COLUMNS, max_lines=2, placeholder=" …")
    sides = [
        f"{label} {describe_side(side)}"[: canvas.HEADLINE_COLUMNS]
        for label, side in zip("AB", (found.a, found.b), strict=True)
    ]
    title = canvas.drawable("\n".join(lines))
    figure.suptitle(title, x=0.012, y=0.985, ha="left", fontsize=10, fontweight="bold")
    figure.text(0.012, 0.915, canvas.drawable("\n".join(sides)), va="top", linespacing=1.35)
