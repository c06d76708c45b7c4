"""The query for the lines of reports themselves, oldest first, and its rows as log lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tuner.aws.log_groups import from_ms
from tuner.aws.usage_query import RECORD, REPORT
from tuner.model.account import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

REPORT_QUERY: Final = (
    "fields @timestamp, @log, @logStream, @message\n"
    f"| filter @message like /{REPORT}/ or @message like /{RECORD}/"
    " or @message like /Task timed out after [0-9.]+ seconds/"
    " or @message like /^RequestId: [^ ]+ Error: Runtime exited/\n"
    "| sort @timestamp asc"
)
"""Lines that show an invocation's outcome come with the reports; others aren't asked for."""


def cpu_events_query(functions: Sequence[str]) -> str:
    """The extension's events of these functions; they share one group."""
    names = ", ".join(f'"{name}"' for name in functions)
    return (
        "fields @timestamp, @log, @logStream, @message\n"
        f"| filter function_name in [{names}] and ispresent(cpu_total_time)\n"
        "| sort @timestamp asc"
    )


def report_rows(rows: Iterable[Mapping[str, str]], log_group: str) -> Iterator[LogLine]:
    """Rows as lines; a row without a time or a message is none.

    `log_group` is where a row is from that doesn't say it.
    """
    for row in rows:
        at = _moment(row.get("@timestamp", ""))
        message = row.get("@message")
        if at is not None and message is not None:
            group = row.get("@log", log_group).rpartition(":")[2]
            yield LogLine(at, group, row.get("@logStream", ""), message.rstrip("\n"))


def _moment(text: str) -> datetime | None:
    """`2026-11-29 12:00:00.123`, UTC; or milliseconds since 1970, as other servers write it."""
    if text.isdecimal():
        return from_ms(int(text))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
