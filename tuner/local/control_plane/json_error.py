"""Why a payload isn't JSON, in the words and with the place that AWS's parser gives.

A token that's no JSON isn't repeated, as AWS does: payloads stay out of messages.
"""

from __future__ import annotations

import json
from json import JSONDecodeError
from typing import Final

_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_FIELD: Final = "was expecting double-quote to start field name"
_WANTED: Final = {
    "Expecting value": f"expected a valid value {_VALUES}",
    "Expecting property name enclosed in double quotes": _FIELD,
    "Illegal trailing comma before end of object": _FIELD,
    "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
    "Expecting ',' delimiter": "was expecting comma to separate entries",
}
_IN_STRING: Final = ("Unterminated string", "Invalid control character", "Invalid \\")


def why_not_json(payload: bytes) -> str | None:
    """Explain the first fault; None if the payload is JSON."""
    bad = None
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        text, bad = payload[: error.start].decode(), error.start
    try:
        json.loads(text, parse_constant=_refuse)
    except JSONDecodeError as error:
        return _explain(payload, text, error, bad)
    except ValueError:  # NaN or Infinity, which Python would take
        return _told(payload, len(payload), f"Unrecognized token: was expecting {_VALUES}")
    except RecursionError:
        return _told(payload, len(payload), "Document nesting depth exceeds the maximum allowed")
    return None if bad is None else _at_byte(payload, bad)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _explain(payload: bytes, text: str, error: JSONDecodeError, bad: int | None) -> str:
    rest, begin = text[error.pos :], len(text[: error.pos].encode())
    if error.msg == "Expecting value" and (rest[:1].isalpha() or rest[:1] in ("_", "$")):
        length = next((n for n, c in enumerate(rest) if not (c.isalnum() or c in "_$")), len(rest))
        end = begin + len(rest[:length].encode())
        if end == bad:
            return _start_byte(payload, bad)
        following = end + 1 if end < len(payload) else end
        return _told(payload, following, f"Unrecognized token: was expecting {_VALUES}")
    if bad is not None and error.msg.startswith(_IN_STRING):
        return _start_byte(payload, bad)
    if rest == "":
        return (
            _told(payload, begin, "Unexpected end-of-input")
            if bad is None
            else _at_byte(payload, bad, _WANTED.get(error.msg, ""))
        )
    wanted = _WANTED.get(error.msg, error.msg)
    return _told(payload, begin, f"Unexpected character ({_named(rest[0])}): {wanted}")


def _at_byte(payload: bytes, bad: int, wanted: str = "expected space") -> str:
    words = f"Unexpected character ({_named(chr(payload[bad]))}): {wanted}"
    return _told(payload, bad, words)


def _start_byte(payload: bytes, bad: int) -> str:
    return _told(payload, bad + 1, f"Invalid UTF-8 start byte {payload[bad]:#x}")


def _named(character: str) -> str:
    code = ord(character)
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code}{f' / {code:#x}' if code > 255 else ''})"


def _told(payload: bytes, begin: int, words: str) -> str:
    line = payload.count(b"\n", 0, begin) + 1
    column = begin - payload.rfind(b"\n", 0, begin)
    return (
        f"{words}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
        f"disabled); line: {line}, column: {column}]"
    )
