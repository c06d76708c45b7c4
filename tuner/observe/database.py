"""DuckDB: a database in memory, and reports in Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
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


def quoted(path: Path) -> str:
    """A path within quotes."""
    return str(path).replace("'", "''")
