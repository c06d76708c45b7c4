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

from tests.bench.scripted_endpoint import FUNCTION, ScriptedEndpoint, ready_sweep

SIZES_MB: Final = (128, 256, 512, 1024)
PER_SIZE: Final = 50
CONCURRENCY: Final = 20
RUNS: Final = 7
COUNT: Final = len(SIZES_MB) * PER_SIZE


def rows() -> list[tuple[str, str, str, bool]]:
    """Compare medians of interleaved runs."""
    with ScriptedEndpoint() as url:
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


def _child(kind: str, url: str) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.sweep_overhead", kind, url],
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, float] = json.loads(ran.stdout)
    return measured


def _sweep(url: str) -> None:
    from tuner.aws import connect

    with (
        tempfile.TemporaryDirectory() as folder,
        connect(
            region="us-east-1", profile=None, endpoint_url=url, max_connections=CONCURRENCY
        ) as gateway,
    ):
        _measure(
            ready_sweep(
                gateway,
                Path(folder),
                "bench",
                sizes_mb=SIZES_MB,
                per_size=PER_SIZE,
                concurrency=CONCURRENCY,
            )
        )


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
        reply = client.invoke(FunctionName=f"{FUNCTION}:{version}", Payload=b"{}", LogType="Tail")
        reply["Payload"].read()

    def work() -> None:
        versions = []
        for size in SIZES_MB:
            client.update_function_configuration(FunctionName=FUNCTION, MemorySize=size)
            waiter.wait(FunctionName=FUNCTION)
            versions.append(client.publish_version(FunctionName=FUNCTION)["Version"])
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            list(pool.map(invoke, versions * PER_SIZE))
        client.update_function_configuration(FunctionName=FUNCTION, MemorySize=512)
        for version in versions:
            client.delete_function(FunctionName=FUNCTION, Qualifier=version)

    client.get_function(FunctionName=FUNCTION)  # the first call loads models
    _measure(work)


def _measure(work: Any) -> None:
    wall_s, cpu_s = time.monotonic(), time.process_time()
    work()
    print(json.dumps({"wall_s": time.monotonic() - wall_s, "cpu_s": time.process_time() - cpu_s}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sweep", url]:
            _sweep(url)
        case ["bare", url]:
            _bare(url)
