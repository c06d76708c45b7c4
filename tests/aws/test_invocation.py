"""Invocations: sent once, read to the end, and what can be known when they fail."""

from __future__ import annotations

import base64
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from tests.aws.wire import HANG_UP, SILENCE, Received, Reply, WireServer, refusal, throttle
from tuner.aws.function_ref import FunctionRef
from tuner.aws.invocation import SETUP_FAILURES, Invocations
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    EndpointError,
    FunctionNotFoundError,
    LostReplyError,
    ThrottledError,
)
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.gateway import LambdaGateway

TAIL = "REPORT RequestId: 1\tDuration: 3.00 ms\té\n"


def success(body: bytes = b'{"ok": true}', **headers: str) -> Reply:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    log = base64.b64encode(TAIL.encode()).decode()
    return Reply(200, body, {"X-Amz-Log-Result": log, "X-Amz-Executed-Version": "7", **names})


@pytest.fixture
def impatient(wire: WireServer, gateway: LambdaGateway) -> Iterator[Invocations]:
    """Invocations that wait 0.2 s for a function with a timeout of 0."""
    invocations = Invocations(
        gateway._session,
        max_connections=4,
        clock=itertools.count(1.0, 0.25).__next__,
        grace_s=0.2,
    )
    yield invocations
    invocations.close()


@pytest.mark.parametrize(
    ("load", "loop", "read"),
    [
        ("0.45", "0.1312", (0.45, 0.1312)),
        ("7.00", "-0.1312", (None, None)),
        ("nan", "1e9", (None, None)),
        ("", "", (None, None)),
    ],
)
def test_what_an_endpoint_says_of_its_machine_is_a_number_or_nothing(
    wire: WireServer, impatient: Invocations, load: str, loop: str, read: tuple[float | None, ...]
) -> None:
    """Only a local endpoint's own form of both headers is read; anything else is as on Lambda."""
    wire.say(success(X_Tuner_Host_Load=load, X_Tuner_Host_Loop_Ms=loop))
    reply = impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert (reply.host_load_ratio, reply.host_loop_ms) == read


def test_success(wire: WireServer, impatient: Invocations) -> None:
    """A reply tells status, version, log tail, size and time, and holds its payload."""
    wire.say(success())
    reply = impatient.invoke(FunctionRef("resize"), "7", b'{"a": 1}', timeout_s=9)
    assert (reply.status_code, reply.function_error, reply.executed_version) == (200, None, "7")
    assert reply.payload == b'{"ok": true}'
    assert reply.log_tail == TAIL
    assert reply.client_duration_ms == 250


def test_request(wire: WireServer, impatient: Invocations) -> None:
    """The version goes out in the function's name, payload as it is, the tail wanted."""
    wire.say(success())
    impatient.invoke(FunctionRef("resize"), "7", b'{"a":  1}', timeout_s=9)
    (received,) = wire.received
    assert (received.method, received.path) == (
        "POST",
        "/2015-03-31/functions/resize:7/invocations",
    )
    assert received.body == b'{"a":  1}'
    assert received.headers["x-amz-log-type"] == "Tail"
    assert "lambda-tuner" in received.headers["user-agent"]


def test_function_error_holds_its_object(wire: WireServer, impatient: Invocations) -> None:
    """A failed function's error object is held, whole, and never shown."""
    wire.say(success(b"e" * 100_000, X_Amz_Function_Error="Unhandled"))
    reply = impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert reply.function_error == "Unhandled"
    assert reply.payload == b"e" * 100_000
    assert len(reply.payload) == 100_000
    assert "eee" not in repr(reply)


def test_connection_is_used_again(wire: WireServer, impatient: Invocations) -> None:
    """A reply is read to its end, so that the next invocation finds the connection free."""
    threads = set()

    def answer(received: Received) -> Reply:
        threads.add(threading.get_ident())  # the server has one for each connection
        return success(b"r" * 200_000)

    wire.answer = answer
    for _ in range(5):
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert len(threads) == 1


def test_largest_reply_is_read(wire: WireServer, impatient: Invocations) -> None:
    """A reply of 6 MB is read whole; what cannot be Lambda's is cut off and counts as lost."""
    wire.say(success(b"r" * MAX_SYNC_PAYLOAD_BYTES))
    reply = impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert len(reply.payload) == MAX_SYNC_PAYLOAD_BYTES
    wire.say(success(b"r" * (MAX_SYNC_PAYLOAD_BYTES + 200_000)))
    with pytest.raises(LostReplyError):
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (SILENCE, "ReadTimeoutError"),
        (HANG_UP, "ConnectionClosedError"),
        (Reply(200, b"x" * 100, cut=40), "IncompleteReadError"),
        (refusal(500, "ServiceException", "internal error"), "500"),
        (Reply(500, b""), "500"),
        (Reply(502, b"<html>Bad Gateway</html>"), "502"),
        (refusal(503, "ServiceUnavailableException"), "503"),
        (Reply(504, b""), "504"),
    ],
)
def test_what_may_have_run_is_lost_and_sent_once(
    wire: WireServer, impatient: Invocations, reply: Reply, word: str
) -> None:
    """After a timeout, a drop or a nameless 5xx the request is not sent again, and is spent."""
    wire.say(reply)
    with pytest.raises(LostReplyError, match=word) as caught:
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=0)
    assert "counts as spent" in str(caught.value)
    assert len(wire.received) == 1


def test_sdk_settings_cannot_switch_retries_on(
    wire: WireServer, impatient: Invocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retries that the environment asks of the SDK do not reach an invocation."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    wire.say(HANG_UP)
    with pytest.raises(LostReplyError):
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=1)
    wire.say(throttle("CallerRateLimitExceeded"))
    with pytest.raises(ThrottledError):
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=1)
    assert len(wire.received) == 2


@pytest.mark.parametrize(
    ("reply", "reason", "retry_after_s"),
    [
        (throttle("ConcurrentInvocationLimitExceeded"), "ConcurrentInvocationLimitExceeded", None),
        (
            throttle("ReservedFunctionConcurrentInvocationLimitExceeded", Retry_After="3"),
            "ReservedFunctionConcurrentInvocationLimitExceeded",
            3.0,
        ),
        (throttle("CallerRateLimitExceeded", Retry_After="soon"), "CallerRateLimitExceeded", None),
        (refusal(429, "TooManyRequestsException"), "TooManyRequestsException", None),
        (refusal(502, "EC2ThrottledException"), "EC2ThrottledException", None),
    ],
)
def test_throttle_is_told_and_not_repeated(
    wire: WireServer,
    impatient: Invocations,
    reply: Reply,
    reason: str,
    retry_after_s: float | None,
) -> None:
    """A throttle carries its reason and the wait that was asked for; the runner repeats it."""
    wire.say(reply)
    with pytest.raises(ThrottledError, match=reason) as caught:
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert (caught.value.reason, caught.value.retry_after_s) == (reason, retry_after_s)
    assert len(wire.received) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(403, "AccessDeniedException"), AccessDeniedError),
        (refusal(404, "ResourceNotFoundException"), FunctionNotFoundError),
        (refusal(409, "ResourceConflictException", "An update is in progress"), ConflictError),
        (refusal(400, "InvalidRequestContentException", "Could not parse"), AwsError),
        (refusal(413, "RequestTooLargeException", "Too large"), AwsError),
        (refusal(502, "KMSDisabledException", "The key is disabled"), AwsError),
        (refusal(502, "ResourceNotReadyException", "Not ready"), AwsError),
    ],
)
def test_what_surely_did_not_run_is_not_lost(
    wire: WireServer, impatient: Invocations, reply: Reply, kind: type[AwsError]
) -> None:
    """A refusal by which Lambda says that it never started the code is no lost reply."""
    wire.say(reply)
    with pytest.raises(kind) as caught:
        impatient.invoke(FunctionRef("resize"), "7", b"{}", timeout_s=9)
    assert not isinstance(caught.value, LostReplyError | ThrottledError)
    assert len(wire.received) == 1


def test_setup_failures_are_those_of_the_service_model() -> None:
    """Every 5xx that AWS's own model of Invoke names is known here, ServiceException aside."""
    model = botocore.session.Session().get_service_model("lambda").operation_model("Invoke")
    named = {
        shape.name
        for shape in model.error_shapes
        if shape.metadata.get("error", {}).get("httpStatusCode", 0) >= 500
    }
    assert named - {"ServiceException"} == SETUP_FAILURES


def test_nobody_listens(open_gateway: Callable[[str], LambdaGateway]) -> None:
    """Where no connection is made, nothing ran and nothing is lost."""
    with WireServer() as server:
        url = server.url
    with pytest.raises(EndpointError, match="nothing answers"):
        open_gateway(url).invoke("resize", "7", b"{}", timeout_s=3)


def test_threads_share_clients(wire: WireServer, impatient: Invocations) -> None:
    """Many threads and timeouts at once get their own replies over one client per timeout."""
    wire.answer = lambda received: success(received.body)

    def invoke(number: int) -> bool:
        body = b"x" * number
        reply = impatient.invoke(FunctionRef("resize"), "7", body, timeout_s=30 + number % 3)
        return len(reply.payload) == number

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(invoke, range(60)))
    assert len(wire.received) == 60
    assert len(impatient._clients) == 3


def test_read_timeout_is_above_the_functions(gateway: LambdaGateway, wire: WireServer) -> None:
    """A function may take its whole timeout, and a start before it, until its reply is lost."""
    wire.say(success())
    gateway.invoke("resize", "7", b"{}", timeout_s=900)
    (client,) = gateway._invocations._clients.values()
    config: Any = client.meta.config
    assert (config.read_timeout, config.max_pool_connections) == (930, 50)
    assert config.tcp_keepalive
