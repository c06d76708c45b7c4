"""A Lambda-compatible endpoint on loopback that runs real handlers under real limits.

The names below are all that the rest of the project uses. Read `local_lambda` first: its
`LocalLambda` puts the parts together. An Invoke passes through these, in order.

`http/` takes the connection. Its server reads one request at a time, and `http.endpoint` routes it:
Lambda's paths to the control plane, `/_tuner/` to `local_lambda` itself, and everything else
through its proxy to the emulated services. What a web page could send is refused here.

`control_plane/` is Lambda's API. `lambda_api` finds the operation in botocore's model of the API,
checks the request against it (`validation`), and runs the operation with a `Call`. The operations
are in `functions`, `aliases`, `layers`, `permissions`, `function_urls`, `governance`, `events` and
`invoke`; `not_here` answers for what there never is, and refuses it by name. All of them use one
`function_store`, with Lambda's rules for versions, revisions and updates in progress. For an
Invoke, it finds the `Deployment`: one version's code and settings. `invoke` stops recursion, and
`events` runs asynchronous calls.

`deployment` is the interface to what runs code: it takes a deployment and a request, and returns a
payload and a log. What implements it is an `Executor`; tests of Lambda's callers bring their own.

`execution/` is the real one. The invocation waits for its share of the host's cores, gets an idle
execution environment or a new one, and the event is passed to a runtime in its own processes: AWS's
client for Python, ours for Node.js, or the function's own bootstrap (`execution/runtime`), with the
CPU and memory that Lambda would give it. Its output and usage become the log, its REPORT line and
the answer, which returns the same way.

`emulated_services` is S3, SQS, DynamoDB, CloudWatch Logs and the rest, in another process
(`moto_server`), so that they take no time from what is measured. Handlers' clients reach them
through the same port, and `service_use` counts what they ask for.

Around that, a `FunctionDefinition` says what to deploy at the start, `build` builds it, `deployer`
puts it into the store, `template_report` reports what is missing, and `child_process` runs
everything in a child (`python -m tuner.local`) that ends with its parent. `cpu_check` and
`machine_load` measure how accurate it is on this machine.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError

if TYPE_CHECKING:
    from tuner.local.child_process import LocalStatus, RunningLocalLambda, start_local_lambda
    from tuner.local.control_plane.package import zip_folder
    from tuner.local.cpu_check import best_cpu_control, check_control
    from tuner.local.deployment import (
        CpuControl,
        Deployment,
        FunctionDefinition,
        HostLimits,
        InvokeRequest,
        InvokeResult,
        host_architecture,
    )
    from tuner.local.execution.host import host_max_memory_mb
    from tuner.local.local_lambda import LocalLambda
    from tuner.local.machine_load import bare_share, read_machine_clock
    from tuner.local.service_use import read_use

SYSTEM = sys.platform
_HOMES: Final = {
    "CpuControl": "deployment",
    "Deployment": "deployment",
    "FunctionDefinition": "deployment",
    "HostLimits": "deployment",
    "InvokeRequest": "deployment",
    "InvokeResult": "deployment",
    "LocalLambda": "local_lambda",
    "LocalStatus": "child_process",
    "RunningLocalLambda": "child_process",
    "bare_share": "machine_load",
    "best_cpu_control": "cpu_check",
    "check_control": "cpu_check",
    "host_architecture": "deployment",
    "host_max_memory_mb": "execution.host",
    "read_machine_clock": "machine_load",
    "read_use": "service_use",
    "start_local_lambda": "child_process",
    "zip_folder": "control_plane.package",
}
"""Loaded on first use: most need what systems other than Linux and macOS lack."""

__all__ = [
    "CpuControl",
    "Deployment",
    "FunctionDefinition",
    "HostLimits",
    "InvokeRequest",
    "InvokeResult",
    "LocalLambda",
    "LocalStatus",
    "RunningLocalLambda",
    "bare_share",
    "best_cpu_control",
    "check_control",
    "host_architecture",
    "host_max_memory_mb",
    "read_machine_clock",
    "read_use",
    "refuse_other_systems",
    "start_local_lambda",
    "zip_folder",
]


def refuse_other_systems() -> None:
    """Raise LocalError on a system without the processes, signals and files that it needs."""
    if SYSTEM not in ("linux", "darwin"):
        raise LocalError(
            f"the local Lambda runs on Linux and macOS, not on {SYSTEM}: on Windows use WSL 2"
        )


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
