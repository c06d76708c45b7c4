"""Records `examples/spend/logs`: real REPORT lines of the local Lambda, spread over four weeks.

Three functions run on the local Lambda; on the way two get other code, one other memory, and a
service that one waits for becomes slower. Every duration is measured. Only time is made up: each
line is put where its invocation would have been in four weeks of traffic that follows the day.

`python -m tests.examples.record_logs` (about two minutes; the machine should be idle).
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import random
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
from botocore.config import Config

from tuner.local import LocalLambda

FOLDER: Final = Path(__file__).parents[2] / "examples" / "spend" / "logs"
START: Final = datetime(2026, 10, 5, tzinfo=UTC)
DAYS: Final = 28
ACCOUNT: Final = "123456789012"
SEARCH: Final = """
def handler(event, context):
    return sum(number * number % 7 for number in range({work} + hash(context.aws_request_id) % 40_000))
"""
WAIT: Final = """
import random, time

def handler(event, context):
    time.sleep(event["wait_ms"] / 1000 * random.uniform(0.7, 1.3))
"""


class Step(NamedTuple):
    """What happens to a function at an hour."""

    hour: float
    code: str | None = None
    memory_mb: int | None = None
    event: dict[str, Any] | None = None
    """What it's invoked with from then on."""


class Plan(NamedTuple):
    """A function with its traffic and what happens to it."""

    memory_mb: int
    per_day: int
    steps: tuple[Step, ...]


PLANS: Final = {
    "search": Plan(
        1769,
        60,
        (Step(0, SEARCH.format(work=120_000), event={}), Step(11 * 24 + 14.2, SEARCH.format(work=170_000))),
    ),
    "checkout": Plan(
        512,
        40,
        (
            Step(0, WAIT, event={"wait_ms": 12}),
            Step(7 * 24 + 9.1, WAIT + "# 2\n"),
            Step(22 * 24 + 3.5, event={"wait_ms": 17}),
        ),
    ),
    "thumbnails": Plan(
        1024,
        20,
        (Step(0, WAIT, event={"wait_ms": 20}), Step(18 * 24 + 10.4, memory_mb=512)),
    ),
}
"""True changes: +35% or so of search with version 2, +40% of checkout with no deployment, −50% of
thumbnails with its memory."""


def main() -> None:
    """Run, and write a file a function in the form of a subscription filter's."""
    FOLDER.mkdir(exist_ok=True)
    with LocalLambda(emulated_services=False, update_s=0.0) as server:
        client = boto3.client(
            "lambda", endpoint_url=server.endpoint_url, region_name="eu-west-1",
            aws_access_key_id="local", aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip
        for name, plan in PLANS.items():
            print(f"… {name}", file=sys.stderr)
            write(name, record(client, name, plan))


def record(client: Any, name: str, plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """REPORT lines by log stream."""
    streams: dict[str, list[dict[str, Any]]] = {}
    steps, version, event = list(plan.steps), "", {}
    for number, hour in enumerate(arrivals(name, plan.per_day)):
        while steps and steps[0].hour <= hour:
            step = steps.pop(0)
            event = step.event or event
            if step.code or step.memory_mb:
                version = deploy(client, name, plan, step)
        reply = client.invoke(
            FunctionName=name, Qualifier=version, LogType="Tail", Payload=json.dumps(event)
        )
        log = base64.b64decode(reply["LogResult"]).decode()
        [line] = [each for each in log.splitlines() if each.startswith("REPORT ")]
        at = START + timedelta(hours=hour)
        stream = f"{at:%Y/%m/%d}/[{version}]{random.Random(f'{name}{at:%d}').getrandbits(128):032x}"
        streams.setdefault(stream, []).append(
            {
                "id": f"{number:056d}",
                "timestamp": round(at.timestamp() * 1000),
                "message": line + "\n",
            }
        )
    return streams


def arrivals(name: str, per_day: int) -> list[float]:
    """Hours of the invocations: more by day than by night, fewer on weekends."""
    draw = random.Random(name)
    hours = []
    for hour in range(DAYS * 24):
        weekend = (START + timedelta(hours=hour)).weekday() >= 5
        rate = per_day / 24 * (1 + 0.7 * math.sin((hour % 24 - 9) / 24 * 2 * math.pi))
        count = draw.gauss(0, 1) * math.sqrt(rate) * 0.5 + rate * (0.6 if weekend else 1.15)
        hours += [hour + draw.random() for _ in range(max(round(count), 0))]
    return sorted(hours)


def deploy(client: Any, name: str, plan: Plan, step: Step) -> str:
    """Create or update the function, and publish it."""
    if step.code is not None and not exists(client, name):
        client.create_function(
            FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r",
            Handler="app.handler", Code={"ZipFile": packed(step.code)}, MemorySize=plan.memory_mb,
        )  # fmt: skip
    elif step.code is not None:
        client.update_function_code(FunctionName=name, ZipFile=packed(step.code))
    if step.memory_mb is not None:
        client.update_function_configuration(FunctionName=name, MemorySize=step.memory_mb)
    return str(client.publish_version(FunctionName=name)["Version"])


def exists(client: Any, name: str) -> bool:
    """Whether it was created."""
    return name in {each["FunctionName"] for each in client.list_functions()["Functions"]}


def packed(code: str) -> bytes:
    """The code as a package."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", code)
    return file.getvalue()


def write(name: str, streams: dict[str, list[dict[str, Any]]]) -> None:
    """Records one after another, packed; the same lines are the same bytes."""
    records = [
        {
            "messageType": "DATA_MESSAGE",
            "owner": ACCOUNT,
            "logGroup": f"/aws/lambda/{name}",
            "logStream": stream,
            "logEvents": events,
        }
        for stream, events in streams.items()
    ]
    text = "".join(json.dumps(each, separators=(",", ":")) for each in records)
    path = FOLDER / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
