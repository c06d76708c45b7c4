"""Writes a file in full or not at all: whatever goes wrong, no reader sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(file: Path, data: bytes, *, new_mode: int | None = None) -> None:
    """Write beside it, then replace: if the disk is full, the old file stays.

    A link stays a link, and a file keeps its mode; a new one gets `new_mode`, by default what the
    umask allows. Raises OSError.
    """
    place = file.resolve()
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}-")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        beside.chmod(_mode_of(place, new_mode))
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _mode_of(place: Path, new_mode: int | None) -> int:
    if place.exists():
        return place.stat().st_mode & 0o777
    if new_mode is not None:
        return new_mode
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
