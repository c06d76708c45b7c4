"""Consumers of a queue that is filled on a schedule, and run longer than its dumps explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.watch import WatchFinding
from tuner.watch.tail import return_level
from tuner.watch.watched import DAY, lasting, stretches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.arrays import Integers
    from tuner.watch.watched import Minutes, Watched

_GAPS: Final = (2, 5, 15, 60)
"""Minutes without a run that end a dump: the first at which dumps come on a schedule."""
_FEWEST_DUMPS: Final = 10
_ON_SCHEDULE: Final = 0.7
_TOLERANCE: Final = 0.15
_LEAST_MINUTES: Final = 5
_MOST_STEPS: Final = ((20, float(np.log(2.0))), (0, float(np.log(3.0))))
"""From so many dumps on, what runs so many times as long as ever before is none of them."""


def queues_not_draining(watched: Watched, minutes: Minutes) -> Iterator[WatchFinding]:
    """Runs of the consumer far longer than those of the dumps before."""
    for gap in _GAPS:
        runs = np.array(stretches(minutes.count > 0, gap), dtype=np.int64).reshape(-1, 2)
        period = _period(runs[:, 0])
        if period is not None:
            yield from _overlong(watched, minutes, runs, period, gap)
            return


def _period(starts: Integers) -> float | None:
    """Minutes from dump to dump; None where they come on no schedule, or are too few."""
    if len(starts) < _FEWEST_DUMPS:
        return None
    apart = np.diff(starts)
    period = float(np.median(apart))
    times = np.round(apart / period)
    is_on = (times >= 1) & (np.abs(apart - times * period) <= _TOLERANCE * period)
    return period if period >= 10 and is_on.mean() >= _ON_SCHEDULE else None


def _overlong(
    watched: Watched,
    minutes: Minutes,
    runs: Integers,
    period: float,
    gap: int,
) -> Iterator[WatchFinding]:
    lengths = np.log(runs[:, 1] - runs[:, 0] + 1.0)
    days = runs[:, 0] // DAY
    for day in np.unique(days):
        before = days < day
        if before.sum() < _FEWEST_DUMPS:
            continue
        longest = [float(lengths[days == each].max()) for each in np.unique(days[before])]
        step = next(step for count, step in _MOST_STEPS if before.sum() >= count)
        limit = max(return_level(np.array(longest), most_step=step), np.log(_LEAST_MINUTES))
        for at in np.flatnonzero((days == day) & (lengths > limit)):
            lengths[at] = limit  # no example for later days
            yield _finding(
                watched, minutes, runs[at], limit=float(np.exp(limit)), period=period, gap=gap
            )


def _finding(
    watched: Watched,
    minutes: Minutes,
    run: Integers,
    *,
    limit: float,
    period: float,
    gap: int,
) -> WatchFinding:
    begin, end = int(run[0]), int(run[1])
    goes_on = minutes.last - end <= gap
    rows = slice(begin, end + 1)
    cost = float(minutes.cost_usd[rows].sum())
    hourly = watched.per_hour(minutes.lately_usd(begin), minutes.moment(begin))
    length = end - begin + 1
    message = (
        f"its queue is filled every {lasting(60 * period)}, and it has run for "
        f"{lasting(60 * length)} since, where dumps before explain {lasting(60 * limit)} at most"
    )
    return WatchFinding(
        finding=Finding("queue_not_draining", "warning", message),
        function=watched.function,
        since=minutes.moment(begin),
        until=None if goes_on else minutes.moment(end + 1),
        evidence=(
            ("period_minutes", period),
            ("running_minutes", length),
            ("limit_minutes", limit),
            ("invocation_count", int(minutes.count[rows].sum())),
            ("failure_count", int(minutes.failures[rows].sum())),
            ("cost_usd", cost),
        ),
        usd_per_hour=hourly if goes_on else 0.0,
        action=(
            "See whether its messages come back (a visibility timeout shorter than a run, a batch "
            "that fails for one item, a handler that sends to its own queue), and give the queue a "
            "dead-letter queue"
        ),
    )
