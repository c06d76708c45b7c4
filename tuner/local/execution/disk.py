"""Disks for /tmp, as files: whether this host can make and mount them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tuner.local.execution.runtime.file_view import CLONE_NEWNS, MS_PRIVATE, MS_REC
from tuner.local.execution.runtime.volume import make_command, make_image
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
            make_image(make_command(command, str(image), _PROBE_MB), str(image))
        except OSError:
            return None
        arguments = [sys.executable, "-I", "-S", "-c", _PROBE, PACKAGE_ROOT, str(image), folder]
        done = subprocess.run(arguments, check=False, capture_output=True)  # noqa: S603 (own code)
    return command if done.returncode == 0 else None
