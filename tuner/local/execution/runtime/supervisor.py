"""The supervisor: a small process beside every execution environment, its parent and its cleanup.

It starts the runtime, is the subreaper of the tree, stops and continues it if control groups can't,
and when the endpoint ends in any way (its socket closes), it kills the tree and removes the control
groups and the scratch folder. It's started with `python -I -S` and imports next to nothing, because
every cold start waits for it.

Lines to the endpoint: `exec NS`, `failed WHY`, `exit STATUS NS`, `memory PEAK`, `ok PEAK` (bytes).
Lines from it: `run CORES` and `rest` (answered with `ok`), `end`.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
import time

from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.process_tree import LinuxTree, StopContinue
from tuner.local.execution.runtime.file_view import make_image
from tuner.local.execution.runtime.launch import (
    PR_SET_CHILD_SUBREAPER,
    become_runtime,
    process_control,
)

REAP_S = 1.0
"""How often orphans are reaped if no window is watched."""
REAP_WITHOUT_PIDFD_S = 0.02
KILL_LIMIT_S = 3.0
IDENTITY_LENGTH = 32
"""Only folders of environments have names of this length."""
TYPE_CHECKING = False

if TYPE_CHECKING:
    from tuner.local.execution.runtime import LaunchSpec


class Supervisor:
    """One environment's supervisor."""

    def __init__(self, channel: int, spec: LaunchSpec, groups: list[str]) -> None:
        self._channel = channel
        self._spec = spec
        self._groups = groups
        self._main_pid = 0
        self._tree = make_tree(os.getpid())
        self._control = StopContinue(
            self._tree, spec["memory_limit_bytes"], max(1, spec["core_count"])
        )
        self._buffer = b""
        self._watched = [channel]
        self._reap_s = REAP_S

    def start(self, log_fd: int) -> None:
        """Fork the runtime and watch the channel, the owner and the child."""
        self._main_pid = os.fork()
        if self._main_pid == 0:
            become_runtime(self._spec, self._groups, log_fd, self._channel)
        os.close(log_fd)
        for pid in (self._main_pid, self._spec["owner_pid"]):
            self._watch(pid)
        if self._spec["controlled"]:
            raise_priority()
            self._tree.scan()
            self._control.run(self._spec["cores"], time.monotonic())

    def serve(self) -> bool:
        """Work until the end; return whether the endpoint asked for it (otherwise it's gone)."""
        wait_s: float | None = 0.0
        while True:
            limit_s = self._reap_s if wait_s is None else min(wait_s, self._reap_s)
            ready, _, _ = select.select(self._watched, [], [], limit_s)
            if self._channel in ready:
                asked = self._obey()
                if asked is not None:
                    return asked
            if os.getppid() != self._spec["owner_pid"]:
                return False
            if ready or wait_s is None or limit_s == self._reap_s:
                self._reap()
            wait_s, exceeded = self._control.step(time.monotonic())
            if exceeded:
                self._tell(b"memory %d" % self._control.peak_bytes)
                self._control.halt()
                self._tree.kill()

    def finish(self) -> None:
        """Kill the tree, and report its last peak."""
        end = time.monotonic() + KILL_LIMIT_S
        if self._spec["controlled"]:
            self._tree.scan()
            self._control.look_at_memory()
            self._tell(b"ok %d" % self._control.peak_bytes)
        group_files.kill_members(self._groups)
        while time.monotonic() < end:
            self._tree.kill()
            if not self._reap():
                break
            time.sleep(0.000_5)

    def _watch(self, pid: int) -> None:
        self._reap_s = REAP_WITHOUT_PIDFD_S
        if sys.platform == "linux":
            try:
                self._watched.append(os.pidfd_open(pid))
            except OSError:
                return
            self._reap_s = REAP_S

    def _obey(self) -> bool | None:
        """Carry out a command: True for the end, False if the endpoint is gone."""
        try:
            data = os.read(self._channel, 4096)
        except OSError:
            return False
        if not data:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if line == b"end":
                return True
            self._carry_out(line)
        return None

    def _carry_out(self, line: bytes) -> None:
        if line.startswith(b"run "):
            self._tree.scan()
            self._control.run(float(line[4:]), time.monotonic())
        else:
            self._control.rest()
        self._tell(b"ok %d" % self._control.peak_bytes)

    def _reap(self) -> bool:
        """Wait for processes that ended; return whether children are left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self._tree.reaped(usage.ru_utime + usage.ru_stime)
            if pid == self._main_pid:
                self._watched[1:2] = []
                code = os.waitstatus_to_exitcode(status)
                self._tell(b"exit %d %d" % (code, time.monotonic_ns()))

    def _tell(self, line: bytes) -> None:
        try:
            os.write(self._channel, line + b"\n")
        except OSError:
            return


def make_tree(root_pid: int) -> LinuxTree:
    """The tree of this platform."""
    if sys.platform == "darwin":
        from tuner.local.execution.cpu.mac_tree import MacTree  # noqa: PLC0415 (loads libproc)

        return MacTree(root_pid)
    return LinuxTree(root_pid)


def raise_priority() -> None:
    """Ask to run before others: a late stop gives CPU time away."""
    try:
        os.nice(-10)
    except OSError:  # only root may
        return


def remove_scratch(scratch: str) -> None:
    """Remove the folder, and its run's one if no other environment's is left in it."""
    import shutil  # noqa: PLC0415 (only this way out needs it)

    shutil.rmtree(scratch, ignore_errors=True)
    run_dir = os.path.dirname(scratch)  # noqa: PTH120 (pathlib would double the supervisor's start)
    try:
        if not any(len(name) == IDENTITY_LENGTH for name in os.listdir(run_dir)):  # noqa: PTH208 (as above)
            shutil.rmtree(run_dir, ignore_errors=True)
    except OSError:
        return


def read_spec(channel: int) -> LaunchSpec:
    """Read the launch's values, after eight bytes of length."""
    size = int.from_bytes(_exactly(channel, 8), "big")
    spec: LaunchSpec = marshal.loads(_exactly(channel, size))  # noqa: S302 (from our own parent)
    return spec


def _exactly(channel: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(channel, size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def main(arguments: list[str]) -> None:
    """Run one supervisor: an inherited socket and log pipe, the scratch folder, the groups.

    The endpoint creates the groups only once the supervisor has started, so there is always
    something that would remove them.
    """
    channel, log_fd = int(arguments[0]), int(arguments[1])
    scratch, groups = arguments[2], arguments[3:]
    for handle in (channel, log_fd):
        os.set_inheritable(handle, False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process_control(PR_SET_CHILD_SUBREAPER, 1)
    asked = False
    try:
        asked = watch_over(channel, log_fd, groups)
    finally:
        group_files.remove(groups)
        if not asked:
            remove_scratch(scratch)


def watch_over(channel: int, log_fd: int, groups: list[str]) -> bool:
    """Start the runtime and stay until its end; return whether the endpoint asked for it."""
    try:
        spec = read_spec(channel)
    except EOFError:
        return False
    os.makedirs(spec["tmp_dir"], mode=0o700, exist_ok=True)  # noqa: PTH103 (pathlib would double the start)
    if spec["tmp_image"]:
        try:
            make_image(spec["disk_command"], spec["tmp_image"])
        except OSError as error:
            os.write(channel, f"failed {error.strerror}: {error.filename}\n".encode())
            return False
    supervisor = Supervisor(channel, spec, groups)
    try:
        supervisor.start(log_fd)
        return supervisor.serve()
    finally:
        supervisor.finish()
