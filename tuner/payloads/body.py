"""The body of one event: read, and checked for size and JSON."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Final, NoReturn

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES

_BOM: Final = b"\xef\xbb\xbf"
_NO_SUCH_FILE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


def read_file(path: str) -> bytes | None:
    """Return a file's bytes, at most one over the limit, or None if it doesn't exist.

    Raises PayloadError for one that can't be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_SYNC_PAYLOAD_BYTES + 1)
    except IsADirectoryError:
        raise PayloadError(f"payload {path!r} is a folder: name a file in it") from None
    except PermissionError:
        raise PayloadError(f"payload file {path!r} can't be read: check its permissions") from None
    except ValueError:  # a NUL in it
        return None
    except OSError as error:
        if error.errno in _NO_SUCH_FILE:
            return None
        raise PayloadError(f"payload file {path!r} can't be read: {error.strerror}") from None


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder once all links are followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # not a valid file name, or endless links
        return False


def checked(body: bytes, what: str, *, raw: bool = False) -> bytes:
    """Return the body as it will be sent, or say what is wrong with it.

    `raw` accepts what isn't JSON, and changes nothing in it. Raises PayloadError.
    """
    body = body if raw else body.removeprefix(_BOM)
    if len(body) > MAX_SYNC_PAYLOAD_BYTES:
        raise PayloadError(
            f"{what} is over 6 MB ({MAX_SYNC_PAYLOAD_BYTES:,} bytes), Lambda's limit for an "
            "invocation: make it smaller, or pass a reference to S3"
        )
    if raw:
        return body
    if not body.strip():
        raise PayloadError(f"{what} is empty: the smallest event is {{}}")
    try:
        _parse(body.decode())
    except UnicodeDecodeError as error:
        raise PayloadError(f"{what} is not UTF-8 (at byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PayloadError(f"{what} is not JSON: {where}: {error.msg}") from None
    except ValueError:
        raise PayloadError(f"{what} is not JSON: NaN, Infinity or a number out of range") from None
    except RecursionError:
        raise PayloadError(f"{what} is nested too deeply to be read") from None
    return body


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        _parse(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse(text: str) -> None:
    json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's
