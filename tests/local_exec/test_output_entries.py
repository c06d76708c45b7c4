"""What a function writes becomes log entries: lines, and a runtime's frames of several lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner.local.execution.invocation_log import OutputEntries


def frame(message: bytes, kind: int = 0x03) -> bytes:
    head = b"\xa5\x5a\x00" + bytes([kind])
    return head + len(message).to_bytes(4, "big") + bytes(8) + message


TEXT = st.binary(max_size=20).filter(lambda text: b"\xa5" not in text and b"\n" not in text)
PIECES = st.lists(st.tuples(st.booleans(), TEXT), max_size=6)


@given(PIECES, st.lists(st.integers(1, 40), max_size=20))
def test_entries_come_whole_and_in_order(pieces: list[tuple[bool, bytes]], cuts: list[int]) -> None:
    """However the bytes are cut, each line and each frame is one entry."""
    data = b"".join(frame(text) if framed else text + b"\n" for framed, text in pieces)
    output, found = OutputEntries(), []
    for cut in cuts:
        found += output.take(data[:cut])
        data = data[cut:]
    found += output.take(data)
    assert found == [text if framed else text + b"\n" for framed, text in pieces]
    assert output.rest() == b""


def test_a_frame_interrupts_no_line() -> None:
    """What was printed without an end of line waits for it, and the logger's entry comes before."""
    output = OutputEntries()
    found = list(output.take(b"not yet" + frame(b"[ERROR] one\ntwo") + b" done\nno end"))
    assert found == [b"[ERROR] one\ntwo", b"not yet done\n"]
    assert output.rest() == b"no end"


def test_what_only_looks_like_a_frame_is_text() -> None:
    """Another type, a length beyond belief, and a frame that never ends are the function's own."""
    output = OutputEntries()
    other, huge = frame(b"x", kind=0x44), b"\xa5\x5a\x00\x03\xff\xff\xff\xff" + bytes(8)
    assert list(output.take(other + b"\n" + huge + b"\n")) == [other + b"\n", huge + b"\n"]
    cut = frame(b"never all of it")[:-4]
    assert list(output.take(cut)) == []
    assert output.rest() == cut
