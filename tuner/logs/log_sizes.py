"""Reads archives for what their lines weigh: bytes by whose they are, by level and by stream.

A pass of its own, because `messages` skips whatever says nothing of a request.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.archive import read_files
from tuner.logs.collector import Collector
from tuner.logs.files import find_files
from tuner.logs.lines import LineReader
from tuner.logs.log_message import read_message
from tuner.logs.messages import MessageReader
from tuner.logs.records import read_value
from tuner.logs.report import number_of
from tuner.logs.times import STREAM, read_lead, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tuner.logs.log_message import Level, LogMessage, LogOrigin
    from tuner.logs.stream import Stream
    from tuner.model.observation import Origin, Window

    Count = Callable[[str, int | None, Stream], None]
    """Takes a message, its time in microseconds and its stream."""

_SPACE: Final = re.compile(r"(?:\x1b\[[0-9;]*m|[ \t])*")
_TIME: Final = re.compile(r"[^\s\x1b]+(?: \d\d:\d\d:\d\d[^\s\x1b]*)?")
_PLATFORM: Final = re.compile(r'(?:START|END|REPORT) RequestId: |INIT_START |\{"time":')
_OF_THE_CLI: Final = re.compile(r"SEARCHEDLOGSTREAMS\t|[bf]/\d+(?:/s)?\t[bf]/\d+")
_JSON_TIME: Final = re.compile(r'"time(?:stamp)?"\s*:\s*"([0-9T:.-]{19,30}Z)"')
_EXPORTED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
_MOST_STREAMS: Final = 100_000
_MOST_METRICS: Final = 100_000
_MOST_REQUESTS: Final = 200_000


@dataclass(slots=True)
class Share:
    """Events and bytes of one kind of line; `json_bytes` as they are in the JSON format."""

    event_count: int = 0
    size_bytes: int = 0
    json_bytes: int = 0
    json_count: int = 0


@dataclass(slots=True)
class LogSizes:
    """What a function's log lines add up to. Mutable: it's filled line by line."""

    shares: dict[tuple[LogOrigin, Level], Share] = field(default_factory=lambda: defaultdict(Share))
    streams: Counter[str] = field(default_factory=Counter)
    """Bytes by log stream, where a source names them."""
    extensions: set[str] = field(default_factory=set)
    report_count: int = 0
    traced_count: int = 0
    metrics: set[tuple[str, ...]] = field(default_factory=set)
    after_response_ms: list[float] = field(default_factory=list)
    """Of each invocation that JSON logs tell of: what extensions took behind the response."""
    _done_ms: dict[str, float] = field(default_factory=dict)

    def of(self, origin: LogOrigin) -> tuple[int, int]:
        """Events and bytes of whatever level."""
        found = [each for (whose, _), each in self.shares.items() if whose == origin]
        return sum(each.event_count for each in found), sum(each.size_bytes for each in found)

    @property
    def size_bytes(self) -> int:
        """Of all lines."""
        return sum(each.size_bytes for each in self.shares.values())

    @property
    def event_count(self) -> int:
        """All lines."""
        return sum(each.event_count for each in self.shares.values())

    def add(self, message: LogMessage, stream: str | None) -> None:
        """Count a message."""
        share = self.shares[message.origin, message.level]
        share.event_count += 1
        share.size_bytes += message.size_bytes
        share.json_bytes += message.json_bytes
        share.json_count += message.is_json
        if stream is not None and (stream in self.streams or len(self.streams) < _MOST_STREAMS):
            self.streams[stream] += message.size_bytes
        if message.extension is not None:
            self.extensions.add(message.extension)
        self.report_count += message.is_report
        self.traced_count += message.is_traced
        if message.metrics and len(self.metrics) < _MOST_METRICS:
            self.metrics |= message.metrics
        if message.value is not None:
            self._after_response(message.value)

    def _after_response(self, value: Mapping[str, Any]) -> None:
        """Lambda's duration ends when the last extension is done, the runtime's with its answer."""
        found = value.get("record")
        record: Mapping[str, Any] = found if isinstance(found, dict) else {}
        metrics, request = record.get("metrics"), record.get("requestId")
        took = number_of(metrics.get("durationMs")) if isinstance(metrics, dict) else None
        if not isinstance(request, str) or took is None:
            return
        if value.get("type") == "platform.runtimeDone":
            if len(self._done_ms) >= _MOST_REQUESTS:
                self._done_ms.clear()  # of requests whose reports are elsewhere
            self._done_ms[request] = took
        elif value.get("type") == "platform.report" and request in self._done_ms:
            after = took - self._done_ms.pop(request)
            if record.get("status", "success") == "success":
                self.after_response_ms.append(max(after, 0.0))


def read_log_sizes(
    paths: Sequence[Path],
    function: str,
    window: Window,
    progress: Callable[[int, int], None] | None = None,
) -> LogSizes:
    """Read files and folders of logs: what a function's lines in a window weigh.

    Lines that name no function count, as in `observe`. Raises InputError.
    """
    found = LogSizes()
    start, end = (None if each is None else each.timestamp() * 1e6 for each in
                  (window.start, window.end))  # fmt: skip

    def count(text: str, at_us: int | None, stream: Stream) -> None:
        named = stream.origin.function
        if named is not None and named != function:
            return
        if at_us is not None and not (
            (start is None or at_us >= start) and (end is None or at_us <= end)
        ):
            return
        found.add(read_message(text), stream.origin.log_stream)

    files = find_files(paths)
    collector = Collector(lambda _rows: None)
    read_files(files, collector, progress, partial(_SizeReader, count=count))
    return found


class _Messages(MessageReader):
    """Passes every message on, and reads no report."""

    def __init__(self, collector: Collector, origin: Origin, count: Count) -> None:
        super().__init__(collector, origin)
        self._count = count

    def message(self, text: str, at_us: int | None, stream: Stream) -> None:
        self._count(text, at_us, stream)

    def take(self, text: str, at_us: int | None, stream: Stream) -> None:
        self._count(text, at_us, stream)

    def json_line(self, line: str, at_us: int | None, stream: Stream) -> None:
        own_us = None
        if at_us is None and (found := _JSON_TIME.search(line, 0, 200)) is not None:
            own_us = read_time(found[1])
        self._count(line, own_us if at_us is None else at_us, stream)

    def record(self, value: Mapping[str, Any], at_us: int | None, stream: Stream) -> None:
        if "time" in value or "_aws" in value or "timestamp" in value:  # else a query's fields
            self.json_line(json.dumps(value, separators=(",", ":")), at_us, stream)


class _SizeReader(LineReader):
    """Reads the lines of one source, each as a message."""

    def __init__(self, collector: Collector, origin: Origin, *, count: Count) -> None:
        super().__init__(collector, origin)
        self.messages = _Messages(collector, origin, count)
        self._waiting: tuple[list[str], int | None, Stream] | None = None
        """A message that may go on in the next line."""
        self._is_led = False
        """Whether times stand before the platform's lines: then before others as well."""

    def read(self, lines: Sequence[str]) -> None:
        messages = self.messages
        for line in lines:
            messages.number += 1
            if self._is_within:
                self._go_on(line)
            elif line.startswith("EVENTS\t"):
                self._pass_on()
                self._begin_row(line)
            elif line.startswith("{"):
                self._pass_on()
                self._json(line if line.rstrip() == "{" else f"{line}\n")
            elif line.strip() and not _OF_THE_CLI.match(line):
                self._line(line)

    def value(self, value: Any) -> bool:
        self.messages.number += 1
        if not read_value(self.messages, value) and isinstance(value, dict):
            text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            self.messages.json_line(f"{text}\n", None, self.messages.plain)
        return True

    def end(self) -> None:
        self._pass_on()
        super().end()

    def _line(self, line: str) -> None:
        text, at_us, stream = self._message_of(line)
        if text is None:
            assert self._waiting is not None
            self._waiting[0].append(line)
            return
        self._pass_on()
        self._waiting = [text], at_us, stream
        if at_us is None:  # a bare line is a message of its own
            self._pass_on()

    def _message_of(self, line: str) -> tuple[str | None, int | None, Stream]:
        """A line's message with its time and stream; no text where it goes on from the last one."""
        messages = self.messages
        if _EXPORTED.match(line):
            return line[25:], read_time(line[:24]), messages.plain
        lead = read_lead(line)
        named = None if lead.stream is None else STREAM.search(line, 0, 300)
        if named is not None:
            rest = _behind(_SPACE, line[named.end() :])
            if len(_behind(_SPACE, line)) == len(line) - named.start():  # `sam logs`: time behind
                rest = _behind(_SPACE, _behind(_TIME, rest))
            return rest, lead.at_us, messages.stream(lead.stream, lead.group)
        if lead.at_us is not None:
            self._is_led = self._is_led or _PLATFORM.match(lead.rest) is not None
            bare = _behind(_SPACE, line)
            if self._is_led and (first := _TIME.match(bare)) is not None:
                at_us = read_time(int(first[0]) if first[0].isdigit() else first[0])
                return _behind(_SPACE, bare[first.end() :]), at_us, messages.plain
        if self._waiting is not None and self._waiting[1] is not None:
            return None, None, messages.plain
        return line, None, messages.plain

    def _pass_on(self) -> None:
        if self._waiting is not None:
            parts, at_us, stream = self._waiting
            self._waiting = None
            self.messages.take("\n".join((*parts, "")), at_us, stream)


def _behind(pattern: re.Pattern[str], text: str) -> str:
    """The text without what the pattern matches at its begin."""
    found = pattern.match(text)
    return text[found.end() :] if found else text
