"""A folder that only its owner reads, removed at the end, or by the next run if there was none."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from tuner.errors import LocalError


def work_dir() -> Path:
    """Give this user's folder for all local runs, made with mode 0700 where it is missing.

    Raises LocalError if it cannot be made, or if the name is somebody else's.
    """
    path = Path(tempfile.gettempdir()).resolve() / f"tuner-local-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise LocalError(
            f"{path}: {error.strerror}; set TMPDIR to a folder that can be written to"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise LocalError(f"{path} belongs to somebody else: set TMPDIR to another folder")
    path.chmod(0o700)
    return path


class PrivateFolder:
    """A new folder below `parent`.

    It holds a locked file while its process lives: a folder whose lock can be taken was left
    behind by a process that was killed, and is removed here.
    """

    def __init__(self, parent: Path) -> None:
        _remove_left_behind(parent)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=parent))
        self._lock = os.open(fresh / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = fresh.rename(parent / fresh.name.replace("new-", "api-", 1))

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_left_behind(parent: Path) -> None:
    for folder in parent.glob("api-*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
