"""Invoke: what goes in, what comes back, and when nothing runs."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.local_api.conftest import code_of, log_tail, make_client
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda
from tuner.logs import parse_report

if TYPE_CHECKING:
    from tuner.local import Deployment, InvokeRequest

Serve = Callable[..., tuple[Any, LocalLambda]]


def test_the_event_and_the_headers(client: Any) -> None:
    """A synchronous call gives the payload, the version that ran, and request and trace ids."""
    reply = client.invoke(FunctionName="hello", Payload=b'{"a": [1, "\xc3\xa9"]}')
    assert json.loads(reply["Payload"].read()) == {"a": [1, "é"]}
    assert (reply["StatusCode"], reply["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in reply
    assert "LogResult" not in reply
    headers = reply["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert reply["ResponseMetadata"]["RequestId"]


def test_the_log_tail_is_the_last_4_kb(serve: Serve) -> None:
    """LogType=Tail gives the last 4 KB, in which the REPORT line is still the last."""
    client, _ = serve(executor=ScriptedExecutor(12.0, time_scale=0, log_output=b"x" * 9000 + b"\n"))
    reply = client.invoke(FunctionName="hello", LogType="Tail")
    assert len(base64.b64decode(reply["LogResult"])) == 4096
    report = parse_report(log_tail(reply))
    assert report.request_id == reply["ResponseMetadata"]["RequestId"]
    assert (report.duration_ms, report.memory_size_mb) == (12.0, 512)


def test_no_payload_is_an_empty_event(client: Any) -> None:
    """Without a payload the function gets an empty object."""
    assert client.invoke(FunctionName="hello")["Payload"].read() == b"{}"


@pytest.mark.parametrize("payload", [b"{", b"hello", b"\xff\xfe", b"[" * 100_000])
def test_a_payload_that_is_not_json_runs_nothing(serve: Serve, payload: bytes) -> None:
    """What cannot be parsed is refused as by Lambda, and the executor never sees it."""
    executor = ScriptedExecutor(time_scale=0)
    client, _ = serve(executor=executor)
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="hello", Payload=payload)
    assert executor.invocations == []


def test_payload_limits(client: Any) -> None:
    """6 MB pass; a byte more is 413, and an event may have 1 MB."""
    limit = 6 * 1024 * 1024
    largest = b'"' + b"x" * (limit - 2) + b'"'
    assert len(client.invoke(FunctionName="hello", Payload=largest)["Payload"].read()) == limit
    for given in (
        {"Payload": largest + b" "},
        {"Payload": largest[-1048577:], "InvocationType": "Event"},
    ):
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName="hello", **given)
        assert code_of(refused) == "RequestEntityTooLargeException"
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200


def test_a_response_over_the_limit_is_a_function_error(serve: Serve) -> None:
    """A response over 6 MB comes back as Function.ResponseSizeTooLarge."""
    huge = b'"' + b"x" * (6 * 1024 * 1024 + 200) + b'"'
    client, _ = serve(executor=ScriptedExecutor(time_scale=0, response=lambda *_: huge))
    reply = client.invoke(FunctionName="hello")
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("failure", "error_type", "status"),
    [
        ("error", "ValueError", None),
        ("timeout", "Sandbox.Timedout", "timeout"),
        ("out-of-memory", "Runtime.ExitError", "error"),
    ],
)
def test_scripted_failures(serve: Serve, failure: Any, error_type: str, status: str | None) -> None:
    """A function's failure is a 200 with FunctionError, its error object and its REPORT line."""
    client, _ = serve(executor=ScriptedExecutor(time_scale=0, failure=lambda *_: failure))
    reply = client.invoke(FunctionName="hello", LogType="Tail")
    assert (reply["StatusCode"], reply["FunctionError"]) == (200, "Unhandled")
    assert json.loads(reply["Payload"].read())["errorType"] == error_type
    assert parse_report(log_tail(reply)).status == status


def test_a_lost_reply_cuts_the_connection(serve: Serve) -> None:
    """A scripted loss closes the connection without an answer, though the code has run."""
    executor = ScriptedExecutor(time_scale=0, failure=lambda *_: "no-reply")
    client, _ = serve(executor=executor)
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        client.invoke(FunctionName="hello")
    assert len(executor.invocations) == 1


def test_cold_starts_follow_environments(serve: Serve) -> None:
    """The first call of a deployment has an init, the next has none, a changed function has one."""
    client, _ = serve(executor=ScriptedExecutor(time_scale=0, init_duration_ms=250.0))

    def cold() -> bool:
        return parse_report(
            log_tail(client.invoke(FunctionName="hello", LogType="Tail"))
        ).cold_start

    assert [cold(), cold()] == [True, False]
    client.update_function_configuration(FunctionName="hello", MemorySize=256)
    assert [cold(), cold()] == [True, False]


def test_a_dry_run_runs_nothing(serve: Serve) -> None:
    """InvocationType=DryRun answers 204, and 404 for an unknown function."""
    executor = ScriptedExecutor(time_scale=0)
    client, _ = serve(executor=executor)
    dry = client.invoke(FunctionName="hello", InvocationType="DryRun")
    assert (dry["StatusCode"], "ExecutedVersion" in dry) == (204, False)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody", InvocationType="DryRun")
    assert executor.invocations == []


def test_an_event_is_answered_before_it_runs(serve: Serve) -> None:
    """InvocationType=Event answers 202 at once; the event runs behind it, asynchronously."""
    go, ran = threading.Event(), threading.Event()
    seen: list[InvokeRequest] = []

    def response(_: Deployment, request: InvokeRequest) -> bytes:
        seen.append(request)
        assert go.wait(10)
        ran.set()
        return b"null"

    client, _ = serve(executor=ScriptedExecutor(time_scale=0, response=response))
    reply = client.invoke(FunctionName="hello", InvocationType="Event", Payload=b'{"a": 1}')
    assert (reply["StatusCode"], reply["Payload"].read()) == (202, b"")
    assert not ran.is_set()
    go.set()
    assert ran.wait(10)
    assert (seen[0].asynchronous, seen[0].payload) == (True, b'{"a": 1}')


def test_what_the_executor_is_told(serve: Serve) -> None:
    """The executor gets the invoked ARN, the client context, the trace, and where AWS is."""
    told: list[tuple[Deployment, InvokeRequest]] = []

    def response(deployment: Deployment, request: InvokeRequest) -> bytes:
        told.append((deployment, request))
        return b"null"

    client, server = serve(
        functions=[FunctionDefinition("hello", environment=(("STAGE", "test"),), timeout_s=9)],
        executor=ScriptedExecutor(time_scale=0, response=response),
        region="eu-west-1",
    )
    client.publish_version(FunctionName="hello")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")

    def add_trace(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = "Root=1-5759e988-bd862e3fe1be46a994272793"

    client.meta.events.register("before-send.lambda.Invoke", add_trace)
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    client.invoke(FunctionName="hello", Qualifier="live", ClientContext=context)
    deployment, request = told[0]
    assert request.invoked_arn == "arn:aws:lambda:eu-west-1:123456789012:function:hello:live"
    assert request.client_context == '{"custom": {"a": "b"}}'
    assert request.trace_header == "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert (deployment.version, deployment.timeout_s, deployment.region) == ("1", 9, "eu-west-1")
    assert deployment.log_group == "/aws/lambda/hello"
    assert (deployment.code_dir / "handler.py").is_file()
    variables = dict(deployment.environment)
    assert variables["STAGE"] == "test"
    assert variables["AWS_ENDPOINT_URL"] == server.endpoint_url
    assert variables["AWS_REGION"] == "eu-west-1"
    assert "hunter" not in repr(deployment)
    for refused in ("no base64!", base64.b64encode(b"[" * 30_000).decode()):
        with pytest.raises(client.exceptions.InvalidRequestContentException):
            client.invoke(FunctionName="hello", ClientContext=refused)


def test_reserved_concurrency_is_held(serve: Serve) -> None:
    """Over a function's reservation a call is a 429 with its Reason, and no time to wait."""
    inside, go = threading.Event(), threading.Event()

    def response(*_: Any) -> bytes:
        inside.set()
        assert go.wait(10)
        return b"null"

    client, _ = serve(executor=ScriptedExecutor(time_scale=0, response=response))
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.invoke, FunctionName="hello")
        assert inside.wait(10)
        with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
            client.invoke(FunctionName="hello")
        go.set()
        assert first.result()["StatusCode"] == 200
    said = refused.value.response
    assert said["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert "retryAfterSeconds" not in said
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="hello")
    client.delete_function_concurrency(FunctionName="hello")
    assert client.invoke(FunctionName="hello")["StatusCode"] == 200


def test_account_concurrency_is_held(serve: Serve) -> None:
    """Over the account's limit a call is a 429 whose Reason says so."""
    inside, go = threading.Barrier(3), threading.Event()

    def response(*_: Any) -> bytes:
        inside.wait(10)
        assert go.wait(10)
        return b"null"

    client, _ = serve(
        executor=ScriptedExecutor(time_scale=0, response=response), concurrent_executions=2
    )
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == limits["UnreservedConcurrentExecutions"] == 2
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(client.invoke, FunctionName="hello") for _ in range(2)]
        inside.wait(10)
        with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
            client.invoke(FunctionName="hello")
        go.set()
        assert [each.result()["StatusCode"] for each in running] == [200, 200]
    assert refused.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"


@pytest.mark.slow
def test_hundreds_of_calls_in_parallel(serve: Serve) -> None:
    """Two hundred calls at twenty at a time all come back, each with its own payload."""
    client, _ = serve(executor=ScriptedExecutor(time_scale=0))

    def call(number: int) -> int:
        reply = client.invoke(FunctionName="hello", Payload=json.dumps(number).encode())
        return int(json.loads(reply["Payload"].read()))

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(call, range(200))) == list(range(200))


def test_closing_ends_waiting_calls() -> None:
    """An endpoint that is closed while a call runs does not wait for ever, nor leave the caller."""
    inside, go = threading.Event(), threading.Event()

    def response(*_: Any) -> bytes:
        inside.set()
        go.wait(10)
        return b"null"

    executor = ScriptedExecutor(time_scale=0, response=response)
    server = LocalLambda([FunctionDefinition("hello")], executor=executor, emulated_services=False)
    client = make_client(server)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.invoke, FunctionName="hello")
        assert inside.wait(10)
        closing = threading.Thread(target=server.close)
        closing.start()
        with pytest.raises((HTTPClientError, ClientError)):
            call.result(10)
        go.set()
        closing.join(10)
    assert not closing.is_alive()
    client.close()


def test_unknown_kinds_are_refused(serve: Serve) -> None:
    """An invocation or log type outside the enumeration is a ValidationException."""
    client, _ = serve()
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName="hello", InvocationType="Sometimes")
    assert code_of(refused) == "ValidationException"
