"""What a log says of an INIT besides its duration: its end, its failures, and its parts.

JSON logs at the system log level DEBUG have `platform.initRuntimeDone` (the runtime has loaded the
function's code) and `platform.initReport` (extensions are ready too). Text logs have an INIT_REPORT
line for an INIT that failed.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.cold.result import InitParts
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAILED: Final = re.compile(
    r"^INIT_REPORT Init Duration: [0-9.]{1,20} ms[ \t]+Phase: init[ \t]+Status: (timeout|error)",
    re.MULTILINE,
)


def init_parts(log: str, init_ms: float) -> InitParts | None:
    """How an INIT of `init_ms` splits; None where the log doesn't say."""
    times: dict[str, datetime] = {}
    for record in _records(log):
        at = _time(record.get("time"))
        if at is not None:
            times.setdefault(str(record["type"]), at)
    ready, ended = times.get("platform.initRuntimeDone"), times.get("platform.initReport")
    if ready is None or ended is None:
        return None
    extensions_ms = min(max(0.0, (ended - ready).total_seconds() * 1000), init_ms)
    return InitParts(extensions_ms=extensions_ms, runtime_and_code_ms=init_ms - extensions_ms)


def init_failure(log: str) -> Literal["timeout", "error"] | None:
    """Whether an INIT before this invocation failed, and how: then it ran again, in its
    Duration.
    """
    match = _FAILED.search(log)
    if match is not None:
        return "timeout" if match[1] == "timeout" else "error"
    for record in _records(log):
        if record["type"] == "platform.initReport":
            about = record.get("record")
            status = about.get("status") if isinstance(about, dict) else None
            if isinstance(about, dict) and about.get("phase") in (None, "init"):
                if status == "timeout":
                    return "timeout"
                if status not in (None, "success"):
                    return "error"
    return None


def _records(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        if line.startswith("{") and '"platform.init' in line:
            record = read_object(line)
            if record is not None and str(record.get("type")).startswith("platform.init"):
                yield record


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
