"""What was read of one log stream so far, and what came of its requests by that; and what lines say
of a request besides its report: its trace, the messages in it, its error.

Nothing of the text is kept: an error's message and a message's id become digests. In an error's
message ids, numbers and quoted values are replaced first, so that one fault has one digest.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
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
SaidRow = tuple[str, str | None, int | None, str | None, str | None]
"""Request id, trace id, passes through one function, digest of the error, digest of a message."""

_ROOT: Final = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")
_X_RAY: Final = re.compile(r"XRAY TraceId:[ \t]*(1-[0-9a-f]{8}-[0-9a-f]{24})")
_LINEAGE: Final = re.compile(r"Lineage=([0-9a-f:|]{3,600})")
"""In a trace header: `hash:count` for each function of the chain, separated by `|`; some have a
number before them. https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html"""
_MESSAGE_ID: Final = re.compile(
    r"(?:message|Message)_?[iI]d\\?[\"']?\s{0,3}[:=]\s{0,3}\\?[\"']?"
    r"((?=[A-Za-z-]{0,63}\d)[0-9A-Za-z-]{8,64})"
)
"""An id has a digit: `undefined` is none."""
_JSON_REQUEST: Final = re.compile(
    r'"(?:requestId|AWSRequestId|function_request_id|aws_request_id)"\s*:\s*"([0-9A-Za-z-]{8,64})"'
)
_LED_REQUEST: Final = re.compile(r"([0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27})(?=\s)")
_VARIES: Final = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"|\b[0-9A-Fa-f-]{8,}\b|\d+|\s+")
_MOST_IDS: Final = 20
_MOST_TEXT: Final = 400


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


def says_more(line: str) -> bool:
    """Whether a line may have a trace or a message's id."""
    return "Root=1-" in line or "XRAY TraceId" in line or "essageId" in line or "essage_id" in line


def said_rows(line: str, request_id: str, reported_id: str) -> list[SaidRow]:
    """What a line says. It's of the request that it names, else of the one that runs; an X-Ray line
    is of the one that was reported last.
    """
    x_ray = _X_RAY.search(line)
    if x_ray is not None:
        return [(reported_id, x_ray[1], None, None, None)] if reported_id else []
    named = _JSON_REQUEST.search(line) if line.startswith("{") else _LED_REQUEST.match(line)
    request_id = named[1] if named is not None else request_id
    if not request_id:
        return []
    root = _ROOT.search(line)
    rows: list[SaidRow] = []
    if root is not None:
        rows.append((request_id, root[1], passes(line), None, None))
    found = dict.fromkeys(each[1] for each in _MESSAGE_ID.finditer(line))
    rows += [(request_id, None, None, None, digest(each)) for each in [*found][:_MOST_IDS]]
    return rows


def passes(header: str) -> int | None:
    """How often the function that it counts most ran in a trace; None without a lineage."""
    lineage = _LINEAGE.search(header)
    if lineage is None:
        return None
    counts = (part.rpartition(":")[2] for part in lineage[1].split("|"))
    return max((int(each[:6]) for each in counts if each.isdecimal()), default=None)


def error_digest(kind: str, text: str) -> str:
    """One digest for one fault: its class, and its message without what varies."""
    return digest(f"{kind} {_VARIES.sub('#', text[:_MOST_TEXT].strip())}")


def digest(text: str) -> str:
    """64 bits of a text."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
