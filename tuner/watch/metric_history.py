"""A function's CloudWatch metrics by the minute, and how CloudWatch would have evaluated an alarm.

CloudWatch puts an invocation into the minute in which it was invoked, and has no data point for a
minute without one.

The rules are those of the user guide, "Using Amazon CloudWatch alarms", "Configuring how CloudWatch
alarms treat missing data": it looks at more data points than the alarm's evaluation periods (two
more in the guide's examples, and here). If as many as the evaluation periods exist, the most
recent of them decide and missing ones don't count. Otherwise all that exist do, and each of the
rest counts as the alarm says. It's in ALARM if as many as its data points to alarm are breaching.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.errors import InputError
from tuner.model.alarm import MINUTE_S, Rings
from tuner.observe.store import where_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tuner.model.alarm import Alarm, CostRate, Metric, MissingData
    from tuner.model.arrays import Flags, Floats, Integers
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore

    States = NDArray[np.int8]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_US: Final = MINUTE_S * 1_000_000
MOST_DAYS: Final = 63
OK: Final = 0
ALARM: Final = 1
INSUFFICIENT: Final = 2
_RETAIN: Final = 3
MORE_POINTS: Final = 2
"""Data points that are looked at beyond the evaluation periods."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricHistory:
    """Series of equal length, a value a minute from `start` on; NaN where there's no data point."""

    start: datetime
    minute_count: int
    series: Mapping[tuple[str, str], Floats] = field(default_factory=dict)
    """By (metric, statistic)."""

    @property
    def end(self) -> datetime:
        """When the last minute ends."""
        return self.start + timedelta(minutes=self.minute_count)

    def of(self, metric: Metric) -> Floats | None:
        """A metric's values; None where they aren't known."""
        return self.series.get((metric.name, metric.statistic))

    def cost_usd_per_hour(self, rate: CostRate) -> Floats:
        """What each minute cost, times sixty: the expression that an alarm has."""
        times, counts = self.series["Duration", "Sum"], self.series["Invocations", "Sum"]
        return np.asarray((counts * rate.usd_per_request + times * rate.usd_per_ms) * 60)

    def with_points(
        self, points: Mapping[tuple[str, str], Sequence[tuple[datetime, float]]]
    ) -> MetricHistory:
        """The same with what CloudWatch has, by (metric, statistic)."""
        added = {}
        for key, values in points.items():
            series = np.full(self.minute_count, np.nan)
            for moment, value in values:
                at = int((moment - self.start).total_seconds() // MINUTE_S)
                if 0 <= at < self.minute_count:
                    series[at] = value
            added[key] = series
        return MetricHistory(self.start, self.minute_count, {**self.series, **added})


def read_history(
    store: ReportStore,
    function: str,
    window: Window,
    *,
    account: str | None = None,
    until: datetime | None = None,
) -> MetricHistory:
    """The metrics that reports tell of, over the last weeks of a window.

    It goes on to `until` where nothing was invoked up to then. Raises InputError where no report
    has a time.
    """
    where, values = where_of(function, window, account)
    rows = store.connection.execute(
        f"""SELECT epoch_us(logged_at) AS ended, duration_ms,
              coalesce(init_duration_ms, 0) AS init_ms, outcome <> 'success' AS failed
            FROM reports WHERE {where} AND logged_at IS NOT NULL ORDER BY logged_at""",  # noqa: S608 - of constants
        values,
    ).fetchnumpy()
    ended = np.asarray(rows["ended"], dtype=np.int64)
    if not len(ended):
        raise InputError(f"no report of {function} has a time, so there's no history for alarms")
    took = np.asarray(rows["duration_ms"], dtype=np.float64)
    began = ended - ((took + np.asarray(rows["init_ms"], dtype=np.float64)) * 1000).astype(np.int64)
    last = int(ended.max())
    if until is not None:
        last = max(last, (until - _EPOCH) // timedelta(microseconds=1) - 1)
    since = max(int(began.min()), last - MOST_DAYS * 1440 * _MINUTE_US)
    kept = began >= since
    first = since // _MINUTE_US
    count = int(last // _MINUTE_US - first) + 1
    at = (began[kept] // _MINUTE_US - first).astype(np.int64)
    counts = np.bincount(at, minlength=count).astype(np.float64)
    errors = np.bincount(at, np.asarray(rows["failed"], dtype=np.float64)[kept], minlength=count)
    sums = np.bincount(at, took[kept], minlength=count)
    is_there = counts > 0
    series = {
        ("Invocations", "Sum"): np.where(is_there, counts, np.nan),
        ("Errors", "Sum"): np.where(is_there, errors, np.nan),
        ("Duration", "Sum"): np.where(is_there, sums, np.nan),
        ("Duration", "Average"): np.where(is_there, sums / np.maximum(counts, 1), np.nan),
        ("ConcurrentExecutions", "Maximum"): _concurrency(began[kept], ended[kept], first, count),
    }
    return MetricHistory(_EPOCH + timedelta(minutes=int(first)), count, series)


def _concurrency(began: Integers, ended: Integers, first: int, count: int) -> Floats:
    """The most that ran at once in each minute, what ran on from the one before included."""
    moments = np.concatenate([began, ended])
    steps = np.concatenate([np.ones(len(began)), -np.ones(len(ended))])
    order = np.lexsort((steps, moments))  # what ends makes room for what begins at that moment
    moments, running = moments[order], np.cumsum(steps[order])
    minute = (moments // _MINUTE_US - first).astype(np.int64)
    most = np.zeros(count)
    np.maximum.at(most, np.clip(minute, 0, count - 1), running)
    edges = (first + np.arange(count)) * _MINUTE_US
    before = np.searchsorted(moments, edges, side="left")
    carried = np.where(before > 0, running[np.maximum(before - 1, 0)], 0.0)
    most = np.maximum(most, carried)
    return np.where(most > 0, most, np.nan)


def breaching(alarm: Alarm, values: Floats) -> Flags:
    """Which values are beyond the threshold; what is missing (NaN) isn't."""
    if alarm.comparison == "GreaterThanThreshold":
        return np.asarray(values > alarm.threshold)
    return np.asarray(values >= alarm.threshold)


def states(
    exists: Flags, breaches: Flags, *, periods: int, to_alarm: int, missing: MissingData
) -> States:
    """The state after each period: 0 OK, 1 ALARM, 2 INSUFFICIENT_DATA; before the first it's OK.

    `exists` says which periods have a data point, `breaches` which of these are breaching.
    """
    count = len(exists)
    at = np.arange(count) + 1
    known = np.concatenate([[0], np.cumsum(exists)])
    broken = np.concatenate([[0], np.cumsum((exists & breaches)[exists])])
    """By how many points exist: how many of them are breaching."""
    begin = np.maximum(at - periods - MORE_POINTS, 0)
    there = known[at] - known[begin]
    enough = there >= periods
    first = np.where(enough, known[at] - periods, known[begin])
    breached = broken[known[at]] - broken[first]
    rings = breached >= to_alarm
    found = np.where(rings, ALARM, OK).astype(np.int8)
    short = ~enough & ~rings
    if missing == "breaching":
        found[short & (breached + periods - there >= to_alarm)] = ALARM
    elif missing in {"missing", "ignore"}:
        bad_only = short & (there == breached)
        found[bad_only] = INSUFFICIENT if missing == "missing" else _RETAIN
        if missing == "missing":
            found[bad_only & _is_old(exists, to_alarm, periods)] = ALARM
    return _retained(found)


def _is_old(exists: Flags, to_alarm: int, periods: int) -> Flags:
    """Whether the oldest point of the range is at least as many periods old as would make it ring:
    CloudWatch then takes the missing ones for a breach that goes on.
    """
    at = np.arange(len(exists))
    known = np.concatenate([[0], np.cumsum(exists)])
    begin = np.maximum(at + 1 - periods - MORE_POINTS, 0)
    until = np.maximum(at + 2 - to_alarm, 0)
    return np.asarray(known[np.maximum(until, begin)] > known[begin])


def _retained(found: States) -> States:
    """The state where it's retained is the last one that was set."""
    place = np.where(found == _RETAIN, -1, np.arange(len(found)))
    last = np.maximum.accumulate(place) if len(place) else place
    return np.where(last < 0, OK, found[np.maximum(last, 0)]).astype(np.int8)


def replayed(alarm: Alarm, values: Floats) -> Flags:
    """Whether it would have been in ALARM after each period of a series (NaN: no data point)."""
    exists = ~np.isnan(values)
    found = states(
        exists,
        exists & breaching(alarm, values),
        periods=alarm.evaluation_periods,
        to_alarm=alarm.datapoints_to_alarm,
        missing=alarm.missing,
    )
    return np.asarray(found == ALARM)


def rings_of(is_alarm: Flags, start: datetime, period_s: int) -> Rings:
    """The stretches in ALARM: from the end of the period that made it ring to the one that ended it
    (or the history's end).
    """
    edges = np.diff(np.concatenate([[0], is_alarm.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    step = timedelta(seconds=period_s)
    end = start + step * len(is_alarm)
    return Rings(
        start,
        end,
        tuple(
            (start + step * (int(begin) + 1), min(start + step * (int(until) + 1), end))
            for begin, until in zip(begins, ends, strict=True)
        ),
    )
