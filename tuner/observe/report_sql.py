"""Reports from raw lines of an archive, and their sums by day: one SQL text for Athena and DuckDB.

Only what both engines have is used, with the same meaning: Trino's `regexp_extract` gives NULL
where nothing matches and DuckDB's an empty string (hence `nullif`), and patterns are in the syntax
that Java's and RE2's share. A line is one of an export task (led by its time), or holds records of
a subscription, one behind the other, as Firehose writes them.

A line without a reader's memory of the lines before tells less: an error that Python's runtime logs
without its request's id, on a report without a status, counts as a success. Attempts that are alike
within a second count once, as copies do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.logs.stream import MEMORY_ERRORS
from tuner.model.observation import REGION

if TYPE_CHECKING:
    from tuner.model.observation import Window

_LED: Final = "____-__-__T__:__:__.___Z %"
"""As an export task writes a line: its time in UTC, then the message."""
_TIME_CHARS: Final = 25
_NAMED: Final = r"([A-Za-z0-9_-]*)\[([^\]]+)\]"
_STREAM: Final = rf"^[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}/{_NAMED}"
_STREAM_FOLDER: Final = rf"/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-{_NAMED}[^/]*/"
_GROUP_FOLDER: Final = r"/aws/lambda/([A-Za-z0-9_-]+)/"
_GROUP: Final = r"^/aws/lambda/(?:[a-z]{2}-[a-z]+-[0-9]\.)?(.+)$"
"""Functions at the edge have their home region's name before their own."""
_REGION_FOLDER: Final = rf"/({REGION})/"
_ACCOUNT_FOLDERS: Final = (
    rf"/([0-9]{{12}})/(?:[^/]+/)?{REGION}/",
    rf"/{REGION}/(?:[^/]+/)?([0-9]{{12}})/",
    r"/AWSLogs/(?:[^/]+/)?([0-9]{12})/",
)
"""Twelve digits alone may be a time."""
_EVENT: Final = r'"timestamp":\s*[0-9]+,\s*"message":\s*"[^"\\]*(?:\\.[^"\\]*)*"'
_EVENT_TIME: Final = r'^"timestamp":\s*([0-9]+)'
_EVENT_MESSAGE: Final = r'"message":\s*"(.*)"$'
_OWNER: Final = r'"owner":\s*"([0-9]+)"'
_LOG_GROUP: Final = r'"logGroup":\s*"([^"]+)"'
_LOG_STREAM: Final = r'"logStream":\s*"([^"]+)"'
_REPORT: Final = r"^REPORT RequestId: (\S+)"
_RECORD_ID: Final = r'"requestId":\s*"([^"]+)"'
_RECORD: Final = r'^\{\s*"time":\s*"[^"]*",\s*"type":\s*"platform\.report"'
_TIMED_OUT: Final = r"^(?:\S+ )?(\S+) Task timed out after [0-9.]+ seconds"
_EXITED: Final = r"^RequestId: (\S+) (?:Error: Runtime exited|Process exited)"
_NODE: Final = (
    r"^(?:\S+\t)?(\S+)\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s*\t"
)
_OF_REQUEST: Final = "OVER (PARTITION BY function, request_id)"
_REPORT_COLUMNS: Final = (
    "function, version, request_id, logged_at, memory_mb, duration_ms, billed_duration_ms, "
    "max_memory_used_mb, init_duration_ms, restore_duration_ms, outcome"
)
"""What copies of a report have in common: an export doesn't say its account."""
_MEMORY_ERRORS: Final = ", ".join(f"'{each}'" for each in sorted(MEMORY_ERRORS))
_MS: Final = "([0-9]{1,10}(?:[.][0-9]+)?)"
_MB: Final = "([0-9]{1,6})"
"""Far beyond what Lambda has, as in `logs.report`: sums of more would overflow."""
# A column, its type, its pattern in a text report, and its key in a record.
_NUMBERS: Final = (
    ("duration_ms", "DOUBLE", rf"^REPORT RequestId: \S+\s+Duration: {_MS} ms", "durationMs"),
    ("billed_duration_ms", "BIGINT", rf"\tBilled Duration: {_MS} ms", "billedDurationMs"),
    ("size_mb", "BIGINT", rf"\tMemory Size: {_MB} MB", "memorySizeMB"),
    ("max_memory_used_mb", "BIGINT", rf"\tMax Memory Used: {_MB} MB", "maxMemoryUsedMB"),
    ("init_duration_ms", "DOUBLE", rf"\tInit Duration: {_MS} ms", "initDurationMs"),
    ("restore_duration_ms", "DOUBLE", rf"\tRestore Duration: {_MS} ms", "restoreDurationMs"),
)
_WARM: Final = "outcome = 'success' AND init_duration_ms IS NULL AND restore_duration_ms IS NULL"
DAY_SUMS: Final = f"""\
SELECT account, region, function, substr(CAST(logged_at AS VARCHAR), 1, 10), version, memory_mb,
    count(*), CAST(sum(billed_duration_ms) AS BIGINT),
    count(*) FILTER (WHERE {_WARM}),
    coalesce(sum(duration_ms) FILTER (WHERE {_WARM}), 0),
    coalesce(sum(duration_ms * duration_ms) FILTER (WHERE {_WARM}), 0),
    count(*) FILTER (WHERE init_duration_ms IS NOT NULL OR restore_duration_ms IS NOT NULL),
    coalesce(sum(init_duration_ms), 0),
    count(*) FILTER (WHERE outcome = 'error'), count(*) FILTER (WHERE outcome = 'timeout'),
    count(*) FILTER (WHERE outcome = 'oom'), max(duration_ms), max(max_memory_used_mb),
    max(architecture), max(logged_at), avg(cpu_ms)
FROM reports WHERE {{where}} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"""  # noqa: S608 - of constants
"""Of the table `reports` (see `store`), or of what this module makes of raw lines: a row for each
account, region, function, UTC day, version and size.
"""


def days_query(table: str, window: Window) -> str:
    """The sums of a table of lines with the columns `line` and `"$path"`, whose window has ends.

    Times count by the second. `architecture` and the CPU time are unknown. A report that
    lacks its duration, billed duration or size is in rows without a size.
    """
    assert window.start is not None
    assert window.end is not None
    start, end = (f"TIMESTAMP '{each:%Y-%m-%d %H:%M:%S}'" for each in (window.start, window.end))
    where = f"logged_at >= {start} AND logged_at <= {end}"
    return f"WITH {_reports(table)}\n{DAY_SUMS.format(where=where)}"


def _reports(table: str) -> str:
    """Common table expressions, the last of which is `reports`; the table is read once."""
    numbers = ",\n        ".join(
        f"TRY_CAST({_either(text, key, _MB if _MB in text else _MS)} AS {kind}) AS {name}"
        for name, kind, text, key in _NUMBERS
    )
    status = _either(r"\tStatus: ([A-Za-z]+)", "status", '"([A-Za-z]+)"')
    error_type = _either(r"\tError Type: (\S+)", "errorType", '"([^"]+)"')
    return rf"""pieces AS (
    SELECT "$path" AS path, piece, substr(piece, 1, 2000) AS head
    FROM {table}
    CROSS JOIN UNNEST(CASE WHEN line LIKE '{_LED}' THEN ARRAY[line]
        ELSE split(line, '"messageType"') END) AS split_line(piece)
), origins AS (
    SELECT coalesce({_found("head", _OWNER)},
            {", ".join(_found("path", each) for each in _ACCOUNT_FOLDERS)}) AS account,
        {_found("path", _REGION_FOLDER)} AS region,
        {_found("head", _LOG_GROUP)} AS log_group,
        {_found("head", _LOG_STREAM)} AS log_stream,
        path,
        CASE WHEN piece LIKE '{_LED}' THEN ARRAY[piece]
            ELSE regexp_extract_all(piece, '{_EVENT}') END AS events
    FROM pieces
), lines AS (
    SELECT account, region,
        CASE WHEN log_stream IS NULL
            THEN coalesce({_found("path", _STREAM_FOLDER)}, {_found("path", _GROUP_FOLDER)})
            ELSE coalesce({_found("log_stream", _STREAM)}, {_found("log_group", _GROUP)})
            END AS function,
        CASE WHEN log_stream IS NULL THEN {_found("path", _STREAM_FOLDER, 2)}
            ELSE {_found("log_stream", _STREAM, 2)} END AS version,
        CASE WHEN event LIKE '{_LED}' THEN replace(substr(event, 1, 19), 'T', ' ') END AS at_text,
        TRY_CAST({_found("event", _EVENT_TIME)} AS BIGINT) AS at_ms,
        CASE WHEN event LIKE '{_LED}' THEN substr(event, {_TIME_CHARS + 1})
            ELSE replace(replace({_found("event", _EVENT_MESSAGE)}, '\"', '"'),
                '\t', chr(9)) END AS message
    FROM origins CROSS JOIN UNNEST(events) AS split_piece(event)
), told AS (
    SELECT account, region, function, version, message,
        coalesce(TRY_CAST(at_text AS TIMESTAMP), TIMESTAMP '1970-01-01 00:00:00'
            + INTERVAL '1' SECOND * CAST((at_ms - mod(at_ms, 1000)) / 1000 AS BIGINT)) AS logged_at,
        {_found("message", _REPORT)} AS reported_id,
        CASE WHEN {_found("message", _RECORD, 0)} IS NOT NULL
            THEN {_found("message", _RECORD_ID)} END AS recorded_id,
        {_found("message", _TIMED_OUT)} AS timed_out_id,
        {_found("message", _EXITED)} AS exited_id,
        {_found("message", _NODE)} AS failed_id
    FROM lines
    WHERE message LIKE 'REPORT RequestId: %' OR message LIKE '{{%"platform.report"%'
        OR message LIKE '% Task timed out after %' OR message LIKE 'RequestId: %exited%'
        OR message LIKE '%ERROR%{{"errorType":%'
), of_requests AS (
    SELECT *, coalesce(reported_id, recorded_id, timed_out_id, exited_id, failed_id) AS request_id
    FROM told
), judged AS (
    SELECT *,
        count(timed_out_id) {_OF_REQUEST} > 0 AS said_timeout,
        count(coalesce(exited_id, failed_id)) {_OF_REQUEST} > 0 AS said_error,
        count(CASE WHEN message LIKE '%signal: killed%' THEN exited_id END) {_OF_REQUEST} > 0
            AS said_kill
    FROM of_requests
), fields AS (
    SELECT account, region, function, version, request_id, logged_at,
        said_timeout, said_error, said_kill,
        {numbers},
        {status} AS status,
        {error_type} AS error_type
    FROM judged
    WHERE reported_id IS NOT NULL OR recorded_id IS NOT NULL
), outcomes AS (
    SELECT account, region, function, version, request_id, logged_at,
        CASE WHEN duration_ms IS NOT NULL AND billed_duration_ms IS NOT NULL AND size_mb > 0
            THEN size_mb END AS memory_mb,
        duration_ms, billed_duration_ms, max_memory_used_mb, init_duration_ms, restore_duration_ms,
        CASE WHEN status = 'success' THEN 'success'
            WHEN said_kill OR error_type IN ({_MEMORY_ERRORS}) THEN 'oom'
            WHEN said_timeout OR status = 'timeout' THEN 'timeout'
            WHEN said_error OR status IS NOT NULL THEN 'error' ELSE 'success' END AS outcome
    FROM fields
), reports AS (
    SELECT max(account) AS account, max(region) AS region, {_REPORT_COLUMNS},
        CAST(NULL AS VARCHAR) AS architecture, CAST(NULL AS DOUBLE) AS cpu_ms
    FROM outcomes GROUP BY {_REPORT_COLUMNS}
)"""  # noqa: S608 - of constants and a table's name of ours


def _found(text: str, pattern: str, group: int = 1) -> str:
    """What a pattern's group matches in an expression; NULL where that's nothing."""
    return f"nullif(regexp_extract({text}, '{pattern}', {group}), '')"


def _either(text: str, key: str, value: str) -> str:
    """A field of a report, text or record."""
    record = rf'"{key}":\s*{value}\s*[,}}]'
    return f"coalesce({_found('message', text)}, {_found('message', record)})"
