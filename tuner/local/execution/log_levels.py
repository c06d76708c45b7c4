"""Which lines a function's JSON log keeps, by its system and application levels.

Levels exist for JSON logs only. Each platform event has one:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

from __future__ import annotations

import json
from typing import Final

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


def keeps_platform_event(kind: str, status: str | None, wanted: str | None) -> bool:
    """Whether a platform event is logged; what did not succeed is a warning, whatever its kind."""
    level = "WARN" if status not in (None, "success") else _SYSTEM_LEVELS[kind]
    return _RANKS[level] >= _RANKS[wanted or "INFO"]


def keeps_output(line: bytes, wanted: str | None) -> bool:
    """Whether a line of the function's own is logged.

    Lambda filters what it can read: a JSON object with a level and a timestamp. The rest is kept.
    """
    if wanted is None or not line.startswith(b"{"):
        return True
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return True
    if not isinstance(record, dict) or "timestamp" not in record:
        return True
    rank = _RANKS.get(str(record.get("level", "")).upper())
    return rank is None or rank >= _RANKS[wanted]
