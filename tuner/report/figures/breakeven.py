"""Monthly cost over requests as a picture: a line per platform, crossings with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.model import interval
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.report import numbers
from tuner.report.breakeven import headline, shown_platforms
from tuner.report.figures import canvas
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.breakeven.answer import BreakEven, PlatformCost

_LINES: Final = {
    "Lambda": (canvas.INK, "solid", 2.6),
    "Fargate": (canvas.NOW, "solid", 1.6),
    "ECS": (canvas.OPTION, (0, (6, 2)), 1.6),
    "EC2": (canvas.RECOMMENDED, (0, (2, 2)), 1.6),
    "Managed": (canvas.FAILED, "solid", 1.6),
}
"""Color, dashes and width: overlapping lines differ in their dashes."""
_ELSEWHERE_ALPHA: Final = 0.45
"""The other architecture has the same lines, paler."""


def _style(platform: PlatformCost) -> dict[str, Any]:
    color, dashes, width = _LINES[platform.name.split()[0]]
    alpha = 1.0 if platform.same_architecture else _ELSEWHERE_ALPHA
    return {"color": color, "linestyle": dashes, "linewidth": width, "alpha": alpha}


def draw_break_even(answer: BreakEven) -> Figure:
    """The figure of one answer, 900 × 620 px. Raises InputError without matplotlib."""
    with canvas.styled():
        figure = canvas.new_figure()
        panel = figure.add_axes((0.115, 0.2, 0.84, 0.62))
        shown = shown_platforms(answer)
        for platform in shown:
            panel.plot(
                [point.rate_per_s * SECONDS_PER_MONTH for point in platform.curve],
                [point.cost_usd_per_month for point in platform.curve],
                **_style(platform),
                label=canvas.drawable(platform.name),
                zorder=3 if platform.kind == "lambda" else 2,
            )
        _scale(panel, shown)
        _draw_crossings(panel, shown)
        if answer.rate_per_s is not None:
            _mark_rate(panel, answer.rate_per_s)
        panel.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.135),
            ncols=5,
            fontsize=7.5,
            handlelength=2.2,
            columnspacing=0.9,
        )
        rate = "" if answer.rate_per_s is None else f" · {numbers.rate(answer.rate_per_s)}"
        name = plain(answer.function_name)[:64]
        title = f"{name} · {answer.region} · {answer.architecture}{rate}"
        canvas.write_heading(figure, title, canvas.wrapped(headline(answer)), size=11)
        canvas.write_note(
            figure,
            "● the rate above which a platform stays cheaper, with its 90% interval; "
            f"prices of {answer.prices_as_of}",
        )
    return figure


def _scale(panel: Axes, shown: Sequence[PlatformCost]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415 - heavy

    rates = [point.rate_per_s for point in shown[0].curve]
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlim(rates[0] * SECONDS_PER_MONTH, rates[-1] * SECONDS_PER_MONTH)
    costs = [point.cost_usd_per_month for each in shown for point in each.curve]
    panel.set_ylim(max(min(costs), 1.0) / 1.3, max(costs) * 1.3)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(numticks=12))
        axis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(lambda value, _: numbers.short_count(value))
    panel.yaxis.set_major_formatter(lambda value, _: f"${value:,.0f}")
    panel.grid(visible=True, color=canvas.GRID, linewidth=0.7)
    panel.set_xlabel("requests a month (log scale)")
    panel.set_ylabel("cost a month (log scale)")
    above = panel.secondary_xaxis(
        "top",
        functions=(
            lambda month: np.asarray(month) / SECONDS_PER_MONTH,
            lambda rate: np.asarray(rate) * SECONDS_PER_MONTH,
        ),
    )
    above.xaxis.set_major_locator(LogLocator(numticks=12))
    above.xaxis.set_minor_locator(NullLocator())
    above.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}/s")


def _draw_crossings(panel: Axes, shown: Sequence[PlatformCost]) -> None:
    """At Lambda's cost at that rate, where the lines meet; open to the right if never."""
    rates = np.log([point.rate_per_s for point in shown[0].curve])
    costs = np.log([max(point.cost_usd_per_month, 0.01) for point in shown[0].curve])
    right = float(np.exp(rates[-1]))
    for platform in shown:
        color, found = _style(platform)["color"], platform.break_even
        if found is None or found.estimate_per_s > right:
            continue
        cost = float(np.exp(np.interp(np.log(found.estimate_per_s), rates, costs)))
        high = right if found.high_per_s is None else found.high_per_s
        ends = [found.low_per_s * SECONDS_PER_MONTH, high * SECONDS_PER_MONTH]
        pale = 1.0 if platform.same_architecture else _ELSEWHERE_ALPHA
        panel.plot(
            ends, [cost, cost], color=color, linewidth=4, alpha=0.35 * pale, solid_capstyle="butt"
        )
        panel.plot(
            [found.estimate_per_s * SECONDS_PER_MONTH],
            [cost],
            marker="o",
            markersize=7,
            color=color,
            alpha=pale,
            markeredgecolor=canvas.PAPER,
            zorder=4,
        )


def _mark_rate(panel: Axes, rate_per_s: float) -> None:
    month = rate_per_s * SECONDS_PER_MONTH
    low, high = panel.get_xlim()
    if not low <= month <= high:
        return
    panel.axvline(month, color=canvas.QUIET, linestyle=(0, (1, 2)), linewidth=1.3)
    left = month > (low * high) ** 0.5
    text, side = f"{interval.figure(rate_per_s, 4)}/s ", "right" if left else "left"
    offset_pt = (-4 if left else 4, 0)
    canvas.write_at(panel, text, (month, 0.02), offset_pt, ha=side, color=canvas.QUIET)
