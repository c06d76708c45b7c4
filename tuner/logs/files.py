"""Finds the files of an archive, those within ZIP archives too.

A ZIP archive's files are read one after another, without unpacking them to disk: each in pieces, so
that its size doesn't matter to memory. What can only be made to harm is refused: files that unpack
to hundreds of times their size, or that overlap.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.logs.unpacked import (
    CHUNK,
    TornFileError,
    UnusableFileError,
    pieces_of,
    unpacked_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BEGINS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_MOST_COMMENT: Final = 1 << 16
_MOST_LISTED: Final = 64 << 20
"""Bytes of an archive's list of files: some hundred thousand files."""
_LARGE: Final = 16 << 20
_MOST_RATIO: Final = 300
"""Logs unpack to some ten times their size: no two requests have the same id."""
_ENCRYPTED: Final = 1


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of an archive."""

    path: Path
    within: str
    """Its path below the given folder; its name if it was given itself."""
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or one of a ZIP archive."""

    name: str
    within: str
    text: Iterator[str]
    """In pieces of about a megabyte; raises UnusableFileError and TornFileError."""


def find_files(paths: Iterable[Path]) -> tuple[LogFile, ...]:
    """The named files and those in named folders, each once, by path.

    Links are followed, except back to a folder above. Names that begin with a dot are left out of
    folders. Raises InputError for what doesn't exist, can't be read, or is empty.
    """
    found: dict[tuple[int, int], LogFile] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: give a file or a folder of logs")
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


def parts_of(file: LogFile) -> Iterator[Part]:
    """The file itself, or the files of a ZIP archive. Raises UnusableFileError for an archive that
    can't be read.
    """
    if not _is_zip(file.path):
        yield Part(str(file.path), file.within, _read_text(file))
        return
    for name, pieces in _members(file.path):
        yield Part(f"{file.path}/{name}", f"{file.within}/{name}", unpacked_text(pieces))


def _read_text(file: LogFile) -> Iterator[str]:
    try:
        with file.path.open("rb") as stream:
            yield from unpacked_text(pieces_of(stream))
    except OSError as error:
        raise UnusableFileError(f"can't be read: {error.strerror}") from None


def _is_zip(path: Path) -> bool:
    """Whether a file is a ZIP archive. What is in a pipe can't be one: its list is at its end."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(4) in _BEGINS
    except OSError:
        return False


def _members(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The files of an archive, by name, with their bytes in pieces; hidden ones are left out.

    Raises UnusableFileError for an archive without a list of its files; the pieces raise it for a
    file that can't be unpacked, and TornFileError behind what can be of a damaged one.
    """
    try:
        _check_list(path)
        with zipfile.ZipFile(path) as archive:
            listed = [each for each in archive.infolist() if not each.is_dir()]
            if sum(each.compress_size for each in listed) > path.stat().st_size:
                raise UnusableFileError("a ZIP archive whose files overlap: it is damaged")
            for each in sorted(listed, key=lambda each: each.filename):
                if not _is_hidden(each.filename):
                    yield each.filename, _pieces(archive, each)
    except OSError as error:
        raise UnusableFileError(f"can't be read: {error.strerror}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnusableFileError("a ZIP archive that is damaged or cut off") from None


def _check_list(path: Path) -> None:
    """Raise UnusableFileError for a list of files that would fill the memory."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _END_BYTES - _MOST_COMMENT, 0))
        tail = file.read()
    end = tail.rfind(_END)
    if end < 0:
        raise UnusableFileError("a ZIP archive that is damaged or cut off")
    if int.from_bytes(tail[end + 12 : end + 16], "little") > _MOST_LISTED:
        raise UnusableFileError("a ZIP archive of too many files: unpack it first")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    if member.flag_bits & _ENCRYPTED:
        raise UnusableFileError("packed with a password: unpack it first")
    if member.file_size > max(_LARGE, _MOST_RATIO * member.compress_size):
        ratio = member.file_size // max(member.compress_size, 1)
        raise UnusableFileError(
            f"unpacks to {ratio:,} times its size: unpack it first if it's logs"
        )
    try:
        stream = archive.open(member)
    except NotImplementedError:
        raise UnusableFileError("packed in a way that isn't known: unpack it first") from None
    except (zipfile.BadZipFile, OSError, RuntimeError):
        raise UnusableFileError("damaged in its ZIP archive") from None
    with stream:
        while True:
            try:
                piece = stream.read(CHUNK)
            except Exception as error:  # each packing raises its own of damaged data
                raise TornFileError(f"damaged ZIP data ({error})") from None
            if not piece:
                return
            yield piece
