"""One HTTP/1.1 request and its response, read and written with as little work as possible."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from io import BufferedReader

MAX_LINE: Final = 64 * 1024
MAX_HEADERS: Final = 200
CHUNK: Final = 256 * 1024
SMALL_REST: Final = 64 * 1024
"""An unread rest of a body up to this size is read to keep the connection; otherwise it's cut."""


class MalformedRequestError(Exception):
    """What came isn't a request that this server reads; the message says why."""


class HangUpError(Exception):
    """Cut the connection instead of replying."""


class BodyTooLargeError(Exception):
    """The body is over the reader's limit."""


class Request:
    """A request whose body is still on the wire."""

    __slots__ = ("_connection", "_left", "_stream", "headers", "method", "path", "query")

    def __init__(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        stream: BufferedReader,
        connection: socket.socket,
    ) -> None:
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.headers = headers
        """Names in lower case; repeated headers joined with commas."""
        self._stream = stream
        self._connection = connection
        self._left: int | None = _body_length(headers)

    @property
    def target(self) -> str:
        """Path and query as received."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to send more on this connection."""
        return self.headers.get("connection", "").lower() != "close"

    @property
    def content_length(self) -> int | None:
        """The body's announced length; None for a chunked one."""
        if "transfer-encoding" in self.headers:
            return None
        return int(self.headers.get("content-length", "0"))

    def parameters(self) -> dict[str, list[str]]:
        """Return the query's parameters, each with all its values."""
        return parse_qs(self.query, keep_blank_values=True) if self.query else {}

    def read(self, max_bytes: int) -> bytes:
        """Read the whole body; raises BodyTooLargeError beyond `max_bytes`."""
        if self._left is not None:
            if self._left > max_bytes:
                raise BodyTooLargeError
            if self._left == 0:
                return b""
        pieces = list(self.chunks(max_bytes))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunks(self, max_bytes: int) -> Iterator[bytes]:
        """Stream the body in pieces; raises BodyTooLargeError beyond `max_bytes`."""
        if "expect" in self.headers and self._left != 0:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._left is None:
            yield from self._chunked(max_bytes)
        elif self._left > max_bytes:
            raise BodyTooLargeError
        else:
            yield from self._exactly()

    def discard_body(self) -> bool:
        """Read what the handler left; False if that's too much, and the connection ends."""
        if self._left is None or self._left > SMALL_REST:
            return False
        if self._left and "expect" in self.headers:
            return False
        for _ in self._exactly():
            pass
        return True

    def _exactly(self) -> Iterator[bytes]:
        while self._left:
            piece = self._stream.read(min(self._left, CHUNK))
            if not piece:
                raise HangUpError
            self._left -= len(piece)
            yield piece

    def _chunked(self, max_bytes: int) -> Iterator[bytes]:
        total = 0
        while True:
            size = _chunk_size(self._stream.readline(MAX_LINE))
            total += size
            if total > max_bytes:
                raise BodyTooLargeError
            if size == 0:
                break
            piece = self._stream.read(size)
            if len(piece) != size or self._stream.read(2) != b"\r\n":
                raise HangUpError
            yield piece
        while self._stream.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
            pass  # trailers
        self._left = 0


@dataclass(slots=True)
class Response:
    """A reply. `body` is the whole body, or its pieces (sent chunked unless `length` is known)."""

    status: int
    body: bytes | Iterator[bytes] = b""
    headers: tuple[tuple[str, str], ...] = field(default=())
    length: int | None = None


def plain(status: int, message: str) -> Response:
    """A short answer from the server itself, in the shape of AWS's JSON errors."""
    return json_response(status, {"message": message})


def json_response(status: int, value: Any) -> Response:
    """Answer with JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, body, (("Content-Type", "application/json"),))


def read_request(stream: BufferedReader, connection: socket.socket) -> Request | None:
    """Read a request's head; None if the connection ended before one.

    Raises MalformedRequestError.
    """
    line = stream.readline(MAX_LINE)
    while line in (b"\r\n", b"\n"):  # tolerated before a request line (RFC 9112, 2.2)
        line = stream.readline(MAX_LINE)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise MalformedRequestError("not an HTTP/1.1 request line")
    headers = _read_headers(stream)
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Request(parts[0], parts[1], headers, stream, connection)


def _read_headers(stream: BufferedReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = stream.readline(MAX_LINE)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name[-1:].isspace() or name[0].isspace():
            raise MalformedRequestError("malformed header line")
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raise MalformedRequestError(f"more than {MAX_HEADERS} headers")


def _body_length(headers: dict[str, str]) -> int | None:
    """Length of the body to come; None for chunked. Both at once are refused (smuggling)."""
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise MalformedRequestError("unsupported Transfer-Encoding")
        return None
    if length is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise MalformedRequestError("malformed Content-Length")
    return int(length)


def _chunk_size(line: bytes) -> int:
    """Read 1*HEXDIG (RFC 9112, 7.1): no sign, no underscore, not more digits than a size has."""
    text = line.split(b";")[0].strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", text):
        raise HangUpError
    return int(text, 16)


def write_response(
    connection: socket.socket, response: Response, *, keep_alive: bool, head_only: bool
) -> None:
    """Send a reply; a whole body goes out together with its head, in one write."""
    body = response.body
    lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}"]
    lines.append(f"Date: {_date(int(time.time()))}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    length = len(body) if isinstance(body, bytes) else response.length
    if length is not None and response.status not in (204, 304):
        lines.append(f"Content-Length: {length}")
    elif response.status not in (204, 304):
        lines.append("Transfer-Encoding: chunked")
    lines.append("Connection: keep-alive" if keep_alive else "Connection: close")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    if isinstance(body, bytes):
        connection.sendall(head if head_only else head + body)
        return
    connection.sendall(head)
    if head_only:
        return
    for piece in body:
        connection.sendall(piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
    if length is None:
        connection.sendall(b"0\r\n\r\n")


@lru_cache(maxsize=1)
def _date(now_s: int) -> str:
    """HTTP's date, formatted once a second."""
    return formatdate(now_s, usegmt=True)
