"""What a rule is given: one function's reports, their prices, and the time up to now; and its sums
by the minute, with what each is expected to have by those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.observe.store import where_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from tuner.model.arrays import Floats
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
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


@dataclass(frozen=True, slots=True)
class Watched:
    """One function as rules see it."""

    store: ReportStore
    function: str
    prices: LambdaPrices
    start: datetime
    end: datetime
    """Now, as far as the logs tell: the window's end."""
    window: Window
    """What is asked of the store: without ends where the whole archive counts."""
    account: str | None = None
    discount_ratio: float = 0.0

    def rows(self, sql: str, *more: Any) -> list[tuple[Any, ...]]:
        """Rows of a query: {where} leaves the function's reports that have a time, {usd} is what
        one costs, and {is_lately} whether it's of the last hour. Values of `more` come behind
        {where}.
        """
        return self._asked(sql, more).fetchall()

    def columns(self, sql: str, *more: Any) -> tuple[NDArray[Any], ...]:
        """The same as arrays, for many rows."""
        found = self._asked(sql, more).fetchnumpy()
        return tuple(np.asarray(each) for each in found.values())

    def _asked(self, sql: str, more: tuple[Any, ...]) -> DuckDBPyConnection:
        where, values = where_of(self.function, self.window, self.account)
        hour_ago_us = (self.end - HOUR - EPOCH) // timedelta(microseconds=1)
        text = sql.format(
            where=f"{where} AND logged_at IS NOT NULL",
            usd=self.usd,
            is_lately=f"logged_at > make_timestamp({hour_ago_us})",
        )
        return self.store.connection.execute(text, [*values, *more])

    @property
    def usd(self) -> str:
        """SQL: what a report costs in USD."""
        share = 1 - self.discount_ratio
        rate = self.prices.price_usd_per_ms(1) * share
        request = float(self.prices.request_price_usd) * share
        return f"({request!r} + {rate!r} * memory_mb * billed_duration_ms)"

    def per_hour(self, cost_usd: float, since: datetime) -> float:
        """A cost of the last hour, or since then if that's later, for each hour."""
        hours = min(self.end - since, HOUR) / HOUR
        return cost_usd / max(hours, 1 / 60)

    @property
    def history_days(self) -> float:
        """How many days of logs there are."""
        return (self.end - self.start) / timedelta(days=1)


def utc(moment: datetime) -> datetime:
    """A moment of the store's."""
    return moment.replace(tzinfo=UTC)


def moment(second: float) -> datetime:
    """When a second since 1970 was."""
    return EPOCH + timedelta(seconds=float(second))


def lasting(seconds: float) -> str:
    """How long: in seconds up to two minutes, in minutes up to two hours."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def amount(usd: float) -> str:
    """Dollars, of small amounts the first two digits."""
    if usd >= 1:
        return f"${usd:,.2f}"
    return f"${Decimal(f'{usd:.2g}'):f}" if usd >= 1e-6 else "under $0.000001"


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
