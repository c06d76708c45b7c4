"""Log lines as Lambda writes them, the ones that a JSON log's levels keep, and where they go.

Each platform event has a level:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

from __future__ import annotations

import datetime
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuner.local.deployment import runtime_version_arn
from tuner.logs import format_report, format_report_json
from tuner.model.record import read_object

if TYPE_CHECKING:
    from tuner.local.deployment import Deployment
    from tuner.model.invocation import PlatformReport

_RANKS: Final = {
    "TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5,
    "CRITICAL": 5,
}  # fmt: skip
_SYSTEM_LEVELS: Final = {
    "platform.initStart": "INFO",
    "platform.initRuntimeDone": "DEBUG",
    "platform.initReport": "DEBUG",
    "platform.start": "INFO",
    "platform.runtimeDone": "DEBUG",
    "platform.report": "INFO",
}
MARK: Final = b"\xa5\x5a\x00"
_KINDS: Final = frozenset(kind | level for kind in (2, 3) for level in range(0, 32, 4))
_HEAD_BYTES: Final = 16
_MAX_BYTES: Final = 16 * 1024 * 1024
"""No longer message is believed: it's output that looks like a frame."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line for CloudWatch Logs."""

    timestamp_ms: int
    message: str = field(repr=False)


LogSink = Callable[[str, str, Sequence[LogEvent]], None]
"""Takes (log group, log stream, events) in order, from one thread; it must not raise."""


class LogForwarder:
    """Hands events to a sink from its own thread, so that no invocation waits for it."""

    def __init__(self, sink: LogSink) -> None:
        self._sink = sink
        self._queue: queue.SimpleQueue[tuple[str, str, tuple[LogEvent, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, name="log-forwarder", daemon=True)
        self._thread.start()

    def forward(self, group: str, stream: str, events: tuple[LogEvent, ...]) -> None:
        """Queue events; returns at once."""
        if events:
            self._queue.put((group, stream, events))

    def close(self, limit_s: float = 5.0) -> None:
        """Deliver what is queued, within a limit."""
        self._queue.put(None)
        self._thread.join(limit_s)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            self._sink(*item)


class InvocationLog:
    """The lines of one invocation, including the init before it, as text or JSON records."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._is_json = deployment.log_format == "JSON"
        self._bytes = bytearray()
        self._output = OutputEntries()
        self._events: list[LogEvent] = []
        self._has_started = False

    def write_output(self, data: bytes) -> None:
        """The function's output, in pieces of any size."""
        for entry in self._output.take(data):
            self._add_output(entry)

    def init_start(self, runtime_version: str) -> None:
        """Before the first line of an init; `runtime_version` is like python:3.13.v1."""
        arn = runtime_version_arn(self._deployment.region)
        record: dict[str, object] = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime_version,
            "runtimeVersionArn": arn,
            "functionName": self._deployment.function_name,
            "functionVersion": self._deployment.version,
        }
        text = f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {arn}"
        self._platform(text, "platform.initStart", record)
        self._bytes.clear()  # the tail that a caller gets begins after it

    def init_report(
        self, duration_ms: float, phase: str, status: str, error_type: str | None = None
    ) -> None:
        """After an init. In text logs, only failed ones get a line, as on Lambda."""
        kind = {"initializationType": "on-demand", "phase": phase, "status": status}
        text = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
        if error_type:
            text += f"\tError Type: {error_type}"
            kind["errorType"] = error_type
        metrics: dict[str, object] = {"durationMs": round(duration_ms, 3)}
        self._platform(None, "platform.initRuntimeDone", dict(kind), status)
        line = None if status == "success" else text
        self._platform(line, "platform.initReport", {**kind, "metrics": metrics}, status)

    def start(self, request_id: str, version: str) -> None:
        """When the event is delivered; a repeated attempt has no second line."""
        if self._has_started:
            return
        self._has_started = True
        text = f"START RequestId: {request_id} Version: {version}"
        record: dict[str, object] = {"requestId": request_id, "version": version}
        self._platform(text, "platform.start", record)

    def timed_out(self, request_id: str, timeout_s: float) -> None:
        """Beside a timeout's error object; JSON logs have it only in the report."""
        if not self._is_json:
            said = f"Task timed out after {timeout_s:.2f} seconds"
            self._write_line(f"{_now()} {request_id} {said}\n")

    def exited(self, message: str, error_type: str) -> None:
        """Beside the error object of a runtime that ended; JSON logs have it in the report."""
        if not self._is_json:
            self._write_line(f"{message}\n{error_type}")

    def end(self, report: PlatformReport, produced_bytes: int) -> None:
        """END and REPORT; `produced_bytes` is the size of the answer."""
        if not self._is_json:
            self._write_line(f"END RequestId: {report.request_id}")
            self._write_line(format_report(report))
            return
        metrics = {"durationMs": report.duration_ms, "producedBytes": produced_bytes}
        done: dict[str, object] = {
            "requestId": report.request_id,
            "status": report.status,
            "metrics": metrics,
        }
        if report.error_type:
            done["errorType"] = report.error_type
        self._platform(None, "platform.runtimeDone", done, report.status)
        if self._keeps("platform.report", report.status):
            self._write_line(format_report_json(report, _now()))

    def _platform(
        self, text: str | None, kind: str, record: dict[str, object], status: str | None = None
    ) -> None:
        """Write one platform event: its text (None: only JSON logs have it), or record."""
        if self._is_json:
            kept = self._keeps(kind, status)
            text = json.dumps({"time": _now(), "type": kind, "record": record}) if kept else None
        if text is not None:
            self._write_line(text)

    def _keeps(self, kind: str, status: str | None) -> bool:
        """Whether a platform event is logged; a failure is always a warning."""
        level = "WARN" if status not in (None, "success") else _SYSTEM_LEVELS[kind]
        return _RANKS[level] >= _RANKS[self._deployment.system_log_level or "INFO"]

    def _write_line(self, text: str) -> None:
        self._end_partial()
        self._add(text.encode() + b"\n")

    def _add_output(self, entry: bytes) -> None:
        if not self._is_json or _keeps_output(entry, self._deployment.application_log_level):
            self._add(entry)

    def text(self) -> bytes:
        """All of it."""
        self._end_partial()
        return bytes(self._bytes)

    def events(self) -> tuple[LogEvent, ...]:
        """All of it, line by line."""
        self._end_partial()
        return tuple(self._events)

    def _end_partial(self) -> None:
        rest = self._output.rest()
        if rest:
            self._add_output(rest + b"\n")

    def _add(self, entry: bytes) -> None:
        self._bytes += entry if entry.endswith(b"\n") else entry + b"\n"
        self._events.append(LogEvent(time.time_ns() // 1_000_000, entry.decode("utf-8", "replace")))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _keeps_output(line: bytes, wanted: str | None) -> bool:
    """Whether one of the function's own lines is logged.

    Lambda filters what it can read: a JSON object with a level and a timestamp. The rest is kept.
    """
    if wanted is None or not line.startswith(b"{"):
        return True
    record = read_object(line)
    if record is None or "timestamp" not in record:
        return True
    rank = _RANKS.get(str(record.get("level", "")).upper())
    return rank is None or rank >= _RANKS[wanted]


class OutputEntries:
    """Cuts a function's output into log entries: lines, and frames, which may have several lines.

    Runtime clients write their loggers' entries as frames: a type (0xa55a00 and a byte that tells
    text from JSON, and the level), a length, a time in microseconds, and the message, all
    big-endian. So a trace is one entry, and a carriage return of the function's own stays one.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._unread = b""
        """The beginning of a frame, perhaps."""

    def take(self, data: bytes) -> Iterator[bytes]:
        """Give the entries that are complete now; lines keep their ends."""
        unread, self._unread = self._unread + data, b""
        while unread:
            text, unread = _before_mark(unread)
            yield from self._lines(text)
            if not unread:
                return
            size = _frame_bytes(unread)
            if size == 0:
                yield from self._lines(unread[:1])
                unread = unread[1:]
            elif size is None or len(unread) < size:
                self._unread = unread
                return
            else:
                yield unread[_HEAD_BYTES:size]
                unread = unread[size:]

    def rest(self) -> bytes:
        """What is incomplete, at an end."""
        rest = bytes(self._line) + self._unread
        self._line.clear()
        self._unread = b""
        return rest

    def _lines(self, text: bytes) -> Iterator[bytes]:
        *whole, rest = text.split(b"\n")
        for line in whole:
            yield bytes(self._line) + line + b"\n"
            self._line.clear()
        self._line += rest


def _before_mark(data: bytes) -> tuple[bytes, bytes]:
    """Split where a frame begins, or may begin."""
    at = data.find(MARK)
    if at < 0:
        held = next((n for n in (2, 1) if data.endswith(MARK[:n])), 0)
        at = len(data) - held
    return data[:at], data[at:]


def _frame_bytes(data: bytes) -> int | None:
    """How long the frame is; None if its head is incomplete, 0 if it's none."""
    if len(data) > len(MARK) and data[len(MARK)] not in _KINDS:
        return 0
    if len(data) < _HEAD_BYTES:
        return None
    length = int.from_bytes(data[4:8], "big")
    return _HEAD_BYTES + length if length <= _MAX_BYTES else 0
