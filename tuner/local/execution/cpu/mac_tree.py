"""A process tree on macOS, through libproc.

Written from the headers (libproc.h, sys/resource.h); the tests run it on Linux with a library that
has their functions. macOS has no subreaper, so a double-forked process leaves the tree, and the
time of short-lived children is lost.
"""

from __future__ import annotations

import ctypes
import ctypes.util

from tuner.local.execution.cpu.process_tree import LinuxTree

RUSAGE_INFO_V4 = 4
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
        ("cpu_time_qos", ctypes.c_uint64 * 7),
        ("billed_and_serviced_time", ctypes.c_uint64 * 2),
        ("logical_writes", ctypes.c_uint64),
        ("lifetime_max_phys_footprint", ctypes.c_uint64),
        ("instructions_and_energy", ctypes.c_uint64 * 4),
        ("interval_max_phys_footprint", ctypes.c_uint64),
        ("runnable_time", ctypes.c_uint64),
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
        self._tick_s: float = base.numer / base.denom / 1e9

    def memory_bytes(self) -> int:
        """Physical footprint of all members as of the last scan."""
        usages = [self._usage(pid) for pid in self.pids]
        held = sum(int(usage.phys_footprint) for usage in usages)
        if len(usages) != 1:
            return held
        # A single process has a high-water mark besides: it tells of spikes between two looks.
        (pid,), mark = self.pids, int(usages[0].lifetime_max_phys_footprint)
        (last_pid, last_mark, _), self._marks = self._marks, (pid, mark, 0)
        return max(held, mark) if pid == last_pid and mark > last_mark else held

    def _children(self, pid: int) -> list[int]:
        buffer = (ctypes.c_int * MAX_CHILDREN)()
        count = self._lib.proc_listchildpids(pid, buffer, ctypes.sizeof(buffer))
        return list(buffer[: max(0, min(count, MAX_CHILDREN))])

    def _clock_s(self, pid: int) -> float:
        usage = self._usage(pid)
        return (int(usage.user_time) + int(usage.system_time)) * self._tick_s

    def _waited_for_s(self, _pid: int) -> float:
        return 0.0  # nothing tells it

    def _usage(self, pid: int) -> _Usage:
        usage = _Usage()
        if self._lib.proc_pid_rusage(pid, RUSAGE_INFO_V4, ctypes.byref(usage)) != 0:
            return _Usage()
        return usage
