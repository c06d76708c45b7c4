"""REPORT lines, text and JSON: parse and format, pure, round trip.

Text: `REPORT RequestId: …⇥Duration: 3.00 ms⇥Billed Duration: 4 ms⇥…`, with an `XRAY TraceId: …`
line behind it where tracing is on. JSON: a record of the type `platform.report` on a line of its
own. Only a line that begins so is the platform's: a function may print what it likes in the middle
of its own. Every pattern here is linear in the line's length, whatever a function logs.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import ReportLineError
from tuner.model.invocation import PlatformReport, parse_trace
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.model.invocation import ReportStatus

_TEXT_START: Final = re.compile(r"REPORT RequestId:[ \t]*(\S+)")
_FIELD: Final = re.compile(
    r"(?<!\S)(Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration"
    r"|Memory Size|Max Memory Used|Status|Error Type|XRAY TraceId):[ \t]*(\S+)(?:[ \t]+(ms|MB)\b)?"
)
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?")
_MOST: Final = {"ms": 1e10, "MB": 1e6}
"""Far beyond what Lambda has: more is nothing that it wrote, and sums would overflow."""
_TIMED_OUT: Final = re.compile(r"Task timed out after ([0-9]{1,6}\.[0-9]{2}) seconds\Z")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z")
_REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f-]{8,40}")

# (name in the text line, its unit, name in a JSON record's metrics), in Lambda's order.
_METRICS: Final = (
    ("Duration", "ms", "durationMs"),
    ("Billed Duration", "ms", "billedDurationMs"),
    ("Memory Size", "MB", "memorySizeMB"),
    ("Max Memory Used", "MB", "maxMemoryUsedMB"),
    ("Init Duration", "ms", "initDurationMs"),
    ("Restore Duration", "ms", "restoreDurationMs"),
    ("Billed Restore Duration", "ms", "billedRestoreDurationMs"),
)


def parse_report(text: str) -> PlatformReport:
    """Return the last report in a log tail, text or JSON.

    Raises ReportLineError if there is none, or if it lacks its duration, billed duration or
    memory size.
    """
    log = _Log(text)
    for index in range(len(log.lines) - 1, -1, -1):
        report = log.report_at(index)
        if report is not None:
            return report
    raise ReportLineError(
        "the log has no REPORT line (a long JSON log can push it out of the 4 KB tail): "
        "look for it in CloudWatch Logs"
    )


def parse_reports(text: str) -> tuple[PlatformReport, ...]:
    """Return every report in a log, in order; raises ReportLineError for one that lacks a field."""
    log = _Log(text)
    found = (log.report_at(index) for index in range(len(log.lines)))
    return tuple(report for report in found if report is not None)


def format_report(report: PlatformReport) -> str:
    """Return Lambda's text line, ending in a tab, and the X-Ray line if there is a trace id.

    No newline at the end. Times have two decimals, or as many more as they need to be read back.
    """
    fields = [f"REPORT RequestId: {report.request_id}"]
    fields += [
        f"{name}: {_shown(name, value)} {unit}" for name, unit, _, value in _measured(report)
    ]
    if report.status is not None:
        fields.append(f"Status: {report.status}")
    if report.error_type is not None:
        fields.append(f"Error Type: {report.error_type}")
    line = "\t".join(fields) + "\t"
    if report.xray_trace_id is None:
        return line
    return f"{line}\nXRAY TraceId: {report.xray_trace_id}\t"


def format_report_json(report: PlatformReport, time: str) -> str:
    """Return the `platform.report` record on one line; `time` is UTC, ISO 8601."""
    record: dict[str, Any] = {
        "requestId": report.request_id,
        "metrics": {key: value for _, _, key, value in _measured(report)},
    }
    if report.status is not None:
        record["status"] = report.status
    if report.error_type is not None:
        record["errorType"] = report.error_type
    if report.xray_trace_id is not None:
        value = f"Root={report.xray_trace_id}"
        record["tracing"] = {"type": "X-Amzn-Trace-Id", "value": value}
    whole = {"time": time, "type": "platform.report", "record": record}
    return json.dumps(whole, separators=(",", ":"))


class _Log:
    """The lines of a log, and which of its requests it reports as timed out."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def report_at(self, index: int) -> PlatformReport | None:
        """Read the report that begins on a line, or nothing."""
        line = self.lines[index]
        start = _TEXT_START.match(line)
        if start is not None:
            report = _from_text(start[1], line, self._xray_line_after(index))
            if report.status is None and self._timed_out(report, index):
                return replace(report, status="timeout")
            return report
        if line.lstrip().startswith("{") and "platform.report" in line:
            whole = read_object(line)  # None: cut off at the tail's beginning
            if whole is not None and whole.get("type") == "platform.report":
                return read_report_record(whole)
        return None

    def _xray_line_after(self, index: int) -> str:
        following = self.lines[index + 1] if index + 1 < len(self.lines) else ""
        return following if following.startswith("XRAY TraceId:") else ""

    def _timed_out(self, report: PlatformReport, index: int) -> bool:
        """Whether an older log says of this request that it timed out, in a line of its own.

        The line holds the request id (or the end of it, where the tail was cut), before or behind
        the REPORT line; without any id it stands before it, and the duration has got so far.
        """
        request_ids, without_id = self._timeouts
        begin = self.lines[0].split(" ", 1)[0]
        if report.request_id in request_ids or (
            begin in request_ids and report.request_id.endswith(begin)
        ):
            return True
        earlier = bisect_left(without_id, (index, 0.0))
        return earlier > 0 and report.duration_ms >= without_id[earlier - 1][1] * 1000 - 1

    @cached_property
    def _timeouts(self) -> tuple[frozenset[str], list[tuple[int, float]]]:
        """The words before "Task timed out", and (line, seconds) where there is no word."""
        request_ids: set[str] = set()
        without_id: list[tuple[int, float]] = []
        for index, line in enumerate(self.lines):
            found = _TIMED_OUT.search(line.rstrip())
            before = line[: found.start()].split() if found else []
            if found and not before:
                without_id.append((index, float(found[1])))
            elif len(before) == 1 or (len(before) == 2 and _TIME.fullmatch(before[0])):
                request_ids.add(before[-1])  # a logger's own lines begin with a level or a name
        return frozenset(request_ids), without_id


def _from_text(request_id: str, line: str, xray_line: str) -> PlatformReport:
    fields: dict[str, tuple[str, str | None]] = {}
    for text in (line, xray_line):
        for found in _FIELD.finditer(text):
            fields.setdefault(found[1], (found[2], found[3]))
    numbers: dict[str, float] = {}
    for name, unit, _ in _METRICS:
        if name in fields:
            value, its_unit = fields[name]
            if not _NUMBER.fullmatch(value) or its_unit != unit or float(value) >= _MOST[unit]:
                raise _unreadable(request_id, name, unit)
            numbers[name] = float(value)
    return _report(
        request_id,
        numbers,
        status=_status(fields["Status"][0]) if "Status" in fields else None,
        error_type=fields["Error Type"][0] if "Error Type" in fields else None,
        xray_trace_id=fields["XRAY TraceId"][0] if "XRAY TraceId" in fields else None,
    )


def read_report_record(whole: Mapping[str, Any]) -> PlatformReport:
    """Return the report of a `platform.report` record; raises ReportLineError as `parse_report`."""
    record = _mapping(whole.get("record"))
    request_id, metrics = record.get("requestId"), _mapping(record.get("metrics"))
    if not isinstance(request_id, str):
        raise ReportLineError("a platform.report record has no requestId")
    numbers: dict[str, float] = {}
    for name, unit, key in _METRICS:
        value = metrics.get(key)
        if value is not None:
            number = number_of(value)
            if number is None or number >= _MOST[unit]:
                raise _unreadable(request_id, name, unit)
            numbers[name] = number
    status, error_type = record.get("status"), record.get("errorType")
    return _report(
        request_id,
        numbers,
        status=None if status is None else _status(status),
        error_type=error_type if isinstance(error_type, str) else None,
        xray_trace_id=_trace_id(record.get("tracing")),
    )


def _report(
    request_id: str,
    numbers: Mapping[str, float],
    *,
    status: ReportStatus | None,
    error_type: str | None,
    xray_trace_id: str | None,
) -> PlatformReport:
    def whole(name: str) -> int:
        if not numbers[name].is_integer():
            raise ReportLineError(f"{_whose(request_id)} has a {name} that is not a whole number")
        return int(numbers[name])

    for name in ("Duration", "Billed Duration", "Memory Size"):
        if name not in numbers:
            raise ReportLineError(f"{_whose(request_id)} has no {name}: it can't be a sample")
    if not numbers["Memory Size"]:
        raise ReportLineError(f"{_whose(request_id)} has a Memory Size of 0")
    return PlatformReport(
        request_id=request_id,
        duration_ms=numbers["Duration"],
        billed_duration_ms=whole("Billed Duration"),
        memory_size_mb=whole("Memory Size"),
        max_memory_used_mb=whole("Max Memory Used") if "Max Memory Used" in numbers else None,
        init_duration_ms=numbers.get("Init Duration"),
        restore_duration_ms=numbers.get("Restore Duration"),
        billed_restore_duration_ms=numbers.get("Billed Restore Duration"),
        status=status,
        error_type=error_type,
        xray_trace_id=xray_trace_id,
    )


def _status(value: object) -> ReportStatus:
    """Treat an unknown status as an error: it must not become a sample."""
    if value == "success":
        return "success"
    return "timeout" if value == "timeout" else "error"


def _trace_id(tracing: object) -> str | None:
    value = _mapping(tracing).get("value")
    return parse_trace(value).get("Root") if isinstance(value, str) else None


def number_of(value: object) -> float | None:
    """A number of a JSON record that may be one of Lambda's; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    return float(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _measured(report: PlatformReport) -> Iterator[tuple[str, str, str, float]]:
    """Yield (name, unit, JSON name, value) of the numbers that a report has."""
    for metric, value in zip(_METRICS, report.figures, strict=True):
        if value is not None:
            yield *metric, value


def _shown(name: str, value: float) -> str:
    if isinstance(value, int) or (name.startswith("Billed") and value.is_integer()):
        return str(int(value))
    two_decimals = f"{value:.2f}"
    return two_decimals if float(two_decimals) == value else format(Decimal(repr(value)), "f")


def _unreadable(request_id: str, name: str, unit: str) -> ReportLineError:
    return ReportLineError(f"{_whose(request_id)} has no readable {name} in {unit}")


def _whose(request_id: str) -> str:
    """Name a report in a message, unless its id could be anything that a function printed."""
    known = _REQUEST_ID.fullmatch(request_id)
    return f"the REPORT of request {request_id}" if known else "a REPORT line"
