"""Three of the examples as one workflow on the local Lambda: predicted against measured.

Each is swept; some executions run in moto's interpreter, and `tuner workflow` reads the shares of
the Choice from their history, as of an account. Then the functions get the answer's sizes, and a
small driver runs more executions: real invocations, whose times are those of their REPORT lines.
This machine's other work moves all of it, so the load is printed.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import numpy as np

from tests.cli.running import run
from tests.workflow.simulator import Simulator
from tuner.local import start_local_lambda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local import RunningLocalLambda

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = {"Price": "mixed", "Check": "cpu-bound", "Ask": "io-wait"}
_SIZES: Final = "256,512,1024,1769"
EVENTS: Final[dict[str, dict[str, int]]] = {
    "mixed": {"orders": 2000},
    "cpu-bound": {"limit": 30_000},
    "io-wait": {},
}
_EXECUTIONS: Final = 120
_INTERPRETED: Final = 20
_MAX_DURATION_MS: Final = 450


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
    for name, event in EVENTS.items():
        _resize(local, name, 1024)
        _tuner(
            local, folder, "tune", name, "--yes", "--allow-side-effects", "--exhaustive",
            "--memory-sizes", _SIZES, "--concurrency", "1", "--max-invocations", "160",
            "--payload", json.dumps(event), "--out", f"{name}.jsonl",
        )  # fmt: skip
    machine, definition = _machine(local)
    shares = _interpreted(local, machine)
    arguments = ("--fleet", ".", "--cold-start-share", "0", "--overhead", "0.001ms")
    limit = ("--max-duration", f"{_MAX_DURATION_MS}ms", "--out", "answer.html")
    answer = json.loads(_tuner(local, folder, "workflow", machine, *arguments, *limit, "--json"))
    if kept := os.environ.get("TUNER_BENCH_FILES"):  # the page and the sweeps, to be looked at
        for file in folder.iterdir():
            (Path(kept) / file.name).write_bytes(file.read_bytes())
    for each in answer["functions"]:
        _resize(local, each["name"], each["memory_mb"])
    found = _driven(local, definition, shares)
    p95, predicted = float(np.percentile(found, 95)), answer["p95_ms"]
    error = predicted["estimate"] / p95 - 1
    sizes = ", ".join(f"{each['name']} {each['memory_mb']} MB" for each in answer["functions"])
    interval = f"90% {predicted['low']:.0f} to {predicted['high']:.0f}"
    compared = f"predicted {predicted['estimate']:.0f} ({error:+.1%}; {interval})"
    yield (
        f"p95 of {len(found)} executions at {sizes}",
        "within 5% of the prediction",
        f"{p95:.0f} ms, {compared}; load {os.getloadavg()[0]:.0f}",
        abs(error) <= 0.05,
    )
    middle = float(np.median(found))
    error = answer["p50_ms"] / middle - 1
    compared = f"{middle:.0f} ms, predicted {answer['p50_ms']:.0f} ({error:+.1%})"
    yield "their median", "within 5%", compared, abs(error) <= 0.05
    yield f"the target, {_MAX_DURATION_MS} ms", "met", f"{p95:.0f} ms", p95 <= _MAX_DURATION_MS


def _driven(
    local: RunningLocalLambda, definition: dict[str, Any], shares: dict[str, dict[str, float]]
) -> list[float]:
    """Milliseconds of each execution, made of real invocations; warm."""
    client = _client(local, "lambda")

    def call_ms(function: str) -> float:
        answer = client.invoke(
            FunctionName=function, Payload=json.dumps(EVENTS[function]), LogType="Tail"
        )
        assert "FunctionError" not in answer
        log = base64.b64decode(answer["LogResult"]).decode()
        match = re.search(r"\bDuration: ([\d.]+) ms\tBilled", log)
        assert match, log
        return float(match[1])

    for function in EVENTS:
        for _ in range(3):
            call_ms(function)
    simulator = Simulator(random.Random(1), call_ms, shares)
    return [simulator.execution(definition)[0] for _ in range(_EXECUTIONS)]


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


def _machine(local: RunningLocalLambda) -> tuple[str, dict[str, Any]]:
    """Create the state machine with the events in it; return its ARN and definition."""
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
    definition: dict[str, Any] = json.loads(text, object_hook=_with_event)
    created = _client(local, "stepfunctions").create_state_machine(
        name="orders",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/orders",
    )
    return str(created["stateMachineArn"]), definition


def _with_event(found: dict[str, Any]) -> dict[str, Any]:
    name = found.get("FunctionName")
    return found if name is None else {**found, "Payload": EVENTS[name]}


def _interpreted(local: RunningLocalLambda, machine: str) -> dict[str, dict[str, float]]:
    """Run some executions; return the shares of the Choice."""
    client = _client(local, "stepfunctions")
    for number in range(_INTERPRETED):
        started = client.start_execution(
            stateMachineArn=machine, name=f"e{number}", input=json.dumps({"large": number % 4 == 0})
        )
        while True:
            state = client.describe_execution(executionArn=started["executionArn"])
            if state["status"] != "RUNNING":
                break
            time.sleep(0.05)
        assert state["status"] == "SUCCEEDED", state
    large = -(-_INTERPRETED // 4)
    return {"Is it large?": {"Check and ask": large, "Ask": _INTERPRETED - large}}
