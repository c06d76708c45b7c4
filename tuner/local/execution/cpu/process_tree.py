"""A process tree as its supervisor sees it: its members, its CPU time and its memory.

The supervisor is the subreaper of its tree on Linux, so orphans return to it, and the CPU time of
ended processes is in their parents' or in the supervisor's own records.

Without control groups, the tree keeps to its CPU share by being stopped and continued on its
measured CPU time, in windows of 20 ms; that needs no privileges.
"""

from __future__ import annotations

import os
import signal
import time

from tuner.local.execution.cpu import group_files

TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
CPUCLOCK_SCHED = 2
"""Kernel ABI: a process's scheduler clock has clock id (~pid << 3) | 2."""


WINDOW_S = 0.020
MIN_LOOK_S = 0.000_5
"""Looking more often costs more than it gains."""


class LinuxTree:
    """Descendants of one process, through /proc."""

    def __init__(self, root_pid: int) -> None:
        self._root = root_pid
        self._gone_s = 0.0
        self._waited_s = 0.0
        self._total_s = 0.0
        self._marks = (0, 0, 0)
        self.pids: tuple[int, ...] = ()

    def scan(self) -> tuple[int, ...]:
        """Find all descendants again, and the CPU time of children that they have waited for."""
        found: list[int] = []
        pending = [self._root]
        while pending:
            children = self._children(pending.pop())
            found += children
            pending += children
        self.pids = tuple(found)
        self._waited_s = sum(map(self._waited_for_s, found))
        return self.pids

    def reaped(self, cpu_s: float) -> None:
        """Add the whole CPU time of a child that the supervisor has waited for."""
        self._gone_s += cpu_s

    def cpu_s(self) -> float:
        """CPU time of the tree so far. It never falls: records change by a tick's rounding."""
        alive = sum(map(self._clock_s, self.pids))
        self._total_s = max(self._total_s, alive + self._waited_s + self._gone_s)
        return self._total_s

    def memory_bytes(self) -> int:
        """Anonymous and shared memory of all members as of the last scan."""
        if len(self.pids) == 1:
            return self._single_bytes(self.pids[0])
        return sum(_proportional_bytes(pid) for pid in self.pids)

    def _children(self, pid: int) -> list[int]:
        return children_of(pid)

    def _clock_s(self, pid: int) -> float:
        try:
            return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
        except OSError:
            return 0.0

    def _waited_for_s(self, pid: int) -> float:
        """User and system time of waited-for children: fields 16 and 17 of /proc/PID/stat."""
        fields = stat_fields(pid)
        return (int(fields[13]) + int(fields[14])) * TICK_S if len(fields) > 14 else 0.0

    def _single_bytes(self, pid: int) -> int:
        """A single process also has a high-water mark, which shows spikes between two looks."""
        rows = _status_bytes(pid)
        held = rows.get("RssAnon:", 0) + rows.get("RssShmem:", 0)
        mark, files = rows.get("VmHWM:", 0), rows.get("RssFile:", 0)
        last_pid, last_mark, last_files = self._marks
        self._marks = (pid, mark, files)
        if pid != last_pid or mark <= last_mark:
            return held
        return max(held, mark - max(files, last_files))

    def stop(self) -> None:
        """Stop every member, again as long as new ones are born."""
        stopped: set[int] = set()
        while fresh := set(self.scan()) - stopped:
            for pid in fresh:
                _signal(pid, signal.SIGSTOP)
            stopped |= fresh

    def resume(self) -> None:
        """Let every member from the last scan run: a stopped tree has no new ones."""
        for pid in self.pids:
            _signal(pid, signal.SIGCONT)

    def bind(self, cpus: tuple[int, ...]) -> None:
        """Let every thread of every member run on these cores only."""
        for pid in self.scan():
            for thread in _threads(pid):
                try:
                    os.sched_setaffinity(thread, cpus)
                except OSError:
                    continue

    def kill(self) -> None:
        """Kill every member once."""
        for pid in self.scan():
            _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _text(path: str) -> str:
    return group_files.read_or_none(path) or ""


def _threads(pid: int) -> list[int]:
    try:
        names = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (pathlib would double the supervisor's start)
    except OSError:
        return []
    return [int(name) for name in names]


def children_of(pid: int) -> list[int]:
    """The children of all threads; empty if the process is gone."""
    lists = [_text(f"/proc/{pid}/task/{thread}/children") for thread in _threads(pid)]
    return [int(child) for text in lists for child in text.split()]


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (its state); empty if the process is gone."""
    return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _table_bytes(text: str) -> dict[str, int]:
    """Rows of `Name: SIZE kB`, as in status and smaps_rollup."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) * 1024 for row in rows if len(row) == 3 and row[2] == "kB"}


def _status_bytes(pid: int) -> dict[str, int]:
    return _table_bytes(_text(f"/proc/{pid}/status"))


def _proportional_bytes(pid: int) -> int:
    """Shared pages count once over the tree: forked children share much with their parent."""
    rows = _table_bytes(_text(f"/proc/{pid}/smaps_rollup"))
    if "Pss_Anon:" not in rows:
        rows = _status_bytes(pid)
        return rows.get("RssAnon:", 0) + rows.get("RssShmem:", 0)
    return rows["Pss_Anon:"] + rows.get("Pss_Shmem:", 0)


class WindowCredit:
    """How much CPU time is left in this window. Pure: it's told the time and the usage.

    As with the kernel's quota, what a window leaves unused is lost, and what it overspends is owed.
    """

    def __init__(self, cores: float, now_s: float, used_s: float) -> None:
        self.allowance_s = cores * WINDOW_S
        self._start_s = now_s
        self._used_s = used_s
        self._owed_s = 0.0

    def end_s(self) -> float:
        """When the window ends."""
        return self._start_s + WINDOW_S

    def enter_window(self, now_s: float, used_s: float) -> bool:
        """Begin a new window if the last one is over; return whether it was."""
        count = int((now_s - self._start_s) / WINDOW_S)
        if count < 1:
            return False
        spent = self._owed_s + used_s - self._used_s
        self._owed_s = max(0.0, spent - count * self.allowance_s)
        self._start_s += count * WINDOW_S
        self._used_s = used_s
        return True

    def left_s(self, used_s: float) -> float:
        """CPU time that may still be used in this window; if not above zero: stop."""
        return self.allowance_s - self._owed_s - (used_s - self._used_s)


class StopContinue:
    """Keeps one tree at its share and under its memory limit, as long as it's run."""

    def __init__(self, tree: LinuxTree, memory_limit_bytes: int, core_count: int) -> None:
        self._tree = tree
        self._limit_bytes = memory_limit_bytes
        self._core_count = core_count
        self._credit: WindowCredit | None = None
        self._stopped = False
        self.peak_bytes = 0

    def run(self, cores: float, now_s: float) -> None:
        """Let the tree run at a share from now on."""
        self._tree.resume()
        self._stopped = False
        self._credit = WindowCredit(cores, now_s, self._tree.cpu_s())

    def rest(self) -> None:
        """Stop the tree until it's run again, and keep the peak."""
        self._credit = None
        self._tree.stop()
        self._stopped = True
        self.look_at_memory()

    def halt(self) -> None:
        """Stop watching: the tree is being ended."""
        self._credit = None

    def look_at_memory(self) -> bool:
        """Keep the peak; return whether the limit is exceeded."""
        size = self._tree.memory_bytes()
        self.peak_bytes = max(self.peak_bytes, size)
        return size > self._limit_bytes

    def step(self, now_s: float) -> tuple[float | None, bool]:
        """Do what is due; return seconds to the next step (None: at rest), and if memory
        ran out.
        """
        if self._credit is None:
            return None, False
        exceeded = False
        if now_s >= self._credit.end_s():
            self._tree.scan()
            exceeded = self.look_at_memory()
        used = self._tree.cpu_s()
        self._credit.enter_window(now_s, used)
        return self._follow(self._credit.left_s(used), self._credit.end_s() - now_s), exceeded

    def _follow(self, left_s: float, window_left_s: float) -> float:
        if left_s <= 0:
            if not self._stopped:
                self._tree.stop()
                self._stopped = True
            return max(0.0, window_left_s)
        if self._stopped:
            self._tree.resume()
            self._stopped = False
        return min(max(0.0, window_left_s), max(MIN_LOOK_S, left_s / self._core_count))
