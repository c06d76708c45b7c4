"""Three of the examples as one workflow on the local Lambda: predicted against measured.

The functions run for real, the state machine in moto's interpreter. Each is swept, the workflow is
sized from the sweeps and the history of its executions, its functions get those sizes, and it runs
again. This machine's other work moves all of it, so the load is printed.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import numpy as np

from tests.cli.running import run
from tuner.local import start_local_lambda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local import RunningLocalLambda

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = {"Price": "mixed", "Check": "cpu-bound", "Ask": "io-wait"}
_SIZES: Final = "256,512,1024,1769"
_EXECUTIONS: Final = 120
_LARGE_SHARE: Final = 0.25
_MAX_DURATION_MS: Final = 900


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held)."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_local_lambda(
            ROOT / "examples" / "template.yaml", python=sys.executable, region="us-east-1"
        ) as local,
    ):
        yield from _measured(local, Path(folder))


def _measured(local: RunningLocalLambda, folder: Path) -> Iterator[tuple[str, str, str, bool]]:
    for name in FUNCTIONS.values():
        _tuner(
            local, folder, "tune", name, "--yes", "--allow-side-effects", "--exhaustive",
            "--memory-sizes", _SIZES, "--concurrency", "1", "--max-invocations", "120",
            "--out", f"{name}.jsonl",
        )  # fmt: skip
    for name in FUNCTIONS.values():
        _resize(local, name, 1024)
    machine = _machine(local)
    before = _executions(local, machine)
    arguments = ("--fleet", ".", "--cold-start-share", "0", "--executions", "500")
    limit = ("--max-duration", f"{_MAX_DURATION_MS}ms", "--out", "answer.html")
    answer = json.loads(_tuner(local, folder, "workflow", machine, *arguments, *limit, "--json"))
    kept = os.environ.get("TUNER_BENCH_FILES")
    if kept:  # the page and the sweeps, to be looked at
        for file in folder.iterdir():
            (Path(kept) / file.name).write_bytes(file.read_bytes())
    # The sweeps' current sizes are the template's; the answer at 1,024 MB is by hand.
    for each in answer["functions"]:
        _resize(local, each["name"], each["memory_mb"])
    after = _executions(local, machine)
    predicted = answer["p95_ms"]
    found = float(np.percentile(after, 95))
    error = predicted["estimate"] / found - 1
    sizes = ", ".join(f"{each['name']} {each['memory_mb']} MB" for each in answer["functions"])
    interval = f"90% {predicted['low']:.0f} to {predicted['high']:.0f}"
    compared = f"predicted {predicted['estimate']:.0f} ({error:+.1%}; {interval})"
    yield (
        f"p95 of {_EXECUTIONS} executions at {sizes}",
        "within 5% of the prediction",
        f"{found:.0f} ms, {compared}; load {os.getloadavg()[0]:.0f}",
        abs(error) <= 0.05,
    )
    median = answer["p50_ms"] / float(np.median(after)) - 1
    yield (
        "their median",
        "within 5%",
        f"{np.median(after):.0f} ms, predicted {answer['p50_ms']:.0f} ({median:+.1%})",
        abs(median) <= 0.05,
    )
    yield (
        f"the target, {_MAX_DURATION_MS} ms",
        "met",
        f"{found:.0f} ms; {np.percentile(before, 95):.0f} at 1,024 MB each",
        found <= _MAX_DURATION_MS,
    )


def _tuner(local: RunningLocalLambda, folder: Path, *arguments: str) -> str:
    ran = run(
        *arguments, "--endpoint-url", local.endpoint_url, "--region", "us-east-1",
        cwd=folder, timeout_s=600,
        AWS_ACCESS_KEY_ID=local.status.access_key_id, AWS_SECRET_ACCESS_KEY="local",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _client(local: RunningLocalLambda, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=local.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=local.status.access_key_id,
        aws_secret_access_key="local",
    )


def _resize(local: RunningLocalLambda, name: str, memory_mb: int) -> None:
    client = _client(local, "lambda")
    client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def _machine(local: RunningLocalLambda) -> str:
    """Create the state machine; return its ARN."""
    urllib.request.urlopen(
        urllib.request.Request(
            f"{local.endpoint_url}/moto-api/config",
            data=json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
            headers={"Content-Type": "application/json"},
        )
    ).close()
    text = (ROOT / "examples" / "workflow" / "orders.asl.json").read_text()
    for state, function in FUNCTIONS.items():
        text = text.replace(f"${{{state}Function}}", function)
    created = _client(local, "stepfunctions").create_state_machine(
        name="orders", definition=text, roleArn="arn:aws:iam::123456789012:role/orders"
    )
    return str(created["stateMachineArn"])


def _executions(local: RunningLocalLambda, machine: str) -> list[float]:
    """Milliseconds of each execution, warm: a first few are left out."""
    client, rng, found = _client(local, "stepfunctions"), random.Random(1), []
    for number in range(_EXECUTIONS + 4):
        is_large = number < 2 or rng.random() < _LARGE_SHARE
        started = client.start_execution(
            stateMachineArn=machine,
            name=f"e{secrets.token_hex(8)}",
            input=json.dumps({"large": is_large}),
        )
        while True:
            state = client.describe_execution(executionArn=started["executionArn"])
            if state["status"] != "RUNNING":
                break
            time.sleep(0.02)
        assert state["status"] == "SUCCEEDED", state
        if number >= 4:
            found.append(1000 * (state["stopDate"] - state["startDate"]).total_seconds())
    return found
