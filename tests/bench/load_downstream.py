"""Which service gives way first: `tuner load` over twenty architectures with limits in front of the
local services, against what their buckets saw.

Each is a ramp through the local Lambda, from half the rate that uses up the scarcest limit to 1.7
times it. The handlers' calls are real requests to the endpoint and moto (but for a queue's sends,
which its bucket answers itself); in two architectures of tables Python handlers with boto3 make
them, in the others threads here, which need less of the machine. What is measured, of each that
refused, is the planned rate at the time when what was asked of it a second went over its limit: by
a parabola through the sum of what was asked, since the rate rises evenly, and a stall here
moves single requests. The rate is also held against the limit over what an invocation is marked to
take.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3
import numpy as np

from tests.bench.load_limits import (
    Architecture,
    Bucket,
    Caller,
    Part,
    architectures,
    buckets_of,
    limited_proxy,
    read_item,
)
from tests.cli.running import run
from tests.scripted_executor import ScriptedExecutor
from tuner.iac import TemplateResource
from tuner.load.phases import arrivals, parse_phases, rate_at
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.execution.executor import ProcessExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.deployment import Deployment, Executor, InvokeRequest, InvokeResult

RAMP_S: Final = 24
WARM: Final = "15s:2/s"
"""Before the ramp of real handlers: requests that wait for their INIT come all at once."""
CALLEE_MB: Final = 1024
CALLEE_S: Final = 1.0
REAL_COUNT: Final = 2
CLOSE: Final = 0.10
_CODE: Final = """
import json
import boto3
from botocore.config import Config

ONCE = Config(retries={"total_max_attempts": 1})
TABLES = boto3.client("dynamodb", config=ONCE)


def handler(event, context):
    for call in event["calls"]:
        send = TABLES.put_item if call["target"].endswith("PutItem") else TABLES.get_item
        try:
            send(**call["body"])
        except TABLES.exceptions.ProvisionedThroughputExceededException:
            pass
"""


class World:
    """The local services with limits, and when each architecture's load began."""

    def __init__(self, every: tuple[Architecture, ...]) -> None:
        self.every = {each.name: each for each in every}
        self.buckets: dict[tuple[str, str], Bucket] = {}
        self.caller = Caller()
        self.first_s: dict[str, float] = {}
        self.lock = threading.Lock()

    def invoked(self, deployment: Any, _request: Any) -> None:
        """What a function does: its architecture's calls, functions last, which take a second."""
        architecture = self.every.get(deployment.function_name)
        if architecture is None:
            return
        self.first_s.setdefault(architecture.name, time.monotonic())
        calls = [call for part in architecture.parts for call in part.calls]
        for call in sorted(calls, key=lambda each: each["service"] == "lambda"):
            if call["service"] == "lambda":
                bucket = self.buckets["lambda", call["target"]]
                bucket.asked.append((time.monotonic(), 1.0))
            if self.caller.make(call) == 429:
                bucket.refused_s = bucket.refused_s or time.monotonic()

    def begin(self, architecture: Architecture) -> None:
        with self.lock:
            self.buckets.clear()
            self.buckets.update(buckets_of(architecture))


def rows(names: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held): a row for each architecture, and one for all."""
    every = tuple(each for each in architectures() if not names or each.name in names)
    real = [each for each in every if _only_tables(each)][:REAL_COUNT]
    right, errors, from_truth = 0, [], []
    for part in (tuple(real), tuple(each for each in every if each not in real)):
        if not part:
            continue
        with serving(part, is_real=part == tuple(real)) as (world, server):
            for architecture in part:
                first, foreseen, (over, gave_way) = play(world, server, architecture)
                is_right = first == architecture.scarcest.resource == over
                right += is_right
                error = foreseen / gave_way - 1 if gave_way else float("inf")
                errors.append(abs(error))
                true = architecture.scarcest.rate_per_s
                from_truth.append(abs(foreseen / true - 1))
                kind = "boto3" if part == tuple(real) else "scripted"
                yield (
                    f"{architecture.name} ({kind}): {architecture.scarcest.resource}",
                    f"first, within 10% of {true:.2f}/s",
                    f"{first} at {foreseen:.2f}/s; gave way at {gave_way:.2f}/s ({error:+.1%})",
                    is_right and from_truth[-1] <= CLOSE,
                )
    load = f"load average {os.getloadavg()[0]:.0f}"
    for what, found in (("the limits", from_truth), ("when it gave way", errors)):
        close, ordered = sum(each <= CLOSE for each in found), sorted(found)
        measured = (
            f"{right} named; {close} within 10%, median {ordered[len(ordered) // 2]:.1%}, most "
            f"{ordered[-1]:.1%}; {load}"
        )
        yield (
            f"{len(every)} architectures, against {what}",
            "the first named in all, its rate within 10%",
            measured,
            right == close == len(every),
        )


def _only_tables(architecture: Architecture) -> bool:
    return all(each.service == "dynamodb" for each in architecture.parts)


def play(
    world: World, server: LocalLambda, architecture: Architecture
) -> tuple[str, float, tuple[str, float]]:
    """What the load says gives way first, at which rate, and (what did, at which rate)."""
    scarcest = architecture.scarcest
    ramp = f"{RAMP_S}s:{scarcest.rate_per_s / 2:.4f}/s..{1.7 * scarcest.rate_per_s:.4f}/s"
    asked = [WARM, ramp] if _only_tables(architecture) else [ramp]
    calls = [call for part in architecture.parts for call in part.calls]
    with tempfile.TemporaryDirectory() as folder:
        event = Path(folder, "event.json")
        event.write_text(json.dumps({"calls": calls if _only_tables(architecture) else []}))
        world.begin(architecture)
        ran = run(
            *("load", architecture.name, "--endpoint-url", server.endpoint_url, "--json"),
            *("--region", server.region, "--payload", str(event)),
            *(word for phase in asked for word in ("--phase", phase)),
            *("--yes", "--allow-side-effects"),
            timeout_s=240,
            TUNER_STATE_DIR=folder,
        )
    assert ran.returncode == 0, ran.stderr
    first = json.loads(ran.stdout)["downstream"][0]
    phases = parse_phases(asked)
    began_s = world.first_s[architecture.name] - arrivals(phases)[0].due_s
    ramp_s = began_s + sum(each.duration_s for each in phases[:-1])
    over_s = {
        name: _crossing_s(each, ramp_s)
        for (_, name), each in world.buckets.items()
        if each.refused_s is not None
    }
    over = min(over_s, key=lambda name: over_s[name], default="nothing")
    gave_way = rate_at(phases, over_s[over] - began_s) if over_s else 0.0
    return first["resource"], first["limited_at_rate_per_s"] or 0.0, (over, gave_way)


def _crossing_s(bucket: Bucket, since_s: float) -> float:
    """When what was asked a second went over the limit: a parabola through the sum of it, where
    its slope is the limit.
    """
    asked = [each for each in bucket.asked if each[0] >= since_s]
    times = np.array([at_s - since_s for at_s, _ in asked])
    sums = np.cumsum([amount for _, amount in asked])
    bend, slope, _ = np.polyfit(times, sums, 2)
    return float(since_s + (bucket.per_s - slope) / (2 * bend))


@contextmanager
def serving(
    every: tuple[Architecture, ...], *, is_real: bool
) -> Iterator[tuple[World, LocalLambda]]:
    """A local Lambda with the functions, and all that is behind them."""
    world = World(every)
    parts = [part for each in every for part in each.parts]
    callees = [part for part in parts if part.service == "lambda"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(_CODE)
        functions = [_function(each, Path(folder)) for each in every]
        functions += [FunctionDefinition(each.resource, memory_mb=CALLEE_MB) for each in callees]
        executor = _executor(world, Path(folder), is_real=is_real)
        proxy = limited_proxy(world.buckets, world.lock)
        with (
            patch("tuner.local.local_lambda.Proxy", proxy),
            LocalLambda(functions, executor=executor, resources=_resources(parts)) as server,
        ):
            world.caller.port = int(server.endpoint_url.rpartition(":")[2])
            _prepare(server, parts, callees)
            try:
                yield world, server
            finally:
                world.caller.close()


def _executor(world: World, folder: Path, *, is_real: bool) -> Executor:
    """What runs the handlers, and notes when each function is first invoked."""
    if not is_real:
        return ScriptedExecutor(
            lambda mb: 1000 * CALLEE_S if mb == CALLEE_MB else 5.0, failure=world.invoked
        )

    class Noting(ProcessExecutor):
        def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
            world.first_s.setdefault(deployment.function_name, time.monotonic())
            return super().invoke(deployment, request)

    work = folder / "work"
    work.mkdir()
    return Noting(work_dir=work)


def _function(architecture: Architecture, code: Path) -> FunctionDefinition:
    named = tuple(
        (f"PART_{number}", part.resource) for number, part in enumerate(architecture.parts)
    )
    return FunctionDefinition(
        architecture.name, code, "app.handler", "python3.11", memory_mb=1769, environment=named
    )


def _resources(parts: list[Part]) -> list[TemplateResource]:
    found = []
    for part in parts:
        if part.service == "dynamodb":
            units = {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000}
            is_read = part.calls[0]["target"].endswith("GetItem")
            units["ReadCapacityUnits" if is_read else "WriteCapacityUnits"] = int(part.per_s)
            key = {"AttributeName": "id", "AttributeType": "S"}
            properties: dict[str, Any] = {
                "AttributeDefinitions": [key],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "ProvisionedThroughput": units,
            }
            kind = "AWS::DynamoDB::Table"
        elif part.service == "kinesis":
            kind, properties = "AWS::Kinesis::Stream", {"ShardCount": 1}
        elif part.service == "sqs":
            kind, properties = "AWS::SQS::Queue", {"FifoQueue": "true"}
        else:
            continue
        found.append(TemplateResource(part.resource, kind, part.resource, properties, 1))
    return found


def _prepare(server: LocalLambda, parts: list[Part], callees: list[Part]) -> None:
    """Items to read; the callees' reserved concurrency, and what CloudWatch knows of them."""
    options = {
        "endpoint_url": server.endpoint_url,
        "region_name": server.region,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    dynamodb: Any = boto3.client("dynamodb", **options)  # type: ignore[call-overload] # options from a dict
    for part in parts:
        if part.service == "dynamodb" and part.calls[0]["target"].endswith("GetItem"):
            dynamodb.put_item(TableName=part.resource, Item=read_item(round(part.takes)))
    functions: Any = boto3.client("lambda", **options)  # type: ignore[call-overload] # options from a dict
    cloudwatch: Any = boto3.client("cloudwatch", **options)  # type: ignore[call-overload] # options from a dict
    for part in callees:
        functions.put_function_concurrency(
            FunctionName=part.resource, ReservedConcurrentExecutions=int(part.per_s)
        )
        cloudwatch.put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "FunctionName", "Value": part.resource}],
                    "Timestamp": datetime.now(UTC) - timedelta(hours=2),
                    "Value": value,
                }
                for metric, value in (("Invocations", 100.0), ("Duration", 1e5 * CALLEE_S))
            ],
        )
