"""DuckDB: a database in memory, and reports in Parquet."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection


def open_database(spill: Path | None = None) -> DuckDBPyConnection:
    """A new database in memory; what doesn't fit goes to the folder `spill`. Raises InputError
    without DuckDB.
    """
    with optional_import("reading logs needs DuckDB", "duckdb", extra="observe"):
        import duckdb  # noqa: PLC0415 - an extra
    connection = duckdb.connect()
    if spill is not None:
        connection.execute(f"SET temp_directory = '{quoted(spill)}'")
    connection.execute(
        "SET memory_limit = '192MB'; SET threads = 2; SET preserve_insertion_order = true"
    )
    return connection


def duckdb_error() -> type[Exception]:
    """What DuckDB raises."""
    import duckdb  # noqa: PLC0415 - an extra

    return duckdb.Error


def make_table(connection: DuckDBPyConnection, head: str, rows: list[tuple[Any, ...]]) -> None:
    """Make a table, in place of one of that name; `head` has its name and its columns."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {head}")
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {head.partition(' ')[0]} VALUES ({marks})", rows)  # noqa: S608 - of constants


def write_parquet(reports: str, into: Path) -> str:
    """SQL that writes reports to a file, and returns how many. Most request ids are UUIDs, which
    take half the space in that form.
    """
    return f"""COPY (SELECT * EXCLUDE (request_id),
            CASE WHEN try_cast(request_id AS UUID)::VARCHAR = request_id
                THEN try_cast(request_id AS UUID) END AS request_uuid,
            CASE WHEN try_cast(request_id AS UUID)::VARCHAR = request_id
                THEN NULL ELSE request_id END AS request_text
        FROM ({reports}))
        TO '{quoted(into)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 200000)"""  # noqa: S608 - of constants and a path of ours


def read_parquet(file: Path) -> str:
    """SQL that reads them back."""
    return f"""SELECT * EXCLUDE (request_uuid, request_text),
            coalesce(request_text, request_uuid::VARCHAR) AS request_id
        FROM read_parquet('{quoted(file)}')"""  # noqa: S608 - a path of ours


def make_joined_reports(
    connection: DuckDBPyConnection, earlier: Path, later: Path, since: datetime
) -> None:
    """Make the view `reports` of a file's reports up to a moment and of another's from then on;
    attempts are counted on.
    """
    moment = f"TIMESTAMP '{since.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    before = f"""SELECT * FROM ({read_parquet(earlier)})
        WHERE logged_at < {moment} OR logged_at IS NULL"""  # noqa: S608 - of constants and paths of ours
    connection.execute(
        f"""CREATE TABLE later AS WITH
            rest AS (SELECT * FROM ({read_parquet(later)}) WHERE logged_at >= {moment}),
            tried AS (SELECT request_id, count(*) AS count FROM ({before})
                WHERE request_id IN (SELECT request_id FROM rest) GROUP BY request_id)
        SELECT rest.* REPLACE ((row_number() OVER (PARTITION BY rest.request_id
            ORDER BY logged_at, line) + coalesce(tried.count, 0))::INTEGER AS attempt)
        FROM rest LEFT JOIN tried ON rest.request_id = tried.request_id"""  # noqa: S608 - as above
    )
    connection.execute(
        f"CREATE VIEW reports AS {before} UNION ALL BY NAME SELECT * FROM later"  # noqa: S608 - as above
    )


def quoted(path: Path) -> str:
    """A path within quotes."""
    return str(path).replace("'", "''")
