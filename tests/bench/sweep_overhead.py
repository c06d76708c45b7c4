"""What a sweep costs over a bare boto3 thread pool that does the same.

Both publish the same sizes and then send the same 200 invocations at concurrency 20, to an
endpoint in a process of its own that answers in 50 ms. Each run is a process of its own, the two
kinds in turn; wall and CPU time are taken inside, imports excluded.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

SIZES_MB: Final = (128, 256, 512, 1024)
PER_SIZE: Final = 50
CONCURRENCY: Final = 20
RUNS: Final = 7
COUNT: Final = len(SIZES_MB) * PER_SIZE


def rows() -> list[tuple[str, str, str, bool]]:
    """Compare medians of interleaved runs."""
    with _Endpoint() as url:
        runs = [(_child("sweep", url), _child("bare", url)) for _ in range(RUNS)]
    wall = statistics.median(ours["wall_s"] / bare["wall_s"] for ours, bare in runs)
    ours_ms = statistics.median(ours["cpu_s"] for ours, _ in runs) / COUNT * 1000
    bare_ms = statistics.median(bare["cpu_s"] for _, bare in runs) / COUNT * 1000
    cpu = statistics.median(ours["cpu_s"] / bare["cpu_s"] for ours, bare in runs)
    return [
        (
            f"sweep of {COUNT} invocations of 50 ms at {CONCURRENCY} / bare boto3 thread pool",
            "≤ 1.3 ×",
            f"{wall:.2f} ×",
            wall <= 1.3,
        ),
        (
            "CPU time per invocation / bare boto3 invoke",
            "≤ 1.5 ×",
            f"{cpu:.2f} × ({ours_ms:.2f} against {bare_ms:.2f} ms)",
            cpu <= 1.5,
        ),
    ]


class _Endpoint:
    """A scripted endpoint in a process of its own; ends with the block."""

    def __init__(self, update_s: float = 0.0) -> None:
        self._update_s = update_s

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sweep_overhead", "serve", str(self._update_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def _child(kind: str, url: str) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.sweep_overhead", kind, url],
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, float] = json.loads(ran.stdout)
    return measured


def _serve(update_s: float) -> None:
    from tuner.local.definition import FunctionDefinition
    from tuner.local.scripted import ScriptedExecutor
    from tuner.local.serve import LocalLambda

    functions = [FunctionDefinition("made", memory_mb=512, timeout_s=10)]
    with LocalLambda(
        functions, executor=ScriptedExecutor(50.0), neighbours=False, update_s=update_s
    ) as server:
        print(server.endpoint_url, flush=True)
        sys.stdin.read()


def _sweep(url: str) -> None:
    from datetime import UTC, datetime

    from tuner.aws import connect
    from tuner.explore.fixed import FixedStrategy
    from tuner.model.payload import Payload
    from tuner.pricing import load_price_book
    from tuner.sweep.file import SweepWriter
    from tuner.sweep.plan import new_sweep_id, plan_sweep
    from tuner.sweep.runner import run_sweep

    payload = Payload("empty", b"{}")
    with (
        tempfile.TemporaryDirectory() as folder,
        connect(
            region="us-east-1", profile=None, endpoint_url=url, max_connections=CONCURRENCY
        ) as gateway,
    ):
        function = gateway.read_function("made")
        prices = load_price_book().lambda_prices("us-east-1", "x86_64")

        def work() -> None:
            plan = plan_sweep(
                function=function,
                payloads=[payload],
                prices=prices,
                sweep_id=new_sweep_id(datetime.now(UTC)),
                memory_sizes_mb=SIZES_MB,
                warmup_count=0,
                repetition_count=PER_SIZE,
                concurrency=CONCURRENCY,
            )
            strategy = FixedStrategy(SIZES_MB, [payload.name], 0, PER_SIZE, 1, COUNT)
            with SweepWriter(Path(folder) / f"{plan.sweep_id}.jsonl") as writer:
                sweep = run_sweep(
                    plan,
                    function=function,
                    environment="local",
                    control=gateway,
                    invoker=gateway,
                    strategy=strategy,
                    prices=prices,
                    payloads=[payload],
                    writer=writer,
                    state_dir=Path(folder),
                    tool_version="bench",
                    endpoint_url=url,
                )
            assert len(sweep.invocations) == COUNT

        _measure(work)


def _bare(url: str) -> None:
    import boto3
    from botocore.config import Config

    client: Any = boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(max_pool_connections=CONCURRENCY, retries={"total_max_attempts": 1}),
    )
    waiter = client.get_waiter("function_updated_v2")
    waiter.config.delay = 0.02

    def invoke(version: str) -> None:
        reply = client.invoke(FunctionName=f"made:{version}", Payload=b"{}", LogType="Tail")
        reply["Payload"].read()

    def work() -> None:
        versions = []
        for size in SIZES_MB:
            client.update_function_configuration(FunctionName="made", MemorySize=size)
            waiter.wait(FunctionName="made")
            versions.append(client.publish_version(FunctionName="made")["Version"])
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            list(pool.map(invoke, versions * PER_SIZE))
        client.update_function_configuration(FunctionName="made", MemorySize=512)
        for version in versions:
            client.delete_function(FunctionName="made", Qualifier=version)

    client.get_function(FunctionName="made")  # the first call loads models
    _measure(work)


def _measure(work: Any) -> None:
    wall_s, cpu_s = time.monotonic(), time.process_time()
    work()
    print(json.dumps({"wall_s": time.monotonic() - wall_s, "cpu_s": time.process_time() - cpu_s}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", update_s]:
            _serve(float(update_s))
        case ["sweep", url]:
            _sweep(url)
        case ["bare", url]:
            _bare(url)
