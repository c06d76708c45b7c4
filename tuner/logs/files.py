"""Finds the files of an archive."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import InputError
from tuner.logs.unpacked import UnusableFileError, pieces_of, unpacked_text
from tuner.logs.zip_archive import is_zip, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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


def parts_of(file: LogFile) -> Iterator[Part]:
    """The file itself, or the files of a ZIP archive. Raises UnusableFileError for an archive that
    can't be read.
    """
    if not is_zip(file.path):
        yield Part(str(file.path), file.within, _read_text(file))
        return
    for name, pieces in members(file.path):
        yield Part(f"{file.path}/{name}", f"{file.within}/{name}", unpacked_text(pieces))


def _read_text(file: LogFile) -> Iterator[str]:
    try:
        with file.path.open("rb") as stream:
            yield from unpacked_text(pieces_of(stream))
    except OSError as error:
        raise UnusableFileError(f"can't be read: {error.strerror}") from None
