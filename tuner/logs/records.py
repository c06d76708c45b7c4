"""Unwraps log messages from JSON: subscription records, and what the AWS CLI prints."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.query_rows import (
    GROUP,
    MESSAGE,
    STREAM,
    TIME,
    first,
    is_row,
    read_row,
    stream_of,
    text_of,
)
from tuner.logs.times import read_time

if TYPE_CHECKING:
    from tuner.logs.messages import MessageReader

_ENVELOPE: Final = frozenset(
    (*MESSAGE, *TIME, *STREAM, *GROUP, "ingestionTime", "@ingestionTime", "eventId", "id",
     "@ptr", "extractedFields", "owner", "@requestId", "@type")
)  # fmt: skip
"""What a record that only wraps a message may have. With anything else it's a function's own."""
_LISTS: Final = ("events", "results", "logEvents", "Records", "records")
WRAPS: Final = re.compile(r'"(?:messageType|logEvents|logStreamName|ingestionTime|awslogs)"\s*:')
"""What only a value that wraps messages has."""
_OF_FIREHOSE: Final = frozenset(("recordId", "approximateArrivalTimestamp"))
_MOST_UNPACKED: Final = 64 << 20
_DEEPEST: Final = 6


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
    elif is_row(value) and not reader.has_platform_lines:
        read_row(reader, value)
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
        text_of(record.get("logStream")),
        text_of(record.get("logGroup")),
        text_of(record.get("owner")),
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
    stream = stream_of(reader, value)
    reader.message(str(first(value, MESSAGE)), read_time(first(value, TIME)), stream)


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
