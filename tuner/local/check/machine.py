"""What the machine itself tells: a bare loop's share of a core, steal, the load of others."""

from __future__ import annotations

import hashlib
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 1 << 18
PROC_STAT = Path("/proc/stat")
TICKS_PER_S = 100.0
"""USER_HZ: what /proc/stat counts in, whatever the kernel's own tick."""


def bare_share(cpu_s: float, loop_count: int = 1) -> float:
    """CPU time over wall time of loops in this process, which nothing limits: 1 on free cores."""
    threads = [threading.Thread(target=_compute, args=(cpu_s,)) for _ in range(loop_count)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cpu_s / (time.perf_counter() - begin)


def _compute(cpu_s: float) -> None:
    """Use so much CPU time of this thread, outside the interpreter's lock."""
    block, end = bytes(BLOCK_BYTES), time.thread_time() + cpu_s
    while time.thread_time() < end:
        hashlib.sha256(block).digest()


@dataclass(frozen=True, slots=True)
class MachineClock:
    """CPU seconds of the whole machine so far, as /proc/stat has them, and this process's own."""

    total_s: float
    busy_s: float
    steal_s: float
    own_s: float


def read_machine_clock(stat: Path = PROC_STAT) -> MachineClock | None:
    """Read it; None where there is no /proc/stat (macOS)."""
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
