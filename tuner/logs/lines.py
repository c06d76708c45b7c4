"""Reads log lines and messages: reports, and what the lines around them say of the same request.

Lines of one log stream are of one environment, which runs a request at a time. A source that names
no streams may mix them, so what can be is told apart by request ids.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import ReportLineError
from tuner.logs.report import parse_report, read_report_record
from tuner.logs.times import STREAM, read_lead, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tuner.logs.collector import Collector
    from tuner.model.invocation import PlatformReport
    from tuner.model.observation import ObservedOutcome, Origin

_REPORT: Final = "REPORT RequestId:"
_NUMBER: Final = r"(\d{1,15}(?:\.\d{1,30})?) ms"
# As Lambda writes it. `report` reads the rest: other orders, other spaces, whatever lacks a field.
_USUAL: Final = re.compile(
    rf"REPORT RequestId: (\S+)\tDuration: {_NUMBER}\tBilled Duration: (\d{{1,15}}) ms"
    r"\tMemory Size: (\d{1,15}) MB(?:\tMax Memory Used: (\d{1,15}) MB)?"
    rf"(?:\tInit Duration: {_NUMBER})?"
    rf"(?:\tRestore Duration: {_NUMBER})?(?:\tBilled Restore Duration: {_NUMBER})?"
    r"(?:\tStatus: (\w+))?(?:\tError Type: (\S+))?\s*"
)
_START: Final = re.compile(r"START RequestId: (\S+)(?:\s+Version: (\S{1,128}))?")
_TIMED_OUT: Final = re.compile(r"(?:(\S+) )?Task timed out after (\d{1,6}\.\d\d) seconds\s*")
_EXITED: Final = re.compile(
    r"RequestId: (\S+) (?:Error: Runtime exited with error: (signal: killed)?|Process exited)"
)
_NODE_ERROR: Final = re.compile(
    r"(\S+)\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s*"
    r'\t\{"errorType":"([^"]{1,100})"'
)
_PYTHON_ERROR: Final = re.compile(r"\[ERROR\] ([A-Za-z_][\w.]{0,99})(?::|\s*$|\r)")
_LOGGER: Final = re.compile(r"\[[A-Z]{4,8}\]\t(?=\d{4}-)")
_ERROR_TYPE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.$:]{0,99}")
_MEMORY_ERRORS: Final = frozenset(
    ("Runtime.OutOfMemory", "MemoryError", "java.lang.OutOfMemoryError")
)
_PLATFORM_TYPE: Final = re.compile(r'"type"\s*:\s*"platform\.report"')
_KEPT_NOTES: Final = 10_000
_PRETTY_LINES: Final = 500
_TELLING: Final = ("START RequestId:", "timed out", "RROR", "RequestId: ", "Traceback")

Note = tuple["ObservedOutcome", str | None, float]
"""What a line says of a request before its report: outcome, error's class, least duration in ms."""


class Stream:
    """What was read of one log stream, or of a source without streams."""

    __slots__ = ("at_us", "begun", "doubt", "notes", "numbers", "origin", "versions")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.numbers: dict[str | None, int] = {}
        """The numbers of its origins, by version."""
        self.versions: dict[str, str] = {}
        self.notes: dict[str, Note] = {}
        self.begun = ""
        """The request of the latest START line."""
        self.doubt: str | None = None
        """An error's class on a line that was the runtime's own if a traceback follows."""
        self.at_us: int | None = None
        """The latest time that a line had."""


class LineReader:
    """Reads the lines of one source into a collector.

    `unwrap` reads a JSON value that wraps messages, and says whether it is one.
    """

    def __init__(
        self, collector: Collector, origin: Origin, unwrap: Callable[[LineReader, Any], bool]
    ) -> None:
        self._unwrap = unwrap
        self._collector = collector
        self._origin = origin
        self._plain = Stream(origin)
        self._streams: dict[tuple[str | None, str | None], Stream] = {}
        self._minutes: dict[str, int] = {}
        self._pretty: list[str] | None = None
        self._pretty_lead: tuple[int | None, Stream] = (None, self._plain)
        self.number = 0
        """Lines read so far."""
        self.has_platform_lines = False
        """Whether lines of the platform's stand here as they are, in no envelope."""
        self._functions: set[str] = set()

    def read(self, lines: Iterable[str]) -> None:
        """Read lines of text, each with whatever leads it."""
        for line in lines:
            self.number += 1
            if self._pretty is not None:
                self._go_on(line)
            elif _REPORT in line and line[:1] != "{":
                self._report_in(line)
            else:
                self._other(line)

    def end(self) -> None:
        """Say that the source ends."""
        self._pretty = None
        if len(self._functions) == 1:
            self._collector.name_function(self._origin.source, next(iter(self._functions)))

    def stream(
        self, name: str | None, group: str | None = None, account: str | None = None
    ) -> Stream:
        """The state of a log stream; of the source itself where it names none."""
        if name is None and group is None:
            return self._plain
        found = self._streams.get((group, name))
        if found is None:
            found = Stream(_origin_of(self._origin, name, group, account))
            self._streams[group, name] = found
        return found

    def message(self, text: str, at_us: int | None, stream: Stream) -> None:
        """Read a message that came with its time and stream: one line, or several."""
        if at_us is not None:
            self._collector.saw(at_us)
            stream.at_us = at_us
        for line in text.split("\n") if "\n" in text else (text,):
            self._take(line, at_us, stream)

    def _report_in(self, line: str) -> None:
        """Read a line with the words of a report, at its beginning or further on."""
        if line.startswith(_REPORT):
            self.has_platform_lines = True
            self._report(line, None, self._plain)
            return
        lead = read_lead(line)
        stream = self._led(lead.at_us, lead.stream, lead.group)
        self._take(lead.rest, lead.at_us, stream)

    def _led(self, at_us: int | None, name: str | None, group: str | None) -> Stream:
        stream = self.stream(name, group)
        if at_us is not None:
            stream.at_us = at_us
            self._collector.saw(at_us)
        return stream

    def _other(self, line: str) -> None:
        """Read a line without the words of a report."""
        head = line[:1]
        if head == "{":
            self._outer_json(line)
            return
        if line[10:11] == "T" and line[23:25] == "Z " and line[25:26].isalpha():
            at_us = self._time(line)  # as CloudWatch exports lines
            if at_us is not None:
                self._collector.saw(at_us)
                self._plain.at_us = at_us
                if any(word in line for word in _TELLING):
                    self._told(line[25:], self._plain)
                return
        if head in "0123456789\x1b[/ \tER@\ufeff":
            lead = read_lead(line[_after_logger(line) :])
            stream = self._led(lead.at_us, lead.stream, lead.group)
            if lead.rest.startswith("{"):
                self._json_line(lead.rest, lead.at_us, stream)
                return
            line = lead.rest
        else:
            stream = self._plain
        if any(word in line for word in _TELLING):
            self.has_platform_lines = self.has_platform_lines or line.startswith("START Req")
            self._told(line, stream)

    def value(self, value: Any) -> None:
        """Read a JSON value that stands by itself."""
        self.number += 1
        self._unwrap(self, value)

    def _outer_json(self, line: str) -> None:
        """Read a line of JSON that nothing leads: a record, or what wraps messages."""
        if '"message' in line or '"@message' in line or '"awslogs"' in line:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if value is not None and self._unwrap(self, value):
                return
        self._json_line(line, None, self._plain)

    def _time(self, line: str) -> int | None:
        """The time of a line that is led as `2026-11-29T10:00:00.123Z`; quick, there are many."""
        minute = self._minutes.get(line[:17])
        if minute is None:
            minute = read_time(f"{line[:17]}00Z")
            if minute is None:
                return None
            if len(self._minutes) > _KEPT_NOTES:
                self._minutes.clear()
            self._minutes[line[:17]] = minute
        second, milli = line[17:19], line[20:23]
        if not (second.isdecimal() and milli.isdecimal() and line[19] == "."):
            return None
        return minute + int(second) * 1_000_000 + int(milli) * 1000

    def _take(self, text: str, at_us: int | None, stream: Stream) -> None:
        """Read a message's line, with nothing before it."""
        if text.startswith("{"):
            self._json_line(text, at_us, stream)
        elif text.startswith(_REPORT):
            self._report(text, at_us, stream)
        elif _REPORT in text:
            self._collector.quoted_count += 1
        elif any(word in text for word in _TELLING):
            self._told(text, stream)

    def _told(self, text: str, stream: Stream) -> None:
        """Note what a line that is no report says of a request."""
        if text.startswith("START RequestId:"):
            if found := _START.match(text):
                stream.begun, stream.doubt = found[1], None
                if found[2] and len(stream.versions) < _KEPT_NOTES:
                    stream.versions[found[1]] = found[2]
        elif found := _TIMED_OUT.fullmatch(text.strip()):
            _note(stream, found[1] or "", ("timeout", None, float(found[2]) * 1000 - 1))
        elif found := _EXITED.match(text):
            outcome: ObservedOutcome = "oom" if found[2] else "error"
            _note(stream, found[1], (outcome, "Runtime.ExitError", 0.0))
        elif found := _NODE_ERROR.search(text, 0, 1000):
            _note(stream, found[1], ("error", found[2], 0.0))
        elif found := _PYTHON_ERROR.match(text):
            stream.doubt = found[1]
            if "Traceback (most recent call last)" in text:
                self._raised(stream)
        elif text.startswith("Traceback (most recent call last)"):
            self._raised(stream)

    def _raised(self, stream: Stream) -> None:
        if stream.doubt is not None:
            _note(stream, stream.begun, ("error", stream.doubt, 0.0))
            stream.doubt = None

    def _report(self, line: str, at_us: int | None, stream: Stream) -> None:
        """Read a REPORT line."""
        usual = _USUAL.fullmatch(line)
        if usual is None:
            self._unusual(line, at_us, stream)
            return
        request_id, duration, billed, memory, used, init, restore, billed_restore, status, kind = (
            usual.groups()
        )
        outcome: ObservedOutcome = "success"
        signature: str | None = None
        duration_ms = float(duration)
        if status is not None or stream.notes:
            outcome, signature = _judged(stream, request_id, duration_ms, status, kind)
        self._collector.add(
            (
                self._number(stream, request_id),
                self.number,
                request_id,
                stream.at_us if at_us is None else at_us,
                duration_ms,
                int(billed),
                int(memory),
                None if used is None else int(used),
                None if init is None else float(init),
                None if restore is None else float(restore),
                None if billed_restore is None else float(billed_restore),
                outcome,
                signature,
            )
        )

    def _unusual(self, given: str | Mapping[str, Any], at_us: int | None, stream: Stream) -> None:
        """Read a report as `report` does: the last word on what a report is."""
        try:
            report = parse_report(given) if isinstance(given, str) else read_report_record(given)
        except ReportLineError as error:
            self._collector.cannot_read(self._origin.source, self.number, str(error))
            return
        self._add(report, at_us, stream)

    def _add(self, report: PlatformReport, at_us: int | None, stream: Stream) -> None:
        outcome, signature = _judged(
            stream, report.request_id, report.duration_ms, report.status, report.error_type
        )
        self._collector.add(
            (
                self._number(stream, report.request_id),
                self.number,
                report.request_id,
                stream.at_us if at_us is None else at_us,
                report.duration_ms,
                report.billed_duration_ms,
                report.memory_size_mb,
                report.max_memory_used_mb,
                report.init_duration_ms,
                report.restore_duration_ms,
                report.billed_restore_duration_ms,
                outcome,
                signature,
            )
        )

    def _number(self, stream: Stream, request_id: str) -> int:
        """The number of a report's origin."""
        version = stream.versions.pop(request_id, None) if stream.versions else None
        found = stream.numbers.get(version)
        if found is None:
            origin = stream.origin
            if version is not None and origin.version is None:
                origin = replace(origin, version=version)
            found = stream.numbers[version] = self._collector.number(origin)
        return found

    def _json_line(self, line: str, at_us: int | None, stream: Stream) -> None:
        """Read a JSON record of the platform, of Lambda Insights, or of a runtime's error."""
        if line.rstrip() == "{":
            self._pretty, self._pretty_lead = [line], (at_us, stream)
        elif '"platform.' in line or '"errorType"' in line or '"cpu_total_time"' in line:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                if _PLATFORM_TYPE.search(line, 0, 400):
                    why = "a platform.report record that is no whole JSON object"
                    self._collector.cannot_read(self._origin.source, self.number, why)
                return
            if isinstance(value, dict):
                self.record(value, at_us, stream)

    def _go_on(self, line: str) -> None:
        """Read on in a JSON object that is written over several lines."""
        assert self._pretty is not None
        self._pretty.append(line)
        if line.rstrip() == "}" or len(self._pretty) > _PRETTY_LINES:
            text, self._pretty = "".join(self._pretty), None
            self._json_line(text.replace("\r", ""), *self._pretty_lead)

    def record(self, value: Mapping[str, Any], at_us: int | None, stream: Stream) -> None:
        """Read a JSON record that a log line is."""
        kind = value.get("type")
        if isinstance(kind, str) and kind.startswith("platform."):
            own_us = read_time(value.get("time"))
            if own_us is not None and at_us is None:
                self._collector.saw(own_us)
                stream.at_us = own_us
            self._platform(kind, value, own_us if at_us is None else at_us, stream)
        elif "cpu_total_time" in value and isinstance(value.get("request_id"), str):
            cpu_ms = value["cpu_total_time"]
            if isinstance(cpu_ms, int | float) and not isinstance(cpu_ms, bool):
                self._collector.cpu_ms[value["request_id"]] = float(cpu_ms)
        elif isinstance(value.get("errorType"), str):
            request_id = value.get("requestId") or value.get("AWSRequestId") or stream.begun
            if isinstance(request_id, str) and value.get("level") in ("ERROR", "FATAL", None):
                _note(stream, request_id, ("success", value["errorType"], 0.0))

    def _platform(
        self, kind: str, value: Mapping[str, Any], at_us: int | None, stream: Stream
    ) -> None:
        inner = value.get("record")
        record = inner if isinstance(inner, dict) else {}
        request_id, version = record.get("requestId"), record.get("version")
        if kind == "platform.report":
            self._unusual(value, at_us, stream)
        elif kind == "platform.start" and isinstance(request_id, str):
            stream.begun = request_id
            if isinstance(version, str) and len(stream.versions) < _KEPT_NOTES:
                stream.versions[request_id] = version[:128]
        elif kind == "platform.initStart" and isinstance(record.get("functionName"), str):
            self._named(record["functionName"], stream)

    def _named(self, function: str, stream: Stream) -> None:
        """An environment began, and said whose it is."""
        if stream is self._plain:
            self._functions.add(function)
            if len(self._functions) < 2:  # the whole source is of this function, if no other comes
                return
        if stream.origin.function is None or stream is self._plain:
            stream.origin = replace(stream.origin, function=function)
            stream.numbers.clear()


def _origin_of(
    origin: Origin, stream: str | None, group: str | None, account: str | None
) -> Origin:
    """Where the lines of a stream are from: newer streams have the function's name, groups of
    Lambda's own have it, and every stream has the version.
    """
    named = STREAM.fullmatch(stream) if stream else None
    function = named[1] if named else None
    if function is None and group is not None and group.startswith("/aws/lambda/"):
        function = group.removeprefix("/aws/lambda/")
    return replace(
        origin,
        function=function or origin.function,
        version=named[2] if named else origin.version,
        log_stream=stream or origin.log_stream,
        account=account or origin.account,
    )


def _after_logger(line: str) -> int:
    """Where a line of Python's own logger goes on behind its level."""
    found = _LOGGER.match(line) if line.startswith("[") else None
    return found.end() if found else 0


def _note(stream: Stream, request_id: str, note: Note) -> None:
    """Keep what is said of a request; a kill or a timeout says more than an error's class."""
    if len(stream.notes) >= _KEPT_NOTES:
        stream.notes.clear()  # of requests whose reports are not in this source
    earlier = stream.notes.get(request_id)
    if earlier is None or note[0] != "success":
        stream.notes[request_id] = note


def _judged(
    stream: Stream, request_id: str, duration_ms: float, status: str | None, kind: str | None
) -> tuple[ObservedOutcome, str | None]:
    """What came of an invocation, by its report and by the lines before it.

    A status that is not known is an error. Memory used is no evidence of a kill.
    """
    note = stream.notes.pop(request_id, None)
    general = stream.notes.get("")
    if note is None and general is not None and duration_ms >= general[2]:
        note = stream.notes.pop("")
    said, signature, _least = note or ("success", None, 0.0)
    signature = kind or signature
    if signature is not None and not _ERROR_TYPE.fullmatch(signature):
        signature = "unknown"
    if status == "success":
        return "success", None
    if signature in _MEMORY_ERRORS or said == "oom":
        return "oom", signature
    if status == "timeout" or said == "timeout":
        return "timeout", signature
    if status is not None or said == "error":
        return "error", signature
    return "success", None
