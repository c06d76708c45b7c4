"""Fills a table of reports from readers' batches of rows.

The same line from two sources counts once; a retry, which has the same request id, is another
attempt. Attempts are separated by what they took, and by time if lines have one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.logs.collector import Collector
from tuner.observe.database import make_table, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from tuner.logs.collector import ReportRow
    from tuner.logs.stream import SaidRow

_SAME_TIME_US: Final = 2_000_000
"""Copies of a line can differ by this much in time (some notations have whole seconds). A retry
comes about a minute later."""
_NO_TIME: Final = -(2**62)
_NO_SIZE: Final = -1

_RAW: Final = """CREATE TABLE raw (
    origin INTEGER, line BIGINT, request_id VARCHAR, logged_us BIGINT, duration_ms DOUBLE,
    billed_duration_ms BIGINT, memory_mb BIGINT, max_memory_used_mb BIGINT,
    init_duration_ms DOUBLE, restore_duration_ms DOUBLE, billed_restore_duration_ms DOUBLE,
    outcome VARCHAR, error_signature VARCHAR)"""
_NAMED: Final = """named AS (
    SELECT raw.*, o.* EXCLUDE (number) FROM raw JOIN origins o ON raw.origin = o.number)"""
_COLUMNS: Final = """account, region, function, version, log_stream, architecture, source,
    request_id, attempt::INTEGER AS attempt, make_timestamp(logged_us) AS logged_at, memory_mb,
    duration_ms, billed_duration_ms, init_duration_ms, restore_duration_ms,
    billed_restore_duration_ms, max_memory_used_mb, outcome, error_signature, error_digest,
    cpu.cpu_ms, trace_id, passes, message_digests, line"""
_ONCE_EACH: Final = f"""WITH {_NAMED}
    SELECT {_COLUMNS} FROM (SELECT *, 1 AS attempt FROM named) LEFT JOIN cpu USING (request_id)
    LEFT JOIN requests USING (request_id)"""  # noqa: S608 - of constants
_SAID: Final = """CREATE TABLE said (
    request_id VARCHAR, trace_id VARCHAR, passes INTEGER, error_digest VARCHAR,
    message_digest VARCHAR)"""
_REQUESTS: Final = """CREATE TABLE requests AS SELECT request_id, max(trace_id) AS trace_id,
    max(passes) AS passes, max(error_digest) AS error_digest,
    list(DISTINCT message_digest) FILTER (message_digest IS NOT NULL) AS message_digests
    FROM said GROUP BY request_id"""
_ARE_REPEATED: Final = """SELECT count(*) > count(DISTINCT hash(request_id)) FROM raw"""
# Rows whose request is there once need no more. Attempts that took the same are told apart by time
# where there is one (`place`: minutes apart; `alike`: apart in one source), else by their place in
# the source, and only where they failed, since nothing else is run again. Copies have the same
# time, so both windows over times have one whole order. The same numbers in another source are a
# copy. What a source without a function's name has of a request is of the function that another
# source names.
_REPEATED: Final = f"""WITH {_NAMED}, again AS (
        SELECT hash(request_id) AS h FROM raw GROUP BY h HAVING count(*) > 1),
    repeated AS (
        SELECT * REPLACE (coalesce(function, max(function) OVER (PARTITION BY request_id))
            AS function)
        FROM named WHERE hash(request_id) IN (SELECT h FROM again)),
    timed AS (
        SELECT *, coalesce(logged_us - lag(logged_us) OVER w > {_SAME_TIME_US}, true) AS is_new
        FROM repeated WHERE logged_us IS NOT NULL
        WINDOW w AS (PARTITION BY request_id, function, memory_mb, billed_duration_ms,
            round(duration_ms, 2) ORDER BY logged_us, origin, line)),
    near AS (
        SELECT * EXCLUDE (is_new), sum(is_new::INTEGER) OVER (
            PARTITION BY request_id, function, memory_mb, billed_duration_ms,
            round(duration_ms, 2) ORDER BY logged_us, origin, line) AS place FROM timed),
    numbered AS (
        SELECT *, dense_rank() OVER (
            PARTITION BY request_id, function, memory_mb, billed_duration_ms,
            round(duration_ms, 2), place, source ORDER BY logged_us) AS alike FROM near
        UNION ALL BY NAME
        SELECT *, CASE WHEN outcome = 'success' THEN 1 ELSE row_number() OVER (
            PARTITION BY request_id, function, memory_mb, billed_duration_ms,
            round(duration_ms, 2), source ORDER BY line) END AS place, 1 AS alike
        FROM repeated WHERE logged_us IS NULL),
    merged AS (
        SELECT request_id, function, memory_mb, billed_duration_ms, min(logged_us) AS logged_us,
            first(duration_ms) AS duration_ms, max(max_memory_used_mb) AS max_memory_used_mb,
            max(init_duration_ms) AS init_duration_ms,
            max(restore_duration_ms) AS restore_duration_ms,
            max(billed_restore_duration_ms) AS billed_restore_duration_ms,
            coalesce(max(outcome) FILTER (outcome <> 'success'), 'success') AS outcome,
            max(error_signature) AS error_signature, min(origin) AS origin, min(line) AS line,
            max(account) AS account, max(region) AS region, max(version) AS version,
            max(log_stream) AS log_stream, max(architecture) AS architecture,
            min(source) AS source
        FROM numbered
        GROUP BY request_id, function, memory_mb, billed_duration_ms, round(duration_ms, 2),
            place, alike),
    attempts AS (
        SELECT *, row_number() OVER (PARTITION BY request_id, function
            ORDER BY logged_us, origin, line) AS attempt FROM merged
        UNION ALL BY NAME
        SELECT *, 1 AS attempt FROM named WHERE hash(request_id) NOT IN (SELECT h FROM again))
    SELECT {_COLUMNS}
    FROM attempts LEFT JOIN cpu USING (request_id) LEFT JOIN requests USING (request_id)"""  # noqa: S608 - nothing of it is given by a user


class Intake:
    """Takes reports into a database in batches; `finish` makes the table `reports` from them."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute(_RAW)
        connection.execute(_SAID)
        self.collector = Collector(self._insert, self._insert_said)

    def finish(self, into: Path | None = None) -> int:
        """Count every line once, and number the attempts; return how many there are.

        They become the table `reports`, or a Parquet file.
        """
        self.collector.flush()
        self.collector.flush_said()
        self._connection.execute(_REQUESTS)
        origins = [
            (number, each.account, each.region, each.function, each.version, each.log_stream,
             each.architecture, each.source)
            for each, number in self.collector.origins.items()
        ]  # fmt: skip
        names = (
            "number INTEGER, account VARCHAR, region VARCHAR, function VARCHAR, version VARCHAR,"
            " log_stream VARCHAR, architecture VARCHAR, source VARCHAR"
        )
        make_table(self._connection, f"origins ({names})", origins)
        make_table(
            self._connection,
            "cpu (request_id VARCHAR, cpu_ms DOUBLE)",
            [*self.collector.cpu_ms.items()],
        )
        times = self._connection.execute(
            "SELECT min(logged_us), max(logged_us) FROM raw"
        ).fetchone()
        for at_us in times or ():
            if at_us is not None:
                self.collector.saw(at_us)
        reports = _REPEATED if self._one(_ARE_REPEATED) else _ONCE_EACH
        if into is None:
            self._connection.execute(f"CREATE TABLE reports AS {reports}")
            count = self._one("SELECT count(*) FROM reports")
        else:
            count = self._one(write_parquet(reports, into))
        self._connection.execute(
            "DROP TABLE raw; DROP TABLE origins; DROP TABLE cpu; DROP TABLE said;"
            " DROP TABLE requests"
        )
        return int(count)

    def _insert_said(self, rows: list[SaidRow]) -> None:
        import numpy as np  # noqa: PLC0415 - not needed to ask what was read before

        names = ("request_id", "trace_id", "passes", "error_digest", "message_digest")
        columns = zip(*rows, strict=True)
        batch: dict[str, Any] = {
            name: np.array([-1 if each is None else each for each in column], dtype=np.int64)
            if name == "passes"
            else np.array(["" if each is None else each for each in column], dtype=object)
            for name, column in zip(names, columns, strict=True)
        }
        self._connection.register("batch", batch)
        self._connection.execute(
            "INSERT INTO said SELECT request_id, nullif(trace_id, ''), nullif(passes, -1),"
            " nullif(error_digest, ''), nullif(message_digest, '') FROM batch"
        )
        self._connection.unregister("batch")

    def _one(self, sql: str) -> Any:
        row = self._connection.execute(sql).fetchone()
        return None if row is None else row[0]

    def _insert(self, rows: list[ReportRow]) -> None:
        columns = list(zip(*rows, strict=True))
        batch: dict[str, Any] = {}
        chosen = []
        for index, column in enumerate(columns):
            sql, batch[f"c{index}"] = _column(index, column)
            chosen.append(sql)
        self._connection.register("batch", batch)
        self._connection.execute(f"INSERT INTO raw SELECT {', '.join(chosen)} FROM batch")  # noqa: S608 - of numbers and names of columns
        self._connection.unregister("batch")


_ID: Final = 2
_TIME: Final = 3
_FLOATS: Final = frozenset((4, 8, 9, 10))
_WORDS: Final = frozenset((11, 12))


def _column(index: int, column: tuple[Any, ...]) -> tuple[str, Any]:
    """A column of a batch: its SQL expression, and its values."""
    import numpy as np  # noqa: PLC0415 - not needed to ask what was read before

    name = f"c{index}"
    if index == _ID:
        return name, np.array(column, dtype=object)
    if index in _WORDS:
        return _words(name, column)
    if index in _FLOATS:
        return name, np.array(column, dtype=np.float64)
    if None not in column:
        return name, np.array(column, dtype=np.int64)
    missing = _NO_TIME if index == _TIME else _NO_SIZE
    filled = [missing if each is None else each for each in column]
    return f"nullif({name}, {missing})", np.array(filled, dtype=np.int64)


def _words(name: str, column: tuple[str | None, ...]) -> tuple[str, Any]:
    """The same for a column with few distinct words: they are passed as numbers."""
    import numpy as np  # noqa: PLC0415 - as above

    words = [each for each in dict.fromkeys(column) if each is not None]
    numbers: dict[str | None, int] = {word: number for number, word in enumerate(words, 1)}
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    known = np.array([numbers.get(word, 0) for word in column], dtype=np.int64)
    return f"list_extract([{listed}]::VARCHAR[], nullif({name}, 0))", known
