"""Runs deployments in real processes under Lambda's limits, in environments that are kept."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.errors import LocalError
from tuner.local.execution.call_chain import CallChain
from tuner.local.execution.cores import CorePlacement, CoreQueue
from tuner.local.execution.environment import SHUT_DOWN, Environment
from tuner.local.execution.host import look_at_host
from tuner.local.execution.invocation_log import LogForwarder
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
        on_log: LogSink = lambda *_: None,
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


class EnvironmentPool:
    """Kept environments: idle ones by deployment, most recently used first, and busy ones.

    Thread-safe; it ends what it drops.
    """

    def __init__(self, idle_s: float, max_environments: int) -> None:
        self._idle_s = idle_s
        self._max_environments = max_environments
        self._changed = threading.Condition()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._retired: set[str] = set()
        self._closed = False
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        self._reaper.start()

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be added any more."""
        return self._closed

    def has_idle(self, deployment_id: str) -> bool:
        """Whether one waits for this deployment."""
        with self._changed:
            return any(one.deployment.deployment_id == deployment_id for one in self._idle)

    def take(self, deployment_id: str) -> Environment | None:
        """The most recently used idle one, now busy; None if there is none."""
        with self._changed:
            for environment in reversed(self._idle):
                if environment.deployment.deployment_id == deployment_id:
                    self._idle.remove(environment)
                    self._busy.add(environment)
                    return environment
        return None

    def add(self, environment: Environment) -> None:
        """Add a new one as busy; if there are too many, the longest idle one ends."""
        surplus = None
        with self._changed:
            self._busy.add(environment)
            if self._idle and len(self._idle) + len(self._busy) > self._max_environments:
                surplus = self._idle.pop(0)
        if surplus is not None:
            surplus.end()

    def give_back(self, environment: Environment, *, keep: bool = True) -> None:
        """A busy one is done: it waits for the next invocation, or is ended."""
        with self._changed:
            self._busy.discard(environment)
            retired = environment.deployment.deployment_id in self._retired
            keep = keep and not retired and not self._closed
            if keep:
                environment.idle_since_s = time.monotonic()
                self._idle.append(environment)
            self._changed.notify_all()
        if not keep:
            environment.end()

    def retire(self, deployment_id: str) -> None:
        """End a deployment's idle ones soon, the busy ones when they are given back."""
        with self._changed:
            self._retired.add(deployment_id)
            self._changed.notify_all()

    def close(self, limit_s: float = 5.0) -> None:
        """End all of them: busy ones are killed and waited for."""
        with self._changed:
            self._closed = True
            ended, self._idle = self._idle, []
            busy = list(self._busy)
            self._changed.notify_all()
        for environment in (*busy, *ended):
            environment.kill()
        for environment in ended:
            environment.end()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, limit_s)
        self._reaper.join(limit_s)

    def _reap(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                expired = [
                    e
                    for e in self._idle
                    if now - e.idle_since_s >= self._idle_s
                    or e.deployment.deployment_id in self._retired
                ]
                self._idle = [e for e in self._idle if e not in expired]
                if not expired:
                    first_s = self._idle[0].idle_since_s if self._idle else now
                    self._changed.wait(max(0.001, first_s + self._idle_s - now))
            for environment in expired:
                environment.end()
