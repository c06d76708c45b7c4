"""Unwraps log messages from JSON and CSV: subscription records, what the AWS CLI prints, and rows
of Logs Insights: a message, or the fields that it found in a report.

Insights finds `@duration` and the like in text reports, with memory in bytes of which a million are
a MB, and `record.metrics.durationMs` in JSON. Console and API write them as text. In a table, which
the console exports as CSV, a message may go over several lines between quotes. A quote that never
ends costs its own row: the next line begins anew.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.messages import REPORT
from tuner.logs.times import read_time
from tuner.logs.unpacked import TornFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.logs.messages import MessageReader
    from tuner.logs.stream import Stream

_METRICS: Final = {
    "@duration": "durationMs",
    "@billedDuration": "billedDurationMs",
    "@memorySize": "memorySizeMB",
    "@maxMemoryUsed": "maxMemoryUsedMB",
    "@initDuration": "initDurationMs",
    "@restoreDuration": "restoreDurationMs",
    "@billedRestoreDuration": "billedRestoreDurationMs",
}
_OF_JSON: Final = "record.metrics."
_OF_REPORT: Final = ("@duration", "@billedDuration", f"{_OF_JSON}durationMs")
_BYTES_PER_MB: Final = 1e6
_EVENT: Final = {"timestamp", "message"}
"""What the console writes of a log's events."""
_MESSAGE: Final = ("message", "@message")
_TIME: Final = ("timestamp", "@timestamp")
_STREAM: Final = ("logStreamName", "logStream", "@logStream")
_GROUP: Final = ("logGroupName", "logGroup", "logGroupIdentifier", "@log")
_ENVELOPE: Final = frozenset(
    (*_MESSAGE, *_TIME, *_STREAM, *_GROUP, "ingestionTime", "@ingestionTime", "eventId", "id",
     "@ptr", "extractedFields", "owner", "@requestId", "@type")
)  # fmt: skip
"""What a record that only wraps a message may have. With anything else it's a function's own."""
_LISTS: Final = ("events", "results", "logEvents", "Records", "records")
WRAPS: Final = re.compile(r'"(?:messageType|logEvents|logStreamName|ingestionTime|awslogs)"\s*:')
"""What only a value that wraps messages has."""
_OF_FIREHOSE: Final = frozenset(("recordId", "approximateArrivalTimestamp"))
_MOST_UNPACKED: Final = 64 << 20
_DEEPEST: Final = 6
_SEPARATORS: Final = ",;\t"
_MOST_HEADER: Final = 4096
_MOST_ROW: Final = 2 << 20
"""Characters of a row; a message has a million at most."""
_MOST_ROW_LINES: Final = 20_000


def read_value(reader: MessageReader, value: Any, depth: int = 0) -> bool:
    """Read a JSON value of an archive; False if it wraps nothing known."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, list):
        return _read_list(reader, value, depth)
    return isinstance(value, Mapping) and _read_object(reader, value, depth)


def _read_object(reader: MessageReader, value: Mapping[str, Any], depth: int) -> bool:
    listed = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
    if "messageType" in value and isinstance(value.get("logEvents"), list):
        _subscription(reader, value)
    elif (packed := _packed(value)) is not None:
        return read_value(reader, packed, depth + 1)
    elif listed is not None:
        return _read_list(reader, listed, depth)
    elif _is_envelope(value) and not reader.has_platform_lines:
        _event(reader, value)
    elif _is_row(value) and not reader.has_platform_lines:
        _read_row(reader, value)
    elif _is_record(value):
        if depth == 0 and "record" in value:
            reader.has_platform_lines = True
        reader.record(value, None, reader.stream(None))
    else:
        return False
    return True


def _read_list(reader: MessageReader, values: list[Any], depth: int) -> bool:
    """Events; messages alone; messages with their times; rows of an Insights query."""
    known = False
    for each in values:
        if isinstance(each, dict) and _is_envelope(each) and not reader.has_platform_lines:
            _event(reader, each)
            known = True
        elif isinstance(each, str):
            reader.message(each, None, reader.plain)
            known = True
        elif isinstance(each, list) and _is_pair(each):
            reader.message(each[1], read_time(each[0]), reader.plain)
            known = True
        elif isinstance(each, list) and each and isinstance(each[0], dict) and "field" in each[0]:
            pairs = [pair for pair in each if isinstance(pair, dict)]
            fields = {str(pair.get("field")): pair.get("value") for pair in pairs}
            known |= read_value(reader, fields, depth + 1)
        else:
            known |= read_value(reader, each, depth + 1)
    return known or not values


def _is_pair(value: list[Any]) -> bool:
    return len(value) == 2 and isinstance(value[1], str) and read_time(value[0]) is not None


def _subscription(reader: MessageReader, record: Mapping[str, Any]) -> None:
    """What CloudWatch Logs sends to a subscription; a CONTROL_MESSAGE isn't a log."""
    if record.get("messageType") != "DATA_MESSAGE":
        return
    stream = reader.stream(
        _text_of(record.get("logStream")),
        _text_of(record.get("logGroup")),
        _text_of(record.get("owner")),
    )
    for event in record["logEvents"]:
        if isinstance(event, Mapping) and isinstance(event.get("message"), str):
            reader.message(event["message"], read_time(event.get("timestamp")), stream)


def _is_record(value: Mapping[str, Any]) -> bool:
    """Whether it's a record from a log line: the platform's, Lambda Insights', a runtime's."""
    of_platform = str(value.get("type")).startswith("platform.")
    return of_platform or "cpu_total_time" in value or isinstance(value.get("errorType"), str)


def _is_envelope(value: Mapping[str, Any]) -> bool:
    """Whether it only wraps a message, with at least a time, a stream or an id."""
    message = value.get("message", value.get("@message"))
    return isinstance(message, str) and len(value) > 1 and _ENVELOPE.issuperset(value)


def _event(reader: MessageReader, value: Mapping[str, Any]) -> None:
    stream = _stream_of(reader, value)
    reader.message(str(_first(value, _MESSAGE)), read_time(_first(value, _TIME)), stream)


def _packed(value: Mapping[str, Any]) -> Any:
    """What a record carries in base64: an event of a subscription, of Kinesis or of Firehose."""
    match value:
        case {"awslogs": {"data": str(data)}} | {"kinesis": {"data": str(data)}}:
            return _unpacked(data)
        case {"data": str(data), **rest} if _OF_FIREHOSE.issuperset(rest):
            return _unpacked(data)
    return None


def _unpacked(data: str) -> Any:
    try:
        raw = base64.b64decode(data, validate=True)
        if raw.startswith(b"\x1f\x8b"):
            raw = zlib.decompressobj(wbits=31).decompress(raw, _MOST_UNPACKED)
        return json.loads(raw)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return None


def _is_header(names: Sequence[str]) -> bool:
    """Whether a table with these columns has messages or reports."""
    known = "@message" in names or any(name in names for name in _OF_REPORT)
    return known or _EVENT.issubset(names)


def _is_row(value: Mapping[str, Any]) -> bool:
    """Whether an object is a row of a query: a function's own has no such names."""
    if isinstance(value.get("@message"), str | dict):
        return "@timestamp" in value or "@ptr" in value
    return any(name in value for name in _OF_REPORT)


def _read_row(reader: MessageReader, value: Mapping[str, Any]) -> None:
    """Read what a row has: its message, else the fields of a report."""
    stream, at_us = _stream_of(reader, value), read_time(_first(value, _TIME))
    message = _first(value, _MESSAGE)
    if message is not None:
        text = message if isinstance(message, str) else json.dumps(message)
        reader.message(text, at_us, stream)
    elif (record := _record(value)) is not None:
        if at_us is not None:
            reader.collector.saw(at_us)
        reader.record(record, at_us, stream)


def _stream_of(reader: MessageReader, value: Mapping[str, Any]) -> Stream:
    """The log stream that a record or a row is from."""
    group, account, region = _text_of(_first(value, _GROUP)), None, None
    if group is not None and group.startswith("arn:"):
        parts = group.split(":")
        region, account, group = (
            (parts[3], parts[4], parts[6]) if len(parts) > 6 else (None, None, None)
        )
    elif group is not None and group[:12].isdigit() and group[12:13] == ":":
        account, group = group[:12], group[13:]  # as Insights writes @log
    return reader.stream(_text_of(_first(value, _STREAM)), group, account, region)


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these that there is."""
    for name in names:
        if (found := value.get(name)) is not None:
            return found
    return None


def _record(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The report that fields are of, as JSON logs write it; None for a line that is none."""
    metrics = {
        metric: _number(value[name], is_memory="emory" in name)
        for name, metric in _METRICS.items()
        if value.get(name) not in (None, "")
    }
    metrics |= {
        name.removeprefix(_OF_JSON): _number(each)
        for name, each in value.items()
        if name.startswith(_OF_JSON) and each not in (None, "")
    }
    if not metrics:
        return None
    record = {
        "requestId": _first(value, ("@requestId", "record.requestId", "requestId", "@ptr")),
        "metrics": metrics,
        "status": value.get("record.status"),
        "errorType": value.get("record.errorType"),
    }
    return {"type": "platform.report", "record": record}


def _number(value: object, *, is_memory: bool = False) -> object:
    """The number that a field has; as it is where it has none, which no report takes."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return value
    if is_memory and _BYTES_PER_MB <= number < math.inf:
        return round(number / _BYTES_PER_MB)
    return number


def _text_of(value: Any) -> str | None:
    """A text with something in it."""
    return value if isinstance(value, str) and value else None


class Header:
    """Names of a table's columns, and how they are separated."""

    def __init__(self, names: tuple[str, ...], separator: str) -> None:
        self.names = names
        apart = re.escape(separator)
        self._cell = re.compile(
            rf' *"([^"]*(?:""[^"]*)*)" *(?={apart}|$)|([^{apart}"]*)(?={apart}|$)'
        )

    def cells(self, row: str) -> list[str] | None:
        """The values of a row; None where quotes stand elsewhere than around a value."""
        found, at = [], 0
        while at <= len(row):
            cell = self._cell.match(row, at)
            if cell is None:
                return None
            quoted, bare = cell.groups()
            found.append(bare if quoted is None else quoted.replace('""', '"'))
            at = cell.end() + 1
        return found


def header_of(text: str) -> Header | None:
    """The header of a table that begins here; None where it is none."""
    line = text.lstrip().partition("\n")[0].strip()
    if len(line) > _MOST_HEADER:
        return None
    for separator in _SEPARATORS:
        names = tuple(name.strip().strip('"') for name in line.split(separator))
        if _is_header(names):
            return Header(names, separator)
    return None


def read_table(reader: MessageReader, header: Header, lines: Iterator[str]) -> None:
    """Read the rows below the header. Raises TornFileError behind a last row that is cut off."""
    names = header.names
    rows = _rows(header, lines)
    next(rows)
    cells: list[str] | None = []
    for number, line, cells in rows:
        reader.number = number
        if cells is not None and len(cells) == len(names):
            _read_row(reader, {k: v for k, v in zip(names, cells, strict=True) if v})
        elif REPORT in line or "platform.report" in line:
            why = "in a row whose quotes don't end"
            if cells is not None:
                why = f"in a row of {len(cells)} columns below {len(names)}"
            reader.collector.cannot_read(reader.origin.source, number, why, line)
    if cells is None:
        raise TornFileError("a table whose last row is cut off")


def _rows(header: Header, lines: Iterator[str]) -> Iterator[tuple[int, str, list[str] | None]]:
    """Rows with text in them: the number of its first line, that line, and its values; None for a
    line whose quotes don't end, behind which the next one begins a row.
    """
    again: deque[str] = deque()
    number = 0

    def following() -> str | None:
        return again.popleft() if again else next(lines, None)

    while (line := following()) is not None:
        number += 1
        parts, length, is_open = [line], len(line), line.count('"') % 2 == 1
        while is_open and length < _MOST_ROW and len(parts) < _MOST_ROW_LINES:
            if (more := following()) is None:
                break
            parts.append(more)
            length += len(more)
            is_open ^= more.count('"') % 2 == 1
        cells = None if is_open else header.cells("\n".join(parts).removesuffix("\r"))
        if cells is None:
            again.extendleft(reversed(parts[1:]))
        if line.strip():
            yield number, line, cells
        if cells is not None:
            number += len(parts) - 1
