"""Finds the log of one invocation in CloudWatch Logs, where it arrives some seconds later."""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.connection_errors import Request
from tuner.errors import AwsError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.control_plane import ControlPlane
    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.session import Session

WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between looks; at a server of this machine a few tenths are enough."""
_LOOPBACK_WAITS_S: Final = (0.1, 0.3)
_LOOK_BACK_MS: Final = 20 * 60 * 1000
"""An invocation lasts 15 minutes at most, and clocks differ."""
_MOST_PAGES: Final = 20
_REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f-]{8,40}")


def find_log(
    session: Session,
    control: ControlPlane,
    function: FunctionRef,
    request_id: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.time,
) -> str | None:
    """Return the lines that name a request, once its report is among them; else None.

    None also where the log may not be read: the sweep goes on without.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        return None
    since_ms = int(now_s() * 1000) - _LOOK_BACK_MS
    options = {"connect_timeout": 5, "read_timeout": 10}
    try:
        group = _group(control, function)
        with closing(session.client("logs", **options)) as client:
            for wait_s in _LOOPBACK_WAITS_S if session.is_loopback else WAITS_S:
                sleep(wait_s)
                try:
                    with control.translating(Request("FilterLogEvents", function)):
                        lines = _lines(client, group, request_id, since_ms)
                except ThrottledError:
                    continue
                if any("REPORT " in line or "platform.report" in line for line in lines):
                    return "\n".join(lines)
    except AwsError:
        return None
    return None


def _group(control: ControlPlane, function: FunctionRef) -> str:
    named: Any = control.read(function).get("LoggingConfig", {}).get("LogGroup")
    return named or f"/aws/lambda/{function.name}"


def _lines(client: Any, group: str, request_id: str, since_ms: int) -> list[str]:
    """The lines that hold the request's id; a page may be empty and still not the last."""
    found: list[str] = []
    more: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = client.filter_log_events(
            logGroupName=group, startTime=since_ms, filterPattern=f'"{request_id}"', **more
        )
        found += [event["message"].rstrip("\n") for event in page.get("events", ())]
        if not (token := page.get("nextToken")):
            break
        more = {"nextToken": token}
    return found
