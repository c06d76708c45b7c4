"""The files that a runtime sees, in its own mount namespace: Lambda's, as far as possible.

The code is /var/task, the layers are /opt, and only /tmp can be written: a file of the given size
mounted as a disk, so that a full one is full. It isn't a tmpfs, whose content would count as the
function's memory. The loop device frees itself with the last mount, which ends with the mount
namespace, however that ends. Light: the supervisor imports it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

TASK_DIR, OPT_DIR, TMP_DIR = "/var/task", "/opt", "/tmp"  # noqa: S108 (its own, mounted there)
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 0x1
CLONE_NEWNS = 0x0002_0000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x4_0000
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
USER_NAME = "sbx_user1051"
"""Lambda's name for the handlers' user."""
TYPE_CHECKING = False

if TYPE_CHECKING:
    from tuner.local.execution.runtime import LaunchSpec


LOOP_CONTROL = "/dev/loop-control"
LOOP_CTL_GET_FREE = 0x4C82
LOOP_CONFIGURE = 0x4C0A
LO_FLAGS_AUTOCLEAR = 4
LOOP_CONFIG_BYTES, FLAGS_OFFSET = 304, 60
"""struct loop_config of linux/loop.h: fd, block size, loop_info64 (its flags at 52), reserved."""
MS_NOSUID, MS_NODEV = 0x2, 0x4
ATTEMPTS = 16
"""Another process may take the free device first."""


def show_files(spec: LaunchSpec) -> None:
    """Give this process the view. Raises OSError."""
    # Of the mount before: a file open for writing would keep its mount from being read-only.
    image = os.open(spec["tmp_image"], os.O_PATH) if spec["tmp_image"] else -1
    _checked("unshare", ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS))
    _mount("none", "/", MS_REC | MS_PRIVATE)
    code = _opened(spec["code_dir"])
    layers = _opened(spec["opt_dir"]) if spec["opt_dir"] else -1
    kept = sorted(filter(os.path.isdir, {*spec["kept_dirs"]}), key=len)
    _show_tmp(spec, image, [path for path in kept if path.startswith(f"{TMP_DIR}/")])
    for home in spec["home_dirs"]:
        hide_home(home, kept)
    if spec["user_id"]:
        _open_ways(kept)
    links = spec["links"]
    if links or not os.path.isdir(TASK_DIR):
        _rebuild(os.path.dirname(TASK_DIR))
        os.makedirs(TASK_DIR, exist_ok=True)
        for name, target in links.items():
            os.symlink(target, name)
    _show(code, TASK_DIR)
    if layers >= 0:
        _show(layers, OPT_DIR)
    _show_devices(spec["user_id"])
    _write_to_tmp_only()


def _show_tmp(spec: LaunchSpec, image: int, kept: list[str]) -> None:
    """Make /tmp the environment's own; kept parts of the old one are bound through."""
    handles = [(_opened(path), path) for path in kept]
    if image >= 0:
        mount_image(f"/proc/self/fd/{image}", TMP_DIR)
        os.close(image)
    else:
        _mount(spec["tmp_dir"], TMP_DIR, MS_BIND)
    os.chown(TMP_DIR, 0, 0)  # as on Lambda
    os.chmod(TMP_DIR, 0o1777)  # noqa: S103 (it has one user)
    _bind_through(handles)


def hide_home(home: str, kept_dirs: list[str]) -> None:
    """Put an empty folder over a home folder; kept parts are bound through, read-only.

    If all of it is kept, at least AWS's settings are hidden. Raises OSError.
    """
    real = os.path.realpath(home)
    kept = {path for path in kept_dirs if f"{os.path.realpath(path)}/".startswith(f"{real}/")}
    if any(os.path.realpath(path) == real for path in kept):
        home, kept = os.path.join(home, ".aws"), set()
    if os.path.isdir(home):
        handles = [(_opened(path), path) for path in sorted(kept, key=len) if os.path.isdir(path)]
        _mount("none", home, 0, b"tmpfs", b"mode=755")
        _bind_through(handles)
        _mount("none", home, MS_BIND | MS_REMOUNT | MS_RDONLY)


def _open_ways(kept: list[str]) -> None:
    """Let every user reach what is kept, even through a folder that only its owner may enter."""
    for path in kept:
        parts = path.strip("/").split("/")
        for count in range(1, len(parts)):
            folder = "/" + "/".join(parts[:count])
            if folder != TMP_DIR and not os.stat(folder).st_mode & 0o001:  # that is the user's own
                hide_home(folder, kept)
        if os.stat(path).st_mode & 0o005 != 0o005:
            _rebuild(path)


def _rebuild(folder: str) -> None:
    """Replace a folder with one that everybody may enter, with the same entries."""
    names = os.listdir(folder)
    links = [(name, os.readlink(f"{folder}/{name}")) for name in names if _is_link(folder, name)]
    handles = [
        (os.open(f"{folder}/{name}", os.O_PATH), f"{folder}/{name}")
        for name in names
        if not _is_link(folder, name)
    ]
    _mount("none", folder, 0, b"tmpfs", b"mode=755")
    for name, target in links:
        os.symlink(target, f"{folder}/{name}")
    _bind_through(handles)


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(f"{folder}/{name}")


def _show_devices(user_id: int) -> None:
    """Keep only Lambda's part of /dev, which has no /dev/shm; and give the user a name."""
    handles = [
        (os.open(f"/dev/{name}", os.O_PATH), f"/dev/{name}")
        for name in DEVICES
        if os.path.exists(f"/dev/{name}")
    ]
    _mount("none", "/dev", 0, b"tmpfs", b"mode=755")
    _bind_through(handles)
    for name, target in STREAMS.items():
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    if user_id and os.path.isfile("/etc/passwd"):
        with open("/etc/passwd", "rb") as file:
            users = file.read()
        with open("/dev/passwd", "xb") as file:
            line = f"{USER_NAME}:x:{user_id}:{user_id}::/home/{USER_NAME}:/sbin/nologin\n"
            file.write(users + line.encode())
        _mount("/dev/passwd", "/etc/passwd", MS_BIND)
        os.unlink("/dev/passwd")


def _write_to_tmp_only() -> None:
    """Make every mount except /tmp read-only; a kernel before 5.12 doesn't."""
    _set_mounts("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0)
    _set_mounts(TMP_DIR, 0, 0, MOUNT_ATTR_RDONLY)


def _set_mounts(target: str, flags: int, added: int, removed: int) -> None:
    """mount_setattr(2), which the C library may not know; if it's refused, nothing changes."""
    attributes = struct.pack("QQQQ", added, removed, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, target.encode(), flags, attributes, len(attributes)
    )


def _opened(folder: str) -> int:
    return os.open(folder, os.O_PATH | os.O_DIRECTORY)


def _show(handle: int, target: str) -> None:
    """Bind a folder, read-only."""
    _mount(f"/proc/self/fd/{handle}", target, MS_BIND)
    _mount("none", target, MS_BIND | MS_REMOUNT | MS_RDONLY)
    os.close(handle)


def _bind_through(handles: list[tuple[int, str]]) -> None:
    """Bind folders and files that are now hidden to where they were."""
    for handle, path in handles:
        source = f"/proc/self/fd/{handle}"
        if os.path.isdir(source):
            os.makedirs(path, exist_ok=True)
        elif not os.path.exists(path):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(source, path, MS_BIND | MS_REC)
        os.close(handle)


def _mount(
    source: str, target: str, flags: int, kind: bytes | None = None, options: bytes | None = None
) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    _checked(target, library.mount(source.encode(), target.encode(), kind, flags, options))


def _checked(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def make_command(mke2fs: str, image: str, size_mb: int) -> list[str]:
    """The command that makes the file; its free space is the size, or a little more.

    Inodes of 256 bytes take a 64th, and ext4 keeps a 50th (16 MB at most) for late allocation.
    """
    whole_mb = size_mb + size_mb // 64 + min(size_mb // 50, 16) + 4
    return [
        mke2fs, "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-N", str(size_mb * 64),
        "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard",
        image, f"{whole_mb}m",
    ]  # fmt: skip


def make_image(command: list[str], image: str) -> None:
    """Make the file unless it exists, readable by its owner only. Raises OSError."""
    if os.path.exists(image):
        return
    os.close(os.open(image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, {}, file_actions=quiet)
    if os.waitpid(pid, 0)[1] != 0:
        os.unlink(image)
        raise OSError(errno.EIO, "no disk can be made for /tmp", image)


def mount_image(image: str, target: str) -> None:
    """Mount the file on a folder, empty except for what was written before. Raises OSError."""
    handle = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        device, name = _attach(handle)
    finally:
        os.close(handle)
    try:
        _mount(name, target, MS_NOSUID | MS_NODEV, b"ext4")
    finally:
        os.close(device)
    lost = f"{target}/lost+found"
    if os.path.isdir(lost):
        os.rmdir(lost)


def _attach(image: int) -> tuple[int, str]:
    """Give the file a loop device; return its open handle, which keeps it, and its name."""
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
