"""Costs by the hour, read from the store of reports: a function's sums, and its settings over time.

Sums are of whole numbers (memory × billed milliseconds, billionths of a logarithm), so reports give
the same sums in any order.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.observe.bill import Used
from tuner.observe.database import make_table
from tuner.observe.deployments import Setting, SettingHour
from tuner.observe.hourly import HourlyCosts
from tuner.observe.spend import FunctionHours
from tuner.observe.store import where_of
from tuner.observe.use_hours import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices

NO_NAME: Final = "(no name)"
"""The function name for lines whose source names none."""
_CAP_QUANTILE: Final = 0.999
_BINS_PER_E: Final = 100

_TIMED: Final = """
    SELECT p.place, epoch_ms(r.logged_at) // 3600000 AS hour, r.logged_at, r.version, r.memory_mb,
      r.memory_mb * r.billed_duration_ms AS mb_ms,
      ln(p.request_usd + p.usd_per_mb_ms * r.memory_mb * r.billed_duration_ms) AS log_usd
    FROM reports r JOIN places p
      ON r.account IS NOT DISTINCT FROM p.account AND r.region IS NOT DISTINCT FROM p.region
      AND r.function IS NOT DISTINCT FROM p.function
      AND r.architecture IS NOT DISTINCT FROM p.architecture
    WHERE r.logged_at IS NOT NULL AND {where}"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reports are from, their function's name, and the prices there."""

    account: str | None
    region: str | None
    function: str | None
    architecture: str | None
    own_name: str
    """The function's, or one for lines that name none."""
    name: str
    """The same, with account and region where functions of several have it."""
    prices: LambdaPrices
    discount_ratio: float = 0.0

    @property
    def request_usd(self) -> float:
        """The price of a request."""
        return float(self.prices.request_price_usd) * (1 - self.discount_ratio)

    @property
    def usd_per_mb_ms(self) -> float:
        """The price of a billed millisecond at 1 MB."""
        return self.prices.price_usd_per_ms(1) * (1 - self.discount_ratio)


class CostHours:
    """The hours of every function of a store within a window, at list prices."""

    def __init__(self, store: ReportStore, window: Window, places: Sequence[Place]) -> None:
        self._connection = store.connection
        self._places = places
        where, self._ends = where_of(None, window, None)
        self._timed = _TIMED.format(where=where)
        self.names = tuple(sorted({each.name for each in places}))
        number = {name: at for at, name in enumerate(self.names)}
        rows = [
            (at, each.account, each.region, each.function, each.architecture, number[each.name],
             each.request_usd, each.usd_per_mb_ms)
            for at, each in enumerate(places)
        ]  # fmt: skip
        columns = (
            "place INTEGER, account VARCHAR, region VARCHAR, function VARCHAR,"
            " architecture VARCHAR, name INTEGER, request_usd DOUBLE, usd_per_mb_ms DOUBLE"
        )
        make_table(self._connection, f"places ({columns})", rows)

    def functions(self) -> list[FunctionHours]:
        """Every function with a report that has a time, by name."""
        make_table(self._connection, "caps (place INTEGER, cap DOUBLE)", [*self._caps().items()])
        found = self._columns(
            f"""WITH timed AS ({self._timed})
            SELECT place, hour, count(*) AS count,
              sum(mb_ms::HUGEINT)::DOUBLE AS mb_ms,
              sum(mb_ms::HUGEINT * mb_ms)::DOUBLE AS mb_ms_squares,
              sum((log_usd * 1e9)::BIGINT)::DOUBLE / 1e9 AS log_usd,
              sum((log_usd * log_usd * 1e9)::BIGINT)::DOUBLE / 1e9 AS log_usd_squares,
              sum(least(mb_ms, cap)::HUGEINT)::DOUBLE AS capped,
              sum(least(mb_ms, cap)::HUGEINT * least(mb_ms, cap)::HUGEINT)::DOUBLE AS capped_squares
            FROM timed JOIN caps USING (place) GROUP BY place, hour ORDER BY place, hour"""  # noqa: S608 - of constants
        )
        settings = self._settings()
        by_name: dict[str, list[int]] = {}
        for place in np.unique(found["place"]):
            by_name.setdefault(self._places[int(place)].name, []).append(int(place))
        return [
            FunctionHours(
                name,
                self._places[of_name[0]].own_name,
                *self._hours(found, of_name),
                settings.get(name, ()),
            )
            for name, of_name in sorted(by_name.items())
        ]

    def used(self, start: datetime.datetime, end: datetime.datetime) -> dict[str, Used]:
        """What functions of each name used between two moments, within the window: for a bill."""
        found: dict[str, Used] = {}
        rows = self._connection.execute(
            f"""WITH timed AS ({self._timed})
            SELECT place, count(*), sum(mb_ms::HUGEINT)::VARCHAR FROM timed
            WHERE logged_at >= ? AND logged_at < ? GROUP BY place ORDER BY place""",  # noqa: S608 - of constants
            [*self._ends, *(each.replace(tzinfo=None) for each in (start, end))],
        ).fetchall()
        for place, count, mb_ms in rows:
            each = self._places[place]
            used = found.setdefault(each.own_name, Used())
            used.request_count += count
            used.gb_seconds += int(mb_ms) / 1_024_000
            used.cost_usd += count * each.request_usd
            used.cost_usd += int(mb_ms) * each.usd_per_mb_ms
        return found

    def timeless_count(self) -> int:
        """How many reports have no time, and so belong to no hour."""
        row = self._connection.execute(
            "SELECT count(*) FROM reports WHERE logged_at IS NULL"
        ).fetchone()
        return int(row[0]) if row else 0

    def _caps(self) -> dict[int, float]:
        """For each place, the memory × ms that one report in a thousand exceeds, to 1%."""
        found = self._columns(
            f"""WITH timed AS ({self._timed})
            SELECT place, ceil(ln(greatest(mb_ms, 1)) * {_BINS_PER_E}) AS bin, count(*) AS count
            FROM timed GROUP BY place, bin ORDER BY place, bin"""  # noqa: S608 - of constants
        )
        caps = {}
        for place in np.unique(found["place"]):
            mine = found["place"] == place
            below = np.cumsum(found["count"][mine])
            at = int(np.searchsorted(below, _CAP_QUANTILE * below[-1]))
            caps[int(place)] = float(np.ceil(np.exp(found["bin"][mine][at] / _BINS_PER_E)))
        return caps

    def _hours(
        self, found: dict[str, NDArray[Any]], places: list[int]
    ) -> tuple[HourlyCosts, HourlyCosts]:
        """A function's sums, combined if its places differ in price."""
        ends = [np.searchsorted(found["place"], [each, each + 1]) for each in places]
        mine = np.concatenate([np.arange(*each) for each in ends])
        part = {name: column[mine] for name, column in found.items()}
        request = np.array([each.request_usd for each in self._places])
        rate = np.array([each.usd_per_mb_ms for each in self._places])
        request, rate = request[part["place"]], rate[part["place"]]
        count = part["count"]

        def cost(total: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(count * request + rate * total)

        def squares(total: NDArray[Any], of_squares: NDArray[Any]) -> NDArray[Any]:
            cross = 2 * request * rate * total
            return np.asarray(count * request**2 + cross + rate**2 * of_squares)

        hours, at = np.unique(part["hour"], return_inverse=True)

        def summed(column: NDArray[Any]) -> NDArray[Any]:
            return np.bincount(at, column, minlength=len(hours))

        sums = [summed(each) for each in (
            count, cost(part["mb_ms"]), squares(part["mb_ms"], part["mb_ms_squares"]),
        )]  # fmt: skip
        logs = HourlyCosts.of(
            hours, *sums, summed(part["log_usd"]), summed(part["log_usd_squares"])
        )
        capped, of_squares = cost(part["capped"]), squares(part["capped"], part["capped_squares"])
        mean = capped.sum() / count.sum()
        ratios, ratio_squares = summed(capped) / mean, summed(of_squares) / mean**2
        # Around its mean a ratio less 1 is close to a logarithm, as the other values are.
        values = ratios - sums[0]
        return logs, HourlyCosts.of(hours, *sums, values, ratio_squares - 2 * ratios + sums[0])

    def _settings(self) -> dict[str, tuple[SettingHour, ...]]:
        """By function, if it had several: the lines of a version and memory size by hour."""
        rows = self._connection.execute(
            f"""WITH timed AS ({self._timed}),
            several AS (
              SELECT p.name FROM timed JOIN places p USING (place)
              GROUP BY p.name HAVING count(DISTINCT (coalesce(version, ''), memory_mb)) > 1)
            SELECT p.name, hour, version, memory_mb, count(*), min(logged_at)
            FROM timed JOIN places p USING (place) WHERE p.name IN (SELECT name FROM several)
            GROUP BY ALL ORDER BY p.name, hour, version, memory_mb""",  # noqa: S608 - of constants
            self._ends,
        ).fetchall()
        found: dict[str, list[SettingHour]] = {}
        for name, hour, version, memory_mb, count, first_at in rows:
            found.setdefault(self.names[name], []).append(
                SettingHour(
                    hour=moment(hour),
                    setting=Setting(version, memory_mb),
                    count=count,
                    first_at=first_at.replace(tzinfo=datetime.UTC),
                )
            )
        return {name: tuple(hours) for name, hours in found.items()}

    def _columns(self, sql: str) -> dict[str, NDArray[Any]]:
        found = self._connection.execute(sql, self._ends).fetchnumpy()
        return {name: np.asarray(column) for name, column in found.items()}
