"""What the examples take on the local Lambda at six sizes: duration, CPU time and memory.

CPU time is what the kernel accounts to a runtime's processes from one invocation to the next. It's
means of warm calls, of many where they are short, since the quota's windows make those scatter.
Other work on the machine gives way to them where that's allowed: a busy core would pass for
waiting. A size at which a handler is killed is left out.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from tuner.local import LocalLambda
from tuner.local.execution.cpu.process_tree import LinuxTree
from tuner.logs import parse_report
from tuner.payloads import load_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
SIZES_MB: Final = (128, 256, 512, 1024, 1769, 3008)
FEWEST_CALLS, MOST_CALLS, ENOUGH_MS = 7, 60, 3000.0
KEPT: Final = os.environ.get("TUNER_BENCH_HANDLERS")
"""A file to keep what was measured in, and to take it from."""
_TEMPLATES: Final = (
    ("template.yaml", {}),
    ("three-runtimes/template.yaml", {"three-runtimes": "three-runtimes/payload.json"}),
    ("queue-worker/template.yaml", {}),
)


@dataclass(frozen=True)
class Measured:
    """One handler at one size."""

    name: str
    memory_mb: int
    duration_ms: float
    processor_ms: float
    used_mb: int


def measured_handlers() -> list[Measured]:
    """Every example at every size that it survives; about three minutes."""
    if KEPT and Path(KEPT).exists():
        return [Measured(**each) for each in json.loads(Path(KEPT).read_text("utf-8"))]
    found = [each for template, _ in _TEMPLATES for each in _of_template(EXAMPLES / template)]
    if KEPT:
        Path(KEPT).write_text(json.dumps([asdict(each) for each in found]), "utf-8")
    return found


def _of_template(template: Path) -> Iterator[Measured]:
    builds = "three-runtimes" in str(template)
    if builds and not (shutil.which("cargo") and shutil.which("node")):
        return
    with LocalLambda.from_template(template, build=builds) as endpoint:
        client: Any = boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=endpoint.endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=120, retries={"max_attempts": 0}),
        )
        names = [each["FunctionName"] for each in client.list_functions()["Functions"]]
        for name in sorted(names):
            for memory_mb in SIZES_MB:
                found = _measure(client, name, memory_mb, _event(template, name))
                if found is not None:
                    print(f"… {found}", file=sys.stderr)
                    yield found


def _event(template: Path, name: str) -> bytes:
    if name == "queue-worker":
        return load_payloads([str(template.parent / "payloads.toml")])[0].body
    compiled = template.parent / "payload-compiled.json"
    if name in ("primes-node", "primes-native"):
        return compiled.read_bytes()
    own = template.parent / name / "payload.json"
    return (own if own.exists() else template.parent / "payload.json").read_bytes()


def _measure(client: Any, name: str, memory_mb: int, event: bytes) -> Measured | None:
    client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    calls = []
    for number in range(MOST_CALLS):
        if len(calls) >= FEWEST_CALLS and sum(each[0] for each in calls) > ENOUGH_MS:
            break
        before = _processor_s()
        reply = client.invoke(FunctionName=name, Payload=event, LogType="Tail")
        after = _processor_s()
        report = parse_report(base64.b64decode(reply["LogResult"]).decode())
        if reply.get("FunctionError"):
            return None
        _favor_runtimes()
        # Less than nothing: a runtime ended meanwhile, with what it had used before.
        if number and report.init_duration_ms is None and after > before:
            calls.append((report.duration_ms, (after - before) * 1000, report.max_memory_used_mb))
    duration_ms, processor_ms = (statistics.fmean(each[n] for each in calls) for n in (0, 1))
    return Measured(name, memory_mb, duration_ms, processor_ms, max(each[2] or 0 for each in calls))


def _processor_s() -> float:
    """CPU time of all runtimes that are alive: processes whose parent is a supervisor."""
    tree = LinuxTree(os.getpid())
    total = 0.0
    for pid in tree.scan():
        if _is_supervisor(pid):
            own = LinuxTree(pid)
            own.scan()
            total += own.cpu_s()
    return total


def _favor_runtimes() -> None:
    """Let other work on this machine give way to the runtimes, where control groups can."""
    tree = LinuxTree(os.getpid())
    for pid in (os.getpid(), *tree.scan()):
        try:
            os.setpriority(os.PRIO_PROCESS, pid, -10)
            rows = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
            for _, controllers, path in (row.split(":", 2) for row in rows):
                if "cpu" in controllers.split(",") and path != "/":
                    Path(f"/sys/fs/cgroup/cpu{path}/cpu.shares").write_text("65536")
        except OSError:
            continue


def _is_supervisor(pid: int) -> bool:
    try:
        return b"supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
