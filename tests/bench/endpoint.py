"""The endpoint as a whole, through boto3: warm invokes, its own CPU time, a thousand invokes."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from tests.local_exec.conftest import AVAILABLE
from tests.local_exec.test_death import groups_of
from tests.local_exec.test_environments import eventually, is_alive
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.execution.cpu.process_tree import LinuxTree
from tuner.local.execution.executor import ProcessExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local import CpuControl

WARM_COUNT: Final = 200
BURN_S: Final = 2.0
MANY: Final = 1000
AT_ONCE: Final = 8
SOURCE: Final = """
import time

def handler(event, context):
    end = time.thread_time() + event.get("cpu_s", 0)
    while event.get("cpu_s") and time.thread_time() < end:
        pass
    return event
"""
Row = tuple[str, str, str, bool]


def rows() -> Iterator[Row]:
    """Under every control that works here."""
    for control in AVAILABLE:
        yield from _rows_of(control)


def _rows_of(control: CpuControl) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        code, work = Path(folder, "code"), Path(folder, "work")
        code.mkdir()
        (code / "app.py").write_text(SOURCE)
        executor = ProcessExecutor(work_dir=work, cpu_control=control)
        functions = [
            FunctionDefinition(
                f"echo-{mb}", code, "app.handler", "python3.11", memory_mb=mb, timeout_s=60
            )
            for mb in (128, 512, 1769)
        ]
        with LocalLambda(functions, executor=executor) as server:
            client = _client(server)
            yield _warm_row(client, control)
            yield _own_cpu_row(client, control)
            lost, per_s = _thousand(client)
            pids = LinuxTree(os.getpid()).scan()
            runs = [path.name for path in work.glob("run-*")]
        left = not eventually(lambda: not any(map(is_alive, pids)))
        groups = groups_of(runs)
        name = f"{MANY} invokes at concurrency {AT_ONCE}, 128 MB, {control}"
        survived = "some" if left else "none"
        measured = (
            f"{lost} lost, {per_s:.0f}/s; of {len(pids)} processes {survived} left, "
            f"{len(groups)} cgroups"
        )
        held = lost == 0 and not left and not groups
        yield name, "none lost, nothing left", measured, held


def _warm_row(client: Any, control: CpuControl) -> Row:
    """Median of calls one after the other, the client's own time in it."""
    times_ms = []
    for _ in range(WARM_COUNT + 1):
        start_s = time.perf_counter()
        client.invoke(FunctionName="echo-1769", Payload=b"{}")["Payload"].read()
        times_ms.append((time.perf_counter() - start_s) * 1000)
    p50, p90 = statistics.median(times_ms[1:]), statistics.quantiles(times_ms[1:], n=10)[-1]
    name = f"warm invoke of an empty handler through the endpoint, 1,769 MB, {control}"
    return name, "p50 under 10 ms", f"p50 {p50:.1f} ms, p90 {p90:.1f} ms", p50 < 10


def _own_cpu_row(client: Any, control: CpuControl) -> Row:
    """CPU time of everything but the handler's own tree while it runs, over wall time.

    That is this process (the endpoint, and boto3's one call), the emulated services and the
    supervisors.
    """
    limit = 0.08 if control == "stop-continue" else 0.01
    client.invoke(FunctionName="echo-512", Payload=b'{"cpu_s": 0.01}')["Payload"].read()
    others = LinuxTree(os.getpid())
    others.scan()
    runtimes = {pid for pid in others.pids for pid in _runtimes_below(pid)}
    others.pids = tuple(pid for pid in others.pids if pid not in runtimes)
    event = json.dumps({"cpu_s": BURN_S}).encode()
    begin, own, theirs = time.perf_counter(), time.process_time(), others.cpu_s()
    reply = client.invoke(FunctionName="echo-512", Payload=event)
    assert reply["Payload"].read() == event, "the handler did not run to its end"
    wall = time.perf_counter() - begin
    endpoint = (time.process_time() - own) / wall
    beside = (others.cpu_s() - theirs) / wall
    name = f"CPU of the local endpoint while a handler runs, {control}"
    measured = f"{endpoint + beside:.2%} (endpoint {endpoint:.2%}, supervisors, moto {beside:.2%})"
    return name, f"under {limit:.0%} of a core", measured, endpoint + beside < limit


def _runtimes_below(pid: int) -> tuple[int, ...]:
    """What a supervisor holds; nothing for a process that is none."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return LinuxTree(pid).scan() if b"runtime.supervisor" in command else ()


def _thousand(client: Any) -> tuple[int, float]:
    """How many answers are missing or another's, and invokes a second."""

    def call(number: int) -> bool:
        payload = json.dumps({"number": number}).encode()
        reply = client.invoke(FunctionName="echo-128", Payload=payload)
        return bool(json.loads(reply["Payload"].read()) == {"number": number})

    begin = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lost = MANY - sum(pool.map(call, range(MANY)))
    return lost, MANY / (time.perf_counter() - begin)


def _client(server: LocalLambda) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=AT_ONCE),
    )
