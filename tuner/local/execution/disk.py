"""Disks for /tmp, as files: whether this host can mount them, and how they are made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tuner.local.execution.runtime.launch import CLONE_NEWNS, MS_PRIVATE, MS_REC
from tuner.local.execution.runtime.volume import make_command
from tuner.local.execution.runtime.warden_link import PACKAGE_ROOT

_PROBE_MB = 8
_PROBE = (
    "import ctypes, sys; sys.path.append(sys.argv[1]); "
    "from tuner.local.execution.runtime.volume import mount_image; c = ctypes.CDLL(None); "
    f"c.unshare({CLONE_NEWNS}) and sys.exit(1); "
    f"c.mount(b'none', b'/', None, {MS_REC | MS_PRIVATE}, None) and sys.exit(1); "
    "mount_image(sys.argv[2], sys.argv[3])"
)


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
            make_image(command, image, _PROBE_MB)
        except OSError:
            return None
        arguments = [sys.executable, "-I", "-S", "-c", _PROBE, PACKAGE_ROOT, str(image), folder]
        done = subprocess.run(arguments, check=False, capture_output=True)  # noqa: S603 (own code)
    return command if done.returncode == 0 else None


def make_image(command: str, image: Path, size_mb: int) -> None:
    """Make an empty disk with so much room, readable by its owner only. Raises OSError."""
    os.close(os.open(image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    arguments = make_command(command, str(image), size_mb)
    done = subprocess.run(arguments, check=False, capture_output=True)  # noqa: S603 (mke2fs)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(f"no disk can be made for /tmp: {said[-1] if said else 'mke2fs failed'}")
