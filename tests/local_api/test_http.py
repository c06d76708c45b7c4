"""The HTTP server itself, spoken to over a plain socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner.errors import LocalError
from tuner.local import LocalLambda
from tuner.local.http.message import Request, Response, json_response
from tuner.local.http.server import HttpServer

Serve = Callable[..., tuple[Any, LocalLambda]]


def echo(request: Request) -> Response:
    if request.path == "/pieces":
        return Response(200, iter([b"one", b"two"]))
    if request.path == "/fail":
        raise RuntimeError("a secret")
    if request.path == "/ignore":
        return Response(200, b"ignored")
    return Response(200, request.read(1_000_000), (("X-Path", request.target),))


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with closing(HttpServer()) as made:
        made.start(echo)
        yield made


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def talk(port: int, sent: bytes) -> bytes:
    """Send bytes, say that no more come, and read to the end."""
    with connected(port) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_two_requests_on_one_connection(server: HttpServer) -> None:
    """A connection is kept: pipelined requests are answered in order, each with its own body."""
    one = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    two = b"POST /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nde"
    reply = talk(server.port, one + two)
    assert reply.count(b"HTTP/1.1 200 OK") == 2
    assert reply.index(b"X-Path: /a?b=c") < reply.index(b"abc") < reply.index(b"X-Path: /d")
    assert reply.endswith(b"\r\n\r\nde")


def test_chunks_both_ways(server: HttpServer) -> None:
    """Chunked bodies are read, trailers skipped, and replies of unknown length sent in chunks."""
    reply = talk(
        server.port,
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
        b"GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    assert b"\r\n\r\nabcde" in reply
    assert reply.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_a_client_that_waits_for_100_gets_it(server: HttpServer) -> None:
    """Expect: 100-continue is answered before the body is awaited."""
    with connected(server.port) as connection:
        connection.sendall(
            b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert connection.recv(1000).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + 5000 * b"9" + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n",
    ],
)
def test_malformed_requests_are_refused(server: HttpServer, sent: bytes) -> None:
    """What is not a plain request, or could be read in two ways, is a 400 and ends there."""
    reply = talk(server.port, sent)
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in reply


def test_cut_off_requests_are_forgotten(server: HttpServer) -> None:
    """A request that ends in its head, body or chunks gets no answer and harms nobody."""
    for sent in (
        b"GET / HTT",
        b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0_1\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + 5000 * b"1" + b"\r\n",
    ):
        assert b"200 OK" not in talk(server.port, sent)
    assert b"200 OK" in talk(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_an_unread_body_does_not_become_a_request(server: HttpServer) -> None:
    """What a handler leaves unread is skipped if small, and ends the connection if large."""
    inner = b"GET /inner HTTP/1.1\r\nHost: x\r\n\r\n"
    small = b"POST /ignore HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner
    assert talk(server.port, small).count(b"HTTP/1.1") == 1
    large = b"POST /ignore HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
    with connected(server.port) as connection:
        connection.sendall(large)
        assert b"Connection: close" in connection.recv(1000)


def test_a_failure_shows_no_traceback(server: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    """An error inside is a plain 500; what happened is in the log only."""
    reply = talk(server.port, b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in reply
    assert "a secret" in caplog.text


def test_a_head_has_no_body(server: HttpServer) -> None:
    """HEAD is answered with the headers of the GET alone."""
    reply = talk(server.port, b"HEAD /ignore HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 7\r\n" in reply
    assert reply.endswith(b"\r\n\r\n")


def test_only_loopback_is_bound(server: HttpServer) -> None:
    """The socket is bound to 127.0.0.1 and to nothing else."""
    assert server.url == f"http://127.0.0.1:{server.port}"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", server.port), timeout=5).close()


@pytest.mark.parametrize("port", [None, 70_000])
def test_a_port_that_cannot_be_had(server: HttpServer, port: int | None) -> None:
    """A port in use, or none at all, is one line that says what to do."""
    with pytest.raises(LocalError, match="`port`"):
        HttpServer(port=port or server.port)


def test_a_peer_that_leaves_early_harms_nobody(server: HttpServer) -> None:
    """A client that closes before its reply is written costs its own connection only."""
    for _ in range(20):
        with connected(server.port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" in talk(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_closing_cuts_idle_connections() -> None:
    """close() ends connections that wait for a request, and takes no new ones."""
    server = HttpServer()
    server.start(lambda _: json_response(200, {}))
    with connected(server.port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(1000)
        server.close()
        assert connection.recv(1000) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Host: 127.0.0.1:{port}", 200),
        ("Host: localhost:{port}", 200),
        ("Host: bucket.localhost", 200),
        ("Host: [::1]:{port}", 200),
        ("Host: evil.example", 403),
        ("Host: 127.0.0.1.evil.example:{port}", 403),
        ("Host: localhost.evil.example", 403),
        ("X-No-Host: at-all", 403),
        ("Host: localhost\r\nOrigin: https://evil.example", 403),
        ("Host: localhost\r\nOrigin: null", 403),
        ("Host: localhost\r\nOrigin: http://localhost:3000", 200),
    ],
)
def test_web_pages_cannot_reach_it(serve: Serve, header: str, status: int) -> None:
    """Foreign Host headers (DNS rebinding) and foreign Origins (a page's request) are refused."""
    _, server = serve()
    port = int(server.endpoint_url.rpartition(":")[2])
    head = f"GET /_tuner/status HTTP/1.1\r\n{header.format(port=port)}\r\n\r\n"
    assert talk(port, head.encode()).startswith(f"HTTP/1.1 {status} ".encode())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from(
            [b"GET / HTTP/1.1", b"\r\n", b"Content-Length: 3", b"Transfer-Encoding: chunked"]
        )
        | st.binary(max_size=12),
        max_size=12,
    )
)
def test_any_bytes_are_survived(server: HttpServer, pieces: list[bytes]) -> None:
    """Whatever is sent, each answer is a whole one, and the next client is served."""
    reply = talk(server.port, b"".join(pieces))
    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 500" not in reply
    assert b"200 OK" in talk(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_a_thread_that_cannot_be_had_ends_one_connection(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system allows no more threads, the next connection is served again."""
    start = threading.Thread.start
    refused: list[threading.Thread] = []

    def start_or_refuse(thread: threading.Thread) -> None:
        if thread.name == "http-connection" and not refused:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    asked = b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n"
    with suppress(OSError):
        assert talk(server.port, asked) == b""
    assert refused
    assert talk(server.port, asked).startswith(b"HTTP/1.1 200 ")


def test_held_connections_keep_nobody_out() -> None:
    """Over the limit, the connection that has waited longest for a request makes room."""
    with closing(HttpServer(max_connections=3)) as server:
        server.start(echo)
        with ExitStack() as stack:
            held = [stack.enter_context(connected(server.port)) for _ in range(5)]
            held[4].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")  # never whole
            for _ in range(4):
                answer = talk(
                    server.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                )
                assert answer.startswith(b"HTTP/1.1 200 OK")
            assert held[0].recv(1) == b""
