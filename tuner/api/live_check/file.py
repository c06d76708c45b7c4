"""A live check as a file: one JSON object, for whoever has no account."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import InputError
from tuner.model.live_check import LiveCheck, Reply
from tuner.model.record import RecordError, from_record, to_record
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Final = 1
KIND: Final = "live_check"
_MAX_BYTES: Final = 4 * 1024 * 1024


def to_document(check: LiveCheck) -> dict[str, Any]:
    """As it's written, and as `--json` prints it: replies are JSON, not text."""
    record = to_record(replace(check, replies=()))
    replies = {each.name: json.loads(each.body) for each in check.replies}
    return {"schema_version": SCHEMA_VERSION, "kind": KIND, **record, "replies": replies}


def write_check(check: LiveCheck, file: Path) -> None:
    """Write a check. Raises InputError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(to_document(check), indent=1).encode() + b"\n")
    except OSError as error:
        raise InputError(
            f"{file} can't be written ({error.strerror}): give another `out`"
        ) from error


def read_check(file: Path) -> LiveCheck:
    """Read a check. Raises InputError for a file that isn't one."""
    try:
        with file.open("rb") as opened:
            written = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file} can't be read ({error.strerror})") from error
    try:
        if len(written) > _MAX_BYTES:
            raise RecordError("is too large")
        document = json.loads(written)
        if not isinstance(document, dict) or document.pop("kind", None) != KIND:
            raise RecordError("is something else")
        if document.pop("schema_version", None) != SCHEMA_VERSION:
            raise RecordError("was written by another version of tuner")
        replies = document.pop("replies")
        if not isinstance(replies, dict):
            raise RecordError("has no replies")
        check = from_record(LiveCheck, {**document, "replies": []})
    except (KeyError, RecursionError, ValueError) as error:
        why = str(error) if isinstance(error, RecordError) else "isn't such a JSON object"
        raise InputError(f"{file} is not the file of a live check: it {why}") from None
    bodies = tuple(Reply(name, json.dumps(body)) for name, body in replies.items())
    return replace(check, replies=bodies)
