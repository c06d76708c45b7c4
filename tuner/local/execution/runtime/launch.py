"""What a new process does before it becomes the runtime: join, hide, bind, change user, exec.

Runs in the supervisor's forked child, which has one thread. Light: the supervisor imports it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
import time

from tuner.local.execution.cpu import group_files
from tuner.local.execution.runtime.file_view import show_files

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x2008_0522
CAP_DAC_READ_SEARCH = 2
CAPABILITIES = 64
"""More than any kernel has."""
LIMITS = (
    (resource.RLIMIT_NOFILE, 1024),
    (resource.RLIMIT_MEMLOCK, 65_536),
    (resource.RLIMIT_STACK, 8 * 1024 * 1024),
)
"""Lambda's; the one of processes counts all of a user's, and here all handlers have one user."""
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn

    from tuner.local.execution.runtime import LaunchSpec


def process_control(option: int, value: int) -> None:
    """prctl(2) on Linux; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def keep_from_others() -> None:
    """Let only root read this process's memory and variables, not the handlers below it."""
    process_control(PR_SET_DUMPABLE, 0)


def become_runtime(spec: LaunchSpec, groups: list[str], log_fd: int, status_fd: int) -> NoReturn:
    """Prepare this process and exec the runtime; write the time of the exec, or what failed."""
    try:
        os.setsid()
        process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
        for group in groups:
            group_files.write(f"{group}/cgroup.procs", str(os.getpid()))
        if spec["cpus"] and sys.platform == "linux":
            os.sched_setaffinity(0, spec["cpus"])
        if spec["hides_tmp"]:
            show_files(spec)
        _set_streams(log_fd)
        _set_limits(spec["file_limit_bytes"])
        if spec["user_id"]:
            _become_user(spec["user_id"])
            _check_executable(spec["argv"][0])
        else:
            _drop_powers(kept=CAP_DAC_READ_SEARCH)
        os.chdir(spec["working_dir"])
        os.write(status_fd, b"exec %d\n" % time.monotonic_ns())
        try:
            os.execve(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 (no shell)
        except OSError as error:  # what is there cannot be executed here
            os.write(status_fd, f"unfit {error.strerror}\n".encode())
    except OSError as error:
        os.write(status_fd, f"failed {error.strerror}: {error.filename}\n".encode())
    finally:
        os._exit(127)


def _set_streams(log_fd: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log_fd, 1), (log_fd, 2)):
        os.dup2(source, target, inheritable=True)


def _become_user(user_id: int) -> None:
    """Become an ordinary user without capabilities, and with no way to get any. Raises OSError."""
    for descriptor in (1, 2):  # or /dev/stdout, which handlers open by name, is refused
        os.fchown(descriptor, user_id, user_id)
    _drop_powers()
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    ctypes.CDLL(None).capset(struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))
    process_control(PR_SET_NO_NEW_PRIVS, 1)
    process_control(PR_SET_PDEATHSIG, signal.SIGKILL)  # another user's id clears it


def _check_executable(path: str) -> None:
    if os.path.exists(path) and not os.access(path, os.X_OK):  # noqa: PTH110 (pathlib would double the supervisor's start)
        raise PermissionError(
            errno.EACCES, "handlers run as another user, who isn't allowed to (chmod -R o+rX)", path
        )


def _drop_powers(kept: int = -1) -> None:
    """Make what is executed as root an ordinary process; without root this does nothing.

    With root's capabilities it could read other processes' secrets, or undo its mounts. A process
    that stays root keeps only the right to read folders on the way to its code and interpreter.
    """
    for number in range(CAPABILITIES):
        if number != kept:
            process_control(PR_CAPBSET_DROP, number)


def _set_limits(file_limit_bytes: int) -> None:
    """Lambda's limits, as far as the endpoint's own allow; a core dump would be of no use here."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for limit, soft in LIMITS:
        _, hard = resource.getrlimit(limit)
        most = min((size for size in (soft, hard) if size != resource.RLIM_INFINITY), default=soft)
        resource.setrlimit(limit, (most, hard if limit == resource.RLIMIT_STACK else most))
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if file_limit_bytes:  # a larger file is refused then, not a reason to be killed
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit_bytes, file_limit_bytes))
