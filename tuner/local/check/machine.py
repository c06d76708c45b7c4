"""What the machine itself tells: a bare loop's share of a core, steal, the load of others."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

PROC_STAT = Path("/proc/stat")
TICKS_PER_S = 100.0
"""USER_HZ: what /proc/stat counts in, whatever the kernel's own tick."""


def bare_share(cpu_s: float) -> float:
    """CPU time over wall time of a loop in this process, which nothing limits: 1 on a free core."""
    begin, end = time.perf_counter(), time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass
    return cpu_s / (time.perf_counter() - begin)


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
