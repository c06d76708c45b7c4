"""Unpacks bytes to text, however they were packed."""

from __future__ import annotations

import codecs
import contextlib
import zlib
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Final

from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK: Final = 1 << 20
_STEP: Final = 256
_HEAD: Final = 4096
_SLICE: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_UNTAKEN: Final = (
    (b"PK\x03\x04", "a ZIP archive within another file or in a pipe: unpack it first"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz: unpack it first"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "a database"),
    (b"\xff\x06\x00\x00sNaPpY", "packed with Snappy: unpack it first"),
)
_NO_LOGS: Final = "not text"
_DEEPEST: Final = 3
"""How often a file can be packed within itself: Firehose packs records that are packed."""


class UnusableFileError(Exception):
    """A file without logs, and why."""


class TornFileError(Exception):
    """The rest of a file can't be unpacked: what came before was passed on."""


def unpacked_text(pieces: Iterator[bytes]) -> Iterator[str]:
    """The text that bytes hold, in pieces of about a megabyte: UTF-8 (or UTF-16 with its mark).

    Raises UnusableFileError for what isn't text, TornFileError behind the last piece of what is cut
    off.
    """
    return _decoded(_unpacked(pieces, 0))


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    while piece := stream.read(CHUNK):
        yield piece


def _unpacked(pieces: Iterator[bytes], depth: int) -> Iterator[bytes]:
    first = next(pieces, b"")
    for magic, what in _UNTAKEN:
        if first.startswith(magic):
            raise UnusableFileError(what)
    again: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None
    if first.startswith(_GZIP):
        again = _gunzipped
    elif first.startswith(_ZSTD):
        again = _unzstd
    whole = chain([first], pieces)
    if again is None or depth >= _DEEPEST:
        yield from whole
    else:
        yield from _unpacked(again(whole), depth + 1)


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Members one after another, as Firehose writes them; zeros between and behind are padding."""
    unpack, is_open = zlib.decompressobj(wbits=31), False
    for part in _slices(pieces):
        data = part if is_open else part.lstrip(b"\0")
        before = unpack.copy() if is_open else zlib.decompressobj(wbits=31)
        while data:
            is_open = True
            try:
                out = unpack.decompress(data, CHUNK * 4)
            except zlib.error as error:
                yield from _before_damage(before, data)
                raise TornFileError(f"damaged gzip data ({error})") from None
            if out:
                yield out
            if unpack.eof:
                data = unpack.unused_data.lstrip(b"\0")
                unpack, is_open = zlib.decompressobj(wbits=31), False
                before = zlib.decompressobj(wbits=31)
            else:
                data = unpack.unconsumed_tail
                before = unpack.copy() if data else before
    if is_open:
        raise TornFileError("the gzip data ends too early")


def _before_damage(unpack: Any, data: bytes) -> Iterator[bytes]:
    """What can still be unpacked from damaged data."""
    with contextlib.suppress(zlib.error):
        for begin in range(0, len(data), _STEP):
            if out := unpack.decompress(data[begin : begin + _STEP]):
                yield out


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Frames one after another."""
    with optional_import("files packed with zstd need zstandard", "zstandard", extra="observe"):
        import zstandard  # noqa: PLC0415 - for such files only
    unpacker = zstandard.ZstdDecompressor()
    unpack = None
    try:
        for part in _slices(pieces):
            data = part
            while data:
                unpack = unpack or unpacker.decompressobj()
                if out := unpack.decompress(data):
                    yield out
                data = unpack.unused_data if unpack.eof else b""
                unpack = None if unpack.eof else unpack
    except zstandard.ZstdError as error:
        raise TornFileError(f"damaged zstd data ({error})") from None
    if unpack is not None:
        raise TornFileError("the zstd data ends too early")


def _slices(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Small parts, because the output of one has no limit."""
    for piece in pieces:
        for begin in range(0, len(piece), _SLICE):
            yield piece[begin : begin + _SLICE]


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    first = next(pieces, b"")
    encoding = "utf-8"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif _is_binary(first[:_HEAD]):
        is_tar = first[257:262] == b"ustar"
        raise UnusableFileError("a tar archive: unpack it first" if is_tar else _NO_LOGS)
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    text = decode(first).removeprefix("\ufeff")
    yield text
    for piece in pieces:
        yield decode(piece)
    if rest := decode(b"", final=True):
        yield rest


def _is_binary(head: bytes) -> bool:
    """Whether it's no text: zeros that are many, or among bytes that are no UTF-8."""
    zeros = head.count(b"\0")
    if not zeros or zeros * 10 > len(head):
        return zeros > 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return False
