"""A /tmp of a given size: a file that is mounted as a disk, so that a full one is full.

Not tmpfs: what lies in it would count as the function's memory. The loop device frees itself with
the last mount, which ends with the environment's mount namespace, however that ends. Light: the
warden imports it.
"""

from __future__ import annotations

import ctypes
import errno
import os

LOOP_CONTROL = "/dev/loop-control"
LOOP_CTL_GET_FREE = 0x4C82
LOOP_CONFIGURE = 0x4C0A
LO_FLAGS_AUTOCLEAR = 4
LOOP_CONFIG_BYTES, FLAGS_OFFSET = 304, 60
"""struct loop_config of linux/loop.h: fd, block size, loop_info64 (its flags at 52), reserved."""
MS_NOSUID, MS_NODEV = 0x2, 0x4
ATTEMPTS = 16
"""Another process may take the free device first."""


def make_command(mke2fs: str, image: str, size_mb: int) -> list[str]:
    """The command that makes the file; what is free in it is the size, or a little more.

    Inodes of 256 bytes take a 64th, and ext4 keeps a 50th (16 MB at most) for late allocation.
    """
    whole_mb = size_mb + size_mb // 64 + min(size_mb // 50, 16) + 4
    return [
        mke2fs, "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-N", str(size_mb * 64),
        "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard",
        image, f"{whole_mb}m",
    ]  # fmt: skip


def make_image(command: list[str], image: str) -> None:
    """Make the file, unless it is there, readable by its owner only. Raises OSError."""
    if os.path.exists(image):  # noqa: PTH110 (pathlib would double the warden's start)
        return
    os.close(os.open(image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, {}, file_actions=quiet)
    if os.waitpid(pid, 0)[1] != 0:
        os.unlink(image)  # noqa: PTH108 (as above)
        raise OSError(errno.EIO, "no disk can be made for /tmp", image)


def mount_image(image: str, target: str) -> None:
    """Mount the file on a folder, empty but for what was written before. Raises OSError."""
    handle = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        device, name = _attach(handle)
    finally:
        os.close(handle)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        flags = MS_NOSUID | MS_NODEV
        if library.mount(name.encode(), target.encode(), b"ext4", flags, None) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), target)
    finally:
        os.close(device)
    lost = f"{target}/lost+found"
    if os.path.isdir(lost):  # noqa: PTH112 (pathlib would double the warden's start)
        os.rmdir(lost)  # noqa: PTH106 (as above)


def _attach(image: int) -> tuple[int, str]:
    """Give the file a loop device: its open handle, which keeps it, and its name."""
    import fcntl  # noqa: PLC0415 (few environments need it before they run)

    config = bytearray(LOOP_CONFIG_BYTES)
    config[0:4] = image.to_bytes(4, "little")
    config[FLAGS_OFFSET : FLAGS_OFFSET + 4] = LO_FLAGS_AUTOCLEAR.to_bytes(4, "little")
    control = os.open(LOOP_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        for attempt in range(ATTEMPTS):
            name = f"/dev/loop{fcntl.ioctl(control, LOOP_CTL_GET_FREE)}"
            device = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, LOOP_CONFIGURE, bytes(config))
            except OSError:
                os.close(device)
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return device, name
    finally:
        os.close(control)
    raise OSError(f"no loop device is free for {image}")
