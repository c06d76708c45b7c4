from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tuner.errors import LocalError
from tuner.local import Deployment, InvokeRequest
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.executor import ProcessExecutor
from tuner.local.execution.host import can_hide_tmp
from tuner.logs import parse_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local import CpuControl
    from tuner.local.execution.invocation_log import LogEvent
    from tuner.model.invocation import PlatformReport

HANDLERS = Path(__file__).parent / "handlers"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fn"


@dataclass(frozen=True)
class Call:
    """One invocation's result, read."""

    value: Any
    function_error: str | None
    log: str
    report: PlatformReport


@dataclass
class Bench:
    """An executor, and what is needed to use it in a line."""

    executor: ProcessExecutor
    work_dir: Path
    logged: list[tuple[str, str, LogEvent]] = field(default_factory=list)

    def init_starts(self) -> list[str]:
        """End everything; give what was logged before every first init."""
        self.executor.close()
        messages = [event.message for _, _, event in self.logged]
        return [each for each in messages if "INIT_START" in each or "initStart" in each]

    @property
    def environment_counts(self) -> tuple[int, int]:
        """How many environments are idle, and busy."""
        pool = self.executor._pool
        return len(pool._idle), len(pool._busy)

    def deployment(self, handler: str, memory_mb: int = 1769, **changes: Any) -> Deployment:
        values = {
            "deployment_id": f"{handler}-{memory_mb}",
            "function_name": "fn",
            "version": "7",
            "region": "eu-west-1",
            "account_id": "123456789012",
            "runtime": "python3.11",
            "handler": handler if "." in handler else f"app.{handler}",
            "architecture": "x86_64",
            "memory_mb": memory_mb,
            "timeout_s": 20,
            "ephemeral_storage_mb": 512,
            "code_dir": HANDLERS,
            "log_group": "/aws/lambda/fn",
        }
        return Deployment(**(values | changes))

    def call(
        self,
        handler: str | Deployment,
        event: object = None,
        memory_mb: int = 1769,
        *,
        trace: str | None = None,
        client_context: str | None = None,
        **changes: Any,
    ) -> Call:
        if isinstance(handler, str):
            handler = self.deployment(handler, memory_mb, **changes)
        request = InvokeRequest(
            request_id=str(uuid.uuid4()),
            payload=json.dumps(event).encode(),
            invoked_arn=ARN,
            trace_header=trace,
            client_context=client_context,
        )
        result = self.executor.invoke(handler, request)
        log = result.log.decode()
        return Call(json.loads(result.payload), result.function_error, log, parse_report(log))


def seen_folder(code_dir: Path) -> str:
    """What a function's code folder is called in its own processes."""
    return "/var/task" if can_hide_tmp() else str(code_dir)


def is_available(control: CpuControl) -> bool:
    try:
        choose_control(control)
    except LocalError:
        return False
    return True


CONTROLS: tuple[CpuControl, ...] = ("cgroup-v1", "cgroup-v2", "stop-continue")
AVAILABLE = tuple(name for name in CONTROLS if is_available(name))


@pytest.fixture(params=AVAILABLE)
def control(request: pytest.FixtureRequest) -> CpuControl:
    """Each control that works on this host, one after the other."""
    name: CpuControl = request.param
    return name


def open_bench(work_dir: Path, control: CpuControl | None, **options: Any) -> Bench:
    bench = Bench(None, work_dir)

    def keep(group: str, stream: str, events: Any) -> None:
        bench.logged.extend((group, stream, event) for event in events)

    bench.executor = ProcessExecutor(work_dir=work_dir, cpu_control=control, on_log=keep, **options)
    return bench


@pytest.fixture
def bench(control: CpuControl, tmp_path: Path) -> Iterator[Bench]:
    """An executor under each control that works here."""
    opened = open_bench(tmp_path, control)
    yield opened
    opened.executor.close()


@pytest.fixture
def any_bench(tmp_path: Path) -> Iterator[Bench]:
    """An executor under the control that this host would choose."""
    opened = open_bench(tmp_path, None)
    yield opened
    opened.executor.close()
