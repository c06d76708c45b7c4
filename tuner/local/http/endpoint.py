"""One port for all: Lambda's API is answered here, the rest goes to emulated services."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import string
import tempfile
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from tuner.local.http.message import BodyTooLargeError, Response, json_response, plain
from tuner.local.service_use import COUNTED, MOST_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.local.http.message import Request
    from tuner.local.service_use import ServiceUse

OWN_PREFIX: Final = "/_tuner/"
_LAMBDA_PATH: Final = re.compile(
    r"/20\d\d-\d\d-\d\d/(functions|event-source-mappings|tags|account-settings|layers|"
    r"code-signing-configs|capacity-providers|durable-executions|resource-policy)(/.*)?"
)
_INVOKED: Final = re.compile(r"/20\d\d-\d\d-\d\d/functions/([^/]+)/invocations")
_SCOPE: Final = re.compile(r"[\d]{8}(?:/|%2F)[a-z0-9-]+(?:/|%2F)([a-z0-9-]+)(?:/|%2F)aws4_request")
_KEY: Final = re.compile(r"Credential=([^/,\s]{1,200})/")
_FUNCTION_URL: Final = re.compile(r"[0-9a-z]+\.lambda-url\.[^.]+\.localhost(:\d+)?")
_NO_URLS: Final = (
    "Function URLs are not supported by the local Lambda: they are kept as settings; use Invoke"
)
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


MAX_BODY_BYTES: Final = 512 * 1024 * 1024
SMALL_BYTES: Final = 1024 * 1024
TIMEOUT_S: Final = 120.0
# RFC 9110, 7.6.1: these speak of one connection only. The others are written anew.
_NOT_PASSED: Final = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "content-length", "date", "expect", "server"),
    )
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Dispatches requests. Refuses what a web page in the user's browser could send."""

    lambda_api: Callable[[Request], Response]
    own: Callable[[Request], Response]
    """Answers paths below /_tuner/."""
    services: Callable[[Request], Response] | None
    """None if only Lambda is served."""
    why_no_services: str
    use: ServiceUse
    """Counts what is asked."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if (refused := _refused_sender(request)) is not None:
            return refused
        if request.path.startswith(OWN_PREFIX):
            return self.own(request)
        service = signed_service(request)
        if service == "lambda" or (service is None and _LAMBDA_PATH.fullmatch(request.path)):
            answer = self.lambda_api(request)
            if invoked := _INVOKED.fullmatch(request.path):
                self.use.note_invocation(unquote(invoked[1]), answer.status)
            return answer
        if self.services is None:
            return _refusal(service, request, self.why_no_services)
        return self.services(request)


def _refused_sender(request: Request) -> Response | None:
    """Refuse other hosts' clients, web pages, and callers of a function URL."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not _is_loopback(host):
        return plain(403, "this endpoint answers to localhost only (Host header)")
    if origin is not None and not _is_loopback(origin.partition("://")[2]):
        return plain(403, "this endpoint does not answer web pages (Origin header)")
    if _FUNCTION_URL.fullmatch(host):
        return json_response(501, {"Message": _NO_URLS})
    return None


def signed_service(request: Request) -> str | None:
    """Return the service that a request is signed for, by header or query; None if unsigned."""
    found = _SCOPE.search(request.headers.get("authorization", ""))
    if found is None and "X-Amz-Credential" in request.query:
        found = _SCOPE.search(request.query)
    return found[1] if found else None


def signing_key_id(request: Request) -> str | None:
    """Return the access key id that signed a request; None if unsigned, or signed in the query."""
    found = _KEY.search(request.headers.get("authorization", ""))
    return found[1] if found else None


def _is_loopback(authority: str) -> bool:
    """Whether a Host (with or without port) is this machine: DNS rebinding uses other names."""
    name = authority.strip().lower()
    if name.startswith("[") and "]" in name:
        name = name[: name.index("]") + 1]
    else:
        name = name.rpartition(":")[0] or name
    return name in _LOOPBACK_NAMES or name.endswith(".localhost")


def _refusal(service: str | None, request: Request, message: str) -> Response:
    """Say in the client's own protocol that only Lambda is served."""
    headers = request.headers
    if "x-amz-target" in headers or "json" in headers.get("content-type", ""):
        return json_response(501, {"__type": "NotImplemented", "message": message})
    error = f"<Error><Code>NotImplemented</Code><Message>{escape(message)}</Message></Error>"
    if service not in (None, "s3"):
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    return Response(501, error.encode(), (("Content-Type", "application/xml"),))


class Proxy:
    """Forwards to an HTTP server on a Unix socket. Thread-safe; connections are kept and reused."""

    def __init__(self, socket_path: Path, use: ServiceUse) -> None:
        self._socket_path = str(socket_path)
        self._use = use
        self._idle: list[UnixConnection] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Forward one request; 413 for a body over the limit, 502 if nothing answers.

        400 for a header that can't be passed on.
        """
        with tempfile.SpooledTemporaryFile(SMALL_BYTES) as body:
            try:
                length = sum(map(body.write, request.chunks(MAX_BODY_BYTES)))
            except BodyTooLargeError:
                return plain(413, f"the body is over {MAX_BODY_BYTES} bytes")
            try:
                answer = self._exchange(request, body, length)
            except (OSError, http.client.HTTPException):
                return plain(502, "the emulated services (moto) do not answer")
            except ValueError:
                return plain(400, "malformed header line")
            return self._counted(request, body, length, answer)

    def _counted(
        self, request: Request, body: IO[bytes], length: int, answer: Response
    ) -> Response:
        """The same answer, once its call is counted; whole if it says what was read."""
        service = signed_service(request)
        if service not in COUNTED or length > MOST_BODY_BYTES:
            return answer
        if service == "dynamodb" and not isinstance(answer.body, bytes):
            whole = b"".join(answer.body)
            answer = Response(answer.status, whole, answer.headers)
        body.seek(0)
        asked = b"" if service == "s3" else body.read()
        said = answer.body if isinstance(answer.body, bytes) else b""
        parts = (request.method, request.path, request.headers, asked)
        self._use.note(service, parts, answer.status, said)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, request: Request, body: IO[bytes], length: int) -> Response:
        """Send on a kept connection; if that has since ended, once more on a new one."""
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
            # Bytes that aren't ASCII, as some clients send them in S3's keys, are escaped.
            target = quote(request.target, safe=string.punctuation, encoding="latin-1")
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
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
