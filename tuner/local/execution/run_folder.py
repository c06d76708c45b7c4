"""Folders of one run of the local Lambda, and what dead runs left behind.

A run holds a lock on a file in its folders as long as it lives: a folder whose lock is free belongs
to a dead run. With its environments' folder, its processes and control groups are ended, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import uuid
from pathlib import Path

from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files

GROUPS_FILE = "groups"


def user_work_dir() -> Path:
    """Return this user's folder for all local runs, created with mode 0700 if missing.

    Raises LocalError if it can't be created, or belongs to somebody else.
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


class RunFolder:
    """A new folder KIND-… below `parent`, locked until it's closed, with a file of `groups`.

    Raises LocalError if it can't be created.
    """

    def __init__(self, parent: Path, kind: str, *, groups: str = "") -> None:
        name = uuid.uuid4().hex[:16]
        fresh = parent / f"new-{name}"
        try:
            fresh.mkdir(parents=True, mode=0o700)
            self._lock = os.open(fresh / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            (fresh / GROUPS_FILE).write_text(groups, encoding="utf-8")
            self.path = fresh.rename(parent / f"{kind}-{name}")
        except OSError as error:
            raise LocalError(
                f"can't write to {parent} ({error.strerror}): name another work folder"
            ) from None

    def close(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _is_dead(folder: Path) -> bool:
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return not (folder / "lock").exists()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def group_name(run_dir: Path, identity: str) -> str:
    """The name of one environment's control groups, by which the run's folder finds them."""
    return f"tuner-{run_dir.name}-{identity}"


def clean_leftovers(parent: Path, kind: str) -> int:
    """End and remove what dead runs left in folders of a kind; return how many there were."""
    dead = [path for path in parent.glob(f"{kind}-*") if _is_dead(path)]
    for run_dir in dead:
        try:
            identities = [path.name for path in run_dir.iterdir() if path.is_dir()]
        except FileNotFoundError:  # another run removed it meanwhile
            continue
        kill_processes_of(identities)
        tops = (group_files.read_or_none(str(run_dir / GROUPS_FILE)) or "").split("\n")
        groups = [path for top in tops if top for path in Path(top).glob(f"tuner-{run_dir.name}-*")]
        group_files.remove([str(path) for path in groups])
        shutil.rmtree(run_dir, ignore_errors=True)
    return len(dead)


def kill_processes_of(identities: list[str]) -> None:
    """Kill what was started in these environments: its log stream's name ends in the identity."""
    wanted = [f"]{identity}\0".encode() for identity in identities]
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (path / "environ").read_bytes()
            if any(mark in variables for mark in wanted):
                os.kill(int(path.name), signal.SIGKILL)
