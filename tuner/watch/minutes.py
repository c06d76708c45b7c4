"""A function's sums by the minute, and what each minute is expected to have by those before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.watch.watched import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from tuner.model.arrays import Floats
    from tuner.watch.watched import Watched

DAY: Final = 1440
HOURS: Final = 24
DAYS_FOR_WEEK: Final = 14
"""Under two weeks of history no weekly season is assumed."""
_MOST_DAYS: Final = 400
"""Before the last minute: a year with its holidays. A line may have the time of a clock that was
never set.
"""
_DAY_WEIGHT: Final = 0.93
"""What each day back counts less: a level of ten days ago counts half."""


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """Columns of equal length, a row a minute without a gap, from a whole day's first on."""

    first: int
    """Minutes since 1970."""
    seen: int
    """The row of the first report."""
    count: Floats
    failures: Floats
    retries: Floats
    busy_minutes: Floats
    """Handler time: how many ran at once, on average."""
    cost_usd: Floats

    @property
    def last(self) -> int:
        """The row of the last minute."""
        return len(self.count) - 1

    def lately_usd(self, first: int) -> float:
        """What the last hour cost, or from a row on if that's later."""
        return float(self.cost_usd[max(first, self.last - 59) :].sum())

    def moment(self, row: int) -> datetime:
        """When a row's minute begins."""
        return EPOCH + timedelta(minutes=self.first + row)

    def row(self, moment: datetime) -> int:
        """The row of a moment's minute, the first if it's earlier."""
        return max((moment - EPOCH) // timedelta(minutes=1) - self.first, 0)


def minutes_of(watched: Watched) -> Minutes:
    """Read the sums."""
    at, *sums = watched.columns(
        """SELECT epoch_ms(logged_at) // 60000 AS minute, count(*)::DOUBLE AS count,
            (count(*) FILTER (outcome <> 'success'))::DOUBLE AS failures,
            (count(*) FILTER (attempt > 1))::DOUBLE AS retries,
            sum(duration_ms) / 60000 AS busy_minutes, sum({usd}) AS usd
        FROM reports WHERE {where} GROUP BY minute ORDER BY minute"""
    )
    last = int((watched.end - EPOCH) / timedelta(minutes=1))
    kept = at > last - _MOST_DAYS * DAY
    at, sums = at[kept], [each[kept] for each in sums]
    if not len(at):
        return Minutes(last, 0, *(np.zeros(1) for _ in range(5)))
    first = int(at[0] // DAY * DAY)
    last = max(int(at[-1]), last)
    columns = [np.zeros(last - first + 1) for _ in range(5)]
    for column, values in zip(columns, sums, strict=True):
        column[at - first] = values
    return Minutes(first, int(at[0] - first), *columns)


def window_sums(values: Floats, width: int) -> Floats:
    """For each minute the sum of so many up to it."""
    sums = np.concatenate([np.zeros(1), np.cumsum(values)])
    at = np.arange(1, len(sums))
    return np.asarray(sums[at] - sums[np.maximum(at - width, 0)])


def expected_by_minute(values: Floats, first: int, seen: int = 0) -> Floats:
    """What each minute is expected to have: the mean of the same hour on the days before it, or of
    an hour beside it if that had more; NaN where none has been seen whole.

    `seen` is the row of the first report. Later days count more. From two weeks on, the same
    weekdays count; weekdays and weekends alike before.
    """
    days = -(-len(values) // DAY)
    padded = np.concatenate([values, np.zeros(days * DAY - len(values))])
    hours = padded.reshape(days, HOURS, 60).sum(axis=2) / 60
    weekday = (first // DAY + np.arange(days)) % 7
    whole = (np.arange(days * HOURS) * 60 >= seen).astype(np.float64).reshape(days, HOURS)
    expected = np.full((days, HOURS), np.nan)
    daily = np.zeros((2, HOURS))
    weekly = np.zeros((7, 2, HOURS))
    for day in range(days):
        known = daily[1] > 0
        expected[day, known] = daily[0, known] / daily[1, known]
        if day >= DAYS_FOR_WEEK:
            same = weekly[weekday[day]]
            # A day's worth of all days steadies few of the same.
            expected[day] = (same[0] + expected[day]) / (same[1] + 1)
        latest = np.stack([hours[day] * whole[day], whole[day]])
        daily = daily * _DAY_WEIGHT + latest
        weekly[weekday[day]] = weekly[weekday[day]] * _DAY_WEIGHT**7 + latest
    flat = expected.reshape(-1)
    around = np.stack([np.roll(flat, 1), flat, np.roll(flat, -1)])
    around[0, 0] = around[2, -1] = np.nan
    # The hour after the day's last is not known yet: it's of tomorrow.
    following = around[2].reshape(days, HOURS)
    following[:, -1] = flat.reshape(days, HOURS)[:, -1]
    return np.asarray(np.repeat(np.fmax.reduce(around, axis=0), 60)[: len(values)])


def daily_maxima(values: Floats) -> Floats:
    """The largest of each day; the last day's as far as it has come."""
    days = -(-len(values) // DAY)
    padded = np.concatenate([values, np.full(days * DAY - len(values), -np.inf)])
    return np.asarray(padded.reshape(days, DAY).max(axis=1))


def stretches(flags: NDArray[Any], gap: int) -> list[tuple[int, int]]:
    """First and last row of each stretch of flags; a gap of so many rows ends one."""
    at = np.flatnonzero(flags)
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > gap)
    begins = np.concatenate([at[:1], at[breaks + 1]])
    ends = np.concatenate([at[breaks], at[-1:]])
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
