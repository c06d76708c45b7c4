"""The Runtime API reads what any HTTP/1.1 client of it may send."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.local.execution.runtime import runtime_api as api
from tuner.local.execution.runtime.runtime_api import MAX_RESPONSE_BYTES, RuntimeApi, take_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.execution.runtime.runtime_api import RuntimeCall

ROOT = b"/2018-06-01/runtime"


class Pump:
    """The API with whatever it asks to be watched."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.api = RuntimeApi(
            lambda handle: self.selector.register(handle, selectors.EVENT_READ),
            self.selector.unregister,
        )
        host, _, port = self.api.address.partition(":")
        self.client = socket.create_connection((host, int(port)))
        self.client.settimeout(5)

    def calls(self, count: int = 1) -> list[RuntimeCall]:
        found: list[RuntimeCall] = []
        end = time.monotonic() + 5
        while len(found) < count and time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                found += self.api.receive(key.fd)
        return found

    def settle(self) -> None:
        """Let it take what is there."""
        for _ in range(3):
            for key, _ in self.selector.select(0.05):
                self.api.receive(key.fd)

    def close(self) -> None:
        self.client.close()
        self.api.close()
        self.selector.close()


@pytest.fixture
def pump() -> Iterator[Pump]:
    opened = Pump()
    yield opened
    opened.close()


def test_next_waits_and_a_response_is_acknowledged(pump: Pump) -> None:
    """`next` is answered with the event; a response is accepted at once, on one connection."""
    pump.client.sendall(b"GET " + ROOT + b"/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    (call,) = pump.calls()
    assert call.kind == "next"
    call.connection.send("200 OK", "Lambda-Runtime-Aws-Request-Id: a\r\n", b"{}")
    answer = pump.client.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"Content-Length: 2\r\n\r\n{}")
    before = time.monotonic_ns()
    head = b"POST " + ROOT + b"/invocation/a/response HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
    pump.client.sendall(head + b"nu")
    pump.settle()
    pump.client.sendall(b"ll")
    (call,) = pump.calls()
    assert (call.kind, call.request_id, call.body) == ("response", "a", b"null")
    assert before < call.arrived_ns <= time.monotonic_ns()
    assert pump.client.recv(1000).startswith(b"HTTP/1.1 202 ")


def test_losing_the_core_does_not_make_a_call_earlier(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrival is never before the bytes were sent, whenever the reading thread is stopped."""
    pump.settle()
    lost = iter([0.01, 0.01, 0.01])

    class Stopped:
        monotonic_ns = staticmethod(time.monotonic_ns)

        @staticmethod
        def time_ns() -> int:
            time.sleep(next(lost, 0))
            return time.time_ns()

    monkeypatch.setattr(api, "time", Stopped)
    sent_ns = time.monotonic_ns()
    pump.client.sendall(b"GET " + ROOT + b"/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    [call] = pump.calls()
    assert next(lost, None) is None
    assert sent_ns <= call.arrived_ns <= time.monotonic_ns()


def test_expectation_chunks_and_error_types(pump: Pump) -> None:
    """A client that expects to be told to continue is, and chunked bodies are put together."""
    pump.client.sendall(
        b"POST " + ROOT + b"/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        b"Expect: 100-continue\r\nLambda-Runtime-Function-Error-Type: Runtime.X\r\n\r\n"
    )
    pump.settle()
    assert pump.client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    pump.client.sendall(b'2\r\n{"\r\n3;a=b\r\na":\r\n2\r\n1}\r\n0\r\n\r\n')
    (call,) = pump.calls()
    assert (call.kind, call.error_type, call.body) == ("init-error", "Runtime.X", b'{"a":1}')


def test_too_large_a_response_is_refused(pump: Pump) -> None:
    """A response over the limit is answered 413 and marked."""
    size = MAX_RESPONSE_BYTES + 1
    head = f"POST {ROOT.decode()}/invocation/a/response HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"
    pump.client.setblocking(False)
    pending = memoryview(head.encode() + bytes(size))
    calls: list[RuntimeCall] = []
    while not calls:
        with contextlib.suppress(BlockingIOError):
            pending = pending[pump.client.send(pending) :] if pending else pending
        for key, _ in pump.selector.select(0.05):
            calls += pump.api.receive(key.fd)
    pump.client.settimeout(5)
    assert calls[0].too_large
    assert pump.client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_unknown_paths_and_garbage(pump: Pump) -> None:
    """What is not of the Runtime API gets 404; what is not HTTP is hung up on."""
    pump.client.sendall(b"GET /somewhere HTTP/1.1\r\n\r\n")
    pump.settle()
    assert pump.client.recv(100).startswith(b"HTTP/1.1 404 ")
    pump.client.sendall(b"POST " + ROOT + b"/init/error HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    pump.settle()
    assert pump.client.recv(100) == b""


@pytest.mark.parametrize(
    "body", [b"Transfer-Encoding: chunked\r\n\r\n-6\r\n\r\n", b"Content-Length: -6\r\n\r\n"]
)
def test_a_size_below_zero_is_hung_up_on(pump: Pump, body: bytes) -> None:
    """A chunk of less than nothing leads back to itself: nobody would come out of it."""
    pump.client.sendall(b"POST " + ROOT + b"/init/error HTTP/1.1\r\n" + body)
    pump.settle()
    assert pump.client.recv(100) == b""


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(0, 4000))
def test_chunks_are_put_together_however_they_arrive(parts: list[bytes], cut: int) -> None:
    """A chunked body decodes to its parts, and a cut one to nothing yet."""
    data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert take_chunks(bytearray(data + b"more")) == (b"".join(parts), len(data))
    if cut < len(data):
        assert take_chunks(bytearray(data[:cut])) is None
