"""Which control of CPU and memory works on this host."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.cgroup_v1 import CgroupV1, V1Parents
from tuner.local.execution.cpu.cgroup_v2 import CgroupV2
from tuner.local.execution.cpu.delegation import enter_scope, hand_down, is_handed_over
from tuner.local.execution.cpu.mounts import read_hierarchies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.local.deployment import CpuControl
    from tuner.local.execution.cpu.group import ControlGroup
    from tuner.local.execution.cpu.mounts import Hierarchy

PROBE_MEMORY_MB = 128
JOIN_CODE = "import sys\nfor name in sys.argv[1:]: open(name, 'w').write('0')"
"""0 is the process that writes."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control that works here; stop/continue makes no groups."""

    kind: CpuControl
    make_group: Callable[[str], ControlGroup] | None = None
    group_dirs: tuple[Path, ...] = ()
    """Where its groups are made."""


def choose_control(preferred: CpuControl | None = None) -> Control:
    """The best control that works here, or `preferred`. Raises LocalError where it does not."""
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
    """Where groups of version 1 can be made: in the own ones, else higher up."""
    by_controller = {name: one for one in hierarchies for name in one.controllers}
    if not {"cpu", "memory"} <= by_controller.keys():
        return None
    cpu = _first_writable(by_controller["cpu"])
    memory = _first_writable(by_controller["memory"])
    if cpu is None or memory is None:
        return None
    freezer = _first_writable(by_controller["freezer"]) if "freezer" in by_controller else None
    parents = V1Parents(cpu, memory, freezer)
    return parents if _works(lambda name: CgroupV1(parents, name)) else None


def find_v2(hierarchies: tuple[Hierarchy, ...]) -> Path | None:
    """Where groups of version 2 with cpu and memory can be made: the own one, else higher up.

    A directory that was handed over to this run, or to its container, is divided for that.
    """
    unified = next((one for one in hierarchies if not one.controllers), None)
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
    """Try it: a mount may be read-only, a controller or the right to move into it missing."""
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
    """Whether a process of this user's may go in, as every runtime will before it is executed."""
    files = [f"{directory}/cgroup.procs" for directory in directories]
    command = [sys.executable, "-I", "-S", "-c", JOIN_CODE, *files]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 (own code)
