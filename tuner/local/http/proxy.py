"""Passes requests on to the emulated services and their answers back, large ones in pieces."""

from __future__ import annotations

import contextlib
import http.client
import socket
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Final

from tuner.local.http.message import (
    BodyTooLargeError,
    Request,
    Response,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
SMALL_BYTES: Final = 1024 * 1024
TIMEOUT_S: Final = 120.0
# RFC 9110, 7.6.1: these speak of one connection only. The others are written anew.
_NOT_PASSED: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "date",
        "expect",
        "server",
    }
)


class Proxy:
    """Forwards to an HTTP server on a Unix socket. Thread-safe; connections are kept and reused."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = str(socket_path)
        self._idle: list[UnixConnection] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Forward one request; 413 for a body over the limit, 502 where nobody answers."""
        with tempfile.SpooledTemporaryFile(SMALL_BYTES) as body:
            try:
                length = _copy(request, body)
            except BodyTooLargeError:
                return plain(413, f"the body is over {MAX_BODY_BYTES} bytes")
            try:
                return self._exchange(request, body, length)
            except (OSError, http.client.HTTPException):
                return plain(502, "the emulated services (moto) do not answer")

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, request: Request, body: IO[bytes], length: int) -> Response:
        """Send on a kept connection; if that has ended meanwhile, once more on a new one."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._send(kept, request, body, length)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                kept.close()
        return self._send(UnixConnection(self._socket_path), request, body, length)

    def _send(
        self, connection: UnixConnection, request: Request, body: IO[bytes], length: int
    ) -> Response:
        body.seek(0)
        try:
            connection.putrequest(
                request.method, request.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                if name not in _NOT_PASSED:
                    connection.putheader(name, value)
            if length or request.method in ("PUT", "POST"):
                connection.putheader("content-length", str(length))
            connection.endheaders(body if length else None)
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        return self._response(request, connection, answer)

    def _response(
        self, request: Request, connection: UnixConnection, answer: http.client.HTTPResponse
    ) -> Response:
        headers = tuple(
            (name, value) for name, value in answer.getheaders() if name.lower() not in _NOT_PASSED
        )
        if request.method == "HEAD":
            answer.read()
            self._give_back(connection, answer)
            length = int(answer.headers.get("content-length") or 0)
            return Response(answer.status, iter(()), headers, length)
        if answer.length is not None and answer.length <= SMALL_BYTES:
            whole = answer.read()
            self._give_back(connection, answer)
            return Response(answer.status, whole, headers)
        return Response(answer.status, self._pieces(connection, answer), headers, answer.length)

    def _pieces(
        self, connection: UnixConnection, answer: http.client.HTTPResponse
    ) -> Iterator[bytes]:
        try:
            while piece := answer.read(256 * 1024):
                yield piece
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, answer)

    def _give_back(self, connection: UnixConnection, answer: http.client.HTTPResponse) -> None:
        if answer.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                self.sock.close()
            raise


def _copy(request: Request, sink: IO[bytes]) -> int:
    total = 0
    for piece in request.chunks(MAX_BODY_BYTES):
        total += len(piece)
        sink.write(piece)
    return total
