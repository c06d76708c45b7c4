"""Invocations, or how many run at once, far outside a function's own pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.watch import WatchFinding
from tuner.watch.tail import find_outliers
from tuner.watch.watched import lasting, stretches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.arrays import Floats
    from tuner.watch.tail import Outliers
    from tuner.watch.watched import Minutes, Watched

_APART: Final = 180
"""Minutes within a pattern between two of one finding."""
_FEW_INVOCATIONS: Final = 10.0
_FEW_BUSY_MINUTES: Final = 1.0
_DEAR_USD_PER_HOUR: Final = 1.0


def runaway_rates(watched: Watched, minutes: Minutes) -> Iterator[WatchFinding]:
    """Stretches in which it ran far more often, or far more at once, than its days so far say."""
    by_count = find_outliers(minutes.count, minutes.first, minutes.seen, few=_FEW_INVOCATIONS)
    by_busy = find_outliers(
        minutes.busy_minutes, minutes.first, minutes.seen, few=_FEW_BUSY_MINUTES
    )
    for begin, end in stretches(by_count.flags | by_busy.flags, _APART):
        is_rate = bool(by_count.flags[begin])
        values = minutes.count if is_rate else minutes.busy_minutes
        yield _finding(
            watched, minutes, (begin, end), by_count if is_rate else by_busy, values,
            is_rate=is_rate,
        )  # fmt: skip


def _finding(
    watched: Watched,
    minutes: Minutes,
    stretch: tuple[int, int],
    outliers: Outliers,
    values: Floats,
    *,
    is_rate: bool,
) -> WatchFinding:
    begin, end = stretch
    what = "invocations" if is_rate else "minutes of running"
    goes_on = minutes.last - end <= max(int(outliers.width[end]), 15)
    first = onset(values, outliers, begin)
    rows = slice(first, end + 1)
    has, expected = float(values[rows].sum()), float(outliers.expected[rows].sum())
    cost = float(minutes.cost_usd[rows].sum())
    share = max(1 - expected / has, 0.0) if has else 0.0
    hourly = share * watched.per_hour(minutes.lately_usd(first), minutes.moment(first))
    hourly = hourly if goes_on else 0.0
    message = (
        f"{has:,.0f} {what} in {lasting(60.0 * (end + 1 - first))}, where its own pattern has "
        f"{expected:,.1f}: {has / max(expected, 0.1):,.0f} times as many, beyond any burst that "
        "its days so far explain"
    )
    return WatchFinding(
        finding=Finding(
            "runaway_rate", "error" if hourly >= _DEAR_USD_PER_HOUR else "warning", message
        ),
        function=watched.function,
        since=minutes.moment(first),
        until=None if goes_on else minutes.moment(end + 1),
        evidence=(
            ("invocation_count", int(minutes.count[rows].sum())),
            ("expected_count" if is_rate else "expected_busy_minutes", expected),
            ("mean_concurrency", float(minutes.busy_minutes[rows].mean())),
            ("window_minutes", int(outliers.width[begin])),
            ("level_ratio", float(outliers.level[begin])),
            ("cost_usd", cost),
        ),
        usd_per_hour=hourly,
        action=(
            "Find what calls it (its triggers, its callers' deployments, its own code), and limit "
            "it meanwhile: a reserved concurrency holds the rest back"
        ),
    )


def onset(values: Floats, outliers: Outliers, begin: int) -> int:
    """The first minute of the window that was far outside with more than it's expected to have."""
    first = max(begin - int(outliers.width[begin]) + 1, 0)
    above = values[first : begin + 1] > 1.5 * outliers.expected[first : begin + 1]
    return first + int(np.argmax(above)) if above.any() else first
