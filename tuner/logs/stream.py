"""What was read of one log stream so far, and what came of its requests by that."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.logs.times import STREAM

if TYPE_CHECKING:
    from tuner.model.observation import ObservedOutcome, Origin

ERROR_TYPE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.$:]{0,99}")
"""An exception's class name in any of Lambda's languages. Anything else may hold data."""
MEMORY_ERRORS: Final = frozenset(
    ("Runtime.OutOfMemory", "MemoryError", "java.lang.OutOfMemoryError")
)
"""Of runtimes that exit before the platform ends them."""
_AT_EDGE: Final = re.compile(r"^[a-z]{2}-[a-z]+-\d\.")
MOST_KEPT: Final = 10_000


Note = tuple["ObservedOutcome", str | None, float]
"""What a line says about a request before its report: outcome, error's class, minimum duration in
ms."""


class Stream:
    """What was read of one log stream, or of a source without streams."""

    __slots__ = ("at_us", "begun", "doubt", "notes", "numbers", "origin", "thrown", "versions")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.numbers: dict[str | None, int] = {}
        """The numbers of its origins, by version."""
        self.versions: dict[str, str] = {}
        self.notes: dict[str, Note] = {}
        self.begun = ""
        """The request of the latest START line."""
        self.doubt: str | None = None
        """An error's class on a line that was the runtime's own if a traceback follows."""
        self.thrown: tuple[str, int] | None = None
        """An exception's class at the end of a line, and which line: it was Java's runtime that
        wrote it if the next one, of the trace, begins with it.
        """
        self.at_us: int | None = None
        """The latest time that a line had."""


def origin_of(
    origin: Origin, stream: str | None, group: str | None, account: str | None, region: str | None
) -> Origin:
    """Where a stream's lines come from: newer streams have the function's name, Lambda's own groups
    have it, and every stream has the version.
    """
    named = STREAM.fullmatch(stream) if stream else None
    function = named[1] if named else None
    if function is None and group is not None and group.startswith("/aws/lambda/"):
        # Functions at the edge log to groups with their home region's name before their own.
        function = _AT_EDGE.sub("", group.removeprefix("/aws/lambda/"))
    return replace(
        origin,
        function=function or origin.function,
        version=named[2] if named else origin.version,
        log_stream=stream or origin.log_stream,
        account=account or origin.account,
        region=region or origin.region,
    )


def keep_note(stream: Stream, request_id: str, note: Note) -> None:
    """Keep what is said about a request; a kill or a timeout says more than an error's class."""
    if len(stream.notes) >= MOST_KEPT:
        stream.notes.clear()  # of requests whose reports are not in this source
    earlier = stream.notes.get(request_id)
    if earlier is None or note[0] != "success":
        stream.notes[request_id] = note


def judge(
    stream: Stream,
    request_id: str,
    duration_ms: float,
    status: str | None = None,
    kind: str | None = None,
) -> tuple[ObservedOutcome, str | None]:
    """An invocation's outcome, by its report and the lines before it.

    An unknown status is an error. Memory used doesn't prove a kill.
    """
    note = stream.notes.pop(request_id, None)
    general = stream.notes.get("")
    if note is None and general is not None and duration_ms >= general[2]:
        note = stream.notes.pop("")
    said, signature, _least = note or ("success", None, 0.0)
    signature = kind or signature
    if signature is not None and not ERROR_TYPE.fullmatch(signature):
        signature = "unknown"
    if status == "success":
        return "success", None
    if signature in MEMORY_ERRORS or said == "oom":
        return "oom", signature
    if status == "timeout" or said == "timeout":
        return "timeout", signature
    if status is not None or said == "error":
        return "error", signature
    return "success", None
