"""Runs deployments in real processes under Lambda's limits.

An invocation's path: its trace shows whether its caller runs here; it queues for its share of the
host's cores; an idle environment takes it, or a new one is made, with up to two cores for its init;
the event is delivered at the share alone; lines, peak memory and times become Lambda's log and
REPORT.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.errors import LocalError
from tuner.local.execution.call_chain import CallChain
from tuner.local.execution.cores import CorePlacement, CoreQueue
from tuner.local.execution.environment import SHUT_DOWN, Environment
from tuner.local.execution.host import look_at_host
from tuner.local.execution.invocation_log import LogForwarder
from tuner.local.execution.pool import EnvironmentPool
from tuner.local.execution.run_folder import RunFolder, clean_leftovers
from tuner.local.execution.runtime.program import find_program
from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.local.deployment import (
        CpuControl,
        Deployment,
        HostLimits,
        InvokeRequest,
        InvokeResult,
    )
    from tuner.local.execution.cores import Grant
    from tuner.local.execution.invocation_log import LogSink
    from tuner.local.execution.runtime.program import Program
    from tuner.model.finding import Finding

INIT_CORES = 2.0
"""Measured on Lambda: init has up to two full cores, whatever the memory."""
DEFAULT_IDLE_S = 300.0


class ProcessExecutor:
    """An `Executor` with real processes. Thread-safe.

    `work_dir` has the run's scratch folders; what dead runs left in it is ended and removed first.
    `on_log` gets every line (see LogSink). Idle environments end after `idle_s`; above
    `max_environments`, the longest idle one ends. Raises LocalError if `cpu_control` doesn't work
    on this host, or `work_dir` can't be written.
    """

    def __init__(
        self,
        *,
        work_dir: Path,
        cpu_control: CpuControl | None = None,
        on_log: LogSink | None = None,
        idle_s: float = DEFAULT_IDLE_S,
        max_environments: int = 64,
    ) -> None:
        self._host = look_at_host(cpu_control)
        self._work_dir = work_dir.resolve()
        clean_leftovers(self._work_dir, "run")
        groups = "\n".join(map(str, self._host.control.group_dirs))
        self._run_dir = RunFolder(self._work_dir, "run", groups=groups)
        self._queue = CoreQueue(float(self._host.core_count))
        self._placement = CorePlacement(self._host.cpus)
        self._call_chain = CallChain()
        self._pool = EnvironmentPool(idle_s, max_environments)
        self._forwarder = LogForwarder(on_log)
        self._programs: dict[str, Program] = {}
        self._lock = threading.Lock()

    @property
    def limits(self) -> HostLimits:
        """What this host can emulate, with the findings of the runtimes used so far."""
        base = self._host.limits
        with self._lock:
            met = [finding for one in self._programs.values() for finding in one.findings]
        return replace(base, findings=(*base.findings, *met))

    def runtime_findings(self, runtime: str) -> tuple[Finding, ...]:
        """Findings about a runtime here, before anything runs. Raises LocalError."""
        return self._program(runtime).findings

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        """Run one invocation; blocks until it ends.

        Raises LocalError for memory above the host's cores, a runtime that this host lacks, an
        environment that can't be started, and once the executor is closed.
        """
        self._refuse(deployment)
        program = self._program(deployment.runtime)
        with self._call_chain.entered(request) as trace:
            environment, grant = self._enter(deployment, program, nested=trace.nested)
            succeeded = False
            try:
                place = self._placement.placed(
                    environment.core_count, environment.share, environment.cpus
                )
                with place as cpus:
                    result, log = environment.invoke(request, trace, grant, cpus)
                succeeded = True
            finally:
                self._pool.give_back(environment, keep=succeeded)
                grant.release()
        if self._pool.is_closed:
            raise LocalError(SHUT_DOWN)
        self._forwarder.forward(deployment.log_group, environment.log_stream, log.events())
        return result

    def retire(self, deployment_id: str) -> None:
        """End a deployment's idle environments soon, and busy ones when they are done."""
        self._pool.retire(deployment_id)

    def close(self) -> None:
        """End every environment and remove everything made for them. May be called again."""
        if self._pool.is_closed:
            return
        self._queue.close()
        self._pool.close()
        self._forwarder.close()
        self._run_dir.close()

    def _enter(
        self, deployment: Deployment, program: Program, *, nested: bool
    ) -> tuple[Environment, Grant]:
        """An environment and its cores: a warm one, if there is one when the cores are free."""
        cores = float(self._host.core_count)
        share = min(vcpu_share(deployment.memory_mb), cores)
        init_cores = max(share, min(INIT_CORES, cores))
        at_front = False
        while True:
            is_warm = self._pool.has_idle(deployment.deployment_id)
            if nested:
                grant = self._queue.borrow(init_cores)
            elif is_warm:
                grant = self._queue.acquire(share, at_front=at_front)
            else:
                # An init takes what is free, but not less than a core: waiting for all of it
                # would keep small functions from ever running side by side.
                least = max(share, min(1.0, cores / 2))
                grant = self._queue.acquire(init_cores, least, at_front=at_front)
            environment = self._pool.take(deployment.deployment_id)
            if environment is not None:
                grant.shrink(share)
                return environment, grant
            if not is_warm or nested:
                return self._new_environment(deployment, program, grant), grant
            grant.release()
            at_front = True

    def _new_environment(
        self, deployment: Deployment, program: Program, grant: Grant
    ) -> Environment:
        try:
            environment = Environment(deployment, program, self._host, self._run_dir.path)
            self._pool.add(environment)
        except OSError as error:
            grant.release()
            raise LocalError(
                f"no execution environment can be created in {self._work_dir}: {error.strerror}"
            ) from None
        return environment

    def _program(self, runtime: str) -> Program:
        with self._lock:
            if runtime not in self._programs:
                links = self._run_dir.path / f"packages-{runtime}"
                self._programs[runtime] = find_program(runtime, links)
            return self._programs[runtime]

    def _refuse(self, deployment: Deployment) -> None:
        limits = self._host.limits
        if deployment.memory_mb > limits.max_memory_mb:
            raise LocalError(
                f"{deployment.memory_mb} MB can't be emulated on {limits.core_count} cores: at "
                f"most {limits.max_memory_mb} MB (1,769 MB buy one core); tune larger sizes on AWS"
            )
