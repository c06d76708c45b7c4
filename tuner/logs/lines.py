"""Reads lines of text: removes what precedes each message, and passes the message on.

A line's time counts for its source's window only if it's written like the platform's own lines,
because a function may begin its lines with any date.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.messages import (
    MS,
    REPORT,
    SIZE_MB,
    SUCCESS,
    USED_MB,
    WHOLE_MS,
    MessageReader,
    tells,
)
from tuner.logs.records import WRAPS, read_value
from tuner.logs.stream import judge, said_rows, says_more
from tuner.logs.times import STREAM, Lead, read_lead, read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.logs.collector import Collector
    from tuner.logs.stream import Stream
    from tuner.model.observation import Origin

# A report as Lambda mostly writes it, bare or exported; `messages` reads all others.
_USUAL: Final = re.compile(
    r"(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:)([0-5]\d)\.(\d{3})Z )?REPORT RequestId: (\S+)"
    rf"\tDuration: {MS} ms\tBilled Duration: {WHOLE_MS} ms"
    rf"\tMemory Size: {SIZE_MB} MB\tMax Memory Used: {USED_MB} MB"
    rf"(?:\tInit Duration: {MS} ms)?\s*"
).fullmatch
_LOGGER: Final = re.compile(r"\[[A-Z]{4,8}\]\t(?=\d{4}-)")
_REQUEST: Final = re.compile(r"(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|undefined)(?=\s)")
"""What runtimes put after the time of a line that a function logs."""
_PLATFORM: Final = re.compile(
    r"(?:START|END|REPORT) RequestId: |INIT_START |INIT_REPORT |RESTORE_"
    r"|\{\"time\":.{0,60}\"platform\."
)
_JSON_TIME: Final = re.compile(r'"timestamp"\s*:\s*"([0-9T:.-]{19,30}Z)"')
# EVENTS, event id, time of ingestion, log stream (filter-log-events); then the message, and its
# time behind a tab, on a later line where the message ends in a line break.
_ROW: Final = re.compile(
    rf"EVENTS\t(?:\d{{40,60}}\t)?(\d{{13}})\t(?:({STREAM.pattern})\t)?(.*)", re.DOTALL
)
_ROW_END: Final = re.compile(r"(.*)\t(\d{13})\s*", re.DOTALL)
_ROW_OVER: Final = (
    "EVENTS\t", "SEARCHEDLOGSTREAMS\t", REPORT, "START RequestId: ", "END RequestId: "
)  # fmt: skip
_USUAL_SHAPE: Final = "-T3Z"
_GO_SHAPE: Final = "/ 0None"
"""Of a time as Go's logger writes it: `2026/11/20 10:00:00`."""
_OF_REQUEST: Final = "request"
_LEADING: Final = frozenset("0123456789\x1b[/ \t\ufeff")
_MOST_PRETTY: Final = 500
_MOST_MINUTES: Final = 10_000


class LineReader:
    """Reads the lines of one source into a collector."""

    def __init__(self, collector: Collector, origin: Origin) -> None:
        self.messages = MessageReader(collector, origin)
        self._minutes: dict[str, int] = {}
        self._named: Stream | None = None
        """The stream that a line before named, if one did."""
        self._pretty: list[str] | None = None
        self._pretty_lead: tuple[int | None, Stream] = (None, self.messages.plain)
        self._row: list[str] | None = None
        self._spans: dict[str, tuple[int, int]] = {}
        """First and last time, by how they are written."""
        self._platform_shapes: set[str] = set()
        self._exports_platform = False
        self._earliest = self._latest = ""
        self._is_within = False
        """Whether the next line continues the last ones."""

    def read(self, lines: Sequence[str]) -> None:
        """Read lines of text, each with whatever precedes its message."""
        messages = self.messages
        for line in lines:
            messages.number += 1
            if self._is_within:
                self._go_on(line)
            elif REPORT in line and (usual := _USUAL(line)) is not None:
                self._usual(usual)
            elif line[23:25] == "Z " and line[10:11] == "T":
                self._exported(line)
            elif line.startswith(REPORT):
                messages.has_platform_lines = True
                messages.report(line, None, messages.plain)
            elif line.startswith("START RequestId: "):
                messages.has_platform_lines = True
                messages.start(line, messages.plain)
            elif not line.startswith("END RequestId: "):
                self._other(line)
        messages.collector.flush_if_full()

    def _usual(self, usual: re.Match[str]) -> None:
        """Take a report in its commonest forms, bare or as CloudWatch exports it: a fast path."""
        minute, second, milli, request_id, duration, billed, memory, used, init = usual.groups()
        messages = self.messages
        stream = messages.plain
        if minute is None:
            messages.has_platform_lines = True
            at_us = stream.at_us
        else:
            minute_us = self._minutes.get(minute)
            if minute_us is None and (minute_us := self._minute(minute)) is None:
                self._other(usual.string)
                return
            at_us = minute_us + int(second) * 1_000_000 + int(milli) * 1000
            self._exports_platform = True
            self._saw_export(usual.string)
        duration_ms = float(duration)
        judged = SUCCESS if not stream.notes else judge(stream, request_id, duration_ms)
        messages.collector.rows.append(
            (
                messages.number_of(stream, request_id),
                messages.number,
                request_id,
                at_us,
                duration_ms,
                int(billed),
                int(memory),
                int(used),
                None if init is None else float(init),
                None,
                None,
                *judged,
            )
        )

    def value(self, value: Any) -> bool:
        """Read a separate JSON value; False if it wraps nothing known."""
        self.messages.number += 1
        return read_value(self.messages, value)

    def unknown(self, text: str) -> None:
        """Take JSON that wraps nothing known: a function's own output. It may tell of a trace or of
        messages; reports in it are counted.
        """
        collector = self.messages.collector
        collector.quoted_count += text.count(REPORT)
        if says_more(text):
            collector.add_said(said_rows(text, self.messages.plain.begun, collector.reported_id))

    def end(self) -> None:
        """Say that the source ends."""
        if self._row is not None:
            self._end_row(None)
        self._pretty, self._is_within = None, False
        for line in (self._earliest, self._latest):
            at_us = read_time(line[:24]) if line else None
            if at_us is not None:
                self._saw(at_us, _USUAL_SHAPE)
        if self._exports_platform:
            self._platform_shapes.add(_USUAL_SHAPE)
        self.messages.end()
        for shape, span in self._spans.items():
            if self._counts(shape):
                for at_us in span:
                    self.messages.collector.saw(at_us)

    def _counts(self, shape: str) -> bool:
        """Whether times of that shape count: the platform's, else with a request, else any."""
        if self._platform_shapes:
            return shape in self._platform_shapes
        return shape == _OF_REQUEST or _OF_REQUEST not in self._spans

    def _exported(self, line: str) -> None:
        """Read a line as CloudWatch exports it: `2026-11-29T10:00:00.123Z message`."""
        minute_us = self._minutes.get(line[:17])
        if minute_us is None and self._minute(line[:17]) is None:
            self._other(line)
            return
        messages = self.messages
        if line.startswith("START RequestId: ", 25):
            messages.start(line[25:], messages.plain)
        elif not line[25:26].isalpha():
            self._other(line)
            return
        else:
            text = line[25:]
            if not self._exports_platform:
                self._exports_platform = _PLATFORM.match(text) is not None
                if _OF_REQUEST not in self._spans:  # as near as it gets for reports without a time
                    messages.plain.at_us = read_time(line[:24])
            if REPORT in text or tells(text):
                messages.take(text, read_time(line[:24]), messages.plain)
        self._saw_export(line)

    def _saw_export(self, line: str) -> None:
        """Widen the window. In this shape texts sort as times do, so they are read at the end."""
        if line > self._latest:  # noqa: PLR1730 - quicker than max()
            self._latest = line
        if line < self._earliest or not self._earliest:
            self._earliest = line

    def _other(self, line: str) -> None:
        """Read any line."""
        head = line[:1]
        if head == "{":
            self._json(line)
        elif head == "E" and line.startswith("EVENTS\t"):
            self._begin_row(line)
        elif head in _LEADING or REPORT in line or line.startswith("RESULTS\t"):
            logger = _LOGGER.match(line)  # Python's own, behind its level
            self._led(read_lead(line[logger.end() :] if logger else line))
        elif tells(line):
            self._led(read_lead(line))

    def _led(self, lead: Lead) -> None:
        """Read a line by what precedes its message, and the message."""
        messages = self.messages
        stream = messages.stream(lead.stream, lead.group)
        if lead.stream is not None:
            self._named = stream
        elif lead.at_us is None and self._named is not None:
            stream = self._named  # a further line of its message
        if lead.at_us is not None and lead.shape is not None:
            shape = lead.shape
            if _PLATFORM.match(lead.rest):
                self._platform_shapes.add(shape)
            elif _REQUEST.match(lead.rest):
                shape = _OF_REQUEST
            self._saw(lead.at_us, shape)
            if shape == _OF_REQUEST or _OF_REQUEST not in self._spans:
                stream.at_us = lead.at_us
        if lead.rest.rstrip() == "{":
            self._begin_pretty(lead.at_us, stream)
        elif lead.shape == _GO_SHAPE and lead.rest.startswith('{"errorMessage":'):
            messages.failed(lead.rest, stream)
        else:
            messages.take(lead.rest, lead.at_us, stream)

    def _saw(self, at_us: int, shape: str) -> None:
        first, last = self._spans.get(shape, (at_us, at_us))
        if at_us <= first or at_us >= last:
            self._spans[shape] = (min(at_us, first), max(at_us, last))

    def _json(self, line: str) -> None:
        """Read a line of JSON with nothing before it: a record, or what wraps messages."""
        messages = self.messages
        if line.rstrip() == "{":
            self._begin_pretty(None, messages.plain)
            return
        if found := _JSON_TIME.search(line, 0, 200):
            at_us = read_time(found[1])
            if at_us is not None and '"requestId"' in line:
                self._saw(at_us, _OF_REQUEST)
                messages.plain.at_us = at_us
        if '"message' in line or '"@message' in line or '"awslogs"' in line:
            try:
                if read_value(messages, json.loads(line)):
                    return
            except (ValueError, RecursionError):
                self._count_in_damaged(line)
        messages.has_platform_lines = (
            messages.has_platform_lines or _PLATFORM.match(line) is not None
        )
        if REPORT in line and not WRAPS.search(line):  # else it's damaged, and was counted as such
            self.unknown(line)
        messages.json_line(line, None, messages.plain)

    def _count_in_damaged(self, line: str) -> None:
        """Count the reports in a record of messages that is no whole JSON object."""
        messages = self.messages
        if WRAPS.search(line):
            for _ in range(line.count(REPORT) + line.count("platform.report")):
                messages.collector.cannot_read(
                    messages.origin.source, messages.number, "in damaged JSON", line
                )

    def _begin_pretty(self, at_us: int | None, stream: Stream) -> None:
        self._pretty, self._pretty_lead, self._is_within = ["{"], (at_us, stream), True

    def _go_on(self, line: str) -> None:
        """Continue something written over several lines: a JSON object, or a row of a table.

        A line that can't be part of it ends it: a function may print anything.
        """
        if self._pretty is None:
            self._go_on_in_row(line)
        elif line[:1] not in " \t}":
            self._pretty, self._is_within = None, False
            self._again(line)
        else:
            self._pretty.append(line)
            if line.rstrip() == "}" or len(self._pretty) > _MOST_PRETTY:
                text, self._pretty, self._is_within = " ".join(self._pretty), None, False
                self.messages.json_line(text, *self._pretty_lead)

    def _again(self, line: str) -> None:
        self.messages.number -= 1
        self.read([line])

    def _begin_row(self, line: str) -> None:
        self._row, self._is_within = [], True
        self._go_on_in_row(line)

    def _go_on_in_row(self, line: str) -> None:
        """Continue a row of a table, up to the time that ends it."""
        assert self._row is not None
        if self._row and (line.startswith(_ROW_OVER) or line[23:25] == "Z "):
            self._end_row(None)
            self._again(line)
            return
        ended = _ROW_END.fullmatch(line)
        self._row.append(line if ended is None else ended[1])
        if ended is not None or len(self._row) > _MOST_PRETTY:
            self._end_row(None if ended is None else int(ended[2]) * 1000)

    def _end_row(self, at_us: int | None) -> None:
        assert self._row is not None
        row, self._row, self._is_within = _ROW.fullmatch("\n".join(self._row)), None, False
        if row is not None:
            ingested_us = int(row[1]) * 1000
            stream = self.messages.stream(row[2])
            self.messages.message(row[5], at_us or ingested_us, stream)

    def _minute(self, text: str) -> int | None:
        """What `2026-11-29T10:00:` is in µs; cached."""
        minute_us = read_time(f"{text}00Z")
        if minute_us is not None:
            if len(self._minutes) > _MOST_MINUTES:
                self._minutes.clear()
            self._minutes[text] = minute_us
        return minute_us
