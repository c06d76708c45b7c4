"""Two sweeps of one function on this machine do not meet, nor a sweep and a recovery."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import LeaseError
from tuner.lease.journal import make_private_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.lease.journal import JournalHeader


@contextmanager
def function_lock(state_dir: Path, header: JournalHeader) -> Iterator[None]:
    """Hold the lock of a function (by region, name and a digest of account and endpoint).

    The kernel frees it however the process ends; the file stays, since removing a locked file
    would let two holders in. Raises LeaseError if another process holds it.
    """
    function = header.function
    name = f"{function.region}.{function.name}.{header.function_digest[:12]}"
    path = state_dir / "locks" / (re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".lock")
    try:
        make_private_dir(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LeaseError(f"the lock {path} cannot be made ({error.strerror})") from error
    try:
        _take(descriptor, function.name)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, name: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise LeaseError(
            f"another sweep (or recovery) of {name} is running on this machine: wait for its "
            "end, or stop it"
        ) from error
