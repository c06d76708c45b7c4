"""Reads rows of Logs Insights: a message, or the fields that it found in a report.

Insights finds `@duration` and the like in text reports, with memory in bytes of which a million are
a MB, and `record.metrics.durationMs` in JSON. Console and API write them as text.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
MESSAGE: Final = ("message", "@message")
TIME: Final = ("timestamp", "@timestamp")
STREAM: Final = ("logStreamName", "logStream", "@logStream")
GROUP: Final = ("logGroupName", "logGroup", "logGroupIdentifier", "@log")


def is_header(names: Sequence[str]) -> bool:
    """Whether a table with these columns has messages or reports."""
    known = "@message" in names or any(name in names for name in _OF_REPORT)
    return known or _EVENT.issubset(names)


def is_row(value: Mapping[str, Any]) -> bool:
    """Whether an object is a row of a query: a function's own has no such names."""
    if isinstance(value.get("@message"), str | dict):
        return "@timestamp" in value or "@ptr" in value
    return any(name in value for name in _OF_REPORT)


def read_row(reader: MessageReader, value: Mapping[str, Any]) -> None:
    """Read what a row has: its message, else the fields of a report."""
    stream, at_us = stream_of(reader, value), read_time(first(value, TIME))
    message = first(value, MESSAGE)
    if message is not None:
        text = message if isinstance(message, str) else json.dumps(message)
        reader.message(text, at_us, stream)
    elif (record := _record(value)) is not None:
        if at_us is not None:
            reader.collector.saw(at_us)
        reader.record(record, at_us, stream)


def stream_of(reader: MessageReader, value: Mapping[str, Any]) -> Stream:
    """The log stream that a record or a row is from."""
    group, account, region = text_of(first(value, GROUP)), None, None
    if group is not None and group.startswith("arn:"):
        parts = group.split(":")
        region, account, group = (
            (parts[3], parts[4], parts[6]) if len(parts) > 6 else (None, None, None)
        )
    elif group is not None and group[:12].isdigit() and group[12:13] == ":":
        account, group = group[:12], group[13:]  # as Insights writes @log
    return reader.stream(text_of(first(value, STREAM)), group, account, region)


def first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
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
        "requestId": first(value, ("@requestId", "record.requestId", "requestId", "@ptr")),
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


def text_of(value: Any) -> str | None:
    """A text with something in it."""
    return value if isinstance(value, str) and value else None
