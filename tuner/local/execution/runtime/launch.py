"""What a new process does before it becomes the runtime: join, hide, bind, exec.

Runs in the warden's forked child, which has one thread. Light: the warden imports it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
import time

from tuner.local.execution.cpu import group_files
from tuner.local.execution.runtime.volume import mount_image

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
CAP_DAC_READ_SEARCH = 2
CAPABILITIES = 64
"""More than any kernel has."""
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 0x1
CLONE_NEWNS = 0x0002_0000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x4_0000
OPEN_FILES = 1024
"""Lambda's limit of file descriptors."""
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn, TypedDict

    class LaunchSpec(TypedDict):
        """What the warden is told: plain values, for they cross a pipe."""

        argv: list[str]
        environment: dict[str, str]
        working_dir: str
        tmp_dir: str
        """The environment's own; the warden makes it."""
        hides_tmp: bool
        """Whether it becomes /tmp, in a mount namespace of its own."""
        tmp_image: str
        """A file that is mounted as /tmp in place of `tmp_dir`; empty: there is none."""
        disk_command: list[str]
        """What makes it; the warden runs it, so that somebody would remove it."""
        file_limit_bytes: int
        """Size of the largest file that may be written; 0: any."""
        kept_dirs: list[str]
        """Stay visible although they lie under /tmp or a home folder."""
        home_dirs: list[str]
        """What the operator keeps there is hidden, where `hides_tmp`."""
        cpus: list[int]
        """Cores that may be used; empty: all."""
        memory_limit_bytes: int
        core_count: int
        """Cores that the tree can run on at once."""
        cores: float
        """Share of CPU to begin with, where the warden controls it."""
        controlled: bool
        """Whether the warden stops and continues the tree."""
        owner_pid: int


def process_control(option: int, value: int) -> None:
    """prctl(2) on Linux; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def keep_from_others() -> None:
    """Let nobody but root read this process's memory and variables, handlers below it least."""
    process_control(PR_SET_DUMPABLE, 0)


def become_runtime(spec: LaunchSpec, groups: list[str], log_fd: int, status_fd: int) -> NoReturn:
    """Prepare this process and exec the runtime; writes the time of the exec, or what failed."""
    try:
        os.setsid()
        process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
        for group in groups:
            group_files.write(f"{group}/cgroup.procs", str(os.getpid()))
        if spec["cpus"] and sys.platform == "linux":
            os.sched_setaffinity(0, spec["cpus"])
        if spec["hides_tmp"]:
            hide_tmp(spec)
            for home in spec["home_dirs"]:
                hide_home(home, spec["kept_dirs"])
            write_to_tmp_only()
        _set_streams(log_fd)
        _set_limits(spec["file_limit_bytes"])
        _drop_powers()
        os.chdir(spec["working_dir"])
        os.write(status_fd, b"exec %d\n" % time.monotonic_ns())
        execute(spec, status_fd)
    except OSError as error:
        os.write(status_fd, f"failed {error.strerror}: {error.filename}\n".encode())
    finally:
        os._exit(127)


def execute(spec: LaunchSpec, status_fd: int) -> None:
    """Exec the runtime; writes why the system cannot, and returns then only."""
    try:
        os.execve(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 (no shell is wanted)
    except OSError as error:
        os.write(status_fd, f"unfit {error.strerror}\n".encode())


def _set_streams(log_fd: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log_fd, 1), (log_fd, 2)):
        os.dup2(source, target, inheritable=True)


def _drop_powers() -> None:
    """Have what is executed as root be an ordinary process; without root this does nothing.

    With root's capabilities it could read what other processes hold, or undo its mounts. Only
    folders on the way to its code and interpreter, which may be another user's, stay readable.
    """
    for number in range(CAPABILITIES):
        if number != CAP_DAC_READ_SEARCH:
            process_control(PR_CAPBSET_DROP, number)


def _set_limits(file_limit_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if file_limit_bytes:  # a larger file is refused then, not a reason to be killed
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit_bytes, file_limit_bytes))


def hide_tmp(spec: LaunchSpec) -> None:
    """Give this process a /tmp of its own and read-only code, in a mount namespace of its own.

    Directories that lie under /tmp themselves are bound through. Raises OSError.
    """
    # Of the mount before: a file open for writing would keep its mount from being read-only.
    image = os.open(spec["tmp_image"], os.O_PATH) if spec["tmp_image"] else -1
    _checked("unshare", ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS))
    _mount("none", "/", MS_REC | MS_PRIVATE)
    code_dir = spec["working_dir"]
    under_tmp = [path for path in spec["kept_dirs"] if path.startswith("/tmp/")]  # noqa: S108 (the /tmp that is hidden)
    handles = [(os.open(path, os.O_PATH | os.O_DIRECTORY), path) for path in under_tmp]
    if spec["tmp_image"]:
        mount_image(f"/proc/self/fd/{image}", "/tmp")  # noqa: S108 (as above)
        os.close(image)
    else:
        _mount(spec["tmp_dir"], "/tmp", MS_BIND)  # noqa: S108 (as above)
    for handle, path in handles:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 (pathlib would double the warden's start)
        _mount(f"/proc/self/fd/{handle}", path, MS_BIND | MS_REC)
        os.close(handle)
    if code_dir not in under_tmp:
        _mount(code_dir, code_dir, MS_BIND)
    _mount("none", code_dir, MS_BIND | MS_REMOUNT | MS_RDONLY)


def hide_home(home: str, kept_dirs: list[str]) -> None:
    """Put an empty folder over a home folder; what is kept of it is bound through, read-only.

    If all of it is kept, AWS's settings at least are hidden. Raises OSError.
    """
    real = os.path.realpath(home)  # (pathlib would double the warden's start)
    kept = {path for path in kept_dirs if f"{os.path.realpath(path)}/".startswith(f"{real}/")}
    if any(os.path.realpath(path) == real for path in kept):
        home, kept = os.path.join(home, ".aws"), set()  # noqa: PTH118 (as above)
    if not os.path.isdir(home):  # noqa: PTH112 (as above)
        return
    handles = [
        (os.open(path, os.O_PATH | os.O_DIRECTORY), path)
        for path in sorted(kept, key=len)
        if os.path.isdir(path)  # noqa: PTH112 (as above)
    ]
    _mount("none", home, 0, b"tmpfs", b"mode=755")
    for handle, path in handles:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 (as above)
        _mount(f"/proc/self/fd/{handle}", path, MS_BIND | MS_REC)
        os.close(handle)
    _mount("none", home, MS_BIND | MS_REMOUNT | MS_RDONLY)


def write_to_tmp_only() -> None:
    """Make every mount read-only but /tmp, /dev/shm among them; a kernel before 5.12 does not."""
    _set_mounts("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0)
    _set_mounts("/tmp", 0, 0, MOUNT_ATTR_RDONLY)  # noqa: S108 (its own, mounted there)


def _set_mounts(target: str, flags: int, added: int, removed: int) -> None:
    """mount_setattr(2), which the C library may not know; refused, nothing changes."""
    attributes = struct.pack("QQQQ", added, removed, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, target.encode(), flags, attributes, len(attributes)
    )


def _mount(
    source: str, target: str, flags: int, kind: bytes | None = None, options: bytes | None = None
) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    _checked(target, library.mount(source.encode(), target.encode(), kind, flags, options))


def _checked(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
