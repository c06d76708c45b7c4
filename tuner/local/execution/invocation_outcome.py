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
    from tuner.local.execution.runtime.process import RuntimeEvent
    from tuner.local.execution.runtime.runtime_api import RuntimeCall
    from tuner.model.invocation import ReportStatus

PlatformErrorStatus = Literal["error", "timeout"]
_EXIT = "Runtime.ExitError"
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


def failure_in(event: RuntimeEvent, timeout_s: int) -> RuntimeFailedError | None:
    """Why the runtime won't answer, if that is what an event tells; None for any other."""
    why = None
    match event.kind:
        case "deadline":
            message = f"Task timed out after {timeout_s:.2f} seconds"
            why = PlatformError(message, "Sandbox.Timedout", None, "timeout")
        case "memory":  # the kernel has killed for it
            why = PlatformError(_exit_message(-signal.SIGKILL), _EXIT, "Runtime.OutOfMemory")
        case "unfit":  # another architecture's, or a script without its shell
            why = invalid_entrypoint(f"fork/exec /var/task/bootstrap: {event.why.lower()}")
        case "exited":
            why = PlatformError(_exit_message(event.exit_code), _EXIT, _EXIT)
    posted = None
    if event.call is not None and event.call.kind == "init-error":
        kind, posted = event.call.error_type or "Runtime.Unknown", event.call.body
        why = PlatformError("", kind, kind)
    return None if why is None else RuntimeFailedError(why, event.at_ns, posted)


def invalid_entrypoint(message: str) -> PlatformError:
    """There is nothing that can be executed."""
    return PlatformError(message, "Runtime.InvalidEntrypoint", "Runtime.InvalidEntrypoint")


def _exit_message(code: int) -> str:
    """Of a process that ended with a status, or by a signal (negative)."""
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    return f"Runtime exited with error: signal: {SIGNAL_NAMES.get(-code, f'signal {-code}')}"


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


def answered(call: RuntimeCall, duration_ms: float) -> Outcome:
    """What the runtime answered, unless that is more than Lambda takes."""
    if call.too_large:
        platform_error = PlatformError(TOO_LARGE_TEXT, TOO_LARGE, TOO_LARGE)
        return Outcome(duration_ms, too_large_payload(), platform_error, "Unhandled")
    return Outcome(duration_ms, call.body, None, "Unhandled" if call.kind == "error" else None)


def megabytes(size_bytes: int) -> int:
    """Bytes as Lambda reports them: whole MB of 1,048,576 bytes, rounded up."""
    return -(-size_bytes // (1024 * 1024))
