"""What other processes take of this machine while handlers run, told to whoever invokes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.local.check.machine import TICKS_PER_S, MachineClock, read_machine_clock

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER: Final = "X-Tuner-Host-Load"
"""Of a reply: the part of all cores' time that others had lately while handlers ran, 0 to 1."""
LEAST_S: Final = 0.6
"""So much of all cores' time is looked at for one figure: the clock ticks in 10 ms."""


class HostLoad:
    """Adds up what others take while invocations run. Thread-safe."""

    def __init__(
        self,
        read: Callable[[], MachineClock | None] = read_machine_clock,
        own_s: Callable[[], float] | None = None,
    ) -> None:
        """`own_s` gives the CPU seconds of the endpoint and all below it."""
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


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and all below it, those that ended and were waited for too."""
    total, ahead = 0.0, [str(pid)]
    while ahead:
        folder = Path("/proc", ahead.pop())
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            for task in (folder / "task").iterdir():
                ahead += (task / "children").read_text().split()
        except OSError:  # it has just ended
            continue
        total += sum(map(int, fields[11:15])) / TICKS_PER_S
    return total
