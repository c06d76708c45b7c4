"""What is deployed, what the local Lambda API asks of its execution, and the result.

Also which runtimes can run locally at all; whether a host has them is another question.
"""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from tuner.errors import LocalError
from tuner.iac import TemplateFunction

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.finding import Finding

CpuControl = Literal["cgroup-v1", "cgroup-v2", "stop-continue", "none"]
"""How memory buys CPU here; "none" if execution is switched off (scripted replies)."""


MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100
"""Lambda's limit, from its own error message (6,291,556 bytes)."""
TOO_LARGE: Final = "Function.ResponseSizeTooLarge"
TOO_LARGE_TEXT: Final = (
    f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
)
RUNTIME_VERSION: Final = "0" * 64
"""A placeholder for the runtime's build in its ARN: the interpreter here has none."""
PYTHON_MINORS: Final = tuple(range(6, 16))
NODE_RELEASES: Final = ("", "4.3", "6.10", "8.10", *(f"{major}.x" for major in range(10, 27, 2)))
"""What follows "nodejs", including retired runtimes, which old templates still have."""
RUNNABLE: Final = "python3.6 to python3.15, nodejs to nodejs26.x, provided.al2, provided.al2023"
_ARCHITECTURES: Final = {
    "x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"
}  # fmt: skip
_PROVIDED: Final = re.compile(r"provided(\.al2(023)?)?")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version's code and settings at one moment: what an execution environment is made for.

    `deployment_id` changes with every update: environments of an older one are never reused.
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
    """The layers' files, overlaid: Lambda's /opt. None without layers."""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The function's variables, and the endpoint, region and (invented) credentials for the
    handler's AWS clients."""
    log_format: Literal["Text", "JSON"] = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    """Both apply to JSON logs only."""


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
    """The result: the payload or error object, and the invocation's whole log."""

    payload: bytes = field(repr=False)
    function_error: str | None
    """None, or what the X-Amz-Function-Error header says ("Unhandled")."""
    log: bytes = field(repr=False)
    """START, output, END and REPORT lines; the API cuts its 4 KB tail from it."""
    trace_header: str | None = None


def host_architecture() -> str:
    """Lambda's name for this machine's architecture, or the machine's own for any other."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine.lower(), machine)


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What this host can emulate."""

    core_count: int
    max_memory_mb: int
    """cores x 1,769: a larger CPU share can't be emulated and is refused."""
    cpu_control: CpuControl
    findings: tuple[Finding, ...] = ()
    architecture: str | None = None
    """The only one that runs here, in Lambda's words; None: nothing really runs."""


class Executor(Protocol):
    """Runs deployments in execution environments. Thread-safe."""

    @property
    def limits(self) -> HostLimits:
        """What this host can emulate."""

    def runtime_findings(self, runtime: str) -> tuple[Finding, ...]:
        """Findings about a runtime here, before anything runs.

        Raises LocalError if it can't run.
        """

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        """Run one invocation in a warm or new environment; blocks until it ends."""

    def retire(self, deployment_id: str) -> None:
        """End a deployment's idle environments soon, and busy ones when they are done."""

    def close(self) -> None:
        """End every environment and remove everything made for them."""


def too_large_payload() -> bytes:
    """The error object in place of a response over Lambda's limit."""
    return json.dumps({"errorType": TOO_LARGE, "errorMessage": TOO_LARGE_TEXT}).encode()


def runtime_version_arn(region: str) -> str:
    """As functions' configurations and INIT_START name the runtime's version."""
    return f"arn:aws:lambda:{region}::runtime:{RUNTIME_VERSION}"


def check_runtime(runtime: str) -> None:
    """Raise LocalError for a runtime that can't run locally on any host."""
    python = re.fullmatch(r"python3\.(\d{1,2})", runtime)
    is_known = (
        (python is not None and int(python[1]) in PYTHON_MINORS)
        or (runtime.startswith("nodejs") and runtime.removeprefix("nodejs") in NODE_RELEASES)
        or _PROVIDED.fullmatch(runtime) is not None
    )
    if not is_known:
        raise LocalError(
            f"the runtime {runtime} can't be run locally ({RUNNABLE} can): tune it on AWS"
        )


def node_major(runtime: str) -> int:
    """Return a known runtime's Node.js version: 20 for "nodejs20.x", 8 for "nodejs8.10"."""
    major = runtime.removeprefix("nodejs").partition(".")[0]
    return int(major or 0)  # "nodejs" alone was 0.10


FunctionDefinition = TemplateFunction
"""What to deploy, from a template or not.

Without code it gets a handler that returns its event, which is enough if another executor answers
instead."""
