"""Control groups, version 1: cpu, memory and (if it is there) freezer hierarchies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.group import WINDOW_US, quota_us
from tuner.local.execution.memory import BYTES_PER_MB, MemoryPeak, MemorySample
from tuner.local.execution.resident import ResidentBound


@dataclass(frozen=True, slots=True)
class V1Parents:
    """The directories under which groups may be made."""

    cpu: Path
    memory: Path
    freezer: Path | None = None


class CgroupV1:
    """One group of version 1. Its files are kept open, for a sample takes a few of them."""

    def __init__(self, parents: V1Parents, name: str) -> None:
        self._cpu = parents.cpu / name
        self._memory = parents.memory / name
        self._freezer = parents.freezer / name if parents.freezer else None
        self._peak = MemoryPeak()
        self._bound = ResidentBound()
        self._files: dict[tuple[str, int], int] = {}
        self._cores: float | None = None

    @property
    def directories(self) -> tuple[str, ...]:
        """Every directory of the group, each once (controllers may be mounted together)."""
        found = (str(path) for path in (self._cpu, self._memory, self._freezer) if path)
        return tuple(dict.fromkeys(found))

    @property
    def peak_bytes(self) -> int:
        """Highest anonymous and shared memory seen so far."""
        return self._peak.peak_bytes

    def create(self, memory_mb: int) -> None:
        """Make the directories and set the memory limit (with swap, where it is counted)."""
        for directory in self.directories:
            Path(directory).mkdir(exist_ok=True)
        limit = str(memory_mb * BYTES_PER_MB)
        group_files.write(f"{self._memory}/memory.limit_in_bytes", limit)
        with_swap = self._memory / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            group_files.write(str(with_swap), limit)
        group_files.write(f"{self._cpu}/cpu.cfs_period_us", str(WINDOW_US))

    def set_cores(self, cores: float) -> None:
        """Give this much CPU in every window."""
        if cores != self._cores:
            group_files.write(f"{self._cpu}/cpu.cfs_quota_us", str(quota_us(cores)))
            self._cores = cores

    def pause(self) -> None:
        """Freeze the tree, where there is a freezer."""
        if self._freezer:
            self._put(f"{self._freezer}/freezer.state", b"FROZEN")

    def resume(self) -> None:
        """Thaw the tree."""
        if self._freezer:
            self._put(f"{self._freezer}/freezer.state", b"THAWED")

    def sample(self) -> bool:
        """Keep the peak; whether the kernel has killed a process of the group for memory."""
        mark = int(self._get("memory.max_usage_in_bytes"))
        self._put(f"{self._memory}/memory.max_usage_in_bytes", b"0")
        stat = group_files.table(self._get("memory.stat"))
        usage = int(self._get("memory.usage_in_bytes"))
        sample = MemorySample(usage, stat["total_rss"] + stat["total_shmem"])
        self._peak.take(sample, mark, self._look_at_members)
        return group_files.table(self._get("memory.oom_control")).get("oom_kill", 0) > 0

    def _look_at_members(self) -> int | None:
        return self._bound.look(group_files.members(str(self._memory)))

    def close(self) -> None:
        """Close the files."""
        for handle in self._files.values():
            os.close(handle)
        self._files.clear()

    def _handle(self, path: str, flags: int) -> int:
        key = (path, flags)
        if key not in self._files:
            self._files[key] = os.open(path, flags | os.O_CLOEXEC)
        return self._files[key]

    def _get(self, name: str) -> str:
        return os.pread(self._handle(f"{self._memory}/{name}", os.O_RDONLY), 65536, 0).decode()

    def _put(self, path: str, value: bytes) -> None:
        os.pwrite(self._handle(path, os.O_WRONLY), value, 0)
