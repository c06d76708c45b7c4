"""A function that calls itself in a circle is stopped, as on Lambda."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import code_of, message_of
from tests.local_exec.test_environments import eventually
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from tuner.local import Deployment, InvokeRequest

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:q"
Serve = Callable[..., tuple[Any, LocalLambda]]


class Chain:
    """Functions that call the next one with the trace header that an SDK would hand on."""

    def __init__(self, serve: Serve, following: dict[str, str], **options: Any) -> None:
        self.runs: list[str] = []
        self.refused: list[str] = []
        self._header = ""
        self._following = following
        self._options = options
        functions = [FunctionDefinition(name) for name in following]
        executor = ScriptedExecutor(time_scale=0, response=self._run)
        self.client, _ = serve(functions=functions, executor=executor)
        self.client.meta.events.register("before-send.lambda.Invoke", self._add_trace)

    def _add_trace(self, request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = self._header

    def _run(self, deployment: Deployment, request: InvokeRequest) -> bytes:
        name = deployment.function_name
        self.runs.append(name)
        self._header = f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={request.lineage}"
        if len(self.runs) >= 40:
            return b"null"
        try:
            self.client.invoke(FunctionName=self._following[name], **self._options)
        except ClientError as error:
            self.refused.append(error.response["Error"]["Code"])
        return b"null"


def test_a_function_that_calls_itself_is_stopped(serve: Serve) -> None:
    """It runs sixteen times; its seventeenth call is refused, and all callers get their answers."""
    chain = Chain(serve, {"hello": "hello"})
    assert chain.client.invoke(FunctionName="hello")["StatusCode"] == 200
    assert len(chain.runs) == 16
    assert chain.refused == ["RecursiveInvocationException"]


def test_a_circle_of_two_is_counted_for_each(serve: Serve) -> None:
    """Two functions that call each other run sixteen times each."""
    chain = Chain(serve, {"ping": "pong", "pong": "ping"})
    chain.client.invoke(FunctionName="ping")
    assert (chain.runs.count("ping"), chain.runs.count("pong")) == (16, 16)


def test_recursion_can_be_allowed(serve: Serve) -> None:
    """PutFunctionRecursionConfig with Allow lets it run on; other values are refused."""
    chain = Chain(serve, {"hello": "hello"})
    assert chain.client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"] == (
        "Terminate"
    )
    chain.client.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Allow")
    chain.client.invoke(FunctionName="hello")
    assert len(chain.runs) == 40
    with pytest.raises(ClientError) as refused:
        chain.client.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Maybe")
    assert code_of(refused) == "ValidationException"


def test_an_event_in_a_circle_is_dropped(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """An asynchronous circle ends as well: the seventeenth event is taken, and never runs."""
    chain = Chain(serve, {"hello": "hello"}, InvocationType="Event")
    with caplog.at_level("WARNING", logger="tuner.local.control_plane.events"):
        chain.client.invoke(FunctionName="hello", InvocationType="Event")
        assert eventually(lambda: "recursive loop" in caplog.text)
    assert "an event of hello" in caplog.text
    assert len(chain.runs) == 16
    assert not chain.refused


@pytest.mark.parametrize("lineage", ["x:1", "deadbeef:", "|||", "deadbeef:99999|deadbeef:1"])
def test_a_lineage_that_is_none_counts_nothing(serve: Serve, lineage: str) -> None:
    """Whatever a client sends in the header, its call runs."""
    chain = Chain(serve, {"hello": "hello"})
    chain._header = f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={lineage}"
    chain.client.invoke(FunctionName="hello")
    assert chain.runs


@pytest.mark.parametrize(
    ("operation", "arguments", "said"),
    [
        (
            "put_provisioned_concurrency_config",
            {"Qualifier": "1", "ProvisionedConcurrentExecutions": 1},
            "on demand",
        ),
        (
            "put_function_event_invoke_config",
            {
                "DestinationConfig": {
                    "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:q"}
                }
            },
            "Destinations are not supported",
        ),
    ],
)
def test_what_is_not_served_is_refused_by_name(
    client: Any, operation: str, arguments: dict[str, Any], said: str
) -> None:
    """An operation that Lambda has and this endpoint lacks says so, and why."""
    client.publish_version(FunctionName="hello")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=said):
        getattr(client, operation)(FunctionName="hello", **arguments)


def test_snap_start_is_kept_and_not_claimed(client: Any) -> None:
    """The setting is given back as it was set, and the status says that no snapshot is made."""
    client.update_function_configuration(
        FunctionName="hello", SnapStart={"ApplyOn": "PublishedVersions"}
    )
    version = client.publish_version(FunctionName="hello")
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    with pytest.raises(ClientError) as refused:
        client.get_provisioned_concurrency_config(FunctionName="hello", Qualifier="1")
    assert "No Provisioned Concurrency" in message_of(refused)
