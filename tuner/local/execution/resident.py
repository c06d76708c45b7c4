"""The most that living processes can have held at once, as their own high-water marks tell."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.local.execution.cpu import group_files

KIB = 1024


@dataclass(frozen=True, slots=True)
class _Member:
    highest_bytes: int
    """Anonymous and shared memory at its highest, or a little more."""
    children_faults: int
    """Page faults of children that it has waited for: it moves when one has ended."""


class ResidentBound:
    """A bound of a group's memory since the last look; files that were read or written are none.

    Nothing is known (None) where a process may have ended meanwhile: its mark is gone with it.
    """

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def look(self, pids: tuple[int, ...]) -> int | None:
        """Read the marks of the members, in bytes."""
        members = {pid: _read(pid) for pid in pids}
        living = {pid: member for pid, member in members.items() if member is not None}
        faults = {pid: member.children_faults for pid, member in living.items()}
        last, self._last = self._last, faults
        ended = len(living) < len(members) or not last.keys() <= living.keys()
        if ended or any(count != last.get(pid, 0) for pid, count in faults.items()):
            return None
        return sum(member.highest_bytes for member in living.values())


def _read(pid: int) -> _Member | None:
    status = group_files.read_or_none(f"/proc/{pid}/status")
    stat = group_files.read_or_none(f"/proc/{pid}/stat")
    if status is None or stat is None:
        return None
    rows = {row[0]: int(row[1]) for row in map(str.split, status.splitlines()) if row[2:] == ["kB"]}
    fields = stat.rpartition(")")[2].split()
    highest = rows.get("VmHWM:", 0) - rows.get("RssFile:", 0)
    return _Member(highest * KIB, int(fields[8]) + int(fields[10]))
