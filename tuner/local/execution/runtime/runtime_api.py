"""The Lambda Runtime API of one execution environment: a loopback listener and its connections.

It has no thread: whoever waits for the runtime processes its messages. Times are taken at the
socket, by the kernel if possible, so that a busy endpoint doesn't lengthen a duration.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tuner.local.deployment import MAX_RESPONSE_BYTES

if TYPE_CHECKING:
    from tuner.local.deployment import InvokeRequest

API_ROOT: Final = "/2018-06-01/runtime"
MAX_HEAD_BYTES: Final = 1024 * 1024 + 65536
"""The X-Ray cause of an error may fill a header of 1 MiB."""
SO_TIMESTAMPNS: Final = 35

ACCEPTED: Final = b'{"status": "OK"}'
EXTENSION_ROOT: Final = "/2020-01-01/extension"
NO_EXTENSIONS: Final = (
    b'{"errorType": "Extension.NotSupported", '
    b'"errorMessage": "extensions can\'t be run by the local Lambda"}'
)

CallKind = Literal["next", "response", "error", "init-error", "extension", "unknown"]


@dataclass(frozen=True, slots=True)
class RuntimeCall:
    """One request of the runtime, read completely."""

    kind: CallKind
    request_id: str | None
    error_type: str | None
    body: bytes = field(repr=False)
    too_large: bool
    arrived_ns: int
    """Monotonic time at which its last byte arrived."""
    connection: Connection


@dataclass(slots=True)
class _Head:
    method: str
    path: str
    headers: dict[str, str]


class Connection:
    """One HTTP/1.1 connection of the runtime, kept alive."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._head: _Head | None = None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def fileno(self) -> int:
        """Of the socket."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    @property
    def is_open(self) -> bool:
        """Whether the runtime still holds its end, as far as the kernel knows now."""
        try:
            return self._sock.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def receive(self) -> tuple[list[RuntimeCall], bool]:
        """Read what has arrived: complete calls, and whether the connection is still open."""
        try:
            data, extra, _, _ = self._sock.recvmsg(1 << 18, 64)
        except (BlockingIOError, InterruptedError):
            return [], True
        except OSError:
            return [], False
        if not data:
            return [], False
        arrived_ns = _arrived_ns(extra)
        self._buffer += data
        calls: list[RuntimeCall] = []
        try:
            while (call := self._take_call(arrived_ns)) is not None:
                calls.append(call)
        except (ValueError, OSError):  # not HTTP, or gone while it was told to continue
            return calls, False
        return calls, len(self._buffer) <= MAX_HEAD_BYTES or self._head is not None

    def send(self, status: str, headers: str = "", body: bytes = b"") -> None:
        """Send one answer; raises OSError if the runtime is gone."""
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._sock.settimeout(30)
        try:
            self._sock.sendall(head.encode("latin-1", "replace") + body)
        finally:
            self._sock.setblocking(False)

    def _take_call(self, arrived_ns: int) -> RuntimeCall | None:
        if self._head is None and not self._take_head():
            return None
        head = self._head
        assert head is not None
        body = self._take_body(head)
        if body is None:
            return None
        self._head = None
        kind, request_id = _route(head.method, head.path)
        error_type = head.headers.get("lambda-runtime-function-error-type")
        too_large = kind == "response" and len(body) > MAX_RESPONSE_BYTES
        return RuntimeCall(kind, request_id, error_type, body, too_large, arrived_ns, self)

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, path, *_ = [*first.split(" "), "", ""]
        pairs = (line.partition(":") for line in lines)
        self._head = _Head(method, path, {name.strip().lower(): v.strip() for name, _, v in pairs})
        if self._head.headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _take_body(self, head: _Head) -> bytes | None:
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            found = take_chunks(self._buffer)
            if found is None:
                return None
            body, used = found
        else:
            used = _size(head.headers.get("content-length") or "0")
            if len(self._buffer) < used:
                return None
            body = bytes(self._buffer[:used])
        del self._buffer[:used]
        return body


class RuntimeApi:
    """The listener and its connections; it says which handles to watch for reading."""

    def __init__(self, register: Callable[[int], object], forget: Callable[[int], object]) -> None:
        self._register, self._forget = register, forget
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self._connections: dict[int, Connection] = {}
        register(self._listener.fileno())

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def receive(self, handle: int) -> list[RuntimeCall]:
        """Read from a handle that is ready; calls that nobody waits for are answered here."""
        if handle == self._listener.fileno():
            self._accept()
            return []
        connection = self._connections.get(handle)
        if connection is None:
            return []
        calls, is_open = connection.receive()
        if not is_open:
            self._drop(handle)
        return [call for call in calls if not self._answered_at_once(call)]

    def close(self) -> None:
        """Close everything; the runtime then ends by itself."""
        for handle in list(self._connections):
            self._drop(handle)
        self._forget(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        connection = Connection(sock)
        self._connections[connection.fileno()] = connection
        self._register(connection.fileno())

    def _drop(self, handle: int) -> None:
        self._forget(handle)
        self._connections.pop(handle).close()

    @staticmethod
    def _answered_at_once(call: RuntimeCall) -> bool:
        """Acknowledge what the runtime posts; only `next` waits for its answer."""
        if call.kind == "next":
            return False
        status, body = "413 Payload Too Large" if call.too_large else "202 Accepted", ACCEPTED
        if call.kind == "extension":
            status, body = "403 Forbidden", NO_EXTENSIONS
        elif call.kind == "unknown":
            status, body = "404 Not Found", b""
        with contextlib.suppress(OSError):
            call.connection.send(status, body=body)
        return call.kind in ("extension", "unknown")


def event_headers(request: InvokeRequest, trace_header: str, left_s: float) -> dict[str, str]:
    """Return an event's headers, with `left_s` seconds until its timeout."""
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": request.request_id,
        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + left_s) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": request.invoked_arn,
        "Lambda-Runtime-Trace-Id": trace_header,
    }
    if request.client_context:
        headers["Lambda-Runtime-Client-Context"] = request.client_context
    return headers


def take_chunks(buffer: bytearray) -> tuple[bytes, int] | None:
    """Decode a chunked body (RFC 9112, 7.1): the body and the bytes used, or None if incomplete.

    Raises ValueError for an invalid chunk size: one below zero would never end.
    """
    body, at = bytearray(), 0
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = _size(bytes(buffer[at:line_end]).partition(b";")[0], 16)
        at = line_end + 2
        if size == 0:
            if buffer[at : at + 2] == b"\r\n":
                return bytes(body), at + 2
            end = buffer.find(b"\r\n\r\n", at)
            return None if end < 0 else (bytes(body), end + 4)
        if len(buffer) < at + size + 2:
            return None
        body += buffer[at : at + size]
        at += size + 2


def _size(text: str | bytes, base: int = 10) -> int:
    size = int(text, base)
    if size < 0:
        raise ValueError(f"a size of {size}")
    return size


def _route(method: str, path: str) -> tuple[CallKind, str | None]:
    if not path.startswith(API_ROOT):
        return ("extension" if path.startswith(EXTENSION_ROOT) else "unknown"), None
    match method, *path[len(API_ROOT) :].strip("/").split("/"):
        case "GET", "invocation", "next":
            return "next", None
        case "POST", "invocation", request_id, "response":
            return "response", request_id
        case "POST", "invocation", request_id, "error":
            return "error", request_id
        case "POST", "init", "error":
            return "init-error", None
        case _:
            return "unknown", None


def _arrived_ns(extra: list[tuple[int, int, bytes]]) -> int:
    """Monotonic time at which the kernel got the bytes: its stamp is in real time.

    The two clocks are read between two readings of one of them; if this thread lost its core in
    between, they are read again, because the gap would count as time that the bytes had waited.
    """
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) >= 16:
            seconds, nanoseconds = struct.unpack_from("qq", value)
            now_ns, real_ns = _both_clocks_ns()
            lag_ns = real_ns - (seconds * 1_000_000_000 + nanoseconds)
            return now_ns - lag_ns if 0 <= lag_ns < 1_000_000_000 else now_ns
    return time.monotonic_ns()


def _both_clocks_ns() -> tuple[int, int]:
    """Monotonic and real time of one moment; in doubt the monotonic one is late, never early."""
    for _ in range(8):
        before_ns, real_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after_ns - before_ns < 20_000:
            break
    return after_ns, real_ns
