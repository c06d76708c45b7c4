"""Asynchronous invocations: tried again where they failed, dropped where that is of no use."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import code_of, make_client
from tests.local_exec.test_environments import eventually
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.control_plane.events import RETRY_DELAYS_S

if TYPE_CHECKING:
    from tests.scripted_executor import Failure
    from tuner.local import Deployment, InvokeRequest

Serve = Callable[..., tuple[Any, LocalLambda]]
DELAYS_S = (0.05, 0.1)


class Failing:
    """A function that fails as often as it is told, and remembers its runs."""

    def __init__(self, serve: Serve, failure_count: int, **options: Any) -> None:
        self.runs: list[str] = []
        self.changed = threading.Condition()
        self._failure_count = failure_count
        executor = ScriptedExecutor(time_scale=0, failure=self._fail)
        self.client, _ = serve(
            executor=executor, event_retry_delays_s=options.pop("delays_s", DELAYS_S), **options
        )

    def _fail(self, _: Deployment, request: InvokeRequest) -> Failure | None:
        with self.changed:
            self.runs.append(request.request_id)
            self.changed.notify_all()
            return "error" if len(self.runs) <= self._failure_count else None

    def send(self, **options: Any) -> str:
        reply = self.client.invoke(FunctionName="hello", InvocationType="Event", **options)
        return str(reply["ResponseMetadata"]["RequestId"])

    def wait_for(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.runs) >= count, 60)


def test_a_failed_event_is_run_again(serve: Serve) -> None:
    """It fails twice and then succeeds: three runs with one request id."""
    function = Failing(serve, 2)
    request_id = function.send()
    assert function.wait_for(3)
    time.sleep(0.3)
    assert function.runs == [request_id] * 3


def test_an_event_is_dropped_after_two_retries(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """A function that always fails runs three times; the log says what became of the event."""
    function = Failing(serve, 99)
    with caplog.at_level("WARNING", logger="tuner.local.control_plane.events"):
        request_id = function.send()
        said = f"an event of hello ({request_id}) was dropped: its function failed 3 times"
        assert eventually(lambda: said in caplog.text)
    assert len(function.runs) == 3


def test_retries_are_a_minute_and_two_apart(serve: Serve) -> None:
    """Nothing is tried again at once: the delays are Lambda's unless a test makes them short."""
    function = Failing(serve, 99, delays_s=RETRY_DELAYS_S)
    assert RETRY_DELAYS_S == (60.0, 120.0)
    function.send()
    assert function.wait_for(1)
    time.sleep(0.3)
    assert len(function.runs) == 1


def test_retries_can_be_switched_off(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """MaximumRetryAttempts holds for the qualifier that it was set for."""
    function = Failing(serve, 99)
    version = function.client.publish_version(FunctionName="hello")["Version"]
    function.client.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=0)
    with caplog.at_level("WARNING", logger="tuner.local.control_plane.events"):
        function.send()
        assert eventually(lambda: "its function failed 1 time" in caplog.text)
        time.sleep(0.3)
        assert len(function.runs) == 1
        function.send(Qualifier=version)
        assert function.wait_for(4)


def test_the_settings_come_and_go(serve: Serve) -> None:
    """Put replaces, update changes, list shows them by version and alias, delete ends them."""
    client, _ = serve()
    client.publish_version(FunctionName="hello")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.update_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=1)
    client.put_function_event_invoke_config(
        FunctionName="hello", MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60
    )
    client.put_function_event_invoke_config(
        FunctionName="hello", Qualifier="1", MaximumEventAgeInSeconds=120
    )
    client.update_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=0)
    got = client.get_function_event_invoke_config(FunctionName="hello")
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (0, 60)
    assert got["FunctionArn"].endswith(":hello:$LATEST")
    listed = client.list_function_event_invoke_configs(FunctionName="hello")
    assert [each.get("MaximumRetryAttempts") for each in listed["FunctionEventInvokeConfigs"]] == [
        0,
        None,
    ]
    client.delete_function_event_invoke_config(FunctionName="hello")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName="hello")
    with pytest.raises(ClientError) as refused:
        client.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=3)
    assert code_of(refused) == "ValidationException"


def test_events_that_wait_end_with_the_endpoint() -> None:
    """Closing does not wait for a retry that is due in a minute, nor leaves its workers."""
    before = threading.active_count()
    executor = ScriptedExecutor(time_scale=0, failure=lambda *_: "error")
    server = LocalLambda([FunctionDefinition("hello")], executor=executor, emulated_services=False)
    client = make_client(server)
    client.invoke(FunctionName="hello", InvocationType="Event")
    client.close()
    server.close()
    assert threading.active_count() <= before


def test_an_event_that_waits_runs_what_its_function_is_by_then(serve: Serve) -> None:
    """As on AWS, an update is met by events that came before it and had to wait."""
    ran, sizes = threading.Event(), []

    def response(deployment: Deployment, _: InvokeRequest) -> bytes:
        sizes.append(deployment.memory_mb)
        ran.set()
        return b"null"

    client, _ = serve(executor=ScriptedExecutor(time_scale=0, response=response))
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)
    client.invoke(FunctionName="hello", InvocationType="Event")
    client.update_function_configuration(FunctionName="hello", MemorySize=256)
    client.delete_function_concurrency(FunctionName="hello")
    assert ran.wait(10)
    assert sizes == [256]


def test_a_throttled_event_keeps_no_other_from_running(serve: Serve) -> None:
    """Events of a function that may not run wait; those of another one are not behind them."""
    ran = threading.Event()

    def response(deployment: Deployment, _: InvokeRequest) -> bytes:
        if deployment.function_name == "free":
            ran.set()
        return b"null"

    client, _ = serve(
        functions=[FunctionDefinition("held"), FunctionDefinition("free")],
        executor=ScriptedExecutor(time_scale=0, response=response),
    )
    client.put_function_concurrency(FunctionName="held", ReservedConcurrentExecutions=0)
    for number in range(20):
        client.invoke(
            FunctionName="held", InvocationType="Event", Payload=json.dumps(number).encode()
        )
    client.invoke(FunctionName="free", InvocationType="Event")
    assert ran.wait(10)
