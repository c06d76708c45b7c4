"""The folder of one run of the local Lambda, and what a dead run left behind.

A run holds a lock on a file in its folder for as long as it lives: a folder whose lock is free is
a dead one's, and its processes and control groups are ended with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS_FILE = "groups"


class RunDir:
    """A locked folder below the work folder, which says where its control groups are.

    Raises LocalError if it cannot be made.
    """

    def __init__(self, work_dir: Path, group_dirs: Iterable[Path]) -> None:
        name = uuid.uuid4().hex[:16]
        fresh = work_dir / f"new-{name}"
        try:
            fresh.mkdir(parents=True, mode=0o700)
            self._lock = os.open(fresh / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            (fresh / GROUPS_FILE).write_text("\n".join(map(str, group_dirs)), encoding="utf-8")
            self.path = fresh.rename(work_dir / f"run-{name}")
        except OSError as error:
            raise LocalError(
                f"cannot write to {work_dir} ({error.strerror}): name another work folder"
            ) from None

    def close(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def group_name(run_dir: Path, identity: str) -> str:
    """What the control groups of one environment are called: found again by the run's folder."""
    return f"tuner-{run_dir.name}-{identity}"


def clean_leftovers(work_dir: Path) -> int:
    """End and remove what dead runs left in the work folder: how many runs that were."""
    dead = [path for path in work_dir.glob("run-*") if _is_dead(path)]
    for run_dir in dead:
        identities = [path.name for path in run_dir.iterdir() if path.is_dir()]
        kill_processes_of(identities)
        tops = _lines(run_dir / GROUPS_FILE)
        groups = [path for top in tops for path in Path(top).glob(f"tuner-{run_dir.name}-*")]
        group_files.remove([str(path) for path in groups])
        shutil.rmtree(run_dir, ignore_errors=True)
    return len(dead)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split("\n")
    except OSError:
        return []


def _is_dead(run_dir: Path) -> bool:
    try:
        handle = os.open(run_dir / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return not (run_dir / "lock").exists()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def kill_processes_of(identities: list[str]) -> None:
    """Kill what was started in these environments, as its variables tell."""
    for pid in _processes_of(identities):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _processes_of(identities: list[str]) -> list[int]:
    """Their log stream's name ends in the environment's identity."""
    wanted = [f"]{identity}\0".encode() for identity in identities]
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            variables = path.read_bytes()
            if any(mark in variables for mark in wanted):
                found.append(int(path.parent.name))
    return found
