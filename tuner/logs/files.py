"""Finds the files of an archive and unpacks them to text, however they were packed."""

from __future__ import annotations

import codecs
import contextlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tuner.errors import InputError
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHUNK: Final = 1 << 20
_STEP: Final = 256
_HEAD: Final = 4096
_SLICE: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_UNTAKEN: Final = (
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz: unpack it first"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "a database"),
    (b"\xff\x06\x00\x00sNaPpY", "packed with Snappy: unpack it first"),
)
_NO_LOGS: Final = "not text"
_DEEPEST: Final = 3
"""How often a file can be packed within itself: Firehose packs records that are packed."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of an archive."""

    path: Path
    within: str
    """Its path below the given folder; its name if it was given itself."""
    size_bytes: int
    modified_ns: int


class UnusableFileError(Exception):
    """A file without logs, and why."""


class TornFileError(Exception):
    """The rest of a file can't be unpacked: what came before was passed on."""


def find_files(paths: Iterable[Path]) -> tuple[LogFile, ...]:
    """The named files and those in named folders, each once, by path.

    Links are followed, except back to a folder above. Names that begin with a dot are left out of
    folders. Raises InputError for what doesn't exist, can't be read, or is empty.
    """
    found: dict[tuple[int, int], LogFile] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: give `logs` a file or a folder of logs")
        for each, within in _below(path) if path.is_dir() else [(path, path.name)]:
            try:
                stat = each.stat()
            except OSError:  # a link that leads nowhere
                continue
            key = (stat.st_dev, stat.st_ino)
            # A pipe holds something else each time: it is never the same as before.
            name = within if path.is_dir() or each.is_file() else f"{within} {os.urandom(8).hex()}"
            found.setdefault(key, LogFile(each, name, stat.st_size, stat.st_mtime_ns))
    if not found:
        raise InputError(f"there is no file in {', '.join(map(str, paths))}: nothing to read")
    return tuple(sorted(found.values(), key=lambda each: str(each.path)))


def _below(folder: Path) -> Iterator[tuple[Path, str]]:
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True, onerror=_cannot_list):
        stat = os.stat(here)  # noqa: PTH116 - what os.walk gives
        if (stat.st_dev, stat.st_ino) in seen:
            folders.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if not name.startswith(".") and path.is_file():
                yield path, path.relative_to(folder).as_posix()


def _cannot_list(error: OSError) -> None:
    raise InputError(f"{error.filename} can't be read ({error.strerror})")


def read_text(file: LogFile) -> Iterator[str]:
    """The text of a file in pieces of about a megabyte: UTF-8 (or UTF-16 with its mark).

    Raises UnusableFileError for what isn't text or can't be read, TornFileError behind the last
    piece of what is cut off.
    """
    try:
        with file.path.open("rb") as stream:
            yield from _decoded(_unpacked(_pieces(stream), 0))
    except OSError as error:
        raise UnusableFileError(f"can't be read: {error.strerror}") from None


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
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
    if again is None or depth >= _DEEPEST:
        yield from _chained(first, pieces)
    else:
        yield from _unpacked(again(_chained(first, pieces)), depth + 1)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Members one after another, as Firehose writes them; zeros between and behind are padding."""
    unpack, is_open = zlib.decompressobj(wbits=31), False
    for part in _slices(pieces):
        data = part if is_open else part.lstrip(b"\0")
        before = unpack.copy() if is_open else zlib.decompressobj(wbits=31)
        while data:
            is_open = True
            try:
                out = unpack.decompress(data, _CHUNK * 4)
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
