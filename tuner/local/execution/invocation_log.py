"""Log lines as Lambda writes them, and what goes to the sink beside the caller."""

from __future__ import annotations

import datetime
import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tuner.logs import format_report, format_report_json

if TYPE_CHECKING:
    from tuner.model.platform_report import PlatformReport


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line for CloudWatch Logs."""

    timestamp_ms: int
    message: str = field(repr=False)


LogSink = Callable[[str, str, Sequence[LogEvent]], None]
"""Takes (log group, log stream, events) in order, from one thread; it must not raise."""


class LogForwarder:
    """Hands events to a sink from a thread of its own, so that no invocation waits for it."""

    def __init__(self, sink: LogSink | None) -> None:
        self._sink = sink
        self._queue: queue.SimpleQueue[tuple[str, str, tuple[LogEvent, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        if sink is not None:
            self._thread = threading.Thread(target=self._work, name="log-forwarder", daemon=True)
            self._thread.start()

    def forward(self, group: str, stream: str, events: tuple[LogEvent, ...]) -> None:
        """Queue events; returns at once."""
        if self._sink is not None and events:
            self._queue.put((group, stream, events))

    def close(self, limit_s: float = 5.0) -> None:
        """Deliver what is queued, within a limit."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(limit_s)
            self._thread = None

    def _work(self) -> None:
        assert self._sink is not None
        while (item := self._queue.get()) is not None:
            self._sink(*item)


class InvocationLog:
    """The lines of one invocation, of the init before it included, as text or JSON records."""

    def __init__(self, log_format: Literal["Text", "JSON"] = "Text") -> None:
        self._is_json = log_format == "JSON"
        self._bytes = bytearray()
        self._partial = bytearray()
        self._events: list[LogEvent] = []

    def write_output(self, data: bytes) -> None:
        """What the function wrote; awslambdaric parts the lines of one entry with CR."""
        *lines, rest = (bytes(self._partial) + data).split(b"\n")
        self._partial = bytearray(rest)
        for line in lines:
            self._add(line + b"\n")

    def init_start(self, runtime_version: str) -> None:
        """Before the first line of an init; the version with its language: "python:3.11.7"."""
        text = f"INIT_START Runtime Version: {runtime_version}"
        version: dict[str, object] = {"runtimeVersion": runtime_version, "phase": "init"}
        self._platform(text, "platform.initStart", version)

    def init_report(
        self, duration_ms: float, phase: str, status: str, error_type: str | None
    ) -> None:
        """After an init that failed."""
        text = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
        record: dict[str, object] = {
            "phase": phase,
            "status": status,
            "metrics": {"durationMs": round(duration_ms, 3)},
        }
        if error_type:
            text += f"\tError Type: {error_type}"
            record["errorType"] = error_type
        self._platform(text, "platform.initReport", record)

    def start(self, request_id: str, version: str) -> None:
        """When the event is handed over."""
        text = f"START RequestId: {request_id} Version: {version}"
        record: dict[str, object] = {"requestId": request_id, "version": version}
        self._platform(text, "platform.start", record)

    def timed_out(self, request_id: str, timeout_s: float) -> None:
        """Beside a timeout's error object; JSON logs have it in the report alone."""
        if not self._is_json:
            said = f"Task timed out after {timeout_s:.2f} seconds"
            self._write_line(f"{_now()} {request_id} {said}\n")

    def exited(self, message: str, error_type: str) -> None:
        """Beside the error object of a runtime that ended; JSON logs have it in the report."""
        if not self._is_json:
            self._write_line(f"{message}\n{error_type}")

    def end(self, report: PlatformReport) -> None:
        """END and REPORT."""
        if self._is_json:
            self._write_line(format_report_json(report, _now()))
            return
        self._write_line(f"END RequestId: {report.request_id}")
        self._write_line(format_report(report))

    def _platform(self, text: str, kind: str, record: dict[str, object]) -> None:
        if self._is_json:
            text = json.dumps({"time": _now(), "type": kind, "record": record})
        self._write_line(text)

    def _write_line(self, text: str) -> None:
        self._end_partial()
        self._add(text.encode() + b"\n")

    def text(self) -> bytes:
        """All of it."""
        self._end_partial()
        return bytes(self._bytes)

    def events(self) -> tuple[LogEvent, ...]:
        """All of it, line by line."""
        self._end_partial()
        return tuple(self._events)

    def _end_partial(self) -> None:
        if self._partial:
            line, self._partial = bytes(self._partial), bytearray()
            self._add(line + b"\n")

    def _add(self, line: bytes) -> None:
        entry = line.replace(b"\r", b"\n")
        self._bytes += entry
        self._events.append(LogEvent(time.time_ns() // 1_000_000, entry.decode("utf-8", "replace")))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
