"""A payload that is no JSON is refused in the words of AWS's parser, with the place."""

from __future__ import annotations

import pytest

from tuner.local.control_plane.invoke import why_not_json


@pytest.mark.parametrize(
    ("payload", "words", "place"),
    [
        (b"n\x87", "Invalid UTF-8 start byte 0x87", (1, 3)),
        (b'{"a": "\x87"}', "Invalid UTF-8 start byte 0x87", (1, 9)),
        (b"\x99\xeb,", "Unexpected character ((CTRL-CHAR, code 153)): expected a valid", (1, 1)),
        (b"{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote", (1, 2)),
        (b'{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon", (1, 6)),
        (b'{"a": 1,\n "b": x}', "Unrecognized token: was expecting (JSON String", (2, 9)),
        (b"secret", "Unrecognized token: was expecting (JSON String", (1, 7)),
        (b"NaN", "Unrecognized token: was expecting (JSON String", (1, 4)),
        (b'{"a":', "Unexpected end-of-input", (1, 6)),
    ],
)
def test_a_fault_is_named_and_placed(payload: bytes, words: str, place: tuple[int, int]) -> None:
    """The byte or character is told with line and column; of a token, nothing is repeated."""
    said = why_not_json(payload) or ""
    assert said.startswith(words)
    assert said.endswith("; line: {}, column: {}]".format(*place))
    assert "secret" not in said


@pytest.mark.parametrize("payload", [b"{}", b"null", '"é"'.encode(), b" [1.5e3] ", b'"\\ud800"'])
def test_json_has_no_fault(payload: bytes) -> None:
    """What AWS takes is taken."""
    assert why_not_json(payload) is None
