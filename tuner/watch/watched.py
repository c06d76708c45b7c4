"""What a rule is given: one function's reports, their prices, and the time up to now."""

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

    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


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
