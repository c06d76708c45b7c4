"""What a control group does for one execution environment."""

from __future__ import annotations

from typing import Protocol

WINDOW_US = 20_000
"""Lambda enforces its CPU quota in windows of about 20 ms."""
MIN_QUOTA_US = 1_000
"""The kernel takes no smaller one."""


class ControlGroup(Protocol):
    """One execution environment's CPU quota, memory limit and freezer."""

    @property
    def directories(self) -> tuple[str, ...]:
        """Every directory: a process joins through their `cgroup.procs`."""

    @property
    def peak_bytes(self) -> int:
        """Highest anonymous and shared memory seen so far."""

    def create(self, memory_mb: int) -> None:
        """Make the directories and set the memory limit; raises OSError."""

    def set_cores(self, cores: float) -> None:
        """Give this much CPU in every window of 20 ms."""

    def pause(self) -> None:
        """Freeze the tree: an idle environment uses no CPU."""

    def resume(self) -> None:
        """Let the tree run."""

    def sample(self) -> bool:
        """Look at the memory, keep the peak; whether the kernel has killed for memory."""

    def close(self) -> None:
        """Close the files that are kept open; the directories stay."""


def quota_us(cores: float) -> int:
    """CPU time for one window, in microseconds."""
    return max(MIN_QUOTA_US, round(cores * WINDOW_US))
