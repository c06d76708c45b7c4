"""A state machine's interpreter (moto's), whose Lambda calls reach a local Lambda with the worker.

The functions that are swept are scripted; the worker is the real one, in this process.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from tests.scripted_executor import ScriptedExecutor
from tuner.api.fleet_worker import read_task, work
from tuner.aws.gateway import open_connection
from tuner.aws.remote_fleet import BucketObjects
from tuner.aws.services import Services
from tuner.fleet.state_machine import definition
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.deployment import InvokeResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.deployment import Deployment, InvokeRequest

WORKER: Final = "fleet-worker"
BUCKET: Final = "fleets"
REGION: Final = "us-east-1"
SIZES_MB: Final = (3008, 2048)


class WorkerExecutor(ScriptedExecutor):
    """Runs the worker for its function, and scripts all others."""

    def __init__(self, folder: Path, endpoint_url: str = "") -> None:
        super().__init__(
            lambda memory_mb: 5 + 100 * 1769 / min(memory_mb, 1769),
            init_duration_ms=150.0,
            time_scale=0,
        )
        self.folder = folder
        self.endpoint_url = endpoint_url
        self.worked: list[dict[str, Any]] = []
        """What the worker answered, in order."""
        self.refused: list[str] = []
        """The errors that it ended with."""
        self._numbers = itertools.count()
        self._services: Services | None = None
        self._opening = threading.Lock()

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        """As the executor's; a worker's errors are reported as Lambda's Python runtime does."""
        if deployment.function_name != WORKER:
            return super().invoke(deployment, request)
        try:
            answer = self.work(request.payload)
        except Exception as error:
            self.refused.append(type(error).__name__)
            failed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return InvokeResult(json.dumps(failed).encode(), "Unhandled", b"")
        self.worked.append(answer)
        return InvokeResult(json.dumps(answer).encode(), None, b"")

    def work(self, event: bytes) -> dict[str, Any]:
        """Have the worker do an event's item; raises what the worker does."""
        folder = self.folder / f"worker-{next(self._numbers)}"
        task = read_task(json.loads(event), lambda name: BucketObjects(self._open(), name))
        return work(task, folder, seconds_left=lambda: 60.0)

    def _open(self) -> Services:
        with self._opening:
            if self._services is None:
                session, _ = open_connection(
                    region=REGION, profile=None, endpoint_url=self.endpoint_url
                )
                self._services = Services(session, purpose="fleet")
            return self._services


@contextmanager
def interpreted(folder: Path, count: int) -> Iterator[tuple[LocalLambda, WorkerExecutor, str]]:
    """Serve functions f0000 and so on, and a bucket, and the fleet's state machine: its ARN."""
    executor = WorkerExecutor(folder)
    functions = [
        FunctionDefinition(f"f{number:04}", memory_mb=SIZES_MB[number % 2])
        for number in range(count)
    ]
    functions.append(FunctionDefinition(WORKER, memory_mb=512, timeout_s=900))
    with LocalLambda(functions, executor=executor, update_s=0.0) as local:
        executor.endpoint_url = local.endpoint_url
        urllib.request.urlopen(
            urllib.request.Request(
                f"{local.endpoint_url}/moto-api/config",
                data=json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
                headers={"Content-Type": "application/json"},
            )
        ).close()
        client(local, "s3").create_bucket(Bucket=BUCKET)
        text = json.dumps(definition()).replace("${Partition}", "aws")
        machine = client(local, "stepfunctions").create_state_machine(
            name="tuner-fleet",
            definition=text.replace("${Worker}", WORKER),
            roleArn="arn:aws:iam::123456789012:role/fleet",
        )
        yield local, executor, machine["stateMachineArn"]


def client(local: LocalLambda, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=local.endpoint_url, region_name=local.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip


def wait_until_ended(local: LocalLambda, execution: str, within_s: float = 60) -> str:
    """The execution's status at its end."""
    machines, deadline = client(local, "stepfunctions"), time.monotonic() + within_s
    while time.monotonic() < deadline:
        status: str = machines.describe_execution(executionArn=execution)["status"]
        if status != "RUNNING":
            return status
        time.sleep(0.05)
    raise AssertionError("the execution did not end")


def changed(local: LocalLambda, count: int) -> list[str]:
    """Functions that aren't as they were: another size, a version, or a copy."""
    lambdas, found = client(local, "lambda"), []
    sizes = {f"f{number:04}": SIZES_MB[number % 2] for number in range(count)} | {WORKER: 512}
    for page in lambdas.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            name = each["FunctionName"]
            versions = lambdas.list_versions_by_function(FunctionName=name)["Versions"]
            if each["MemorySize"] != sizes.get(name) or len(versions) > 1:
                found.append(name)
    return found


if __name__ == "__main__":  # serve until standard input ends
    with interpreted(Path(sys.argv[1]), int(sys.argv[2])) as (serving, _, _):
        print(serving.endpoint_url, flush=True)
        sys.stdin.read()
