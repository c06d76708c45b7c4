"""The queue of a fleet: where every item is, and what the budget has left, on the disk.

An SQLite file, `queue.sqlite` in the fleet's folder, written before and after every step of an item
in one transaction each, so that whatever ends the process leaves a state to go on from. An item is
claimed only if the budget covers what all running items may still spend, and its own limit too.
One process at a time has a fleet: see `fleet_lock`.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from tuner.errors import FleetError
from tuner.model.fleet import FleetItem, FleetProgress
from tuner.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from tuner.model.fleet import FleetPlace, ItemResult

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS items (
    key TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    place TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    max_cost_usd REAL NOT NULL,
    lost_usd REAL NOT NULL DEFAULT 0,
    in_flight_usd REAL NOT NULL DEFAULT 0,
    cost_usd REAL NOT NULL DEFAULT 0,
    invocation_count INTEGER NOT NULL DEFAULT 0,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    is_leased INTEGER NOT NULL DEFAULT 0,
    sweep_id TEXT, sweep_file TEXT, verdict TEXT, memory_mb INTEGER, reason TEXT,
    saving REAL, saving_low REAL, saving_high REAL,
    begun_at REAL, ended_at REAL, was_mb INTEGER
)
"""
_WAS_MB: Final = "ALTER TABLE items ADD COLUMN was_mb INTEGER"
"""In a queue of an earlier version."""
_AGAIN: Final = "UPDATE items SET state = 'pending', reason = NULL, ended_at = NULL"
_RUNS: Final = "CREATE TABLE IF NOT EXISTS runs (begun_at REAL NOT NULL)"
_ROUNDING_USD: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item's sweep ended."""

    cost_usd: float
    invocation_count: int
    verdict: str | None = None
    memory_mb: int | None = None
    saving_ratio: Interval | None = None
    was_mb: int | None = None
    """What its function had then."""
    reason: str | None = None
    """Why the answer is inconclusive, if it is."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that may run now, and what it may spend."""

    item: FleetItem
    budget_usd: float
    """What is left of its own limit, after what interruptions may have lost."""
    sweep_file: str | None
    """What an earlier attempt has measured, to go on with."""


class FleetQueue:
    """Every item's state. Safe to share between threads."""

    def __init__(
        self,
        file: Path,
        items: Sequence[FleetItem],
        budget_usd: float,
        *,
        read_only: bool = False,
        survives_power_loss: bool = True,
    ) -> None:
        """Open the file, and add the items that it lacks; `read_only`, as it is, or as a new one
        would be. Raises FleetError.
        """
        self._items = {each.key: each for each in items}
        self._budget_usd = budget_usd
        self._lock = threading.Lock()
        self._file = file
        place = ":memory:" if read_only else str(file)
        is_kept = read_only and file.exists()
        if is_kept:
            place = f"{file.resolve().as_uri()}?mode=ro"
        try:
            self._db = sqlite3.connect(
                place, isolation_level=None, check_same_thread=False, uri=is_kept
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA busy_timeout = 5000")
            if is_kept:
                self._db.execute("SELECT 1 FROM items, runs").fetchone()
                return
            self._db.execute(f"PRAGMA synchronous = {'FULL' if survives_power_loss else 'OFF'}")
            with self._whole():
                self._db.execute(_TABLE)
                self._db.execute(_RUNS)
                columns = self._db.execute("PRAGMA table_info(items)")
                if not any(row["name"] == "was_mb" for row in columns):
                    self._db.execute(_WAS_MB)
                self._db.executemany(
                    "INSERT OR IGNORE INTO items (key, position, place, max_cost_usd)"
                    " VALUES (?, ?, ?, ?)",
                    [
                        (each.key, number, place_key(each.place), each.max_cost_usd)
                        for number, each in enumerate(items)
                    ],
                )
        except sqlite3.OperationalError as error:
            raise FleetError(f"{file} can't be used: {error}") from None
        except sqlite3.Error as error:
            raise FleetError(f"{file} can't be used ({error}): plan the fleet again") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @property
    def item_count(self) -> int:
        """How many items it has."""
        return len(self._items)

    @property
    def has_pending(self) -> bool:
        """Whether any item hasn't begun."""
        return bool(self._number("SELECT COUNT(*) FROM items WHERE state = 'pending'"))

    @property
    def ended_count(self) -> int:
        """How many items have ended, however they did."""
        return int(
            self._number("SELECT COUNT(*) FROM items WHERE state NOT IN ('pending', 'running')")
        )

    def progress(self) -> tuple[FleetProgress, ...]:
        """Where every item is, in the plan's order."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM items ORDER BY position").fetchall()
        return tuple(self._progress(row) for row in rows if row["key"] in self._items)

    def begin_run(self, now_s: float) -> None:
        """A process begins to work it off: the pace is that of its latest run."""
        with self._transaction():
            self._db.execute("INSERT INTO runs VALUES (?)", (now_s,))

    def seconds_left(self, now_s: float) -> float | None:
        """By the pace of this run; None where nothing has ended in it yet."""
        with self._lock:
            begun_s, ended, waiting = self._db.execute(
                "SELECT MAX(begun_at), (SELECT COUNT(*) FROM items WHERE ended_at >="
                " (SELECT MAX(begun_at) FROM runs)), (SELECT COUNT(*) FROM items"
                " WHERE state IN ('pending', 'running')) FROM runs"
            ).fetchone()
        if not ended:
            return None
        return float(waiting * max(now_s - begun_s, 0.0) / ended)

    def progress_of(self, key: str) -> FleetProgress:
        """Where one item is."""
        with self._lock:
            row = self._db.execute("SELECT * FROM items WHERE key = ?", (key,)).fetchone()
        return self._progress(row)

    def interrupted(self) -> tuple[FleetProgress, ...]:
        """Items that were running when the last process ended: nobody else has the fleet."""
        return tuple(each for each in self.progress() if each.state == "running")

    def leased(self) -> tuple[FleetProgress, ...]:
        """Items whose sweep may have left something changed."""
        return tuple(each for each in self.progress() if each.is_leased)

    def claim(self, now_s: float, *, except_places: Collection[str] = ()) -> Claim | None:
        """Take the next item that the budget covers; None if there is none now.

        What running items may still spend is set aside, whatever they have spent so far.
        """
        with self._transaction():
            # What was spent, and what running items may still spend.
            free = self._budget_usd - self._number(
                "SELECT SUM(CASE state WHEN 'running' THEN max_cost_usd"
                " ELSE cost_usd + lost_usd END) FROM items"
            )
            for row in self._db.execute(
                "SELECT * FROM items WHERE state = 'pending' ORDER BY position"
            ):
                item = self._items.get(row["key"])
                if item is None or row["place"] in except_places:
                    continue
                left = row["max_cost_usd"] - row["cost_usd"] - row["lost_usd"]
                if left > free + _ROUNDING_USD or left <= 0:
                    continue
                self._db.execute(
                    "UPDATE items SET state = 'running', attempt_count = attempt_count + 1,"
                    " reason = NULL,"
                    " begun_at = COALESCE(begun_at, ?) WHERE key = ?",
                    (now_s, row["key"]),
                )
                budget = row["max_cost_usd"] - row["lost_usd"]
                return Claim(item, budget, row["sweep_file"])
        return None

    def prepared(self, key: str, *, sweep_id: str, sweep_file: str, in_flight_usd: float) -> None:
        """The item's sweep is planned and is about to change its function.

        `in_flight_usd` is what all its invocations in flight may cost at worst: what an
        interruption would lose.
        """
        self._set(
            key, sweep_id=sweep_id, sweep_file=sweep_file, in_flight_usd=in_flight_usd, is_leased=1
        )

    def spent(self, key: str, cost_usd: float, invocation_count: int) -> None:
        """What the item's sweep has spent so far, by its file."""
        self._set(key, cost_usd=cost_usd, invocation_count=invocation_count)

    def done(self, key: str, outcome: Outcome, now_s: float) -> None:
        """The item's sweep has ended, and its function is as before."""
        self._set(
            key,
            state="done",
            is_leased=0,
            in_flight_usd=0.0,
            cost_usd=outcome.cost_usd,
            invocation_count=outcome.invocation_count,
            verdict=outcome.verdict,
            memory_mb=outcome.memory_mb,
            was_mb=outcome.was_mb,
            **_saving(outcome.saving_ratio),
            reason=outcome.reason,
            ended_at=now_s,
        )

    def failed(self, key: str, reason: str, now_s: float, *, is_leased: bool) -> None:
        """The item's sweep failed; `is_leased` if something may be left changed."""
        self._set(key, state="failed", reason=reason, is_leased=int(is_leased), ended_at=now_s)

    def excluded(self, key: str, reason: str, now_s: float) -> None:
        """The item isn't swept after all; nothing of it was changed."""
        self._set(key, state="excluded", reason=reason, is_leased=0, ended_at=now_s)

    def put_back(self, key: str, reason: str | None = None) -> None:
        """The item was stopped in between and its function is as before: it may run again."""
        self._set(key, state="pending", is_leased=0, in_flight_usd=0.0, reason=reason)

    def waits_because(self, key: str, reason: str) -> None:
        """Why an item that is pending wasn't begun."""
        self._set(key, reason=reason)

    def put_right(self, key: str, *, cost_usd: float, invocation_count: int) -> None:
        """What a killed process left of the item is undone: it may run again, at what its file
        says it has spent, and what was in flight counts as lost, which its limit covers.
        """
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = 'pending', is_leased = 0, cost_usd = ?,"
                " invocation_count = ?, in_flight_usd = 0, lost_usd = lost_usd +"
                " MAX(0, MIN(in_flight_usd, max_cost_usd - lost_usd - ?)) WHERE key = ?",
                (cost_usd, invocation_count, cost_usd, key),
            )

    def try_again(self) -> None:
        """Items that failed with nothing left changed may run again, and those that were left out
        for side effects which are agreed to by now.
        """
        with self._transaction():
            self._db.execute(f"{_AGAIN} WHERE state = 'failed' AND is_leased = 0")
            self._take_in_agreed()

    # Of items that run elsewhere

    def ended_elsewhere(self, result: ItemResult, sweep_file: str | None) -> None:
        """An item has ended, by what its worker wrote."""
        ended = result.progress
        self._set(
            ended.item.key,
            state=ended.state,
            is_leased=int(ended.is_leased),
            cost_usd=ended.cost_usd,
            lost_usd=0.0,
            invocation_count=ended.invocation_count,
            attempt_count=ended.attempt_count,
            sweep_id=ended.sweep_id,
            sweep_file=sweep_file,
            verdict=ended.verdict,
            memory_mb=ended.memory_mb,
            was_mb=ended.was_mb,
            **_saving(ended.saving_ratio),
            reason=ended.reason,
            ended_at=result.ended_at,
        )

    def seen_elsewhere(self, key: str, now_s: float, *, is_running: bool, is_leased: bool) -> None:
        """An item has begun, and hasn't ended."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = ?, is_leased = ?, attempt_count ="
                " MAX(attempt_count, 1), begun_at = COALESCE(begun_at, ?) WHERE key = ?",
                ("running" if is_running else "pending", int(is_leased), now_s, key),
            )

    def began_elsewhere(self, now_s: float) -> None:
        """All that hasn't ended well was handed over, at this time."""
        self.begin_run(now_s)
        with self._transaction():
            self._db.execute(f"{_AGAIN} WHERE state NOT IN ('done', 'excluded')")
            self._take_in_agreed()

    def nothing_runs_elsewhere(self) -> None:
        """Items in between wait for another run."""
        with self._transaction():
            self._db.execute("UPDATE items SET state = 'pending' WHERE state = 'running'")

    def _take_in_agreed(self) -> None:
        agreed = [(each.key,) for each in self._items.values() if each.allows_side_effects]
        self._db.executemany(f"{_AGAIN} WHERE state = 'excluded' AND key = ?", agreed)

    def _number(self, query: str) -> float:
        row = self._db.execute(query).fetchone()
        return float(row[0] or 0.0)

    def _set(self, key: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._transaction():
            self._db.execute(
                f"UPDATE items SET {columns} WHERE key = ?",  # noqa: S608 - names of this file
                (*values.values(), key),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """As `_whole`. Raises FleetError."""
        try:
            with self._whole():
                yield
        except sqlite3.Error as error:
            raise FleetError(f"{self._file} can't be written: {error}") from None

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All of it is on the disk at its end, or nothing. Raises sqlite3.Error."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # if the disk is full, SQLite has done so itself
                    self._db.execute("ROLLBACK")
                raise

    def _progress(self, row: sqlite3.Row) -> FleetProgress:
        return FleetProgress(
            item=self._items[row["key"]],
            state=row["state"],
            reason=row["reason"],
            sweep_id=row["sweep_id"],
            sweep_file=row["sweep_file"],
            verdict=row["verdict"],
            memory_mb=row["memory_mb"],
            saving_ratio=None
            if row["saving"] is None
            else Interval(row["saving"], row["saving_low"], row["saving_high"]),
            invocation_count=row["invocation_count"],
            cost_usd=row["cost_usd"] + row["lost_usd"],
            attempt_count=row["attempt_count"],
            is_leased=bool(row["is_leased"]),
            was_mb=row["was_mb"] if "was_mb" in row.keys() else None,  # noqa: SIM118 - a Row's values
        )


def _saving(ratio: Interval | None) -> dict[str, float | None]:
    """The columns of an interval."""
    found = (None, None, None) if ratio is None else (ratio.estimate, ratio.low, ratio.high)
    return dict(zip(("saving", "saving_low", "saving_high"), found, strict=True))


def place_key(place: FleetPlace) -> str:
    """As the queue knows a place."""
    return f"{place.account}/{place.region}"
