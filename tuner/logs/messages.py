"""Reads log messages: reports, and what the lines around them say about the same request.

Lines of one log stream come from one environment, which runs one request at a time. A source that
names no streams may mix them, so request ids separate what they can.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import ReportLineError
from tuner.logs.report import number_of, parse_report, read_report_record
from tuner.logs.stream import (
    MOST_KEPT,
    Stream,
    error_digest,
    judge,
    keep_note,
    origin_of,
    said_rows,
    says_more,
)
from tuner.logs.times import read_time
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.logs.collector import Collector
    from tuner.model.observation import ObservedOutcome, Origin

    Figures = tuple[float, int, int, int | None, float | None, float | None, float | None]
    """What a report says, in the order of a `ReportRow`."""

REPORT: Final = "REPORT RequestId:"
SUCCESS: Final[tuple[ObservedOutcome, str | None]] = ("success", None)
# Numbers as `report` takes them.
MS: Final = r"(\d{1,10}(?:\.\d{1,30})?)"
WHOLE_MS: Final = r"(\d{1,10})"
SIZE_MB: Final = r"([1-9]\d{0,5})"
USED_MB: Final = r"(\d{1,6})"
# As Lambda writes it. `report` reads the rest: other orders, other spaces, whatever lacks a field.
_USUAL: Final = re.compile(
    rf"REPORT RequestId: (\S+)\tDuration: {MS} ms\tBilled Duration: {WHOLE_MS} ms"
    rf"\tMemory Size: {SIZE_MB} MB(?:\tMax Memory Used: {USED_MB} MB)?"
    rf"(?:\tInit Duration: {MS} ms)?"
    rf"(?:\tRestore Duration: {MS} ms)?(?:\tBilled Restore Duration: {MS} ms)?"
    r"(?:\tStatus: (\w+))?(?:\tError Type: (\S+))?\s*"
)
# A success as JSON logs mostly have it; `report` reads every other order and status.
_JSON_USUAL: Final = re.compile(
    r'\{"time": ?"([0-9T:.Z-]{20,30})", ?"type": ?"platform\.report", ?"record": ?\{'
    rf'"requestId": ?"([^"\\\s]{{1,100}})", ?"metrics": ?\{{"durationMs": ?{MS}'
    rf', ?"billedDurationMs": ?{WHOLE_MS}, ?"memorySizeMB": ?{SIZE_MB}'
    rf', ?"maxMemoryUsedMB": ?{USED_MB}(?:, ?"initDurationMs": ?{MS})?\}}'
    r', ?"status": ?"success"\}\}\s*'
)
_JSON_START: Final = re.compile(
    r'\{"time": ?"([0-9T:.Z-]{20,30})", ?"type": ?"platform\.start", ?"record": ?\{'
    r'"requestId": ?"([^"\\\s]{1,100})", ?"version": ?"([^"\\\s]{1,128})"\}\}\s*'
)
_TIMED_OUT: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[0-9:.]{8,20}Z )?(?:(\S+) )?"
    r"Task timed out after (\d{1,6}\.\d\d) seconds\s*"
)
_EXITED: Final = re.compile(
    r"RequestId: (\S+) (?:Error: Runtime exited with error: (signal: killed)?|Process exited)"
)
_NODE_ERROR: Final = re.compile(
    r"(\S+)\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s*"
    r'\t\{"errorType":"([^"]{1,100})"(?:,"errorMessage":"((?:[^"\\]|\\.){0,400}))?'
)
_PYTHON_ERROR: Final = re.compile(r"\[ERROR\] ([A-Za-z_][\w.]{0,99})(?::|\s*$|\r)")
_RUBY_ERROR: Final = "Error raised from handler method"
_GO_ERROR: Final = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?=\{\"errorMessage\":)")
_OF_GO: Final = frozenset(("errorMessage", "errorType", "stackTrace"))
_CLASS: Final = re.compile(r"(?:[A-Za-z_$][\w$]{0,63}\.){1,15}[A-Za-z_$][\w$]{0,99}")
"""With its package: what Java's runtime writes behind an exception's message, before the trace."""
_PLATFORM_TYPE: Final = re.compile(r'"type"\s*:\s*"platform\.report"')


def tells(line: str) -> bool:
    """Whether a line may say something about a request."""
    return (
        "RequestId: " in line
        or "RROR" in line
        or "timed out" in line
        or "Traceback" in line
        or "Exception" in line
        or "Error" in line
        or '"errorType"' in line
        or says_more(line)
    )


class MessageReader:
    """Reads the messages of one source into a collector."""

    def __init__(self, collector: Collector, origin: Origin) -> None:
        self.collector = collector
        self.origin = origin
        self.plain = Stream(origin)
        """The source itself, if it names no streams."""
        self.number = 0
        """Lines (or JSON values) read so far."""
        self.has_platform_lines = False
        """Whether it has bare platform lines, without an envelope."""
        self._streams: dict[tuple[str | None, ...], Stream] = {}
        self._functions: set[str] = set()

    def stream(
        self,
        name: str | None,
        group: str | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> Stream:
        """The state of a log stream; of the source itself if it names none."""
        if name is None and group is None:
            return self.plain
        key = (group, name, account, region)
        found = self._streams.get(key)
        if found is None:
            found = Stream(origin_of(self.origin, name, group, account, region))
            self._streams[key] = found
        return found

    def message(self, text: str, at_us: int | None, stream: Stream) -> None:
        """Read a message that came with its time and stream: one line, or several."""
        if at_us is not None:
            self._saw(at_us, stream)
        for line in text.split("\n") if "\n" in text else (text,):
            self.take(line, at_us, stream)

    def _saw(self, at_us: int, stream: Stream) -> None:
        self.collector.saw(at_us)
        stream.at_us = at_us

    def end(self) -> None:
        """Say that the source ends."""
        if len(self._functions) == 1:
            self.collector.name_function(self.origin.source, next(iter(self._functions)))

    def take(self, text: str, at_us: int | None, stream: Stream) -> None:
        """Read a message's line, with nothing before it."""
        if text.startswith("{"):
            self.json_line(text, at_us, stream)
        elif text.startswith(REPORT):
            self.report(text, at_us, stream)
        elif REPORT in text:
            self.collector.quoted_count += 1
        elif tells(text):
            self.told(text, stream)

    def start(self, text: str, stream: Stream) -> None:
        """Note the version that a START line names."""
        if text[53:63] == " Version: ":  # behind a UUID
            stream.begun, version = text[17:53], text[63:].rstrip()
        else:
            words = [*text.split(), "", "", ""]
            stream.begun, version = words[2], words[4] if words[3] == "Version:" else ""
        stream.doubt = stream.thrown = None
        if version:
            if len(stream.versions) >= MOST_KEPT:
                stream.versions.clear()  # of requests whose reports are not in this source
            stream.versions[stream.begun] = version[:128]

    def told(self, text: str, stream: Stream) -> None:
        """Note what a line other than a report says about a request."""
        if text.startswith("END RequestId:"):
            return
        if text.startswith("START RequestId:"):
            self.start(text, stream)
            return
        thrown, stream.thrown = stream.thrown, None
        if says_more(text):
            self.collector.add_said(said_rows(text, stream.begun, self.collector.reported_id))
        if found := _TIMED_OUT.fullmatch(text.strip()):
            keep_note(stream, found[1] or "", ("timeout", None, float(found[2]) * 1000 - 1))
        elif found := _EXITED.match(text):
            outcome: ObservedOutcome = "oom" if found[2] else "error"
            keep_note(stream, found[1], (outcome, "Runtime.ExitError", 0.0))
        elif found := _NODE_ERROR.search(text, 0, 1000):
            keep_note(stream, found[1], ("error", found[2], 0.0))
            self._erred(found[1], found[2], found[3] or "")
        elif found := _PYTHON_ERROR.match(text):
            stream.doubt = found[1]
            self._erred(stream.begun, found[1], text[found.end() :].partition("Traceback")[0])
            if "Traceback (most recent call last)" in text:
                self._raised(stream)
        elif text.startswith("Traceback (most recent call last)"):
            self._raised(stream)
        else:
            self._thrown(text, stream, thrown)

    def _thrown(self, text: str, stream: Stream, before: tuple[str, int] | None) -> None:
        """Note what Ruby's runtime says of an exception, and Java's in two lines."""
        if text.startswith(_RUBY_ERROR):
            keep_note(stream, stream.begun, ("error", None, 0.0))
        elif before is not None and self.number - before[1] <= 1 and text.startswith(before[0]):
            keep_note(stream, stream.begun, ("error", before[0], 0.0))
            self._erred(stream.begun, before[0], text)
        elif (found := _GO_ERROR.match(text)) is not None:
            self.failed(text[found.end() :], stream)
        elif _CLASS.fullmatch(kind := text.rstrip().rpartition(": ")[2]):
            stream.thrown = kind, self.number

    def failed(self, text: str, stream: Stream) -> None:
        """Note what Go's runtime logs, behind a time of its own, of an error that was returned."""
        value = read_object(text)
        if value is not None and _OF_GO.issuperset(value):
            kind = str(value.get("errorType"))[:100]
            keep_note(stream, stream.begun, ("error", kind, 0.0))
            self._erred(stream.begun, kind, str(value.get("errorMessage")))

    def _erred(self, request_id: str, kind: str, text: str) -> None:
        if request_id:
            self.collector.add_said([(request_id, None, None, error_digest(kind, text), None)])

    def _raised(self, stream: Stream) -> None:
        if stream.doubt is not None:
            keep_note(stream, stream.begun, ("error", stream.doubt, 0.0))
            stream.doubt = None

    def report(self, line: str, at_us: int | None, stream: Stream) -> None:
        """Read a REPORT line."""
        usual = _USUAL.fullmatch(line)
        if usual is None:
            self._unusual(line, at_us, stream)
            return
        request_id, duration, billed, memory, used, init, restore, billed_restore, status, kind = (
            usual.groups()
        )
        judged, duration_ms = SUCCESS, float(duration)
        if status is not None or stream.notes:
            judged = judge(stream, request_id, duration_ms, status, kind)
        figures = (
            duration_ms,
            int(billed),
            int(memory),
            None if used is None else int(used),
            None if init is None else float(init),
            None if restore is None else float(restore),
            None if billed_restore is None else float(billed_restore),
        )
        self._add(stream, request_id, at_us, figures, judged)

    def _add(
        self,
        stream: Stream,
        request_id: str,
        at_us: int | None,
        figures: Figures,
        judged: tuple[ObservedOutcome, str | None],
    ) -> None:
        number = self.number_of(stream, request_id)
        at_us = stream.at_us if at_us is None else at_us
        self.collector.add((number, self.number, request_id, at_us, *figures, *judged))

    def _unusual(self, given: str | Mapping[str, Any], at_us: int | None, stream: Stream) -> None:
        """Read a report as `report` does: this decides what a report is."""
        try:
            report = parse_report(given) if isinstance(given, str) else read_report_record(given)
        except ReportLineError as error:
            text = given if isinstance(given, str) else repr(given)
            # Without the request id: of a line that is no report it could be anything.
            why = str(error).partition(" has ")[2].partition(":")[0] or "no request id"
            self.collector.cannot_read(self.origin.source, self.number, why, text)
            return
        judged = judge(
            stream, report.request_id, report.duration_ms, report.status, report.error_type
        )
        if report.xray_trace_id is not None:
            row = (report.request_id, report.xray_trace_id, None, None, None)
            self.collector.add_said([row])
        self._add(stream, report.request_id, at_us, report.figures, judged)

    def number_of(self, stream: Stream, request_id: str) -> int:
        """The number of a report's origin."""
        version = stream.versions.pop(request_id, None) if stream.versions else None
        found = stream.numbers.get(version)
        if found is None:
            origin = stream.origin
            if version is not None and origin.version is None:
                origin = replace(origin, version=version)
            found = stream.numbers[version] = self.collector.number(origin)
        return found

    def json_line(self, line: str, at_us: int | None, stream: Stream) -> None:
        """Read a JSON record of the platform, of Lambda Insights, or of a runtime's error."""
        usual = _JSON_USUAL.fullmatch(line)
        if usual is not None and (own_us := read_time(usual[1])) is not None:
            self._usual_record(usual, own_us, at_us, stream)
            return
        begun = _JSON_START.fullmatch(line)
        if begun is not None and (own_us := read_time(begun[1])) is not None:
            if at_us is None:
                self._saw(own_us, stream)
            self.start(f"START RequestId: {begun[2]} Version: {begun[3]}", stream)
            return
        if says_more(line):
            self.collector.add_said(said_rows(line, stream.begun, self.collector.reported_id))
        if '"platform.' in line or '"errorType"' in line or '"cpu_total_time"' in line:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                if _PLATFORM_TYPE.search(line, 0, 400):
                    why = "a platform.report record that isn't a whole JSON object"
                    self.collector.cannot_read(self.origin.source, self.number, why, line)
                return
            if isinstance(value, dict):
                self.record(value, at_us, stream)

    def _usual_record(
        self, usual: re.Match[str], own_us: int, at_us: int | None, stream: Stream
    ) -> None:
        _time, request_id, duration, billed, memory, used, init = usual.groups()
        if at_us is None:
            self.collector.saw(own_us)
            at_us = stream.at_us = own_us
        stream.notes.pop(request_id, None)
        init_ms = None if init is None else float(init)
        figures = (float(duration), int(billed), int(memory), int(used), init_ms, None, None)
        self._add(stream, request_id, at_us, figures, SUCCESS)

    def record(self, value: Mapping[str, Any], at_us: int | None, stream: Stream) -> None:
        """Read a JSON record that a log line is."""
        kind = value.get("type")
        if isinstance(kind, str) and kind.startswith("platform."):
            own_us = read_time(value.get("time"))
            if own_us is not None and at_us is None:
                self._saw(own_us, stream)
            self._platform(kind, value, own_us if at_us is None else at_us, stream)
        elif "cpu_total_time" in value and isinstance(value.get("request_id"), str):
            cpu_ms = number_of(value["cpu_total_time"])
            if cpu_ms is not None:
                self.collector.cpu_ms[value["request_id"]] = cpu_ms
        elif isinstance(value.get("errorType"), str):
            request_id = value.get("requestId") or value.get("AWSRequestId") or stream.begun
            if isinstance(request_id, str) and value.get("level") in ("ERROR", "FATAL", None):
                keep_note(stream, request_id, ("success", value["errorType"], 0.0))
                told = value.get("errorMessage", value.get("message"))
                self._erred(request_id, value["errorType"][:100], str(told or ""))

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
            if isinstance(version, str):
                self.start(f"START RequestId: {request_id} Version: {version}", stream)
        elif kind == "platform.initStart" and isinstance(record.get("functionName"), str):
            self._named(record["functionName"], stream)

    def _named(self, function: str, stream: Stream) -> None:
        """An environment began, and named its function."""
        if stream is self.plain:
            self._functions.add(function)
            if len(self._functions) < 2:  # the whole source is of this function, if no other comes
                return
        if stream.origin.function is None or stream is self.plain:
            stream.origin = replace(stream.origin, function=function)
            stream.numbers.clear()
