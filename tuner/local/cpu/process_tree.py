"""A process tree as seen from its warden: who is in it, its CPU time and its memory.

The warden is the subreaper of its tree on Linux, so whoever is orphaned comes back to it, and the
CPU time of those who are gone is in their parents' or in the warden's own records.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
CPUCLOCK_SCHED = 2
"""Kernel ABI: the scheduler's clock of a process is clock id (~pid << 3) | 2."""


class LinuxTree:
    """Descendants of one process, through /proc."""

    def __init__(self, root_pid: int) -> None:
        self._root = root_pid
        self._gone_s = 0.0
        self._waited_s = 0.0
        self._total_s = 0.0
        self.pids: tuple[int, ...] = ()

    def scan(self) -> tuple[int, ...]:
        """Find all descendants anew, and the CPU time of children that they have waited for."""
        found: list[int] = []
        pending = [self._root]
        while pending:
            children = _children(pending.pop())
            found += children
            pending += children
        self.pids = tuple(found)
        self._waited_s = sum(_waited_for_s(pid) for pid in found)
        return self.pids

    def reaped(self, cpu_s: float) -> None:
        """Take the whole CPU time of a child that the warden has waited for."""
        self._gone_s += cpu_s

    def cpu_s(self) -> float:
        """CPU time of the tree so far. It never falls: records move with a tick's rounding."""
        alive = sum(_clock_s(pid) for pid in self.pids)
        self._total_s = max(self._total_s, alive + self._waited_s + self._gone_s)
        return self._total_s

    def memory_bytes(self) -> int:
        """Anonymous and shared memory of all members as of the last scan."""
        if len(self.pids) == 1:
            return _resident_bytes(self.pids[0])
        return sum(_proportional_bytes(pid) for pid in self.pids)

    def stop(self) -> None:
        """Stop every member; again as long as one was born meanwhile."""
        stopped: set[int] = set()
        while fresh := set(self.scan()) - stopped:
            for pid in fresh:
                _signal(pid, signal.SIGSTOP)
            stopped |= fresh

    def resume(self) -> None:
        """Let every member run that the last scan saw: a stopped tree bears no others."""
        for pid in self.pids:
            _signal(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill every member once."""
        for pid in self.scan():
            _signal(pid, signal.SIGKILL)


def make_tree(root_pid: int) -> LinuxTree:
    """The tree of this platform."""
    if sys.platform == "darwin":
        from tuner.local.cpu.mac_tree import MacTree  # noqa: PLC0415 (loads libproc)

        return MacTree(root_pid)
    return LinuxTree(root_pid)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _text(path: str) -> str:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(handle, 65536).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(handle)


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (pathlib would double the warden's start)
    except OSError:
        return []
    lists = [_text(f"/proc/{pid}/task/{thread}/children") for thread in threads]
    return [int(child) for text in lists for child in text.split()]


def _clock_s(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def _waited_for_s(pid: int) -> float:
    """User and system time of waited-for children: fields 16 and 17 of /proc/PID/stat."""
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK_S if len(fields) > 14 else 0.0


def _field_bytes(text: str, names: tuple[str, ...]) -> int:
    rows = (line.split() for line in text.splitlines())
    return sum(int(row[1]) for row in rows if len(row) > 1 and row[0] in names) * 1024


def _resident_bytes(pid: int) -> int:
    return _field_bytes(_text(f"/proc/{pid}/status"), ("RssAnon:", "RssShmem:"))


def _proportional_bytes(pid: int) -> int:
    """Shared pages count once over the tree: forked children share much with their parent."""
    text = _text(f"/proc/{pid}/smaps_rollup")
    return _field_bytes(text, ("Pss_Anon:", "Pss_Shmem:")) or _resident_bytes(pid)
