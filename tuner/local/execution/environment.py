"""One execution environment: a log stream, a scratch folder, and a runtime that comes and goes."""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.deployment import InvokeResult
from tuner.local.execution import invocation_outcome
from tuner.local.execution.cpu.control_groups import BYTES_PER_MB
from tuner.local.execution.host import home_dirs
from tuner.local.execution.invocation_log import InvocationLog
from tuner.local.execution.invocation_outcome import (
    Outcome,
    PlatformError,
    RuntimeFailedError,
    elapsed_ms,
)
from tuner.local.execution.run_folder import group_name, kill_processes_of
from tuner.local.execution.runtime.file_view import make_command
from tuner.local.execution.runtime.process import RuntimeProcess
from tuner.local.execution.runtime.program import (
    EntrypointError,
    as_seen,
    seen_argv,
    shown_links,
    way_to,
)
from tuner.local.execution.runtime.runtime_api import event_headers
from tuner.local.execution.runtime.variables import function_variables
from tuner.model.lambda_limits import vcpu_share, visible_core_count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.local.deployment import Deployment, InvokeRequest
    from tuner.local.execution.call_chain import Trace
    from tuner.local.execution.cores import Grant
    from tuner.local.execution.host import Host
    from tuner.local.execution.runtime import LaunchSpec
    from tuner.local.execution.runtime.process import RuntimeEvent
    from tuner.local.execution.runtime.program import Program
    from tuner.local.execution.runtime.runtime_api import RuntimeCall

INIT_LIMIT_S: Final = 10.0
SHUT_DOWN: Final = "the local Lambda was shut down while the invocation ran"
NEXT_LIMIT_S: Final = 0.25
"""How long a runtime that has answered may take to ask for the next event before it's stopped
anyway."""


class Environment:
    """Serves one invocation at a time. `end` may be called from any thread once nobody invokes."""

    def __init__(self, deployment: Deployment, program: Program, host: Host, run_dir: Path) -> None:
        self.deployment = deployment
        self.identity = uuid.uuid4().hex
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{deployment.version}]{self.identity}"
        self.share = min(vcpu_share(deployment.memory_mb), float(host.core_count))
        self._program = program
        self._host = host
        self._seen = as_seen(deployment, program) if host.has_private_tmp else deployment
        self._links = shown_links(program) if host.has_private_tmp else {}
        self._scratch_dir = run_dir / self.identity
        self._group_name = group_name(run_dir, self.identity)
        self.core_count = min(host.core_count, visible_core_count(deployment.memory_mb))
        """How many cores the code sees and may run on at once."""
        self.cpus: tuple[int, ...] = ()
        """The cores that it last ran on."""
        self._process: RuntimeProcess | None = None
        self._next_call: RuntimeCall | None = None
        self._start_count = 0
        self._last_peak_bytes = 0
        self._killed = threading.Event()
        self.idle_since_s = 0.0

    def invoke(
        self, request: InvokeRequest, trace: Trace, grant: Grant, cpus: tuple[int, ...]
    ) -> tuple[InvokeResult, InvocationLog]:
        """Run one invocation; afterwards the tree is at rest, or gone if it failed.

        `cpus` are the cores to run on (empty: all). `grant` may have more than the share, for init;
        it's reduced to the share before the event is delivered. Raises LocalError if the runtime
        can't be started at all.
        """
        log = InvocationLog(self.deployment)
        self.cpus = cpus
        init_ms = self._prepare(log, grant)
        grant.shrink(self.share)
        outcome = self._run(request, trace, log)
        peak_bytes = self._process.peak_bytes if self._process else self._last_peak_bytes
        report = outcome.report(self.deployment, request, init_ms=init_ms, peak_bytes=peak_bytes)
        log.end(report, len(outcome.payload))
        result = InvokeResult(
            payload=outcome.payload,
            function_error=outcome.function_error,
            log=log.text(),
            trace_header=trace.reply_header,
        )
        return result, log

    def kill(self) -> None:
        """End the running tree from another thread; the invoking thread notices."""
        self._killed.set()
        process = self._process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """End the tree and remove the folder."""
        self._drop_process()
        shutil.rmtree(self._scratch_dir, ignore_errors=True)

    def _prepare(self, log: InvocationLog, grant: Grant) -> float | None:
        """Give a new environment its runtime, if init succeeds; return Init Duration or None.

        After a crash there is none yet: as on Lambda, that init is part of the next Duration.
        """
        if self._process is not None:
            self._process.write_output = log.write_output
        if self._start_count > 0:
            return None
        log.init_start(self._program.label)
        begin_ns = time.monotonic_ns()
        try:
            begin_ns = self._start(log, grant.cores)
            asked_ns = self._await_next(begin_ns + int(INIT_LIMIT_S * 1e9))
        except RuntimeFailedError as error:
            self._init_failed(log, "init", elapsed_ms(begin_ns, error.at_ns), error.cause)
            return None
        init_ms = elapsed_ms(begin_ns, asked_ns)
        log.init_report(init_ms, "init", "success")
        return init_ms

    def _run(self, request: InvokeRequest, trace: Trace, log: InvocationLog) -> Outcome:
        if self._is_ready():
            log.start(request.request_id, self.deployment.version)
            handed_ns = self._deliver(request, trace, time.monotonic_ns())
            if handed_ns is not None:
                try:
                    return self._await_answer(request, handed_ns)
                except RuntimeFailedError as error:
                    if error.posted is not None or error.at_ns >= handed_ns:
                        return self._failed(request, log, error, handed_ns)
        self._drop_process()  # if there was one, it died at rest and never had the event
        return self._run_anew(request, trace, log)

    def _run_anew(self, request: InvokeRequest, trace: Trace, log: InvocationLog) -> Outcome:
        """Init as a part of the invocation, at its CPU share and on its time; then the event."""
        begin_ns = time.monotonic_ns()
        try:
            try:
                begin_ns = self._start(log, self.share)
                self._await_next(self._deadline_ns(begin_ns))
            except RuntimeFailedError as error:
                self._init_failed(log, "invoke", elapsed_ms(begin_ns, error.at_ns), error.cause)
                raise
            finally:
                log.start(request.request_id, self.deployment.version)
            self._deliver(request, trace, begin_ns)
            return self._await_answer(request, begin_ns)
        except RuntimeFailedError as error:
            return self._failed(request, log, error, begin_ns)

    def _is_ready(self) -> bool:
        """Let the runtime run, if there is one, and check that it can take an event."""
        process = self._process
        if process is None:
            return False
        try:
            process.run(self.share, self.cpus)
            process.take_pending()
            if not process.has_exited:
                self._await_next(time.monotonic_ns() + int(INIT_LIMIT_S * 1e9))
        except (RuntimeFailedError, OSError):  # OSError: its group went with its supervisor
            return False
        return not process.has_exited

    def _deliver(self, request: InvokeRequest, trace: Trace, begin_ns: int) -> int | None:
        """Deliver the event, and return when; None if nothing took it.

        Its timeout counts from `begin_ns`.
        """
        process, asked = self._process, self._next_call
        self._next_call = None
        assert process is not None
        assert asked is not None
        left_s = (self._deadline_ns(begin_ns) - time.monotonic_ns()) / 1e9
        headers = event_headers(request, trace.header, left_s)
        return process.deliver(asked, headers, request.payload)

    def _deadline_ns(self, begin_ns: int) -> int:
        return begin_ns + self.deployment.timeout_s * 1_000_000_000

    def _await_answer(self, request: InvokeRequest, begin_ns: int) -> Outcome:
        assert self._process is not None
        deadline_ns = self._deadline_ns(begin_ns)
        while True:
            event = self._checked(self._process.wait(deadline_ns))
            call = event.call
            if call is None or call.request_id != request.request_id:
                self._keep_next(event)
                continue
            duration_ms = elapsed_ms(begin_ns, event.at_ns)
            self._settle()
            return invocation_outcome.answered(call, duration_ms)

    def _settle(self) -> None:
        """Let the runtime reach its next poll, then stop it until it's needed."""
        process = self._process
        assert process is not None
        process.drain_log()
        limit_ns = time.monotonic_ns() + int(NEXT_LIMIT_S * 1e9)
        while self._next_call is None:
            event = process.wait(limit_ns)
            if event.kind in ("exited", "memory"):
                self._drop_process()
                return
            if event.kind == "deadline":
                break
            self._keep_next(event)
        if not process.rest():
            self._drop_process()

    def _await_next(self, deadline_ns: int) -> int:
        """Wait for the runtime to ask for an event; return when it did."""
        assert self._process is not None
        while self._next_call is None:
            self._keep_next(self._checked(self._process.wait(deadline_ns)))
        return self._next_call.arrived_ns

    def _keep_next(self, event: RuntimeEvent) -> None:
        if event.call is not None and event.call.kind == "next":
            self._next_call = event.call

    def _checked(self, event: RuntimeEvent) -> RuntimeEvent:
        """Pass on anything but the runtime's end."""
        failure = invocation_outcome.failure_in(event, self.deployment.timeout_s)
        if failure is not None:
            raise failure
        return event

    def _start(self, log: InvocationLog, cores: float) -> int:
        """Start a runtime; return when it was executed. Raises LocalError."""
        if self._killed.is_set():
            raise LocalError(SHUT_DOWN)
        self._start_count += 1
        self._next_call = None
        try:
            self._process = self._new_process(log, cores)
        except OSError as error:
            raise LocalError(f"an execution environment can't be created: {error}") from None
        except EntrypointError as error:
            why = invocation_outcome.invalid_entrypoint(str(error))
            raise RuntimeFailedError(why, time.monotonic_ns()) from None
        if self._killed.is_set():  # before there was a process to kill
            self._process.kill()
        event = self._process.wait(time.monotonic_ns() + int(INIT_LIMIT_S * 1e9))
        if event.kind != "started":
            self._drop_process()
            ended = "an execution environment did not start: its supervisor ended"
            raise LocalError(SHUT_DOWN if self._killed.is_set() else ended)
        return event.at_ns

    def _new_process(self, log: InvocationLog, cores: float) -> RuntimeProcess:
        argv = seen_argv(self._program, self.deployment, self._seen, self._links)
        group = self._host.control.make_group(f"{self._group_name}-{self._start_count}")
        return RuntimeProcess(
            lambda address: self._spec(argv, address, cores, is_controlled=group is None),
            scratch_dir=self._scratch_dir,
            group=group,
            write_output=log.write_output,
        )

    def _spec(
        self, argv: Sequence[str], api_address: str, cores: float, *, is_controlled: bool
    ) -> LaunchSpec:
        """What the supervisor is to start, and under which limits."""
        deployment, seen, host = self.deployment, self._seen, self._host
        tmp_dir, tmp_mb = str(self._scratch_dir / "tmp"), deployment.ephemeral_storage_mb
        maker, image = host.disk_maker, str(self._scratch_dir / "tmp.img")
        layers = str(deployment.opt_dir or "")
        is_shown = seen.opt_dir != deployment.opt_dir  # as /opt; otherwise they are read in place
        return {
            "argv": list(argv),
            "environment": function_variables(
                seen,
                self._program.variables(seen, self._links),
                api_address=api_address,
                log_stream=self.log_stream,
                tmp_dir=None if host.has_private_tmp else tmp_dir,
            ),
            "working_dir": str(seen.code_dir),
            "code_dir": str(deployment.code_dir),
            "opt_dir": layers if is_shown else "",
            "links": self._links,
            "user_id": host.handler_user_id,
            "tmp_dir": tmp_dir,
            "hides_tmp": host.has_private_tmp,
            "tmp_image": image if maker is not None else "",
            "disk_command": make_command(maker, image, tmp_mb) if maker is not None else [],
            "file_limit_bytes": 0 if maker is not None else tmp_mb * BYTES_PER_MB,
            "kept_dirs": [
                *self._program.directories,
                *way_to(self._program),
                *([layers] if layers and not is_shown else []),
            ],
            "home_dirs": home_dirs(),
            "cpus": list(self.cpus),
            "memory_limit_bytes": deployment.memory_mb * BYTES_PER_MB,
            "core_count": self.core_count,
            "cores": cores,
            "controlled": is_controlled,
            "owner_pid": os.getpid(),
        }

    def _init_failed(
        self, log: InvocationLog, phase: str, duration_ms: float, why: PlatformError
    ) -> None:
        self._drop_process()
        log.init_report(duration_ms, phase, why.status, why.report_type)

    def _failed(
        self, request: InvokeRequest, log: InvocationLog, error: RuntimeFailedError, begin_ns: int
    ) -> Outcome:
        """Describe a runtime's end in the platform's words."""
        self._drop_process()
        why, request_id = error.cause, request.request_id
        payload = error.posted or why.payload(request_id)
        duration_ms = elapsed_ms(begin_ns, error.at_ns)
        if why.status == "timeout":
            log.timed_out(request_id, self.deployment.timeout_s)
            duration_ms = self.deployment.timeout_s * 1000.0
        elif error.posted is None:
            log.exited(f"RequestId: {request_id} Error: {why.message}", why.payload_type)
        return Outcome(duration_ms, payload, why, "Unhandled")

    def _drop_process(self) -> None:
        """End the tree; keep its last output and its peak."""
        process, self._process, self._next_call = self._process, None, None
        if process is not None:
            if not process.end():
                kill_processes_of([self.identity])
            self._last_peak_bytes = process.peak_bytes
