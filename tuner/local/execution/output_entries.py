r"""Cuts what a function writes into log entries: lines, and frames, which may be of several lines.

Runtime clients write their loggers' entries as frames: a type (0xa55a00 and a byte that tells text
from JSON, and the level), a length, a time in microseconds, and the message, all big-endian. So a
trace is one entry, and a carriage return of the function's own stays one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = b"\xa5\x5a\x00"
_KINDS: Final = frozenset(kind | level for kind in (2, 3) for level in range(0, 32, 4))
_HEAD_BYTES: Final = 16
_MAX_BYTES: Final = 16 * 1024 * 1024
"""No longer message is believed: it's output that looks like a frame."""


class OutputEntries:
    """One environment's output in an invocation."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._unread = b""
        """The beginning of a frame, perhaps."""

    def take(self, data: bytes) -> Iterator[bytes]:
        """Give the entries that are complete now; lines keep their ends."""
        unread, self._unread = self._unread + data, b""
        while unread:
            text, unread = _before_mark(unread)
            yield from self._lines(text)
            if not unread:
                return
            size = _frame_bytes(unread)
            if size == 0:
                yield from self._lines(unread[:1])
                unread = unread[1:]
            elif size is None or len(unread) < size:
                self._unread = unread
                return
            else:
                yield unread[_HEAD_BYTES:size]
                unread = unread[size:]

    def rest(self) -> bytes:
        """What is incomplete, at an end."""
        rest = bytes(self._line) + self._unread
        self._line.clear()
        self._unread = b""
        return rest

    def _lines(self, text: bytes) -> Iterator[bytes]:
        *whole, rest = text.split(b"\n")
        for line in whole:
            yield bytes(self._line) + line + b"\n"
            self._line.clear()
        self._line += rest


def _before_mark(data: bytes) -> tuple[bytes, bytes]:
    """Split where a frame begins, or may begin."""
    at = data.find(MARK)
    if at < 0:
        held = next((n for n in (2, 1) if data.endswith(MARK[:n])), 0)
        at = len(data) - held
    return data[:at], data[at:]


def _frame_bytes(data: bytes) -> int | None:
    """How long the frame is; None if its head is incomplete, 0 if it's none."""
    if len(data) > len(MARK) and data[len(MARK)] not in _KINDS:
        return 0
    if len(data) < _HEAD_BYTES:
        return None
    length = int.from_bytes(data[4:8], "big")
    return _HEAD_BYTES + length if length <= _MAX_BYTES else 0
