"""Replays on the local Lambda calls that AWS answered once, and holds the replies against AWS's.

A recording is a JSON file: scenario -> {"recorded-content": {step: reply}}, replies as the SDK
returns them, with ids, names, and dates replaced (`<uuid:1>`, `<function-name:1>`, "date", account
111111111111). The calls are ours (`scenarios`); a step without a call is counted as not replayed.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_api.conftest import CREDENTIALS, ROLE, Clock, make_zip
from tests.recorded.comparison import Result, compare
from tests.recorded.function_log import FunctionLog
from tests.scripted_executor import ScriptedExecutor
from tuner.local import LocalLambda
from tuner.local.execution.executor import ProcessExecutor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tuner.local.deployment import Executor

FN: Final = "fn"
ACCOUNT: Final = "123456789012"
ARN: Final = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{FN}"
OTHER_CODE: Final = make_zip("def handler(event, context): return context.function_version")
"""A package to update to."""
UPDATE_S: Final = 10.0


class Player:
    """Makes a scenario's calls on a local Lambda of its own, and keeps the replies by step."""

    def __init__(self, client: Any, clock: Clock, log: FunctionLog) -> None:
        self._client = client
        self._clock = clock
        self.last_failed = False
        self._log = log
        self._replies: dict[str, tuple[str, dict[str, Any]]] = {}

    def __call__(self, step: str, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation; the reply, or the error's, is a step's if the step has a name."""
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**members)
        except ClientError as error:
            reply = dict(error.response)
        if "Payload" in reply:
            reply["Payload"] = reply["Payload"].read().decode()
        self.last_failed = "Error" in reply
        if step:
            self._replies[step] = (operation, reply)
        return reply

    def create(self, step: str = "", **members: Any) -> dict[str, Any]:
        """Create a function, as plainly as AWS takes it."""
        plain = {
            "FunctionName": FN,
            "Runtime": "python3.12",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"ZipFile": make_zip()},
        }
        return self(step, "create_function", **{**plain, **members})

    def created(self, step: str = "", **members: Any) -> dict[str, Any]:
        """Create a function with an empty environment and 30 s, and wait until it is active."""
        plain = {"Environment": {"Variables": {}}, "Timeout": 30, "Handler": "handler.handler"}
        reply = self.create(step, **{**plain, **members})
        self.wait()
        return reply

    def wait(self) -> None:
        """Let creations and updates come through."""
        self._clock.now_s += UPDATE_S + 1

    def take(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Give the replies by step, each with its operation, and leave no function behind."""
        for each in self._client.list_functions()["Functions"]:
            self._client.delete_function(FunctionName=each["FunctionName"])
        replies, self._replies = self._replies, {}
        self._log.clear()
        return replies

    def expect(self, holds: bool, what: str) -> None:
        """Hold what a scenario was about, where the recording has nothing of it."""
        assert holds, what

    def logged(self, count: int, begins: str = "") -> tuple[str, list[str]]:
        """Wait for log entries; give the last one's stream, and them."""
        return self._log.wait(count, begins)

    @contextmanager
    def beside(self, step: str, operation: str, **members: Any) -> Iterator[None]:
        """Make a call in a thread of its own."""
        thread = threading.Thread(target=self, args=(step, operation), kwargs=members)
        thread.start()
        time.sleep(0.7)  # nothing tells when its handler runs
        yield
        thread.join()

    def keep(self, step: str, operation: str, told: Any) -> None:
        """Let a step be what was made of an operation's replies."""
        self._replies[step] = (operation, told)

    def visit(self, step: str, url: str) -> None:
        """Send a request to a function URL, wherever its name leads."""
        host, _, path = url.removeprefix("http://").partition("/")
        address = urlsplit(self._client.meta.endpoint_url).netloc
        with closing(HTTPConnection(address)) as connection:
            connection.request("GET", f"/{path}", headers={"Host": host})
            reply = connection.getresponse()
            content = json.loads(reply.read())
        self.keep(step, "a function URL", {**content, "statuscode": reply.status})

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object into the S3 beside the endpoint."""
        client = boto3.client(
            "s3",
            endpoint_url=self._client.meta.endpoint_url,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
            **CREDENTIALS,
        )
        with closing(client):
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key=key, Body=body)

    def pages(self, step: str, operation: str, key: str, **members: Any) -> None:
        """Read a list one item a page; the step has all of them."""
        paginator = self._client.get_paginator(operation)
        pages = paginator.paginate(**members, PaginationConfig={"PageSize": 1})
        self._replies[step] = (operation, {key: pages.build_full_result()[key]})


def replay(
    recording: Mapping[str, Any],
    scenarios: Mapping[str, Any],
    real: Collection[str] = (),
    from_s3: Collection[str] = (),
) -> Result:
    """Play scenarios, each on an endpoint of its own, and compare.

    `real` ones run handlers, and those `from_s3` have the emulated services beside.
    """
    result = Result()
    with ExitStack() as stack:
        runs = _open_real(stack) if real else None  # its start takes a second: one for all
        beside = _open(stack, None, emulated_services=True) if from_s3 else None
        for name, play in scenarios.items():
            player = runs if name in real else beside if name in from_s3 else None
            with ExitStack() as own:
                player = player or _open(own, _scripted())
                play(player)
                replies = player.take()
            compare(result, name, replies, recording[name]["recorded-content"])
    return result


def _scripted() -> ScriptedExecutor:
    return ScriptedExecutor(1.0, time_scale=0)


def _open_real(stack: ExitStack) -> Player:
    log = FunctionLog()
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="tuner-recorded-")))
    return _open(stack, ProcessExecutor(work_dir=folder, on_log=log.keep), log)


def _open(
    stack: ExitStack,
    executor: Executor | None,
    log: FunctionLog | None = None,
    *,
    emulated_services: bool = False,
) -> Player:
    clock = Clock()
    server = stack.enter_context(
        LocalLambda(
            executor=executor,
            emulated_services=emulated_services,
            update_s=UPDATE_S,
            event_retry_delays_s=(0.05, 0.05),
            clock=clock,
        )
    )
    client = boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        **CREDENTIALS,
    )
    stack.callback(client.close)
    return Player(client, clock, log or FunctionLog())


FILES: Final = (
    "lambda_api",
    "lambda_common",
    "lambda_destinations",
    "lambda_invoke",
    "lambda_runtimes",
)


def load(folder: Path) -> dict[str, Any]:
    """Read every scenario."""
    whole = [json.loads((folder / f"{name}.json").read_text()) for name in FILES]
    return {name: scenario for scenarios in whole for name, scenario in scenarios.items()}
