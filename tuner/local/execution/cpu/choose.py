"""Which control of CPU and memory works on this host, and where control groups may be created.

A user who isn't root gets groups of version 2 by systemd's delegation: the user's own systemd
delegates a part of the hierarchy to whatever it starts as a delegated scope. Groups have either
processes or groups with controllers: so what is in the scope moves to a leaf before the controllers
are passed down (the kernel's admin-guide/cgroup-v2, "No Internal Process Constraint"; systemd's
CGROUP_DELEGATION).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.control_groups import CgroupV1, CgroupV2, V1Parents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.local.deployment import CpuControl
    from tuner.local.execution.cpu.control_groups import ControlGroup

PROBE_MEMORY_MB = 128
JOIN_CODE = "import sys\nfor name in sys.argv[1:]: open(name, 'w').write('0')"
"""0 is the process that writes."""


LEAF: Final = "tuner-endpoint"
SCOPE: Final = "tuner-local-"
CONTROLLERS: Final = ("cpu", "memory")
ATTEMPTS: Final = 20
ENTER_LIMIT_S: Final = 3.0
USER_RUNTIME_DIR: Final = Path("/run/user")
_MANAGER: Final = (
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
)


@dataclass(frozen=True, slots=True)
class Control:
    """A control that works here."""

    kind: CpuControl
    make_group: Callable[[str], ControlGroup | None] = lambda _: None
    """Makes a control group for one process tree; None if the supervisor controls it."""
    group_dirs: tuple[Path, ...] = ()
    """Where its groups are created."""


def choose_control(preferred: CpuControl | None = None) -> Control:
    """The best control that works here, or `preferred`. Raises LocalError if that doesn't work."""
    if preferred in (None, "cgroup-v1"):
        parents = find_v1(read_hierarchies())
        if parents is not None:
            places = (parents.cpu, parents.memory, parents.freezer)
            directories = tuple(dict.fromkeys(place for place in places if place))
            return Control("cgroup-v1", lambda name: CgroupV1(parents, name), directories)
    if preferred in (None, "cgroup-v2"):
        parent = find_v2(read_hierarchies())
        if parent is None and enter_scope():
            parent = find_v2(read_hierarchies())
        if parent is not None:
            return Control("cgroup-v2", lambda name: CgroupV2(parent, name), (parent,))
    if preferred in (None, "stop-continue") and sys.platform in ("linux", "darwin"):
        return Control("stop-continue")
    raise LocalError(
        f"CPU control {preferred or 'of any kind'} does not work on this host: "
        "leave the choice to the tool, or run on Linux as root"
    )


def find_v1(hierarchies: tuple[Hierarchy, ...]) -> V1Parents | None:
    """Where groups of version 1 can be created: in this process's own, otherwise higher up."""
    places = {name: _first_writable(one) for one in hierarchies for name in one.controllers}
    cpu, memory = places.get("cpu"), places.get("memory")
    if cpu is None or memory is None:
        return None
    parents = V1Parents(cpu, memory, places.get("freezer"))
    return parents if _works(lambda name: CgroupV1(parents, name)) else None


def find_v2(hierarchies: tuple[Hierarchy, ...]) -> Path | None:
    """Where groups of version 2 with cpu and memory can be created: its own, otherwise higher up.

    A directory that was delegated to this run, or to its container, is divided for that.
    """
    unified = _unified(hierarchies)
    if unified is None:
        return None
    if is_handed_over(unified.own, unified.mount) and not _has_controllers(unified.own):
        hand_down(unified.own)
    for parent in unified.ancestors:
        if _has_controllers(parent) and _works(partial(CgroupV2, parent)):
            return parent
    return None


def _has_controllers(parent: Path) -> bool:
    enabled = group_files.read_or_none(f"{parent}/cgroup.subtree_control") or ""
    return {"cpu", "memory"} <= set(enabled.split())


def _first_writable(hierarchy: Hierarchy) -> Path | None:
    return next((path for path in hierarchy.ancestors if os.access(path, os.W_OK)), None)


def _works(make: Callable[[str], ControlGroup]) -> bool:
    """Try it: a mount may be read-only, or a controller or the right to move into it missing."""
    group = make(f"tuner-probe-{uuid.uuid4().hex}")
    try:
        group.create(PROBE_MEMORY_MB)
        group.set_cores(1.0)
        group.sample()
        if not _can_be_joined(group.directories):
            return False
    except (OSError, KeyError, ValueError):
        return False
    finally:
        group.close()
        group_files.remove(list(group.directories))
    return True


def _can_be_joined(directories: tuple[str, ...]) -> bool:
    """Whether this user's processes may join, as every runtime does before it is executed."""
    files = [f"{directory}/cgroup.procs" for directory in directories]
    command = [sys.executable, "-I", "-S", "-c", JOIN_CODE, *files]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 (own code)


def is_handed_over(own: Path, mount: Path) -> bool:
    """Whether a directory is ours to divide: a scope that was made for us, or a container's top.

    The true top of the hierarchy, which nobody may divide, has no cgroup.type.
    """
    is_scope = own.name.startswith(SCOPE) and own.name.endswith(".scope")
    return is_scope or (own == mount and (own / "cgroup.type").exists())


def hand_down(own: Path, controllers: tuple[str, ...] = CONTROLLERS) -> bool:
    """Give groups below `own` the controllers; its processes move to a leaf first.

    False if a controller is missing or the kernel refuses; then only the leaf is new.
    """
    available = (group_files.read_or_none(f"{own}/cgroup.controllers") or "").split()
    if not set(controllers) <= set(available):
        return False
    wanted = " ".join(f"+{name}" for name in controllers)
    leaf = own / LEAF
    try:
        leaf.mkdir(exist_ok=True)
    except OSError:
        return False
    for _ in range(ATTEMPTS):  # a process may have been born meanwhile
        _move(group_files.members(str(own)), leaf)
        try:
            group_files.write(f"{own}/cgroup.subtree_control", wanted)
        except OSError:
            continue
        return True
    return False


def _move(pids: tuple[int, ...], leaf: Path) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):  # it ended, or it is not ours
            group_files.write(f"{leaf}/cgroup.procs", str(pid))


def enter_scope() -> bool:
    """Have the user's systemd move this process into a scope delegated to it.

    False if it isn't needed (root, no version 2, already in one) or there is no such systemd.
    """
    runtime_dir, busctl = _user_runtime_dir(), shutil.which("busctl")
    if runtime_dir is None or busctl is None:
        return False
    command = [busctl, "--user", "call", *_MANAGER, "StartTransientUnit", *scope_arguments()]
    environment = {"XDG_RUNTIME_DIR": str(runtime_dir), "PATH": os.defpath}
    try:
        subprocess.run(  # noqa: S603 (systemd's own command)
            command, env=environment, capture_output=True, timeout=ENTER_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return _has_entered(time.monotonic() + ENTER_LIMIT_S)


def scope_arguments() -> list[str]:
    """StartTransientUnit's arguments: name, mode, properties with types, no other units."""
    name = f"{SCOPE}{uuid.uuid4().hex[:12]}.scope"
    properties = [
        *("PIDs", "au", "1", str(os.getpid())),
        *("Delegate", "b", "true"),
        *("CollectMode", "s", "inactive-or-failed"),
    ]
    return ["ssa(sv)a(sa(sv))", name, "fail", "3", *properties, "0"]


def _has_entered(end_s: float) -> bool:
    """Systemd answers before it has done it."""
    while time.monotonic() < end_s:
        unified = _unified(read_hierarchies())
        if unified is not None and is_handed_over(unified.own, unified.mount):
            return True
        time.sleep(0.01)
    return False


def _user_runtime_dir() -> Path | None:
    """Where the user's own systemd listens; None if it would be of no use."""
    if sys.platform != "linux" or os.getuid() == 0:
        return None
    unified = _unified(read_hierarchies())
    if unified is None or any(is_handed_over(one, unified.mount) for one in unified.ancestors):
        return None
    folder = USER_RUNTIME_DIR / str(os.getuid())
    return folder if (folder / "bus").exists() else None


def _unified(hierarchies: tuple[Hierarchy, ...]) -> Hierarchy | None:
    return next((one for one in hierarchies if not one.controllers), None)


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
    """Read mountinfo and cgroup of a process; empty if there are none (not Linux)."""
    try:
        # Somebody else's mount may have a name that is no UTF-8.
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="replace")
        own = (process / "cgroup").read_text(encoding="utf-8", errors="replace")
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
