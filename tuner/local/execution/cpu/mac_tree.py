"""A process tree on macOS, through libproc.

Written to the headers (sys/proc_info.h, sys/resource.h) and not run yet: macOS has no subreaper, so
a double-forked process leaves the tree, and the time of short children is lost.
"""

from __future__ import annotations

import ctypes
import ctypes.util

from tuner.local.execution.cpu.process_tree import LinuxTree

RUSAGE_INFO_V2 = 2
MAX_CHILDREN = 1024


class _Usage(ctypes.Structure):
    _fields_ = (
        ("uuid", ctypes.c_uint8 * 16),
        ("user_time", ctypes.c_uint64),
        ("system_time", ctypes.c_uint64),
        ("pkg_idle_wkups", ctypes.c_uint64),
        ("interrupt_wkups", ctypes.c_uint64),
        ("pageins", ctypes.c_uint64),
        ("wired_size", ctypes.c_uint64),
        ("resident_size", ctypes.c_uint64),
        ("phys_footprint", ctypes.c_uint64),
        ("proc_start_abstime", ctypes.c_uint64),
        ("proc_exit_abstime", ctypes.c_uint64),
        ("child_times", ctypes.c_uint64 * 6),
        ("diskio", ctypes.c_uint64 * 2),
    )


class _Timebase(ctypes.Structure):
    _fields_ = (("numer", ctypes.c_uint32), ("denom", ctypes.c_uint32))


class MacTree(LinuxTree):
    """Descendants of one process; memory is the physical footprint."""

    def __init__(self, root_pid: int) -> None:
        super().__init__(root_pid)
        self._lib = ctypes.CDLL(ctypes.util.find_library("proc") or "libproc.dylib")
        base = _Timebase()
        ctypes.CDLL(None).mach_timebase_info(ctypes.byref(base))
        self._tick_s = base.numer / base.denom / 1e9

    def scan(self) -> tuple[int, ...]:
        """Find all descendants anew."""
        found: list[int] = []
        pending = [self._root]
        while pending:
            children = self._children(pending.pop())
            found += children
            pending += children
        self.pids = tuple(found)
        return self.pids

    def cpu_s(self) -> float:
        """CPU time of the tree so far."""
        usages = [self._usage(pid) for pid in self.pids]
        alive = sum(one.user_time + one.system_time for one in usages) * self._tick_s
        self._total_s = max(self._total_s, alive + self._gone_s)
        return self._total_s

    def memory_bytes(self) -> int:
        """Physical footprint of all members as of the last scan."""
        return sum(self._usage(pid).phys_footprint for pid in self.pids)

    def _children(self, pid: int) -> list[int]:
        buffer = (ctypes.c_int * MAX_CHILDREN)()
        count = self._lib.proc_listchildpids(pid, buffer, ctypes.sizeof(buffer))
        return list(buffer[: max(0, min(count, MAX_CHILDREN))])

    def _usage(self, pid: int) -> _Usage:
        usage = _Usage()
        if self._lib.proc_pid_rusage(pid, RUSAGE_INFO_V2, ctypes.byref(usage)) != 0:
            return _Usage()
        return usage
