"""One runtime in its process tree: started, given events, watched, ended.

Whoever waits for it processes everything it says: the Runtime API, the log pipe and the supervisor.
"""

from __future__ import annotations

import marshal
import os
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.control_groups import BYTES_PER_MB
from tuner.local.execution.cpu.process_tree import LinuxTree
from tuner.local.execution.runtime.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.local.execution.cpu.control_groups import ControlGroup
    from tuner.local.execution.runtime import LaunchSpec
    from tuner.local.execution.runtime.runtime_api import RuntimeCall

PACKAGE_ROOT = str(Path(__file__).resolve().parents[4])
SUPERVISOR_CODE = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from tuner.local.execution.runtime.supervisor import main; main(sys.argv[2:])"
)
SUPERVISOR_LIMIT_S = 5.0
"""How long a supervisor may take to carry out a command."""
_LEAST_GAP_S, _GAP_SHARE, _MOST_GAP_S = 0.05, 0.05, 0.25
"""Between two looks at a control group's memory: this share of the time so far, within limits.
Spikes in between are still seen."""

RuntimeEventKind = Literal["started", "call", "exited", "memory", "deadline", "unfit"]


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """What was waited for."""

    kind: RuntimeEventKind
    at_ns: int
    """Monotonic time."""
    call: RuntimeCall | None = None
    exit_code: int = 0
    why: str = ""
    """Why the system can't execute it ("unfit")."""


class RuntimeProcess:
    """A runtime's process tree. Not thread-safe, except for `end`."""

    def __init__(
        self,
        make_spec: Callable[[str], LaunchSpec],
        *,
        scratch_dir: Path,
        group: ControlGroup | None,
        write_output: Callable[[bytes], None],
    ) -> None:
        """Start it; `make_spec` gets the Runtime API's address.

        A control group confines the tree, or (None) its supervisor.
        """
        self.write_output = write_output
        self._peak_bytes = 0
        self._events: list[RuntimeEvent] = []
        self._acknowledged = 0
        self.has_exited = False
        """Whether the runtime or its supervisor is known to be gone."""
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._register, self._selector.unregister)
        self._group = group
        self._log_fd, log_end = os.pipe()
        os.set_blocking(self._log_fd, False)
        self._register(self._log_fd)
        try:
            self._supervisor = SupervisorLink(
                log_end, scratch_dir, list(group.directories) if group else []
            )
        finally:
            os.close(log_end)
        self._register(self._supervisor.fileno())
        spec = make_spec(self._api.address)
        self._cpus = tuple(spec["cpus"])
        if group is not None:
            group.create(spec["memory_limit_bytes"] // BYTES_PER_MB)
            group.set_cores(spec["cores"])
        self._supervisor.launch(spec)

    @property
    def peak_bytes(self) -> int:
        """Highest anonymous and shared memory of the tree so far."""
        return self._group.peak_bytes if self._group else self._peak_bytes

    def run(self, cores: float, cpus: tuple[int, ...]) -> None:
        """Let the tree run at this share, on these cores."""
        if cpus != self._cpus and sys.platform == "linux":
            LinuxTree(self._supervisor.pid).bind(cpus)
            self._cpus = cpus
        if self._group is not None:
            self._group.set_cores(cores)
            self._group.resume()
        else:
            self._ask_supervisor(b"run %.6f\n" % cores)

    def rest(self) -> bool:
        """Stop the tree until it's run again; False if it must be ended because memory ran out."""
        if self._group is None:
            self._ask_supervisor(b"rest\n")
            return not any(one.kind == "memory" for one in self._events)
        self._group.pause()  # first: what is taken until then is seen too
        return not self.sample()

    def sample(self) -> bool:
        """Look at the memory now; return whether the kernel has killed for it."""
        try:
            return self._group.sample() if self._group is not None else False
        except OSError:  # the group is gone: its supervisor ended
            return False

    def wait(self, deadline_ns: int) -> RuntimeEvent:
        """Process messages until something happens or the deadline (monotonic) passes."""
        begin_ns = time.monotonic_ns()
        next_sample_ns = begin_ns + int(_LEAST_GAP_S * 1e9)
        while not self._events:
            now = time.monotonic_ns()
            if now >= deadline_ns:
                return RuntimeEvent("deadline", deadline_ns)
            if self._group is not None and now >= next_sample_ns:
                gap_s = min((now - begin_ns) / 1e9 * _GAP_SHARE, _MOST_GAP_S)
                next_sample_ns = now + int(max(gap_s, _LEAST_GAP_S) * 1e9)
                if self.sample():
                    return RuntimeEvent("memory", now)
            until = deadline_ns if self._group is None else min(deadline_ns, next_sample_ns)
            self._pump(max(0.0, (until - now) / 1e9))
        return self._events.pop(0)

    def take_pending(self) -> None:
        """Read what came in the meantime, without waiting."""
        self._pump(0.0)

    def deliver(self, call: RuntimeCall, headers: Mapping[str, str], body: bytes) -> int | None:
        """Answer the runtime's `next` with an event; return the monotonic time just before.

        None if the requester is gone: the event wasn't sent, or not completely.
        """
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        begin_ns = time.monotonic_ns()
        if not call.connection.is_open:
            return None
        try:
            call.connection.send("200 OK", text, body)
        except TimeoutError:  # it is there, and does not read
            return begin_ns
        except OSError:
            return None
        return begin_ns

    def drain_log(self) -> None:
        """Read what the log pipe has."""
        while True:
            try:
                data = os.read(self._log_fd, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.write_output(data)

    def kill(self) -> None:
        """End the tree now: the supervisor does it. Safe from any thread, any number of times."""
        self._supervisor.tell(b"end\n")

    def end(self) -> bool:
        """End the tree, wait until nothing is left of it, close everything.

        False if the supervisor didn't end by itself: it may have left processes behind.
        """
        self.sample()
        self.kill()
        ended_well = self._supervisor.wait()
        if self._group is not None:
            group_files.remove(list(self._group.directories))
            self._group.close()
        self.drain_log()
        for line in self._supervisor.receive_rest():
            if line.startswith(("ok ", "memory ")):
                self._peak_bytes = max(self._peak_bytes, int(line.split()[1]))
        self._api.close()
        self._selector.close()
        self._supervisor.close()
        os.close(self._log_fd)
        return ended_well

    def _register(self, handle: int) -> None:
        self._selector.register(handle, selectors.EVENT_READ)

    def _pump(self, limit_s: float) -> None:
        for key, _ in self._selector.select(limit_s):
            handle = key.fd
            if handle == self._log_fd:
                self._read_log()
            elif handle == self._supervisor.fileno():
                self._read_supervisor()
            else:
                for call in self._api.receive(handle):
                    self._events.append(RuntimeEvent("call", call.arrived_ns, call))

    def _read_log(self) -> None:
        data = os.read(self._log_fd, 65536)
        if data:
            self.write_output(data)
        else:  # every process that could write is gone
            self._selector.unregister(self._log_fd)

    def _read_supervisor(self) -> None:
        lines = self._supervisor.receive()
        if lines is None:
            self._selector.unregister(self._supervisor.fileno())
            self._note_exit(-9, time.monotonic_ns())
            return
        for line in lines:
            self._note(line)

    def _note(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "exec":
            self._events.append(RuntimeEvent("started", int(rest)))
        elif word == "exit":
            code, at_ns = rest.split()
            self._note_exit(int(code), int(at_ns))
        elif word == "unfit":
            self._events.append(RuntimeEvent("unfit", time.monotonic_ns(), why=rest))
        elif word == "failed":
            raise LocalError(f"an execution environment could not be started: {rest}")
        else:
            self._peak_bytes = max(self._peak_bytes, int(rest))
            if word == "memory":
                self._events.append(RuntimeEvent("memory", time.monotonic_ns()))
            else:
                self._acknowledged += 1

    def _note_exit(self, code: int, at_ns: int) -> None:
        if self.has_exited:
            return
        self.has_exited = True
        kind: RuntimeEventKind = "memory" if self.sample() else "exited"
        self._events.append(RuntimeEvent(kind, at_ns, exit_code=code))

    def _ask_supervisor(self, line: bytes) -> None:
        """Tell the supervisor and wait until it's done."""
        before = self._acknowledged
        if not self._supervisor.tell(line):
            return
        end = time.monotonic() + SUPERVISOR_LIMIT_S
        while self._acknowledged == before and not self.has_exited and time.monotonic() < end:
            self._pump(0.1)


class SupervisorLink:
    """A supervisor's process and the socket to it. Not thread-safe, except for `tell`."""

    def __init__(self, log_end: int, scratch_dir: Path, groups: list[str]) -> None:
        """Start it; it waits for `launch`. The runtime writes to `log_end`."""
        self._socket, supervisor_end = socket.socketpair()
        handles = (supervisor_end.fileno(), log_end)
        arguments = [PACKAGE_ROOT, *map(str, handles), str(scratch_dir), *groups]
        with supervisor_end:
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
                [sys.executable, "-I", "-S", "-c", SUPERVISOR_CODE, *arguments],
                pass_fds=handles,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                env={},
            )
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
