"""A function's sums by the hour, version and memory size, and by environment where sizes overlap;
and when its memory changed, by the sizes that they have.

`before_after` and `split` compare them. An hour is counted from 1970-01-01T00:00Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.observe.deployments import Setting, SettingHour, setting_runs
from tuner.observe.store import where_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.model.arrays import Flags, Floats, Integers
    from tuner.model.observation import Window
    from tuner.observe.deployments import SettingRun
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_S: Final = 3600
_WITH_IT_HOURS: Final = 3
"""A deployment so close to the change can't be told from it."""
_PURE: Final = 0.98
"""Share of one size in an hour that counts as its hour."""


@dataclass(frozen=True, slots=True, eq=False)
class UseRows:
    """Columns of equal length: what one version did at one size in one slot of time."""

    slot: Integers
    """Which one since 1970; an hour unless asked otherwise."""
    version: NDArray[np.object_]
    """Empty where it isn't known."""
    environment: NDArray[np.object_]
    """The log stream, if asked for; otherwise empty."""
    memory_mb: Integers
    cold: Flags
    count: Floats
    cost_usd: Floats
    cost_squares: Floats
    failure_count: Floats
    kill_count: Floats
    first_us: Integers
    """When the first of them was logged."""
    log_ms: Floats
    """Sum of the logarithms of successful handler durations, and what goes with it."""
    log_ms_squares: Floats
    success_count: Floats

    def where(self, chosen: Flags) -> UseRows:
        """Some of the rows."""
        return UseRows(*(getattr(self, each)[chosen] for each in self.__dataclass_fields__))

    @property
    def total_count(self) -> int:
        """Invocations in all."""
        return int(self.count.sum())

    @property
    def mean_usd(self) -> float:
        """Mean cost of an invocation; 0 without one."""
        return float(self.cost_usd.sum() / max(self.count.sum(), 1))

    @property
    def cold_share(self) -> float:
        """Cold starts among all invocations."""
        return float(self.count[self.cold].sum() / max(self.count.sum(), 1))

    @property
    def failure_share(self) -> float:
        """Invocations that did not succeed among all."""
        return float(self.failure_count.sum() / max(self.count.sum(), 1))

    def setting_hours(self, *, by_version: bool) -> list[SettingHour]:
        """The lines of each memory size (and version) by hour, for `setting_runs`."""
        found: dict[tuple[int, Setting], list[int]] = {}
        for at, hour in enumerate(self.slot.tolist()):
            version = str(self.version[at]) if by_version else None
            found.setdefault((hour, Setting(version, int(self.memory_mb[at]))), []).append(at)
        return [
            SettingHour(
                hour=moment(hour),
                setting=setting,
                count=int(self.count[rows].sum()),
                first_at=EPOCH + timedelta(microseconds=int(self.first_us[rows].min())),
            )
            for (hour, setting), rows in sorted(found.items(), key=lambda each: each[0][0])
        ]


def moment(hour: float) -> datetime:
    """When an hour since 1970 begins."""
    return EPOCH + timedelta(hours=hour)


def hour_of(at: datetime) -> float:
    """Hours from 1970 to a moment."""
    return (at - EPOCH) / timedelta(hours=1)


def use_rows(
    store: ReportStore,
    function: str,
    window: Window,
    prices: LambdaPrices,
    *,
    account: str | None = None,
    discount_ratio: float = 0.0,
    slot_s: int = HOUR_S,
    by_environment: bool = False,
    left_out: Sequence[str] = (),
) -> UseRows:
    """Read a function's sums; rows without a time are in none of them. `left_out` are request ids
    of what is no production.
    """
    where, values = where_of(function, window, account)
    if left_out:
        where = f"{where} AND request_id NOT IN (SELECT unnest(?::VARCHAR[]))"
        values = [*values, list(left_out)]
    environment = "coalesce(log_stream, '')" if by_environment else "''"
    columns = store.connection.execute(
        f"""SELECT epoch_ms(logged_at) // {slot_s * 1000} AS slot,
              coalesce(version, '') AS version, {environment} AS environment, memory_mb,
              init_duration_ms IS NOT NULL OR restore_duration_ms IS NOT NULL AS cold,
              count(*)::DOUBLE AS count,
              sum(memory_mb::HUGEINT * billed_duration_ms)::DOUBLE AS mb_ms,
              sum((memory_mb * billed_duration_ms)::HUGEINT ** 2)::DOUBLE AS mb_ms_squares,
              (count(*) FILTER (outcome <> 'success'))::DOUBLE AS failures,
              (count(*) FILTER (outcome = 'oom'))::DOUBLE AS kills,
              min(epoch_us(logged_at)) AS first_us,
              coalesce(sum(ln(greatest(duration_ms, 0.01))) FILTER (outcome = 'success'), 0)
                AS log_ms,
              coalesce(sum(ln(greatest(duration_ms, 0.01)) ** 2) FILTER (outcome = 'success'), 0)
                AS log_ms_squares,
              (count(*) FILTER (outcome = 'success'))::DOUBLE AS successes
            FROM reports WHERE {where} AND logged_at IS NOT NULL
            GROUP BY slot, version, environment, memory_mb, cold
            ORDER BY slot, version, environment, memory_mb, cold""",  # noqa: S608 - of constants
        values,
    ).fetchnumpy()
    found: dict[str, NDArray[Any]] = {name: np.asarray(each) for name, each in columns.items()}
    rate = prices.price_usd_per_ms(1) * (1 - discount_ratio)
    request = float(prices.request_price_usd) * (1 - discount_ratio)
    count, mb_ms = found["count"], found["mb_ms"]
    squares = count * request**2 + 2 * request * rate * mb_ms + rate**2 * found["mb_ms_squares"]
    return UseRows(
        slot=found["slot"].astype(np.int64),
        version=found["version"],
        environment=found["environment"],
        memory_mb=found["memory_mb"].astype(np.int64),
        cold=found["cold"].astype(bool),
        count=count,
        cost_usd=count * request + rate * mb_ms,
        cost_squares=squares,
        failure_count=found["failures"],
        kill_count=found["kills"],
        first_us=found["first_us"].astype(np.int64),
        log_ms=found["log_ms"],
        log_ms_squares=found["log_ms_squares"],
        success_count=found["successes"],
    )


@dataclass(frozen=True, slots=True)
class Move:
    """A change from one memory size to another, and what was deployed around it."""

    from_mb: int
    to_mb: int
    at: datetime
    """The first line at the new size."""
    until: datetime | None
    """When it was changed again; None while it lasts."""
    then_mb: int | None
    others: tuple[datetime, ...]
    """Deployments that left the memory as it was."""


def find_move(rows: UseRows, to_mb: int | None, since: datetime) -> Move | str:
    """The last change to `to_mb` after `since`, or else the last one to any size; or why there is
    none.
    """
    runs = setting_runs(rows.setting_hours(by_version=False))
    moves = [(before, after) for before, after in pairwise(runs)]
    later = [each for each in moves if each[1].done >= since]
    wanted = [each for each in later if each[1].setting.memory_mb == to_mb] or later
    if not wanted:
        return _not_moved(runs, moves, to_mb, since)
    before, after = wanted[-1]
    following = runs[runs.index(after) + 1 :]
    return Move(
        before.setting.memory_mb,
        after.setting.memory_mb,
        after.at,
        following[0].at if following else None,
        following[0].setting.memory_mb if following else None,
        _others(rows, after.at),
    )


def _not_moved(
    runs: Sequence[SettingRun],
    moves: Sequence[tuple[SettingRun, SettingRun]],
    to_mb: int | None,
    since: datetime,
) -> str:
    if not runs:
        return "no line has a time, or no size most of them: when it changed isn't known"
    now_mb = runs[-1].setting.memory_mb
    if moves:
        return (
            f"the memory last changed on {moves[-1][1].at:%Y-%m-%d}, before the sweep of "
            f"{since:%Y-%m-%d}: its recommendation isn't applied (tuner apply writes it)"
        )
    if now_mb == to_mb:
        return (
            f"all lines are at {now_mb} MB, none is from before the change: look back further "
            "(`days`), or add older logs (`logs`)"
        )
    wanted = "" if to_mb is None else f", and {to_mb} MB is recommended (tuner apply writes it)"
    return f"the memory never changed: all lines are at {now_mb} MB{wanted}"


def _others(rows: UseRows, at: datetime) -> tuple[datetime, ...]:
    runs = setting_runs(rows.setting_hours(by_version=True))
    return tuple(
        after.at
        for before, after in pairwise(runs)
        if before.setting.memory_mb == after.setting.memory_mb
        and abs(hour_of(after.at) - hour_of(at)) > _WITH_IT_HOURS
    )


def pure_hours(rows: UseRows, move: Move, *, most_days: int) -> UseRows:
    """The rows of hours at one of the two sizes, within so many days of the change."""
    hours, at = np.unique(rows.slot, return_inverse=True)
    total = np.bincount(at, rows.count, minlength=len(hours))
    chosen = np.zeros(len(at), dtype=bool)
    near = np.abs(rows.slot - hour_of(move.at)) <= most_days * 24
    for size in (move.from_mb, move.to_mb):
        of_size = rows.memory_mb == size
        share = np.bincount(at, rows.count * of_size, minlength=len(hours)) / total
        chosen |= of_size & (share >= _PURE)[at]
    return rows.where(chosen & near)
