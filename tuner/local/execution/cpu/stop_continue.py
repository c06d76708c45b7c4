"""CPU share by stopping and continuing a tree on its measured CPU time, in windows of 20 ms.

Needs no privilege. It runs inside the warden, which is the parent of the tree.
"""

from __future__ import annotations

WINDOW_S = 0.020
MIN_LOOK_S = 0.000_5
"""Looking more often costs more than it gains."""
TYPE_CHECKING = False

if TYPE_CHECKING:
    from tuner.local.execution.cpu.process_tree import LinuxTree


class WindowCredit:
    """How much CPU time is left in this window. Pure: it is told the time and what was used.

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
        """Begin a new window if the last one is over; whether it was."""
        count = int((now_s - self._start_s) / WINDOW_S)
        if count < 1:
            return False
        spent = self._owed_s + used_s - self._used_s
        self._owed_s = max(0.0, spent - count * self.allowance_s)
        self._start_s += count * WINDOW_S
        self._used_s = used_s
        return True

    def left_s(self, used_s: float) -> float:
        """CPU time that may still be used in this window; not above zero: stop."""
        return self.allowance_s - self._owed_s - (used_s - self._used_s)


class StopContinue:
    """Keeps one tree at its share and under its memory limit, as long as it is run."""

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
        """Stop the tree until it is run again, and keep the peak."""
        self._credit = None
        self._tree.stop()
        self._stopped = True
        self.look_at_memory()

    def halt(self) -> None:
        """Watch no longer: the tree is being ended."""
        self._credit = None

    def look_at_memory(self) -> bool:
        """Keep the peak; whether the limit is exceeded."""
        size = self._tree.memory_bytes()
        self.peak_bytes = max(self.peak_bytes, size)
        return size > self._limit_bytes

    def step(self, now_s: float) -> tuple[float | None, bool]:
        """Do what is due: seconds to the next step (None: at rest), and if memory is out."""
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
