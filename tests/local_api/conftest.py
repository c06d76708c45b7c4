from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.local_api.model import check_reply
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/any"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"
CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
Serve = Callable[..., tuple[Any, LocalLambda]]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make_client(server: LocalLambda, service: str = "lambda") -> Any:
    """A boto3 client; every raw reply of Lambda is held against the service model."""
    client = boto3.client(
        service,
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50),
        **CREDENTIALS,
    )
    if service == "lambda":

        def check(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
            check_reply(operation_model, response_dict)

        def read(parsed: dict[str, Any], **_: Any) -> None:
            if "Payload" in parsed:  # an unread body would keep its connection open
                parsed["Payload"] = io.BytesIO(parsed["Payload"].read())

        client.meta.events.register("before-parse.lambda", check)
        client.meta.events.register("after-call.lambda.Invoke", read)
    return client


def make_zip(source: str = "def handler(event, context): return event", **files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", source)
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Any, LocalLambda]]]:
    """Start an endpoint for Lambda alone; gives a client and the endpoint."""
    with ExitStack() as stack:

        def start(**given: Any) -> tuple[Any, LocalLambda]:
            settings = {
                "functions": [FunctionDefinition("hello", memory_mb=512)],
                "executor": ScriptedExecutor(1.0, time_scale=0),
                "emulated_services": False,
                "update_s": 0.0,
                **given,
            }
            server = stack.enter_context(LocalLambda(**settings))
            client = make_client(server)
            stack.callback(client.close)
            return client, server

        yield start


@pytest.fixture
def client(serve: Callable[..., tuple[Any, LocalLambda]]) -> Any:
    """A client of an endpoint with one function, `hello`; changes are through at once."""
    return serve()[0]


def code_of(response: Any) -> str:
    """The error code that a ClientError carries."""
    return str(response.value.response["Error"]["Code"])


def message_of(response: Any) -> str:
    return str(response.value.response["Error"]["Message"])


def log_tail(reply: dict[str, Any]) -> str:
    return base64.b64decode(reply["LogResult"]).decode()


def create(client: Any, name: str, **more: Any) -> dict[str, Any]:
    given = {
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "handler.handler",
        "Code": {"ZipFile": make_zip()},
        **more,
    }
    reply: dict[str, Any] = client.create_function(FunctionName=name, **given)
    return reply


def publish(client: Any, **more: Any) -> str:
    return str(client.publish_version(FunctionName="hello", **more)["Version"])


def set_memory(client: Any, memory_mb: int) -> None:
    client.update_function_configuration(FunctionName="hello", MemorySize=memory_mb)
