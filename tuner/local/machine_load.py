"""How busy and how fast this machine is: a bare loop's share of a core, steal, the load of other
processes, the time of a fixed loop.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuner.local.execution.cpu.process_tree import children_of, stat_fields

LOAD_HEADER: Final = "X-Tuner-Host-Load"
"""In a reply: the share of all cores' time that others had lately while handlers ran, 0 to 1."""
LOOP_HEADER: Final = "X-Tuner-Host-Loop-Ms"
"""In a reply: CPU time in ms of a fixed loop, just before or just after, whichever was faster."""
LOOP_STEPS: Final = 3000
LOOP_TRIES: Final = 3
"""The fastest of so many loops counts, of 0.1 to 0.3 ms each: the first wakes the core up."""
LEAST_S: Final = 0.6
"""The least amount of all cores' time behind one figure: the clock ticks every 10 ms."""
BLOCK_BYTES: Final = 1 << 18
PROC_STAT: Final = Path("/proc/stat")
TICKS_PER_S: Final = 100.0
"""USER_HZ: what /proc/stat counts in, whatever the kernel's own tick."""


def bare_share(cpu_s: float, loop_count: int = 1) -> float:
    """CPU time over wall time of loops in this process, without any limit: 1 on free cores."""
    threads = [threading.Thread(target=_compute, args=(cpu_s,)) for _ in range(loop_count)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cpu_s / (time.perf_counter() - begin)


def _compute(cpu_s: float) -> None:
    """Use this much CPU time in this thread, outside the interpreter's lock."""
    block, end = bytes(BLOCK_BYTES), time.thread_time() + cpu_s
    while time.thread_time() < end:
        hashlib.sha256(block).digest()


@dataclass(frozen=True, slots=True)
class MachineClock:
    """CPU seconds of the whole machine so far, from /proc/stat, and this process's own."""

    total_s: float
    busy_s: float
    steal_s: float
    own_s: float


def read_machine_clock(stat: Path = PROC_STAT) -> MachineClock | None:
    """Read it; None without /proc/stat (macOS)."""
    try:
        first = stat.read_text(encoding="ascii").split("\n", 1)[0]
    except OSError:
        return None
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(field) / TICKS_PER_S for field in first.split()[1:9]
    )
    busy = user + nice + system + irq + softirq
    own = sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    return MachineClock(busy + idle + iowait + steal, busy, steal, own)


def ratios_between(
    begin: MachineClock | None, end: MachineClock | None
) -> tuple[float | None, float | None]:
    """Steal, and the load of other processes, over all cores' time between two readings."""
    if begin is None or end is None or end.total_s <= begin.total_s:
        return None, None
    total = end.total_s - begin.total_s
    foreign = (end.busy_s - begin.busy_s) - (end.own_s - begin.own_s)
    return (end.steal_s - begin.steal_s) / total, max(0.0, foreign / total)


class HostLoad:
    """Adds up what others take while invocations run. Thread-safe."""

    def __init__(
        self,
        read: Callable[[], MachineClock | None] = read_machine_clock,
        own_s: Callable[[], float] | None = None,
    ) -> None:
        """`own_s` returns the CPU seconds of the endpoint and everything below it."""
        self._read = read
        self._own_s = own_s or (lambda: tree_cpu_s(os.getpid()))
        self._lock = threading.Lock()
        self._running_count = 0
        self._begin: tuple[MachineClock, float] | None = None
        self._total_s = 0.0
        self._others_s = 0.0
        self._ratio: float | None = None

    def begin(self) -> None:
        """An invocation begins."""
        with self._lock:
            if self._running_count == 0:
                self._begin = self._look()
            self._running_count += 1

    def end(self) -> float | None:
        """An invocation has ended: what others took lately, 0 to 1; None: not known yet."""
        with self._lock:
            self._running_count -= 1
            begin, end = self._begin, self._look()
            if begin is None or end is None:
                return None
            (then, own_then), (now, own_now) = begin, end
            self._begin = end
            used_s = now.busy_s - then.busy_s + now.steal_s - then.steal_s
            self._total_s += now.total_s - then.total_s
            self._others_s += used_s - (own_now - own_then)
            if self._total_s >= LEAST_S:
                self._ratio = min(1.0, max(0.0, self._others_s / self._total_s))
                self._total_s = self._others_s = 0.0
            return self._ratio

    def _look(self) -> tuple[MachineClock, float] | None:
        clock = self._read()
        return None if clock is None else (clock, self._own_s())


@contextlib.contextmanager
def watched(load: HostLoad | None) -> Iterator[list[tuple[str, str]]]:
    """The headers that say how busy and how fast this machine was inside the block; none without a
    `load`. Filled in once the block ends.
    """
    told: list[tuple[str, str]] = []
    if load is None:
        yield told
        return
    load.begin()
    before_ms = loop_ms()
    try:
        yield told
    finally:
        ratio = load.end()
    told.append((LOOP_HEADER, f"{min(before_ms, loop_ms()):.4f}"))
    if ratio is not None:
        told.append((LOAD_HEADER, f"{ratio:.2f}"))


def loop_ms() -> float:
    """CPU time of a fixed loop in this thread, in milliseconds: the same work every time."""
    return min(_loop_ns() for _ in range(LOOP_TRIES)) / 1e6


def _loop_ns() -> int:
    begin, total = time.thread_time_ns(), 0
    for step in range(LOOP_STEPS):
        total += step * step
    return time.thread_time_ns() - begin


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and everything below it, including ended and reaped ones."""
    total, ahead = 0.0, [pid]
    while ahead:
        each = ahead.pop()
        ahead += children_of(each)
        total += sum(map(int, stat_fields(each)[11:15])) / TICKS_PER_S
    return total
