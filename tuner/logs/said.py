"""What lines say of a request besides its report: its trace, the messages in it, its error.

Nothing of the text is kept: an error's message and a message's id become digests. In an error's
message ids, numbers and quoted values are replaced first, so that one fault has one digest.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

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
