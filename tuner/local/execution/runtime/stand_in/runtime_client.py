"""A pure Python `runtime_client`, for interpreters that the compiled one wasn't built for.

It's on such an interpreter's path beside the pure part of awslambdaric, and has the four functions
that that part calls. Python 3.9 and later; it imports nothing of the tool.
"""

from __future__ import annotations

import os
import socket
import threading

_ROOT = "/2018-06-01/runtime/invocation"
_agent = "tuner"


class _Connection:
    """One kept-alive connection, because awslambdaric may poll from a new thread every time."""

    def __init__(self) -> None:
        host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def exchange(self, head: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = f"{head}Host: localhost\r\nUser-Agent: {_agent}\r\n"
        self._socket.sendall(request.encode("latin-1", "replace") + b"\r\n" + body)
        status = int(self._reader.readline().split()[1])
        headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
        return status, headers, self._reader.read(int(headers.get("Content-Length", "0")))


_shared: list[_Connection] = []
_lock = threading.Lock()


def _exchange(head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    with _lock:
        connection = _shared.pop() if _shared else _Connection()
    answer = connection.exchange(head, body)
    with _lock:
        _shared.append(connection)
    if not 200 <= answer[0] < 300:
        message = f"Runtime API answered {answer[0]}"
        raise RuntimeError(message)
    return answer


def initialize_client(user_agent: str) -> None:
    """Set the agent that requests name."""
    global _agent  # noqa: PLW0603 (the module is the client, as the compiled one is)
    _agent = user_agent


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 (the name that awslambdaric calls)
    """Wait for an event: its body and the headers, the deadline as a number."""
    _, headers, body = _exchange(f"GET {_ROOT}/next HTTP/1.1\r\n")
    deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
    return body, {**headers, "Lambda-Runtime-Deadline-Ms": deadline_ms}


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Send a response."""
    _post(f"{invoke_id}/response", result, f"Content-Type: {content_type}\r\n", invocation_id)


def post_error(
    invoke_id: str, error: str | bytes, xray_cause: str, invocation_id: str | None = None
) -> None:
    """Send an error object."""
    body = error.encode() if isinstance(error, str) else error
    headers = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: Unhandled\r\n"
    if xray_cause and len(xray_cause) < 65536:
        headers += f"Lambda-Runtime-Function-XRay-Error-Cause: {' '.join(xray_cause.split())}\r\n"
    _post(f"{invoke_id}/error", body, headers, invocation_id)


def _post(path: str, body: bytes, headers: str, invocation_id: str | None) -> None:
    if invocation_id:
        headers += f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n"
    _exchange(f"POST {_ROOT}/{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n{headers}", body)
