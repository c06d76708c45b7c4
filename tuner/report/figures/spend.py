"""Where the money goes as a picture: cost a day, cost of an invocation, deployments over both."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.report import numbers
from tuner.report.figures import canvas
from tuner.report.sanitize import plain
from tuner.report.spend import change_label, summary, title
from tuner.report.spend_days import (
    MOST_LINES,
    OTHERS,
    by_day,
    labeled_changes,
    lines,
    relative_prices,
    shown_keys,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.arrays import Floats
    from tuner.model.spend import Spend

_LOOKS: Final = (
    (canvas.NOW, "solid"),
    (canvas.RECOMMENDED, (0, (6, 2))),
    (canvas.OPTION, "solid"),
    (canvas.COST, (0, (6, 2))),
    (canvas.FAILED, "solid"),
    (canvas.CURVE, (0, (2, 2))),
)


def draw_spend(answer: Spend) -> Figure:
    """The figure of one answer, 900 × 620 px. Raises InputError without matplotlib."""
    with canvas.styled():
        figure = canvas.new_figure()
        costs = figure.add_axes((0.105, 0.545, 0.87, 0.305))
        prices = figure.add_axes((0.105, 0.145, 0.87, 0.305), sharex=costs)
        days = sorted({each.day for each in answer.days})
        if days:
            _draw_costs(costs, answer, days)
            _draw_prices(prices, answer, days)
            _draw_deploys((costs, prices), answer)
            _scale(costs, prices, days)
            _draw_changes(prices, answer)
        canvas.write_heading(
            figure, plain(title(answer))[:110], canvas.wrapped(summary(answer)), size=11
        )
        canvas.write_note(
            figure,
            "thin lines: deployments · ● a change of what an invocation costs, beyond chance · "
            f"days are UTC · prices of {answer.prices_as_of}",
        )
    return figure


def _draw_costs(panel: Axes, answer: Spend, days: Sequence[datetime.date]) -> None:
    """A stack, the most expensive below."""
    below = np.zeros(len(days))
    edges = np.append(_places(days) - 0.5, _places(days)[-1] + 0.5)
    for number, key in enumerate(lines(answer)):
        color = canvas.THRESHOLD if key is None else _LOOKS[number][0]
        costs, _ = by_day(answer, days, key)
        label = OTHERS if key is None else canvas.drawable(plain(key)[:28])
        panel.stairs(
            below + costs, edges, baseline=below, fill=True, color=color, alpha=0.55, label=label
        )
        below = below + costs
    panel.set_ylim(0, float(below.max()) * 1.12 or 1.0)
    panel.set_ylabel("cost a day")
    panel.legend(
        loc="upper left",
        bbox_to_anchor=(-0.005, -0.06),
        ncols=MOST_LINES + 1,
        fontsize=7.5,
        handlelength=1.2,
        columnspacing=1.0,
    )


def _draw_prices(panel: Axes, answer: Spend, days: Sequence[datetime.date]) -> None:
    low, high = 1.0, 1.0
    for number, key in enumerate(shown_keys(answer)):
        color, dashes = _LOOKS[number]
        ratios = relative_prices(*by_day(answer, days, key))
        panel.plot(_places(days), ratios, color=color, linestyle=dashes, linewidth=1.6, marker=".",
                   markersize=3 if len(days) < 100 else 0)  # fmt: skip
        if np.isfinite(ratios).any():
            low, high = min(low, float(np.nanmin(ratios))), max(high, float(np.nanmax(ratios)))
    panel.axhline(1.0, color=canvas.THRESHOLD, linewidth=0.8)
    room = max(high - low, 0.1) * 0.12
    panel.set_ylim(max(low - room, 0), high + 2.2 * room)
    panel.set_ylabel("an invocation (first week: 100%)")


def _draw_deploys(panels: Sequence[Axes], answer: Spend) -> None:
    for each in answer.deploys:
        for panel in panels:
            panel.axvline(
                _place(each.at), color=canvas.THRESHOLD, linewidth=0.8, linestyle=(0, (3, 3)),
                zorder=0.5,
            )  # fmt: skip


def _draw_changes(panel: Axes, answer: Spend) -> None:
    """The changes that cost or save the most are labeled; those of keys without a line aren't."""
    shown = shown_keys(answer)
    top = panel.get_ylim()[1]
    low, high = panel.get_xlim()
    reach = (high - low) * 0.2  # how near two labels meet, in days
    rows: list[tuple[float, float]] = []
    for each in labeled_changes(answer):
        color = _LOOKS[shown.index(each.key)][0]
        x = _place(each.at)
        row = sum(abs(x - other) < reach for other, _ in rows)
        rows.append((x, row))
        panel.plot([x], [top], marker="o", markersize=6, color=color, clip_on=False, zorder=5)
        ratio, _, name = change_label(each).partition(" ")
        text = canvas.drawable(f"{ratio} {plain(name)[:26]}")
        canvas.write_at(panel, text, (x, 1), (4, -11 - 11 * row), fontsize=7.5, color=color)


def _scale(costs: Axes, prices: Axes, days: Sequence[datetime.date]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - heavy

    at = _places(days)
    costs.set_xlim(at[0] - 0.6, at[-1] + 0.6)
    locator = AutoDateLocator(minticks=4, maxticks=12)  # type: ignore[no-untyped-call]
    prices.xaxis.set_major_locator(locator)
    prices.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    costs.tick_params(axis="x", labelbottom=False)
    costs.yaxis.set_major_formatter(lambda value, _: numbers.usd(value))
    prices.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    for panel in (costs, prices):
        panel.grid(visible=True, axis="y", color=canvas.GRID, linewidth=0.7)


def _place(at: datetime.datetime) -> float:
    """Days since 1970, matplotlib's own unit."""
    return at.timestamp() / 86_400


def _places(days: Sequence[datetime.date]) -> Floats:
    """The middle of each day."""
    first: Any = datetime.date(1970, 1, 1)
    return np.array([(each - first).days + 0.5 for each in days])
