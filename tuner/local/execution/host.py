"""What this host can emulate: cores, CPU control, a private /tmp."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.local.deployment import HostLimits, host_architecture
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.choose import choose_control, read_hierarchies
from tuner.local.execution.runtime.file_view import (
    CLONE_NEWNS,
    MS_PRIVATE,
    MS_REC,
    make_command,
    make_image,
)
from tuner.local.execution.runtime.process import PACKAGE_ROOT
from tuner.model.finding import Finding
from tuner.model.lambda_limits import MAX_MEMORY_MB, MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.local.deployment import CpuControl
    from tuner.local.execution.cpu.choose import Control, Hierarchy

NEEDED_CAPABILITIES = (0, 1, 5, 6, 7, 8, 19, 21, 23)
"""CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, SETPCAP, SYS_PTRACE, SYS_ADMIN, SYS_NICE."""
USER_IDS = range(65_533, 65_519, -1)
"""Neither distributions nor systemd assign these; "nobody" may run other services."""
UNSHARE_CODE = (
    "import ctypes, sys; c = ctypes.CDLL(None); "
    f"sys.exit(c.unshare({CLONE_NEWNS}) or "
    f"c.mount(b'none', b'/', None, {MS_REC | MS_PRIVATE}, None))"
)
_PROBE_MB = 8
_PROBE = (
    "import ctypes, sys; sys.path.append(sys.argv[1]); "
    "from tuner.local.execution.runtime.file_view import mount_image; c = ctypes.CDLL(None); "
    f"c.unshare({CLONE_NEWNS}) and sys.exit(1); "
    f"c.mount(b'none', b'/', None, {MS_REC | MS_PRIVATE}, None) and sys.exit(1); "
    "mount_image(sys.argv[2], sys.argv[3])"
)
_STOP_CONTINUE: Final = Finding(
    "cpu_control_stop_continue",
    "warning",
    "control groups can't be used here: CPU shares are kept by stopping and continuing processes, "
    "within 10%; run on Linux as root for 5%",
)
_SHARED_TMP: Final = Finding(
    "tmp_shared",
    "info",
    "no private /tmp here: TMPDIR points to each environment's own folder instead",
)
_LOOSE_TMP: Final = Finding(
    "tmp_limited_by_file",
    "info",
    "no disk can be mounted for /tmp here: EphemeralStorage limits each file, not their sum",
)
_HANDLERS_ARE_ROOT: Final = Finding(
    "handlers_run_as_root",
    "info",
    "root lacks capabilities here (a container's): handlers run as root, with none but to read "
    "files; run as an ordinary user, or add SYS_ADMIN, SYS_PTRACE and SYS_NICE",
)


@dataclass(frozen=True, slots=True)
class Host:
    """This host, examined once."""

    cpus: tuple[int, ...]
    core_count: int
    control: Control
    has_private_tmp: bool
    disk_maker: str | None
    """The command that makes disks for /tmp; None if none can be mounted."""
    handler_user_id: int
    """The user that handlers run as; 0: whoever runs the endpoint."""

    @property
    def limits(self) -> HostLimits:
        """As the local Lambda reports them."""
        found = (
            (self.control.kind == "stop-continue", _STOP_CONTINUE),
            (not self.has_private_tmp, _SHARED_TMP),
            (self.disk_maker is None, _LOOSE_TMP),
            (os.geteuid() == 0 and not self.handler_user_id, _HANDLERS_ARE_ROOT),
        )
        return HostLimits(
            core_count=self.core_count,
            max_memory_mb=max_memory_mb_with(self.core_count),
            cpu_control=self.control.kind,
            findings=tuple(finding for holds, finding in found if holds),
            architecture=host_architecture(),
        )


def look_at_host(preferred: CpuControl | None = None) -> Host:
    """Find out what works here. Raises LocalError if `preferred` doesn't."""
    control = choose_control(preferred)
    cpus = tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else ()
    has_private_tmp = can_hide_tmp()
    return Host(
        cpus=cpus,
        core_count=own_core_count(),
        control=control,
        has_private_tmp=has_private_tmp,
        disk_maker=find_disk_maker() if has_private_tmp else None,
        handler_user_id=find_user_id() if has_private_tmp else 0,
    )


def home_dirs() -> list[str]:
    """The operator's home folders: the account's, if there is one, and the one in HOME."""
    homes = {os.path.expanduser("~")}  # noqa: PTH111 (a text)
    with contextlib.suppress(KeyError):  # a container may run as any id
        homes.add(pwd.getpwuid(os.getuid()).pw_dir)
    return sorted(home for home in homes if Path(home).is_absolute() and Path(home) != Path("/"))


def own_core_count() -> int:
    """The cores that this process may use."""
    cpus = os.sched_getaffinity(0) if sys.platform == "linux" else ()
    quota = own_quota_cores(read_hierarchies())
    count = len(cpus) or os.cpu_count() or 1
    return max(1, min(count, int(quota))) if quota else count


def max_memory_mb_with(core_count: int) -> int:
    """The largest memory size whose CPU share this many cores can provide."""
    return min(MAX_MEMORY_MB, core_count * MB_PER_VCPU)


def host_max_memory_mb() -> int:
    """The largest memory size that this host can emulate."""
    return max_memory_mb_with(own_core_count())


def own_quota_cores(hierarchies: Iterable[Hierarchy]) -> float | None:
    """The CPU quota of this process itself (a container's), in cores; None: no quota."""
    quotas = []
    for hierarchy in hierarchies:
        for directory in hierarchy.ancestors:
            quota = group_files.read_or_none(f"{directory}/cpu.cfs_quota_us")
            period = group_files.read_or_none(f"{directory}/cpu.cfs_period_us")
            both = group_files.read_or_none(f"{directory}/cpu.max")
            if both is None and quota is not None and period is not None:
                both = f"{quota} {period}"
            parts = (both or "max").split()
            if len(parts) == 2 and parts[0] not in ("max", "-1"):
                quotas.append(int(parts[0]) / int(parts[1]))
    return min(quotas, default=None)


def can_hide_tmp() -> bool:
    """Whether a process may have its own mount namespace (root, on Linux)."""
    if sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "unshare"):
        return False
    command = [sys.executable, "-I", "-S", "-c", UNSHARE_CODE]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 (own code)


def find_user_id() -> int:
    """Find an unused id to run handlers as; 0 if root lacks what that takes.

    Without these capabilities a container's root couldn't end, measure or bind what it started.
    """
    powers = int(_field("/proc/self/status", "CapEff:") or "0", 16)
    if any(not powers >> number & 1 for number in NEEDED_CAPABILITIES):
        return 0
    processes = Path("/proc").glob("[0-9]*")  # looking into one that has ended is an error
    taken = {int(uid) for each in processes for uid in _field(f"{each}/status", "Uid:").split()}
    maps = [group_files.read_or_none(f"/proc/self/{name}_map") for name in ("uid", "gid")]
    for user_id in USER_IDS:
        if user_id not in taken and all(_is_mapped(user_id, text or "") for text in maps):
            try:
                pwd.getpwuid(user_id)
            except KeyError:
                return user_id
    return 0


def _field(file: str, name: str) -> str:
    text = group_files.read_or_none(file) or ""
    return next((line[len(name) :] for line in text.splitlines() if line.startswith(name)), "")


def _is_mapped(user_id: int, id_map: str) -> bool:
    """Whether this user namespace knows it."""
    rows = [tuple(map(int, line.split())) for line in id_map.splitlines()]
    return any(first <= user_id < first + count for first, _, count in rows)


def find_disk_maker() -> str | None:
    """The command that makes disks, if one of its disks can be mounted here (root, on Linux)."""
    if sys.platform != "linux":
        return None
    command = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if command is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tuner-disk-") as folder:
        image = Path(folder, "probe.img")
        try:
            make_image(make_command(command, str(image), _PROBE_MB), str(image))
        except OSError:
            return None
        arguments = [sys.executable, "-I", "-S", "-c", _PROBE, PACKAGE_ROOT, str(image), folder]
        done = subprocess.run(arguments, check=False, capture_output=True)  # noqa: S603 (own code)
    return command if done.returncode == 0 else None
