"""Reads and writes the files of control groups and of /proc. Light: the supervisor imports it."""

from __future__ import annotations

import os
import signal
import time


def write(path: str, text: str) -> None:
    """Write one value to a control file; raises the kernel's OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def read(path: str) -> str:
    """Read a control file in one call; raises OSError.

    A process's name may be any bytes: the kernel cuts it after 15, within a character too.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(handle, 65536).decode(errors="replace")
    finally:
        os.close(handle)


def read_or_none(path: str) -> str | None:
    """Read a control file, or return None if it can't be read."""
    try:
        return read(path)
    except OSError:
        return None


def table(text: str) -> dict[str, int]:
    """Parse lines of `name number`, as in memory.stat and memory.events."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def members(group: str) -> tuple[int, ...]:
    """Process ids in a group; empty if it is gone."""
    return tuple(int(line) for line in (read_or_none(f"{group}/cgroup.procs") or "").split())


def thaw(group: str) -> None:
    """Let a frozen group run, so that a kill takes effect (version 1 needs that)."""
    for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        if os.path.exists(f"{group}/{name}"):  # noqa: PTH110 (pathlib would double the supervisor's start)
            try:
                write(f"{group}/{name}", value)
            except OSError:
                return


def kill_members(groups: list[str], limit_s: float = 2.0) -> bool:
    """Kill every process in the groups until none is left; return whether that worked."""
    end = time.monotonic() + limit_s
    while True:
        pids = {pid for group in groups for pid in members(group)}
        if not pids:
            return True
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for group in groups:
            thaw(group)
        if time.monotonic() > end:
            return False
        time.sleep(0.001)


def remove(groups: list[str], limit_s: float = 2.0) -> bool:
    """Kill what is left and remove the groups; rmdir is busy until the last task is reaped."""
    end = time.monotonic() + limit_s
    kill_members(groups, limit_s)
    waiting = list(groups)
    while waiting and time.monotonic() < end:
        waiting = [group for group in waiting if not _removed(group)]
        if waiting:
            kill_members(waiting, 0.1)
            time.sleep(0.001)
    return not waiting


def _removed(group: str) -> bool:
    try:
        os.rmdir(group)  # noqa: PTH106 (pathlib would double the supervisor's start)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
