"""A warm invocation of an empty handler, through the endpoint and boto3."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import boto3

from tuner.local.definition import FunctionDefinition
from tuner.local.serve import LocalLambda

COUNT: Final = 200


def rows() -> list[tuple[str, str, str, bool]]:
    """Median of calls one after the other, the client's own time in it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text("def handler(event, context):\n    return event\n")
        empty = FunctionDefinition(
            "empty", Path(folder), "app.handler", "python3.11", memory_mb=1769
        )
        with LocalLambda([empty]) as server:
            times_ms = _calls(server)
    p50 = statistics.median(times_ms)
    return [
        (
            "warm invoke of an empty handler through the endpoint, at 1,769 MB",
            "p50 under 10 ms",
            f"p50 {p50:.1f} ms, p90 {statistics.quantiles(times_ms, n=10)[-1]:.1f} ms",
            p50 < 10,
        )
    ]


def _calls(server: LocalLambda) -> list[float]:
    client: Any = boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    times_ms = []
    for _ in range(COUNT + 1):
        start_s = time.perf_counter()
        client.invoke(FunctionName="empty", Payload=b"{}")["Payload"].read()
        times_ms.append((time.perf_counter() - start_s) * 1000)
    return times_ms[1:]  # the first is a cold start
