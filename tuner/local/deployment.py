"""The seam between the local Lambda API and the execution of code behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.finding import Finding

CpuControl = Literal["cgroup-v1", "cgroup-v2", "stop-continue", "none"]
"""How memory buys CPU here; "none" where execution is switched off (scripted replies)."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version's code and settings at one moment: what an execution environment is made for.

    `deployment_id` is unique for every change: environments of an older one are never reused.
    """

    deployment_id: str
    function_name: str
    version: str
    region: str
    account_id: str
    runtime: str
    handler: str
    architecture: str
    memory_mb: int
    timeout_s: int
    ephemeral_storage_mb: int
    code_dir: Path
    log_group: str
    opt_dir: Path | None = None
    """The layers' files, one over the other: what Lambda has at /opt. None without layers."""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The function's variables, and the endpoint, region and credentials (invented ones) with
    which the handler's AWS clients reach this host's services."""
    log_format: Literal["Text", "JSON"] = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    """Both of JSON logs only."""


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """One accepted invocation."""

    request_id: str
    payload: bytes = field(repr=False)
    invoked_arn: str
    trace_header: str | None = None
    """The caller's X-Amzn-Trace-Id: a nested call must not wait for its caller's CPU share."""
    client_context: str | None = None
    asynchronous: bool = False
    lineage: str = ""
    """How often each function ran in this chain of requests, this invocation included."""


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What came of it: the payload or error object, and the whole log of the invocation."""

    payload: bytes = field(repr=False)
    function_error: str | None
    """None, or what the X-Amz-Function-Error header says ("Unhandled")."""
    log: bytes = field(repr=False)
    """START, output, END and REPORT lines; the API cuts its 4 KB tail from it."""
    trace_header: str | None = None


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What this host can show."""

    core_count: int
    max_memory_mb: int
    """cores x 1,769: above it, a share of CPU cannot be shown and is refused."""
    cpu_control: CpuControl
    findings: tuple[Finding, ...] = ()


class Executor(Protocol):
    """Runs deployments in execution environments. Thread-safe."""

    @property
    def limits(self) -> HostLimits:
        """What this host can show."""

    def runtime_findings(self, runtime: str) -> tuple[Finding, ...]:
        """What there is to say of a runtime here, before anything runs.

        Raises LocalError where it cannot be run.
        """

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        """Run one invocation in a warm or new environment; blocks until it ended."""

    def retire(self, deployment_id: str) -> None:
        """End the idle environments of a deployment now, and busy ones when they are done."""

    def close(self) -> None:
        """End every environment and remove all that was made for them."""


def parse_trace(header: str | None) -> dict[str, str]:
    """Read an X-Amzn-Trace-Id: `Root=…;Parent=…;Sampled=…`; empty parts are left out."""
    pairs = (part.partition("=") for part in (header or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}
