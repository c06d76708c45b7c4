"""Control groups of version 2 for users who are not root, by systemd's delegation; and containers.

A user's own systemd hands a part of the hierarchy to whatever it starts as a delegated scope.
Groups hold either processes or groups with controllers: so what is in the scope goes into a leaf
before the controllers are handed down (the kernel's admin-guide/cgroup-v2, "No Internal Process
Constraint"; systemd's CGROUP_DELEGATION).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.mounts import read_hierarchies

if TYPE_CHECKING:
    from tuner.local.execution.cpu.mounts import Hierarchy

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


def is_handed_over(own: Path, mount: Path) -> bool:
    """Whether a directory is ours to divide: a scope that was made for us, or a container's top.

    The true top of the hierarchy, which is nobody's to divide, has no cgroup.type.
    """
    is_scope = own.name.startswith(SCOPE) and own.name.endswith(".scope")
    return is_scope or (own == mount and (own / "cgroup.type").exists())


def hand_down(own: Path, controllers: tuple[str, ...] = CONTROLLERS) -> bool:
    """Let groups below `own` have the controllers; its processes go into a leaf first.

    False where a controller is missing or the kernel refuses; then nothing but the leaf is new.
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
        try:
            group_files.write(f"{leaf}/cgroup.procs", str(pid))
        except OSError:  # it ended, or it is not ours
            continue


def enter_scope() -> bool:
    """Have the user's systemd move this process into a scope that is delegated to it.

    False where there is no need (root, no version 2, such a scope already) or no such systemd.
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
    """What StartTransientUnit is given: name, mode, properties with their types, no other units."""
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
        unified = _unified()
        if unified is not None and is_handed_over(unified.own, unified.mount):
            return True
        time.sleep(0.01)
    return False


def _user_runtime_dir() -> Path | None:
    """Where the user's own systemd listens; None where it would be of no use."""
    if sys.platform != "linux" or os.getuid() == 0:
        return None
    unified = _unified()
    if unified is None or any(is_handed_over(one, unified.mount) for one in unified.ancestors):
        return None
    folder = USER_RUNTIME_DIR / str(os.getuid())
    return folder if (folder / "bus").exists() else None


def _unified() -> Hierarchy | None:
    return next((one for one in read_hierarchies() if not one.controllers), None)
