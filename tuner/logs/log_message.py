"""What a log message is: whose it is, at which level, how large, and how large it is as JSON.

Levels and the JSON forms are those of Lambda's advanced logging controls (Developer Guide,
"Configuring JSON and plain text log formats"); text forms are those of Lambda's runtimes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from tuner.model.record import read_object

LogOrigin = Literal["platform", "function", "lambda_insights"]
Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "none"]
LEVELS: Final[tuple[Level, ...]] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""In rising order; `none` is what a line without a level has."""

_PLATFORM: Final = re.compile(
    r"(?:START|END|REPORT) RequestId: |(?:INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT) "
    r"|(?:EXTENSION|TELEMETRY|LOGS)\tName: |XRAY TraceId: "
)
_WORD: Final = r"(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)"
# Python's "[INFO]\t2026-…Z\tid\t", Node's "2026-…Z\tid\tINFO\t", and what loggers mostly write.
_PREFIXES: Final = (
    re.compile(rf"\[{_WORD}\]\t[0-9T:.Z-]{{20,30}}\t[0-9a-f-]{{36}}\t"),
    re.compile(rf"[0-9T:.Z-]{{20,30}}\t(?:[0-9a-f-]{{36}}|undefined)\t{_WORD}\t"),
)
_ANYWHERE: Final = re.compile(rf"(?<![\w]){_WORD}(?![\w])")
_LOOK_IN: Final = 120
_ALIASES: Final[dict[str, Level]] = {
    "WARNING": "WARN", "CRITICAL": "FATAL", "FATAL": "FATAL", "TRACE": "TRACE", "DEBUG": "DEBUG",
    "INFO": "INFO", "WARN": "WARN", "ERROR": "ERROR", "ERR": "ERROR", "NOTICE": "INFO",
}  # fmt: skip
_NUMBERS: Final[dict[int, Level]] = {
    10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL",
}  # fmt: skip
"""Pino's and Bunyan's."""
_LEVEL_KEYS: Final = ("level", "log_level", "levelname", "severity", "logLevel", "log.level")
_ID: Final = "8f5e0b1c-0000-4000-8000-000000000000"
_TIME: Final = "2026-11-29T10:00:00.000Z"
_WRAPPED: Final = len(
    json.dumps({"timestamp": _TIME, "level": "INFO", "message": "", "requestId": _ID},
               separators=(",", ":"))
)  # fmt: skip
_START: Final = len(
    json.dumps(
        {"time": _TIME, "type": "platform.start", "record": {"requestId": _ID, "version": ""}},
        separators=(",", ":"),
    )
)
_EXTENSION: Final = re.compile(r"EXTENSION\tName: ([^\t\n]{1,128})")
_SAMPLED: Final = re.compile(r"XRAY TraceId: [^\n]*Sampled: true")
_REPORT: Final = (
    f"REPORT RequestId: {_ID}\tDuration: 1.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 64 MB\t"
)
_RECORD: Final = (
    f'{{"time":"{_TIME}","type":"platform.report","record":{{"requestId":"{_ID}","metrics":'
    '{"durationMs":1.00,"billedDurationMs":2,"memorySizeMB":128,"maxMemoryUsedMB":64},'
    '"status":"success"}}'
)
_MORE_IN_RECORD: Final = len(_RECORD) - len(_REPORT)
"""What a report has more as a record, at whatever figures."""


@dataclass(frozen=True, slots=True)
class LogMessage:
    """What is known of a message: `size_bytes` as UTF-8, and `json_bytes` as it is with the JSON
    log format at the level INFO (0 where that has no such line; the same where it's JSON already).
    """

    origin: LogOrigin
    level: Level
    size_bytes: int
    json_bytes: int
    is_json: bool = False
    extension: str | None = None
    """The extension that a line tells of."""
    is_report: bool = False
    is_traced: bool = False
    """Whether it's the report of a request that X-Ray records."""
    metrics: frozenset[tuple[str, ...]] = frozenset()
    """Custom metrics that an embedded-metric line makes: namespace, name and dimensions' values."""
    value: dict[str, Any] | None = None
    """The platform's record, of JSON logs."""


def read_message(text: str) -> LogMessage:
    """Read a message, without what an archive puts before it."""
    body = text.rstrip("\r\n")
    size = len(text.encode("utf-8", "surrogatepass"))
    if body.startswith("{") and (value := read_object(body)) is not None:
        return _of_json(value, size, is_traced="Sampled=1" in body)
    if _PLATFORM.match(body):
        return _of_platform(body, size)
    level, begin = _level_of(body)
    payload = json.dumps(body[begin:])
    wrapped = _WRAPPED + len(payload) - 2 + len(level) - 4
    return LogMessage("function", level, size, wrapped)


def _of_json(value: dict[str, Any], size: int, *, is_traced: bool) -> LogMessage:
    kind = value.get("type")
    if isinstance(kind, str) and kind.startswith("platform."):
        record = value.get("record")
        record = record if isinstance(record, dict) else {}
        name = record.get("name") if kind == "platform.extension" else None
        return LogMessage(
            "platform",
            "INFO",
            size,
            size,
            is_json=True,
            extension=name if isinstance(name, str) else None,
            is_report=kind == "platform.report",
            is_traced=is_traced and kind == "platform.report",
            value=value,
        )
    metrics = _metrics_of(value)
    if "cpu_total_time" in value or any(each[0] == "LambdaInsights" for each in metrics):
        return LogMessage("lambda_insights", "INFO", size, size, is_json=True, metrics=metrics)
    return LogMessage("function", _json_level(value), size, size, is_json=True, metrics=metrics)


def _of_platform(body: str, size: int) -> LogMessage:
    extension = _EXTENSION.match(body)
    json_size = size
    if body.startswith("START "):
        json_size = _START + len(body.partition("Version: ")[2].strip())
    elif body.startswith("END "):
        json_size = 0  # its record, platform.runtimeDone, is logged at DEBUG
    elif body.startswith("REPORT "):
        json_size = size + _MORE_IN_RECORD
    return LogMessage(
        "platform",
        "INFO",
        size,
        json_size,
        extension=None if extension is None else extension[1],
        is_report=body.startswith("REPORT "),
        is_traced=_SAMPLED.search(body) is not None,
    )


def _level_of(body: str) -> tuple[Level, int]:
    """The level of a line of text, and where its own text begins behind the runtime's."""
    for prefix in _PREFIXES:
        if (found := prefix.match(body)) is not None:
            return _ALIASES[found[1]], found.end()
    found = _ANYWHERE.search(body, 0, _LOOK_IN)
    return ("none" if found is None else _ALIASES[found[1]]), 0


def _json_level(value: dict[str, Any]) -> Level:
    for key in _LEVEL_KEYS:
        given = value.get(key)
        if isinstance(given, str) and (level := _ALIASES.get(given.upper())) is not None:
            return level
        if isinstance(given, int) and (level := _NUMBERS.get(given)) is not None:
            return level
    return "none"


def _metrics_of(value: dict[str, Any]) -> frozenset[tuple[str, ...]]:
    """By the embedded metric format: each name for each set of dimensions, with their values."""
    meta = value.get("_aws")
    listed = meta.get("CloudWatchMetrics") if isinstance(meta, dict) else None
    found = set()
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        sets, names = each.get("Dimensions") or [[]], each.get("Metrics")
        for dimensions in sets if isinstance(sets, list) else ():
            if not (isinstance(dimensions, list) and isinstance(names, list)):
                continue
            values = tuple(f"{name}={value.get(str(name))}" for name in dimensions)
            found |= {
                (str(each.get("Namespace")), str(metric.get("Name")), *values)
                for metric in names
                if isinstance(metric, dict)
            }
    return frozenset(found)
