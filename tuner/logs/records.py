"""Unwraps log messages from JSON: subscription records, and what the AWS CLI prints."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.times import read_time

if TYPE_CHECKING:
    from tuner.logs.messages import MessageReader, Stream

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
        match each:
            case str():
                reader.message(each, None, reader.stream(None))
            case [int() | float() | str() as at, str() as text] if read_time(at) is not None:
                reader.message(text, read_time(at), reader.stream(None))
            case [{"field": str()}, *_]:
                fields = {pair.get("field"): pair.get("value") for pair in each}
                known |= read_value(reader, fields, depth + 1)
                continue
            case _:
                known |= read_value(reader, each, depth + 1)
                continue
        known = True
    return known or not values


def _subscription(reader: MessageReader, record: Mapping[str, Any]) -> None:
    """What CloudWatch Logs sends to a subscription; a CONTROL_MESSAGE isn't a log."""
    if record.get("messageType") != "DATA_MESSAGE":
        return
    stream = reader.stream(
        _text(record.get("logStream")), _text(record.get("logGroup")), _text(record.get("owner"))
    )
    for event in record["logEvents"]:
        if isinstance(event, Mapping) and isinstance(event.get("message"), str):
            reader.message(event["message"], read_time(event.get("timestamp")), stream)


def _is_record(value: Mapping[str, Any]) -> bool:
    """Whether it's a record from a log line: the platform's, Lambda Insights', a runtime's."""
    of_platform = str(value.get("type")).startswith("platform.")
    return of_platform or "cpu_total_time" in value or isinstance(value.get("errorType"), str)


def _is_envelope(value: Mapping[str, Any]) -> bool:
    has_message = any(isinstance(value.get(name), str) for name in _MESSAGE)
    has_more = any(name in value for name in _ENVELOPE.difference(_MESSAGE))
    return has_message and has_more and _ENVELOPE.issuperset(value)


def _event(reader: MessageReader, value: Mapping[str, Any]) -> None:
    group, account, region = _text(_first(value, _GROUP)), None, None
    if group is not None and group.startswith("arn:"):
        parts = group.split(":")
        region, account, group = (
            (parts[3], parts[4], parts[6]) if len(parts) > 6 else (None, None, None)
        )
    elif group is not None and group[:12].isdigit() and group[12:13] == ":":
        account, group = group[:12], group[13:]  # as Insights writes @log
    stream: Stream = reader.stream(_text(_first(value, _STREAM)), group, account, region)
    reader.message(str(_first(value, _MESSAGE)), read_time(_first(value, _TIME)), stream)


def _packed(value: Mapping[str, Any]) -> Any:
    """What a record carries in base64: an event of a subscription, of Kinesis or of Firehose."""
    match value:
        case {"awslogs": {"data": str(data)}} | {"kinesis": {"data": str(data)}}:
            return _unpacked(data)
        case {"data": str(data), **rest} if set(rest) <= {
            "recordId",
            "approximateArrivalTimestamp",
        }:
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


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
