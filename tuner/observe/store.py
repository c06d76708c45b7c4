"""One table of reports, a row an attempt, and questions about it.

The table is called `reports`:

| column | type | what it is |
|---|---|---|
| account, region | VARCHAR | NULL where the source does not name them |
| function | VARCHAR | NULL where the source names none: such rows are the asked function's |
| version | VARCHAR | a number or `$LATEST`; NULL where not known |
| log_stream, architecture, source | VARCHAR | the file or live source it was first seen in |
| request_id, attempt | VARCHAR, INTEGER | a retry has the same id and another attempt, from 1 |
| logged_at | TIMESTAMP | UTC; NULL where no line near it has a time |
| memory_mb | BIGINT | configured |
| duration_ms | DOUBLE | the handler |
| billed_duration_ms | BIGINT | charged, with INIT or the billed restore in it |
| init_duration_ms, restore_duration_ms, billed_restore_duration_ms | DOUBLE | NULL: none |
| max_memory_used_mb | BIGINT | |
| outcome | VARCHAR | `success`, `error`, `timeout` or `oom` |
| error_signature | VARCHAR | an error's class name; never its message |
| error_digest | VARCHAR | one for one fault: of its class and message, without what varies |
| trace_id | VARCHAR | X-Ray's, where a line has it |
| passes | INTEGER | how often a function ran in the trace so far, by its lineage |
| message_digests | VARCHAR[] | of the ids of messages that its lines name |
| cpu_ms | DOUBLE | of Lambda Insights |
| line | BIGINT | its place in its file |

A `Window` takes in rows from its start to its end, both included; rows without a time belong to
every window without ends, and to none with one. `connection` is for SQL that is missing here.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tuner.model.observation import (
    Durations,
    FunctionUse,
    MemoryUse,
    Usage,
    Window,
)
from tuner.model.record import from_record, to_record
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from duckdb import DuckDBPyConnection

T = TypeVar("T")
Row = tuple[Any, ...]
_MOST_ROWS: Final = 500
_MOST_ANSWERS: Final = 300
ALWAYS: Final = Window()
"""A window without ends: every report, with or without a time."""
_SUCCESS: Final = "outcome = 'success'"
_LATEST_SIZE: Final = (
    "arg_max(memory_mb, row(coalesce(logged_at, '-infinity'::TIMESTAMP), source, line))"
)
"""Of those at one time, or without a time, the latest report is the last one of the last file."""
_USAGE: Final = f"""
    count(*),
    sum(memory_mb::HUGEINT * billed_duration_ms)::VARCHAR,
    count(*) FILTER ({_SUCCESS}),
    avg(duration_ms) FILTER ({_SUCCESS}),
    quantile_cont(duration_ms, [0.5, 0.95, 0.99]) FILTER ({_SUCCESS}),
    count(*) FILTER (init_duration_ms IS NOT NULL OR restore_duration_ms IS NOT NULL),
    avg(init_duration_ms),
    quantile_cont(init_duration_ms, 0.95),
    quantile_cont(max_memory_used_mb, [0.5, 0.99]),
    max(max_memory_used_mb),
    count(*) FILTER (outcome = 'error'),
    count(*) FILTER (outcome = 'timeout'),
    count(*) FILTER (outcome = 'oom'),
    min(logged_at),
    max(logged_at)
"""


class ReportStore:
    """Reports in a DuckDB connection that has them as the table or view `reports`.

    The connection is opened when it's first needed. `answers` has the answers given before.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection | Callable[[], DuckDBPyConnection],
        answers: Answers | None = None,
    ) -> None:
        self._connect = connection
        self._opened: DuckDBPyConnection | None = None
        self._answers = answers

    @property
    def connection(self) -> DuckDBPyConnection:
        """The database. Raises InputError where it can't be read."""
        if self._opened is None:
            self._opened = self._connect() if callable(self._connect) else self._connect
        return self._opened

    def close(self) -> None:
        """Close the database, and keep the answers."""
        if self._answers is not None:
            self._answers.save()
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> ReportStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def total(
        self, function: str, window: Window = ALWAYS, *, account: str | None = None
    ) -> Usage | None:
        """What a function used in all; None without a report of it."""
        [found] = self._usages("", function, window, account)
        return found[1] if found[1].invocation_count else None

    def usage(
        self, function: str, window: Window = ALWAYS, *, account: str | None = None
    ) -> tuple[MemoryUse, ...]:
        """What a function used by memory size and version, in order of time, then of size."""
        found = [
            MemoryUse(int(size), version, usage)
            for (size, version), usage in self._usages(
                "memory_mb, version", function, window, account
            )
        ]
        unknown = datetime.max.replace(tzinfo=UTC)
        return tuple(sorted(found, key=lambda each: (each.usage.first or unknown, each.memory_mb)))

    def _usages(
        self, keys: str, function: str, window: Window, account: str | None
    ) -> list[tuple[tuple[Any, ...], Usage]]:
        head, tail = (f"{keys}, ", f"GROUP BY {keys}") if keys else ("", "")
        count = keys.count(",") + 1 if keys else 0
        sql = f"SELECT {head}{_USAGE} FROM reports WHERE {{where}} {tail}"  # noqa: S608 - of constants
        rows = self._ask(sql, function, window, account)
        return [(row[:count], _usage(row[count:])) for row in rows]

    def functions(self, window: Window = ALWAYS) -> tuple[FunctionUse, ...]:
        """Every function, those first whose GB-seconds are the most."""
        sql = f"""SELECT account, region, function, {_LATEST_SIZE}, {_USAGE}
            FROM reports WHERE {{where}} GROUP BY account, region, function
            ORDER BY sum(memory_mb::HUGEINT * billed_duration_ms) DESC, function"""  # noqa: S608 - of constants
        return tuple(
            FunctionUse(row[0], row[1], row[2], int(row[3]), _usage(row[4:]))
            for row in self._ask(sql, None, window)
        )

    def accounts(self, function: str) -> tuple[tuple[str | None, str | None], ...]:
        """The pairs of (account, region) that reports of a function are from."""
        sql = "SELECT DISTINCT account, region FROM reports WHERE {where} ORDER BY ALL"
        return tuple((account, region) for account, region in self._ask(sql, function))

    def architectures(self, function: str) -> tuple[str, ...]:
        """The architectures that sources name, the most frequent first."""
        sql = """SELECT architecture FROM reports WHERE {where} AND architecture IS NOT NULL
            GROUP BY architecture ORDER BY count(*) DESC, architecture"""
        return tuple(row[0] for row in self._ask(sql, function))

    def latest_memory_mb(
        self, function: str, window: Window = ALWAYS, *, account: str | None = None
    ) -> int | None:
        """The size of a function's latest report."""
        sql = f"SELECT {_LATEST_SIZE} FROM reports WHERE {{where}}"  # noqa: S608 - of constants
        [[size]] = self._ask(sql, function, window, account)
        return None if size is None else int(size)

    def max_concurrency(
        self, function: str, window: Window = ALWAYS, *, account: str | None = None
    ) -> int | None:
        """How many ran at once at most, by when they ended and how long they took; None where no
        report has a time.
        """
        sql = """WITH ran AS (
              SELECT epoch_us(logged_at) AS ended,
                epoch_us(logged_at) - (duration_ms * 1000)::BIGINT AS began
              FROM reports WHERE {where} AND logged_at IS NOT NULL),
            moments AS (SELECT ended AS moment, -1 AS step FROM ran
              UNION ALL SELECT began, 1 FROM ran)
            SELECT max(running) FROM
              (SELECT sum(step) OVER (ORDER BY moment, step) AS running FROM moments)"""
        [[most]] = self._ask(sql, function, window, account)
        return None if most is None else max(int(most), 1)

    def count_others(self, function: str) -> int:
        """How many reports are of functions of other names."""
        [row] = self._all(
            "SELECT count(*) FROM reports WHERE function IS NOT NULL AND function <> ?", [function]
        )
        return int(row[0])

    def remember(self, question: str, facts: object, kind: type[T], compute: Callable[[], T]) -> T:
        """The kept result for these reports and facts, or a new one.

        `kind` is a dataclass; the `repr` of the facts must have everything the result depends on.
        """
        if self._answers is None:
            return compute()
        values = [repr(facts)]
        for row in self._answers.get(question, values) or ():
            with suppress(ValueError, NameError):
                return from_record(kind, json.loads(row[0]))
        value = compute()
        self._answers.keep(question, values, [(json.dumps(to_record(value)),)])
        return value

    def _ask(
        self, sql: str, function: str | None, window: Window = ALWAYS, account: str | None = None
    ) -> list[Row]:
        """Rows of a query whose {where} leaves the function's reports of the window."""
        where, values = where_of(function, window, account)
        return self._all(sql.format(where=where), values)

    def _all(self, sql: str, values: Sequence[Any]) -> list[Row]:
        found = None if self._answers is None else self._answers.get(sql, values)
        if found is None:
            found = self.connection.execute(sql, list(values)).fetchall()
            if self._answers is not None:
                self._answers.keep(sql, values, found)
        return found


def where_of(function: str | None, window: Window, account: str | None) -> tuple[str, list[Any]]:
    """A condition and its values."""
    parts: list[str] = ["true"]
    values: list[Any] = []
    if function is not None:
        parts.append("(function = ? OR function IS NULL)")
        values.append(function)
    if account is not None:
        parts.append("(account = ? OR account IS NULL)")
        values.append(account)
    for sign, end in ((">=", window.start), ("<=", window.end)):
        if end is not None:
            parts.append(f"logged_at {sign} ?")
            values.append(end.astimezone(UTC).replace(tzinfo=None))
    return " AND ".join(parts), values


def _usage(row: Sequence[Any]) -> Usage:
    (count, billed, successes, mean, quantiles, cold, mean_init, p95_init, used, most,
     errors, timeouts, kills, first, last) = row  # fmt: skip
    durations = Durations(successes, mean, *quantiles) if successes else None
    p50_used, p99_used = used or (None, None)
    return Usage(
        invocation_count=count,
        billed_mb_ms=int(billed or 0),
        durations=durations,
        cold_start_count=cold,
        mean_init_ms=mean_init,
        p95_init_ms=p95_init,
        p50_memory_used_mb=p50_used,
        p99_memory_used_mb=p99_used,
        max_memory_used_mb=most,
        error_count=errors,
        timeout_count=timeouts,
        oom_count=kills,
        first=_utc(first),
        last=_utc(last),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


class Answers:
    """Rows by question, in a file beside the reports: the same question opens no database."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[str, Any] = {}
        self._is_changed = False
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads(file.read_text(encoding="utf-8"))
            self._found = found if isinstance(found, dict) else {}

    def get(self, sql: str, values: Sequence[Any]) -> list[Row] | None:
        """The rows of a question; None if it wasn't asked."""
        found = self._found.get(_key(sql, values))
        try:
            return None if found is None else [tuple(map(_value, row)) for row in found]
        except (TypeError, ValueError):
            return None

    def keep(self, sql: str, values: Sequence[Any], rows: Sequence[Row]) -> None:
        """Remember the rows of a question, unless they are many."""
        if len(rows) <= _MOST_ROWS and len(self._found) < _MOST_ANSWERS:
            self._found[_key(sql, values)] = [list(row) for row in rows]
            self._is_changed = True

    def save(self) -> None:
        """Write what was added. If the disk is full, the question is asked again next time."""
        if self._is_changed:
            with suppress(OSError, TypeError, ValueError):
                text = json.dumps(self._found, default=_written, allow_nan=False)
                write_whole(self._file, text.encode(), new_mode=0o600)
            self._is_changed = False


def _key(sql: str, values: Sequence[Any]) -> str:
    return hashlib.sha256(repr((_code_stamp(), sql, list(values))).encode()).hexdigest()


@cache
def _code_stamp() -> int:
    """When the newest module beside this one was written: other code, other answers."""
    return max(each.stat().st_mtime_ns for each in Path(__file__).parent.glob("*.py"))


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    raise TypeError(type(value).__name__)


def _value(value: Any) -> Any:
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value
