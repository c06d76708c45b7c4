"""Queries of up to 50 log groups: reports summed up by day, size and version, or their lines.

REPORT lines and `platform.report` records are read from the message itself. The fields that
Insights discovers (`@memorySize` and its like, in bytes of 10^6 a MB) exist for text logs in groups
of the Standard class alone; `parse` reads every class that can be queried, and JSON as well.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tuner.aws.log_groups import from_ms
from tuner.model.account import LogLine
from tuner.model.scan import DaySums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Of the message: a field's name in the query, its pattern in a text line, and its key in a record.
FIELDS: Final = (
    ("duration", r"RequestId: \S+\s+Duration: ([0-9.]+) ms", "durationMs"),
    ("billed", r"Billed Duration: ([0-9]+) ms\s+Memory", "billedDurationMs"),
    ("memory", r"Memory Size: ([0-9]+) MB", "memorySizeMB"),
    ("used", r"Max Memory Used: ([0-9]+) MB", "maxMemoryUsedMB"),
    ("init", r"Init Duration: ([0-9.]+) ms", "initDurationMs"),
)
FLAGS: Final = (
    (
        "cold",
        ("Init Duration: ", "Restore Duration: ", '"initDurationMs"', '"restoreDurationMs"'),
    ),
    ("timeout", ("Status: timeout", '"status":"timeout"')),
    ("oom", ("Runtime.OutOfMemory",)),
    (
        "failed",
        (
            *("Status: error", "Status: timeout", "Status: failure"),
            *('"status":"error"', '"status":"timeout"', '"status":"failure"'),
        ),
    ),
)
"""1 if the message has one of these, else 0: Insights has no conditional sums."""
REPORT: Final = r"^REPORT RequestId: "
RECORD: Final = r'"type":\s*"platform\.report"'
STREAM: Final = r"^[0-9]{4}/[0-9]{2}/[0-9]{2}/([A-Za-z0-9_-]*)\[([^\]]+)\]"
_SUMS: Final = """\
stats count(*) as invocations, sum(billed) as billed_ms,
    sum(warm) as warms, sum(warm * duration) as warm_ms,
    sum(warm * duration * duration) as warm_ms2,
    sum(cold) as colds, sum(init) as init_ms,
    sum(failed) as failures, sum(timeout) as timeouts, sum(oom) as ooms,
    max(duration) as longest_ms, max(used) as used_mb
    by @log, name, version, memory, bin(1d) as day"""


def usage_query() -> str:
    """The query's text, without a limit."""
    slashed = STREAM.replace("/", r"\/")
    named = _named(slashed, "name", "version")
    lines = [f"filter @message like /{REPORT}/ or @message like /{RECORD}/"]
    lines.append(f"parse @logStream /{named}/")
    for name, pattern, key in FIELDS:
        lines.append(f"parse @message /{_named(pattern, f'{name}_text')}/")
        record = rf'"{key}":\s*([0-9.]+)'
        lines.append(f"parse @message /{_named(record, f'{name}_json')}/")
    both = (f"coalesce({name}_text, {name}_json) as {name}" for name, *_ in FIELDS)
    lines.append(f"fields {', '.join(both)}")
    lines.append(f"fields {', '.join(f'{_flag(words)} as {name}' for name, words in FLAGS)}")
    lines.append("fields (1 - cold) * (1 - failed) as warm")
    return "\n| ".join((*lines, _SUMS))


CPU_GROUP: Final = "/aws/lambda-insights"
"""Where every function's Lambda Insights extension writes its events."""


def cpu_query() -> str:
    """Mean CPU time by function and size, of the extension's events; without a limit."""
    return (
        "filter ispresent(cpu_total_time)\n"
        "| stats avg(cpu_total_time) as cpu_ms by function_name, total_memory"
    )


def processor_times(rows: Iterable[Mapping[str, str]]) -> dict[str, tuple[tuple[int, float], ...]]:
    """(size, mean CPU time in ms) by function."""
    found: dict[str, tuple[tuple[int, float], ...]] = {}
    for row in rows:
        if row.get("cpu_ms") and row.get("total_memory"):
            pair = _whole(row, "total_memory"), _number(row, "cpu_ms")
            name = row.get("function_name", "")
            found[name] = (*found.get(name, ()), pair)
    return found


def _named(pattern: str, *names: str) -> str:
    """The pattern with its groups named, as Insights writes it."""
    for name in names:
        pattern = re.sub(r"(?<!\\)\((?!\?)", f"(?<{name}>", pattern, count=1)
    return pattern


def _flag(words: tuple[str, ...]) -> str:
    found = [f"strcontains(@message, '{word}')" for word in words]
    return found[0] if len(found) == 1 else f"greatest({', '.join(found)})"


def day_sums(rows: Iterable[Mapping[str, str]], functions: Mapping[str, str]) -> Iterator[DaySums]:
    """Read the query's rows. `functions` has the name of the function that logs to each group.

    A stream that names another function (groups may be shared) is that one's. Numbers come as text
    such as "1.28E8"; rows without a memory size are of lines that could not be parsed.
    """
    for row in rows:
        group = row.get("@log", "").partition(":")[2] or row.get("@log", "")
        name = row.get("name") or functions.get(group)
        if name is None or not row.get("memory"):
            continue
        failures, timeouts, ooms = (_whole(row, key) for key in ("failures", "timeouts", "ooms"))
        used = row.get("used_mb")
        yield DaySums(
            function=name,
            day=row.get("day", row.get("bin(1d)", ""))[:10],
            version=row.get("version") or None,
            memory_mb=_whole(row, "memory"),
            invocation_count=_whole(row, "invocations"),
            billed_ms_sum=_whole(row, "billed_ms"),
            warm_count=_whole(row, "warms"),
            warm_ms_sum=_number(row, "warm_ms"),
            warm_ms2_sum=_number(row, "warm_ms2"),
            cold_count=_whole(row, "colds"),
            init_ms_sum=_number(row, "init_ms"),
            error_count=max(failures - timeouts - ooms, 0),
            timeout_count=timeouts,
            oom_count=ooms,
            longest_ms=_number(row, "longest_ms"),
            max_memory_used_mb=round(float(used)) if used else None,
        )


def _number(row: Mapping[str, str], key: str) -> float:
    return float(row.get(key) or 0)


def _whole(row: Mapping[str, str], key: str) -> int:
    return round(_number(row, key))


_FAILURES: Final = (
    r"Task timed out after [0-9.]+ seconds",
    r"^RequestId: [^ ]+ Error: Runtime exited",
    r"^\[ERROR\] [A-Za-z_][A-Za-z0-9_.]*(:|\s)",  # Python
    r"\tERROR\t(Invoke Error|Uncaught Exception|Unhandled Promise Rejection)",  # Node.js
    r": [A-Za-z0-9_.$]+(Exception|Error)\n",  # Java
    r"^Error raised from handler method",  # Ruby
    r"^[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8} \{\"errorMessage\":",  # Go
)
"""What the platform and the runtimes log of an invocation that fails; most reports don't say it."""
REPORT_QUERY: Final = (
    "fields @timestamp, @log, @logStream, @message\n"
    f"| filter @message like /{REPORT}/ or @message like /{RECORD}/ or "
    + " or ".join(f"@message like /{each}/" for each in _FAILURES)
    + "\n| sort @timestamp asc"
)
"""Lines that show an invocation's outcome come with the reports; others aren't asked for."""


REQUESTS_QUERY: Final = (
    REPORT_QUERY.partition("\n| sort")[0]
    + " or @message like /^START RequestId: /"
    + r' or @message like /"type":\s*"platform\.start"/'
    + " or @message like /ERROR|errorType|Lineage=|Root=1-|[mM]essage_?[iI]d/\n"
    + "| sort @timestamp asc"
)
"""The same with what tells of errors, traces and messages; a few lines an invocation."""


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
