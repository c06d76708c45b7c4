"""An invocation's result: its REPORT, and the platform's error if the runtime gave none."""

from __future__ import annotations

import json
import math
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tuner.local.deployment import TOO_LARGE, TOO_LARGE_TEXT, too_large_payload
from tuner.model.invocation import PlatformReport

if TYPE_CHECKING:
    from tuner.local.deployment import Deployment, InvokeRequest
    from tuner.model.invocation import ReportStatus

PlatformErrorStatus = Literal["error", "timeout"]
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
class PlatformError:
    """Why an invocation has no answer from the function."""

    message: str
    """Without the request id."""
    payload_type: str
    report_type: str | None
    """What the REPORT line names, which separates out of memory from other kills."""
    status: PlatformErrorStatus = "error"

    def payload(self, request_id: str) -> bytes:
        """The error object."""
        text = f"RequestId: {request_id} Error: {self.message}"
        return json.dumps({"errorType": self.payload_type, "errorMessage": text}).encode()


class RuntimeFailedError(Exception):
    """The runtime won't answer: `cause`, or the error object that it posted itself."""

    def __init__(self, why: PlatformError, at_ns: int, posted: bytes | None = None) -> None:
        super().__init__(why.message)
        self.cause = why
        self.at_ns = at_ns
        self.posted = posted


def elapsed_ms(begin_ns: int, end_ns: int) -> float:
    """Milliseconds between two monotonic stamps, never below zero.

    Nothing can end before it began: such a stamp is wrong (the kernel's follow the wall clock,
    which may be set in between), and the time of looking is used.
    """
    return ((end_ns if end_ns >= begin_ns else time.monotonic_ns()) - begin_ns) / 1e6


def timed_out(timeout_s: float) -> PlatformError:
    """The function did not answer in time."""
    message = f"Task timed out after {timeout_s:.2f} seconds"
    return PlatformError(message, "Sandbox.Timedout", None, "timeout")


def out_of_memory() -> PlatformError:
    """A process of the tree was killed for memory."""
    return PlatformError(
        "Runtime exited with error: signal: killed", "Runtime.ExitError", "Runtime.OutOfMemory"
    )


def invalid_entrypoint(message: str) -> PlatformError:
    """There is nothing that can be executed."""
    return PlatformError(message, "Runtime.InvalidEntrypoint", "Runtime.InvalidEntrypoint")


def unfit(why: str) -> PlatformError:
    """The system wouldn't execute it: another architecture's, or a script without its shell."""
    return invalid_entrypoint(f"fork/exec /var/task/bootstrap: {why.lower()}")


def exited(code: int) -> PlatformError:
    """The runtime's process ended: with a status, or by a signal (negative)."""
    if code == 0:
        message = "Runtime exited without providing a reason"
    elif code > 0:
        message = f"Runtime exited with error: exit status {code}"
    else:
        name = SIGNAL_NAMES.get(-code, f"signal {-code}")
        message = f"Runtime exited with error: signal: {name}"
    return PlatformError(message, "Runtime.ExitError", "Runtime.ExitError")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The function's own answer, or (with `platform_error`) the platform's instead."""

    duration_ms: float
    payload: bytes = field(repr=False)
    platform_error: PlatformError | None = None
    function_error: str | None = None

    def report(
        self,
        deployment: Deployment,
        request: InvokeRequest,
        *,
        init_ms: float | None,
        peak_bytes: int,
    ) -> PlatformReport:
        """Return the REPORT. INIT is billed with the duration, rounded up together."""
        status: ReportStatus | None = self.platform_error.status if self.platform_error else None
        if status is None and deployment.log_format == "JSON":  # which always tells it
            status = "error" if self.function_error else "success"
        return PlatformReport(
            request_id=request.request_id,
            duration_ms=round(self.duration_ms, 2),
            billed_duration_ms=math.ceil(round(self.duration_ms + (init_ms or 0.0), 2)),
            memory_size_mb=deployment.memory_mb,
            max_memory_used_mb=min(megabytes(peak_bytes), deployment.memory_mb),
            init_duration_ms=None if init_ms is None else round(init_ms, 2),
            status=status,
            error_type=self.platform_error.report_type if self.platform_error else None,
        )


def too_large(duration_ms: float) -> Outcome:
    """The function answered with more than Lambda takes."""
    platform_error = PlatformError(TOO_LARGE_TEXT, TOO_LARGE, TOO_LARGE)
    return Outcome(duration_ms, too_large_payload(), platform_error, "Unhandled")


def megabytes(size_bytes: int) -> int:
    """Bytes as Lambda reports them: whole MB of 1,048,576 bytes, rounded up."""
    return -(-size_bytes // (1024 * 1024))
