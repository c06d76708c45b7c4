"""Where control groups are mounted, and which directory of theirs this process is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted hierarchy: `own` is this process's directory in it, `mount` the top one."""

    mount: Path
    own: Path
    controllers: tuple[str, ...]
    """Empty for version 2."""

    @property
    def ancestors(self) -> tuple[Path, ...]:
        """From the own directory up to the mount."""
        upward = [self.own, *self.own.parents]
        return tuple(upward[: upward.index(self.mount) + 1])


def read_hierarchies(process: Path = Path("/proc/self")) -> tuple[Hierarchy, ...]:
    """Read mountinfo and cgroup of a process; empty where there are none (not Linux)."""
    try:
        mounts = (process / "mountinfo").read_text(encoding="utf-8")
        own = (process / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return ()
    return parse_hierarchies(mounts, own)


def parse_hierarchies(mountinfo: str, cgroup: str) -> tuple[Hierarchy, ...]:
    """Join the two files' contents (proc(5), cgroups(7))."""
    own_paths = _own_paths(cgroup)
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = [*right.split(" ", 2), "", ""][:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        root, mount = left.split(" ")[3:5]
        names = () if kind == "cgroup2" else tuple(options.split(","))
        path = next((own_paths[name] for name in (names or ("",)) if name in own_paths), None)
        if path is not None:
            controllers = tuple(name for name in names if name in own_paths)
            found.append(Hierarchy(Path(mount), _under(Path(mount), root, path), controllers))
    return tuple(found)


def _own_paths(cgroup: str) -> dict[str, str]:
    paths = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            paths[name] = path
    return paths


def _under(mount: Path, root: str, path: str) -> Path:
    """In a container the mount shows only a part: `root` of the hierarchy is its top."""
    try:
        inside = PurePosixPath(path).relative_to(root)
    except ValueError:
        return mount
    return mount / inside if ".." not in inside.parts else mount
