"""Control groups of both versions: CPU quota, memory limit, freezer, and peak memory."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.process_tree import stat_fields

WINDOW_US = 20_000
"""Lambda enforces its CPU quota in windows of about 20 ms."""
MIN_QUOTA_US = 1_000
"""The kernel accepts no smaller one."""
BYTES_PER_MB = 1024 * 1024
KIB = 1024


def quota_us(cores: float) -> int:
    """CPU time per window, in microseconds."""
    return max(MIN_QUOTA_US, round(cores * WINDOW_US))


@dataclass(frozen=True, slots=True)
class V1Parents:
    """The directories where groups may be created."""

    cpu: Path
    memory: Path
    freezer: Path | None = None


class CgroupV1:
    """One group of version 1: cpu, memory and (if available) freezer hierarchies.

    Its files stay open, because a sample reads several of them.
    """

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
        """Every directory, each once (controllers may be mounted together).

        A process joins through their `cgroup.procs`.
        """
        found = (str(path) for path in (self._cpu, self._memory, self._freezer) if path)
        return tuple(dict.fromkeys(found))

    @property
    def peak_bytes(self) -> int:
        """Highest anonymous and shared memory seen so far."""
        return self._peak.peak_bytes

    def create(self, memory_mb: int) -> None:
        """Create the directories and set the memory limit (with swap, if it's counted)."""
        for directory in self.directories:
            Path(directory).mkdir(exist_ok=True)
        limit = str(memory_mb * BYTES_PER_MB)
        group_files.write(f"{self._memory}/memory.limit_in_bytes", limit)
        with_swap = self._memory / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            group_files.write(str(with_swap), limit)
        group_files.write(f"{self._cpu}/cpu.cfs_period_us", str(WINDOW_US))

    def set_cores(self, cores: float) -> None:
        """Allow this much CPU in every window."""
        if cores != self._cores:
            group_files.write(f"{self._cpu}/cpu.cfs_quota_us", str(quota_us(cores)))
            self._cores = cores

    def pause(self) -> None:
        """Freeze the tree, if there is a freezer."""
        if self._freezer:
            self._put(f"{self._freezer}/freezer.state", b"FROZEN")

    def resume(self) -> None:
        """Thaw the tree."""
        if self._freezer:
            self._put(f"{self._freezer}/freezer.state", b"THAWED")

    def sample(self) -> bool:
        """Keep the peak; return whether the kernel has killed a process of the group for memory."""
        mark = int(self._get("memory.max_usage_in_bytes"))
        self._put(f"{self._memory}/memory.max_usage_in_bytes", b"0")
        stat = group_files.table(self._get("memory.stat"))
        usage = int(self._get("memory.usage_in_bytes"))
        sample = MemorySample(usage, stat["total_rss"] + stat["total_shmem"])
        bound = self._bound.look(group_files.members(str(self._memory)))
        self._peak.take(sample, mark, bound)
        return group_files.table(self._get("memory.oom_control")).get("oom_kill", 0) > 0

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


class CgroupV2:
    """One group of version 2: cpu.max, memory.max and cgroup.freeze of one directory.

    Its peak is only sampled: `memory.peak` counts page cache and can be reset only in kernels since
    6.12.
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
        """Create the directory and set the limit: no swap, and exceeding it ends everything."""
        self._path.mkdir(exist_ok=True)
        group_files.write(f"{self._path}/memory.max", str(memory_mb * BYTES_PER_MB))
        for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            if (self._path / name).exists():
                group_files.write(f"{self._path}/{name}", value)

    def set_cores(self, cores: float) -> None:
        """Allow this much CPU in every window."""
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
        """Keep the peak; return whether the kernel has killed a process of the group for memory."""
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


ControlGroup = CgroupV1 | CgroupV2
"""One execution environment's CPU quota, memory limit and freezer."""


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One look at a control group: everything charged, and what a tree really uses of it."""

    usage_bytes: int
    working_bytes: int
    """Anonymous and shared memory."""


@dataclass(slots=True)
class MemoryPeak:
    """The highest working memory so far, including spikes between two samples.

    The kernel's own high-water mark counts page cache too. Between two samples, the cache was at
    most what it is at the fuller end, unless files were dropped in between. So the mark minus that
    is a lower bound on the working memory at the spike, and what processes can have held bounds it
    if files were dropped.
    """

    peak_bytes: int = 0
    _last: MemorySample = MemorySample(0, 0)

    def take(
        self,
        sample: MemorySample,
        high_water_bytes: int | None = None,
        bound_bytes: int | None = None,
    ) -> int:
        """Take a sample, and the kernel's mark since the last one if it can be reset.

        `bound_bytes` is the most that processes can have held since then; None: not known.
        """
        seen = [self.peak_bytes, sample.working_bytes]
        if high_water_bytes is not None:
            spike = high_water_bytes - max(_other(self._last), _other(sample))
            seen.append(spike if bound_bytes is None else min(spike, bound_bytes))
        self.peak_bytes = max(seen)
        self._last = sample
        return self.peak_bytes


def _other(sample: MemorySample) -> int:
    return max(0, sample.usage_bytes - sample.working_bytes)


@dataclass(frozen=True, slots=True)
class _Member:
    identity: tuple[str, str]
    """When it was started, and where its stack begins, which changes with each exec."""
    highest_bytes: int
    """Its highest memory since its last exec, including mapped files."""
    file_bytes: int
    """Mapped files."""
    children_faults: int
    """Page faults of children that it has waited for: it changes when one has ended."""
    forgets_children: bool
    """Whether it ignores SIGCHLD, so that nothing changes when one has ended."""


class ResidentBound:
    """A bound on a group's memory since the last look, not counting files read or written.

    It's unknown (None) if a process may have ended, or called exec, in between: its mark is gone
    with it.
    """

    def __init__(self) -> None:
        self._last: dict[int, _Member] | None = None
        self._ended: frozenset[int] = frozenset()

    def look(self, pids: tuple[int, ...]) -> int | None:
        """Read the members' marks, in bytes, one after the other, while processes go on.

        A process that ends before its mark is read has none. One that had ended before is still its
        parent's child, or in its parent's count: so the children are read before the counts.
        """
        children = {pid: _children(pid) for pid in pids}
        members = {pid: _read(pid) for pid in pids}
        last, last_ended = self._last, self._ended
        unlisted = {one for found in children.values() for one in found or ()} - members.keys()
        self._ended = frozenset(pid for pid in unlisted if stat_fields(pid)[:1] == ["Z"])
        living = {pid: member for pid, member in members.items() if member is not None}
        self._last = living
        if len(living) < len(pids) or None in children.values() or unlisted - last_ended:
            return None
        if any(member.forgets_children for member in living.values()):
            return None
        if last is None:
            return _first_bound(living)
        if living.keys() != last.keys() or any(
            (member.identity, member.children_faults)
            != (last[pid].identity, last[pid].children_faults)
            for pid, member in living.items()
        ):
            return None
        return sum(
            member.highest_bytes - min(member.file_bytes, last[pid].file_bytes)
            for pid, member in living.items()
        )


def _first_bound(members: dict[int, _Member]) -> int | None:
    """Only the runtime's whole history is known; any other process has an unknown past."""
    only = next(iter(members.values())) if len(members) == 1 else None
    return only.highest_bytes if only is not None and only.children_faults == 0 else None


def _read(pid: int) -> _Member | None:
    """None if a mark can't be read: a process that is ending has given up its memory."""
    status = group_files.read_or_none(f"/proc/{pid}/status")
    fields = stat_fields(pid)
    if status is None or not fields:
        return None
    rows = {row[0]: row[1] for row in map(str.split, status.splitlines()) if len(row) > 1}
    started, stack = fields[19], fields[25]
    if "VmHWM:" not in rows or stack == "0":
        return None
    return _Member(
        (started, stack),
        int(rows["VmHWM:"]) * KIB,
        int(rows["RssFile:"]) * KIB,
        int(fields[8]) + int(fields[10]),
        bool(int(rows["SigIgn:"], 16) >> (signal.SIGCHLD - 1) & 1),
    )


def _children(pid: int) -> set[int] | None:
    """Children of all threads, including those that have ended and weren't waited for.

    A group no longer lists those (Linux since 5.2). None if the kernel doesn't say.
    """
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (pathlib would cost more than the list)
        texts = [group_files.read(f"/proc/{pid}/task/{thread}/children") for thread in threads]
    except OSError:
        return None
    return {int(child) for text in texts for child in text.split()}
