"""Control groups, version 2: cpu.max, memory.max and cgroup.freeze of one directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.group import WINDOW_US, quota_us
from tuner.local.execution.memory import BYTES_PER_MB, MemoryPeak, MemorySample

if TYPE_CHECKING:
    from pathlib import Path


class CgroupV2:
    """One group of version 2.

    Its peak is sampled only: `memory.peak` counts page cache and can be reset in kernels since
    6.12 alone.
    """

    def __init__(self, parent: Path, name: str) -> None:
        self._path = parent / name
        self._peak = MemoryPeak()
        self._cores: float | None = None

    @property
    def directories(self) -> tuple[str, ...]:
        """The one directory."""
        return (str(self._path),)

    @property
    def peak_bytes(self) -> int:
        """Highest anonymous and shared memory seen so far."""
        return self._peak.peak_bytes

    def create(self, memory_mb: int) -> None:
        """Make the directory, set the limit: no swap, and an excess ends all."""
        self._path.mkdir(exist_ok=True)
        group_files.write(f"{self._path}/memory.max", str(memory_mb * BYTES_PER_MB))
        for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            if (self._path / name).exists():
                group_files.write(f"{self._path}/{name}", value)

    def set_cores(self, cores: float) -> None:
        """Give this much CPU in every window."""
        if cores != self._cores:
            group_files.write(f"{self._path}/cpu.max", f"{quota_us(cores)} {WINDOW_US}")
            self._cores = cores

    def pause(self) -> None:
        """Freeze the tree."""
        self._freeze("1")

    def resume(self) -> None:
        """Thaw the tree."""
        self._freeze("0")

    def sample(self) -> bool:
        """Keep the peak; whether the kernel has killed a process of the group for memory."""
        stat = group_files.table(group_files.read(f"{self._path}/memory.stat"))
        usage = int(group_files.read(f"{self._path}/memory.current"))
        self._peak.take(MemorySample(usage, stat["anon"] + stat["shmem"]))
        events = group_files.table(group_files.read(f"{self._path}/memory.events"))
        return events.get("oom_kill", 0) > 0

    def close(self) -> None:
        """Nothing is kept open."""

    def _freeze(self, value: str) -> None:
        if (self._path / "cgroup.freeze").exists():
            group_files.write(f"{self._path}/cgroup.freeze", value)
