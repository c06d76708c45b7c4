"""An executor with execution switched off: it answers after a given time, with a true REPORT line.

    ScriptedExecutor(
        duration_ms=50.0,          # or a function of memory_mb: lambda mb: 1000 * 1769 / mb,
                                   #     or {"x86_64": either, "arm64": either}
        *,
        init_duration_ms=None,     # likewise; None: no cold starts
        max_memory_used_mb=64,     # likewise
        failure=None,              # (Deployment, InvokeRequest) -> "error" | "timeout" |
                                   #     "out-of-memory" | "no-reply" | None: a timeout where
                                   #     the duration is above the function's, else success
        response=None,             # (Deployment, InvokeRequest) -> bytes; None: the event itself
        time_scale=1.0,            # 0: answer at once, whatever the REPORT line says
        max_memory_mb=10240,
        core_count=6,
        log_output=b"",            # what each invocation prints
        sleep=time.sleep,
    )

For tests and benchmarks of whatever talks to the endpoint:

    with LocalLambda([FunctionDefinition("hello", memory_mb=512)],
                     executor=ScriptedExecutor(50.0), emulated_services=False) as server:
        boto3.client("lambda", endpoint_url=server.endpoint_url, region_name=server.region,
                     aws_access_key_id="local", aws_secret_access_key="local")

With emulated services, `executor.on_log = server.keep_log` puts its logs into CloudWatch Logs.
Its `invocations` records (version, memory_mb, payload) of every call that ran, in order of start.
A cold start happens wherever no environment of the deployment is idle, as in the real executor.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tuner.local.deployment import HostLimits, InvokeResult
from tuner.local.execution.invocation_log import LogEvent
from tuner.local.http.message import HangUpError
from tuner.logs import format_report, format_report_json
from tuner.model.invocation import PlatformReport

if TYPE_CHECKING:
    from tuner.local.deployment import Deployment, InvokeRequest
    from tuner.local.execution.invocation_log import LogSink
    from tuner.model.finding import Finding

Scripted = float | Callable[[int], float]
Failure = Literal["error", "timeout", "out-of-memory", "no-reply"]

_ERRORS: Final[dict[str, tuple[str, str]]] = {
    "error": ("ValueError", "scripted failure"),
    "timeout": ("Sandbox.Timedout", "RequestId: {id} Error: Task timed out after {s}.00 seconds"),
    "out-of-memory": (
        "Runtime.ExitError",
        "RequestId: {id} Error: Runtime exited with error: signal: killed",
    ),
}


@dataclass(frozen=True, slots=True)
class ScriptedInvocation:
    """One call that reached the executor."""

    version: str
    memory_mb: int
    payload: bytes = field(repr=False)


class ScriptedExecutor:
    """Implements `deployment.Executor` without running any code; see the module's docstring."""

    def __init__(
        self,
        duration_ms: Scripted | Mapping[str, Scripted] = 50.0,
        *,
        init_duration_ms: float | Callable[[int], float] | None = None,
        max_memory_used_mb: int | Callable[[int], int] = 64,
        failure: Callable[[Deployment, InvokeRequest], Failure | None] | None = None,
        response: Callable[[Deployment, InvokeRequest], bytes] | None = None,
        time_scale: float = 1.0,
        max_memory_mb: int = 10240,
        core_count: int = 6,
        log_output: bytes = b"",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._duration_ms = duration_ms
        self._init_duration_ms = init_duration_ms
        self._max_memory_used_mb = max_memory_used_mb
        self._failure = failure
        self._response = response
        self._time_scale = time_scale
        self._log_output = log_output
        self._sleep = sleep
        self._limits = HostLimits(core_count, max_memory_mb, "none")
        self._idle: dict[str, int] = {}
        self._lock = threading.Lock()
        self.invocations: list[ScriptedInvocation] = []
        self.on_log: LogSink | None = None

    @property
    def limits(self) -> HostLimits:
        """What was given: nothing of this host's."""
        return self._limits

    def runtime_findings(self, runtime: str) -> tuple[Finding, ...]:
        """Nothing: no runtime is started."""
        return ()

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        """Wait for the scripted time, then answer."""
        memory_mb = deployment.memory_mb
        with self._lock:
            self.invocations.append(
                ScriptedInvocation(deployment.version, memory_mb, request.payload)
            )
            warm = self._idle.get(deployment.deployment_id, 0) > 0
            if warm:
                self._idle[deployment.deployment_id] -= 1
        failure = self._failure(deployment, request) if self._failure else None
        init_ms = None
        if not warm and self._init_duration_ms is not None:
            init_ms = _at(self._init_duration_ms, memory_mb)
        scripted = self._duration_ms
        if isinstance(scripted, Mapping):
            scripted = scripted[deployment.architecture]
        duration_ms, longest_ms = _at(scripted, memory_mb), deployment.timeout_s * 1000.0
        if failure is None and duration_ms > longest_ms:
            failure = "timeout"
        if failure == "timeout":
            duration_ms = longest_ms
        self._sleep((duration_ms + (init_ms or 0)) / 1000 * self._time_scale)
        if failure == "no-reply":
            raise HangUpError
        if failure in (None, "error"):
            with self._lock:
                self._idle[deployment.deployment_id] = (
                    self._idle.get(deployment.deployment_id, 0) + 1
                )
        return self._result(deployment, request, failure, duration_ms, init_ms)

    def retire(self, deployment_id: str) -> None:
        """Forget a deployment's idle environments."""
        with self._lock:
            self._idle.pop(deployment_id, None)

    def close(self) -> None:
        """Nothing is to be ended."""

    def _result(
        self,
        deployment: Deployment,
        request: InvokeRequest,
        failure: Failure | None,
        duration_ms: float,
        init_ms: float | None,
    ) -> InvokeResult:
        used_mb = int(_at(self._max_memory_used_mb, deployment.memory_mb))
        report = PlatformReport(
            request_id=request.request_id,
            duration_ms=round(duration_ms, 2),
            billed_duration_ms=math.ceil(round(duration_ms + (init_ms or 0), 2)),
            memory_size_mb=deployment.memory_mb,
            max_memory_used_mb=deployment.memory_mb if failure == "out-of-memory" else used_mb,
            init_duration_ms=None if init_ms is None else round(init_ms, 2),
            status=_STATUS.get(failure or ""),
            error_type="Runtime.OutOfMemory" if failure == "out-of-memory" else None,
        )
        payload, function_error = self._payload(deployment, request, failure)
        log = self._log(deployment, report)
        if self.on_log is not None:
            now_ms = int(time.time() * 1000)
            lines = log.decode(errors="replace").splitlines()
            stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{deployment.version}]scripted"
            self.on_log(deployment.log_group, stream, [LogEvent(now_ms, line) for line in lines])
        return InvokeResult(payload, function_error, log)

    def _payload(
        self, deployment: Deployment, request: InvokeRequest, failure: Failure | None
    ) -> tuple[bytes, str | None]:
        if failure is None:
            given = self._response(deployment, request) if self._response else request.payload
            return given, None
        error_type, message = _ERRORS[failure]
        text = message.format(id=request.request_id, s=deployment.timeout_s)
        return json.dumps({"errorType": error_type, "errorMessage": text}).encode(), "Unhandled"

    def _log(self, deployment: Deployment, report: PlatformReport) -> bytes:
        if deployment.log_format == "JSON":
            line = format_report_json(
                report, time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            )
            return self._log_output + line.encode() + b"\n"
        start = f"START RequestId: {report.request_id} Version: {deployment.version}\n"
        end = f"END RequestId: {report.request_id}\n{format_report(report)}\n"
        return start.encode() + self._log_output + end.encode()


_STATUS: Final[dict[str, Literal["error", "timeout"]]] = {
    "timeout": "timeout",
    "out-of-memory": "error",
}


def _at(value: float | Callable[[int], float], memory_mb: int) -> float:
    return value(memory_mb) if callable(value) else value
