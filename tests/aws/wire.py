"""A scripted HTTP server: says exactly what it is told to say, and remembers what it was sent."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer; `cut` sends so many bytes of the body and drops the connection."""

    status: int = 200
    body: bytes | dict[str, Any] = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refusal(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """A refusal as Lambda sends it: the code in a header, the message in the body."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    body = {"Type": "User", "message": message, "Message": message}
    return Reply(status, body, {"x-amzn-ErrorType": code, **names})


def throttle(reason: str, **headers: str) -> Reply:
    """A 429 with its Reason."""
    body = {"Type": "User", "message": "Rate Exceeded.", "Reason": reason}
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(429, body, {"x-amzn-ErrorType": "TooManyRequestsException", **names})


HANG_UP = Reply(status=0)
"""Drop the connection without a word."""
SILENCE = Reply(status=-1)
"""Take the request and say nothing until the server is closed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that drop their connections: some tests make them."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class WireServer:
    """Answers every request by `answer` (a function of the request), on a free loopback port."""

    def __init__(self) -> None:
        self.answer: Callable[[Received], Reply] = lambda _: Reply()
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> WireServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def forget(self) -> None:
        """Begin anew: nothing received, and an empty answer to everything."""
        self.received = []
        self.answer = lambda _: Reply()

    def say(self, *replies: Reply) -> None:
        """Answer with these, in order; the last one again and again."""
        waiting = list(replies)
        self.answer = lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                received = Received(
                    self.command,
                    unquote(parts.path),
                    parse_qs(parts.query),
                    {name.lower(): text for name, text in self.headers.items()},
                    self.rfile.read(length),
                )
                wire.received.append(received)
                self._send(wire.answer(received))

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's names

            def _send(self, reply: Reply) -> None:
                if reply.status <= 0:
                    if reply is SILENCE:
                        wire.closing.wait()
                    self.close_connection = True
                    return
                content = reply.content
                self.send_response(reply.status)
                for name, text in reply.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content[: reply.cut])
                except ConnectionError:  # the client has had enough
                    self.close_connection = True
                if reply.cut is not None:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler
