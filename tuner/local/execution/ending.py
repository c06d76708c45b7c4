"""Error objects of the platform: what an invocation answers when the runtime could not."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Literal

EndingStatus = Literal["error", "timeout"]
SIGNAL_NAMES: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}
"""Names as Lambda's own runtime interface (in Go) prints them."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why an invocation has no answer of the function's own."""

    message: str
    """Without the request id."""
    payload_type: str
    report_type: str | None
    """What the REPORT line names; it tells out of memory from other kills."""
    status: EndingStatus = "error"

    def payload(self, request_id: str) -> bytes:
        """The error object."""
        text = f"RequestId: {request_id} Error: {self.message}"
        return json.dumps({"errorType": self.payload_type, "errorMessage": text}).encode()


def timed_out(timeout_s: float) -> Ending:
    """The function did not answer in time."""
    message = f"Task timed out after {timeout_s:.2f} seconds"
    return Ending(message, "Sandbox.Timedout", None, "timeout")


def out_of_memory() -> Ending:
    """A process of the tree was killed for memory."""
    return Ending(
        "Runtime exited with error: signal: killed", "Runtime.ExitError", "Runtime.OutOfMemory"
    )


def invalid_entrypoint(message: str) -> Ending:
    """There is nothing that can be executed."""
    return Ending(message, "Runtime.InvalidEntrypoint", "Runtime.InvalidEntrypoint")


def unfit(why: str) -> Ending:
    """The system would not execute it: another architecture's, or a script without its shell."""
    return invalid_entrypoint(f"fork/exec /var/task/bootstrap: {why.lower()}")


def exited(code: int) -> Ending:
    """The runtime's process ended: with a status, or by a signal (negative)."""
    if code == 0:
        message = "Runtime exited without providing a reason"
    elif code > 0:
        message = f"Runtime exited with error: exit status {code}"
    else:
        name = SIGNAL_NAMES.get(-code, f"signal {-code}")
        message = f"Runtime exited with error: signal: {name}"
    return Ending(message, "Runtime.ExitError", "Runtime.ExitError")
