"""Measures how accurate a CPU control is here, with a real function: `tuner local check`."""

from __future__ import annotations

import json
import statistics
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.deployment import Deployment, InvokeRequest
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.executor import ProcessExecutor
from tuner.local.machine_load import bare_share, ratios_between, read_machine_clock
from tuner.logs import parse_report
from tuner.model.host_check import HostCheck, ShareCheck
from tuner.model.lambda_limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.local.deployment import CpuControl, InvokeResult

SIZES_MB: Final = (128, 256, 512, 1024, 1536, 1769)
CPU_S: Final = 0.4
"""CPU time of one run. A shorter one reads high, because its first window is a full one."""
REPETITIONS: Final = 3
WAIT_S: Final = 0.2
BARE_CPU_S: Final = 0.05
TOLERANCES: Final[dict[str, float]] = {"stop-continue": 0.10}
"""How far from its share a control may be; for kernel groups, 5%."""
PROBE_DIR: Final = Path(__file__).parent / "probe_function"


@dataclass(frozen=True, slots=True)
class _Probe:
    """An executor, and the probe function in it."""

    executor: ProcessExecutor
    cpu_s: float

    def start(self, memory_mb: int) -> None:
        """Get the environment's start out of the way: it isn't part of the measurement."""
        self._invoke("burn", memory_mb, {"workers": 1, "cpu_s": 0.001})

    def burn(self, memory_mb: int, worker_count: int) -> float:
        """CPU time over wall time."""
        event = {"workers": worker_count, "cpu_s": self.cpu_s}
        return float(json.loads(self._invoke("burn", memory_mb, event).payload))

    def wait_ms(self, memory_mb: int) -> float:
        """Duration of a handler that waits."""
        result = self._invoke("wait", memory_mb, {"wait_s": WAIT_S})
        return parse_report(result.log.decode()).duration_ms

    def _invoke(self, name: str, memory_mb: int, event: dict[str, float]) -> InvokeResult:
        request = InvokeRequest(str(uuid.uuid4()), json.dumps(event).encode(), "arn:check")
        result = self.executor.invoke(_deployment(name, memory_mb), request)
        if result.function_error is not None:
            raise LocalError(
                f"the check's function failed at {memory_mb} MB: {result.payload.decode()[:200]}"
            )
        return result


def best_cpu_control() -> CpuControl:
    """The control that this machine would choose."""
    return choose_control().kind


def check_control(
    control: CpuControl | None,
    *,
    work_dir: Path,
    sizes_mb: tuple[int, ...] = SIZES_MB,
    repetitions: int = REPETITIONS,
    cpu_s: float = CPU_S,
    on_step: Callable[[str], None] = lambda _: None,
) -> HostCheck:
    """Measure a control (None: this machine's own choice), in about half a minute.

    Up to one core, one process computes at each size; above, as many as there are whole cores.
    Raises LocalError if the control doesn't work here.
    """
    begin = read_machine_clock()
    executor = ProcessExecutor(work_dir=work_dir, cpu_control=control)
    try:
        probe, limits = _Probe(executor, cpu_s), executor.limits
        cases = [(memory_mb, 1) for memory_mb in sizes_mb]
        cases += [(MB_PER_VCPU * cores, cores) for cores in range(2, min(limits.core_count, 5) + 1)]
        shares = []
        for memory_mb, worker_count in cases:
            on_step(f"{limits.cpu_control}: {memory_mb} MB")
            shares.append(_check_share(probe, memory_mb, worker_count, repetitions))
        on_step(f"{limits.cpu_control}: waiting")
        waiting = _waiting_off(probe, sizes_mb, repetitions)
    finally:
        executor.close()
    steal, foreign = ratios_between(begin, read_machine_clock())
    return HostCheck(
        cpu_control=limits.cpu_control,
        tolerance_ratio=TOLERANCES.get(limits.cpu_control, 0.05),
        core_count=limits.core_count,
        shares=tuple(shares),
        waiting_off_ratio=waiting,
        steal_ratio=steal,
        foreign_load_ratio=foreign,
    )


def _check_share(probe: _Probe, memory_mb: int, worker_count: int, repetitions: int) -> ShareCheck:
    probe.start(memory_mb)
    bare, got = [], []
    for _ in range(repetitions):
        bare.append(bare_share(BARE_CPU_S, worker_count))
        got.append(probe.burn(memory_mb, worker_count))
    middle = statistics.median(got)
    return ShareCheck(
        memory_mb=memory_mb,
        worker_count=worker_count,
        measured_cores=middle,
        jitter_ratio=middle / min(got) - middle / max(got),
        bare_ratio=statistics.median(bare),
    )


def _waiting_off(probe: _Probe, sizes_mb: tuple[int, ...], repetitions: int) -> float:
    ends = []
    for memory_mb in (min(sizes_mb), max(sizes_mb)):
        probe.wait_ms(memory_mb)
        ends.append(statistics.median(probe.wait_ms(memory_mb) for _ in range(repetitions)))
    return ends[0] / ends[1] - 1


def _deployment(name: str, memory_mb: int) -> Deployment:
    return Deployment(
        deployment_id=f"check-{name}-{memory_mb}",
        function_name="tuner-local-check",
        version="$LATEST",
        region="us-east-1",
        account_id="000000000000",
        runtime=f"python3.{sys.version_info.minor}",
        handler=f"handler.{name}",
        architecture="x86_64",
        memory_mb=memory_mb,
        timeout_s=60,
        ephemeral_storage_mb=512,
        code_dir=PROBE_DIR,
        log_group="/aws/lambda/tuner-local-check",
    )
