"""The endpoint's side of a supervisor: starting it, talking to it, and waiting for its end."""

from __future__ import annotations

import marshal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.local.execution.runtime import LaunchSpec

PACKAGE_ROOT = str(Path(__file__).resolve().parents[4])
SUPERVISOR_CODE = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from tuner.local.execution.runtime.supervisor import main; main(sys.argv[2:])"
)
SUPERVISOR_LIMIT_S = 5.0
"""How long a supervisor may take to carry out a command."""


class SupervisorLink:
    """A supervisor's process and the socket to it. Not thread-safe, except for `tell`."""

    def __init__(self, log_end: int, scratch_dir: Path, groups: list[str]) -> None:
        """Start it; it waits for `launch`. The runtime writes to `log_end`."""
        self._socket, supervisor_end = socket.socketpair()
        try:
            self._process = _start(supervisor_end.fileno(), log_end, scratch_dir, groups)
        finally:
            supervisor_end.close()
        self._unfinished = b""

    @property
    def pid(self) -> int:
        """The supervisor's process id: the root of its tree."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the socket's handle, to select on."""
        return self._socket.fileno()

    def launch(self, spec: LaunchSpec) -> None:
        """Have the runtime started; a dead supervisor is noticed later."""
        data = marshal.dumps(dict(spec))
        self.tell(len(data).to_bytes(8, "big") + data)

    def tell(self, line: bytes) -> bool:
        """Send; False if nobody listens any more. Safe from any thread, even after the end."""
        try:
            self._socket.sendall(line)
        except OSError:
            return False
        return True

    def receive(self) -> list[str] | None:
        """Read what it said, in whole lines; None if it's gone."""
        try:
            data = self._socket.recv(4096)
        except OSError:  # killed with something unread
            return None
        if not data:
            return None
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def receive_rest(self) -> list[str]:
        """Read everything left once it has ended."""
        self._socket.setblocking(False)
        try:
            while data := self._socket.recv(4096):
                self._unfinished += data
        except OSError:
            pass
        return self._unfinished.decode("utf-8", "replace").split("\n")

    def wait(self) -> bool:
        """Wait for its end, forcing it if it takes too long; return whether all went well."""
        try:
            self._process.wait(SUPERVISOR_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._process.returncode == 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _start(
    channel: int, log_end: int, scratch_dir: Path, groups: list[str]
) -> subprocess.Popen[bytes]:
    arguments = [PACKAGE_ROOT, str(channel), str(log_end), str(scratch_dir), *groups]
    return subprocess.Popen(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-I", "-S", "-c", SUPERVISOR_CODE, *arguments],
        pass_fds=(channel, log_end),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env={},
    )
