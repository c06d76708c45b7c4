"""A function's CloudWatch metrics by the minute, from its reports and from CloudWatch itself.

CloudWatch puts an invocation into the minute in which it was invoked, and has no data point for a
minute without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.errors import InputError
from tuner.model.alarm import MINUTE_S
from tuner.observe.store import where_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.model.alarm import CostRate, Metric
    from tuner.model.arrays import Floats, Integers
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_US: Final = MINUTE_S * 1_000_000
MOST_DAYS: Final = 63


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
