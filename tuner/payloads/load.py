"""Payloads from files and from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError
from tuner.model.limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.model.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What may be repeated in a message: a path, never a payload that was mistaken for one.
_LOOKS_LIKE_PATH: Final = re.compile(r"[\w./~+@-][\w./~+@ -]{0,254}")
_BEGINS_JSON: Final = ("{", "[", '"')
_BOM: Final = b"\xef\xbb\xbf"


def load_payloads(specs: Sequence[str]) -> tuple[Payload, ...]:
    """Return one payload for each spec: a file's path, or JSON itself; all weigh the same.

    A file's payload is named by its stem, inline JSON by its place ("inline-1"); a name that comes
    again gets a number. Without specs there is one payload, `{}`, named "empty". Bodies are sent as
    they were written, without a byte order mark. Raises PayloadError for a file that cannot be
    read, for what is not JSON in UTF-8, and for more than Lambda's 6 MB; no message holds a
    payload's content.
    """
    if not specs:
        return (Payload("empty", b"{}"),)
    loaded = [_load(spec, place) for place, spec in enumerate(specs, start=1)]
    names = _distinct(name for name, _ in loaded)
    return tuple(Payload(name, body) for name, (_, body) in zip(names, loaded, strict=True))


def _load(spec: str, place: int) -> tuple[str, bytes]:
    if not spec.strip():
        raise PayloadError(f"payload {place} is empty: give a file or JSON, such as {{}}")
    if spec.lstrip().startswith(_BEGINS_JSON):
        return f"inline-{place}", _checked(_encoded(spec, place), f"payload {place}")
    body = _read(spec)
    if body is not None:
        return Path(spec).stem, _checked(body, f"payload file {spec!r}")
    if _is_json(spec):
        return f"inline-{place}", _checked(_encoded(spec, place), f"payload {place}")
    shown = f"{spec!r}" if _LOOKS_LIKE_PATH.fullmatch(spec) else f"number {place}"
    raise PayloadError(f"payload {shown} is neither a file nor JSON: check the path")


def _read(path: str) -> bytes | None:
    """Return a file's bytes, at most one over the limit, or None where there is no such file."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_SYNC_PAYLOAD_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise PayloadError(f"payload {path!r} is a folder: name a file in it") from None
    except PermissionError:
        raise PayloadError(
            f"payload file {path!r} may not be read: check its permissions"
        ) from None
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return None


def _encoded(text: str, place: int) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise PayloadError(f"payload {place} is not UTF-8") from None


def _checked(body: bytes, what: str) -> bytes:
    """Return the body as it is to be sent, or say what is wrong with it."""
    body = body.removeprefix(_BOM)
    if len(body) > MAX_SYNC_PAYLOAD_BYTES:
        raise PayloadError(
            f"{what} is over 6 MB ({MAX_SYNC_PAYLOAD_BYTES:,} bytes), Lambda's limit for an "
            "invocation: make it smaller, or pass a reference to S3"
        )
    if not body.strip():
        raise PayloadError(f"{what} is empty: the least event is {{}}")
    try:
        _parse(body.decode())
    except UnicodeDecodeError as error:
        raise PayloadError(f"{what} is not UTF-8 (at byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PayloadError(f"{what} is not JSON: {place}: {error.msg}") from None
    except ValueError:
        raise PayloadError(
            f"{what} is not JSON: NaN, Infinity or a number beyond all use"
        ) from None
    except RecursionError:
        raise PayloadError(f"{what} is nested too deep to be read") from None
    return body


def _is_json(text: str) -> bool:
    try:
        _parse(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse(text: str) -> None:
    json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _distinct(names: Iterable[str]) -> list[str]:
    """Return the names, a second "event" as "event-2"."""
    distinct: list[str] = []
    for name in names:
        new, number = name, 1
        while new in distinct:
            number += 1
            new = f"{name}-{number}"
        distinct.append(new)
    return distinct
