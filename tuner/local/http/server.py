"""A small HTTP/1.1 server on loopback: one thread per connection, kept alive, one write per reply.

The standard library's handler parses headers through the email package and writes a reply in
pieces; both show in the timing of a warm invocation, so this server does neither.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.http.message import (
    HangUpError,
    MalformedRequestError,
    Request,
    Response,
    plain,
    read_request,
    write_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
IDLE_TIMEOUT_S: Final = 300
RETRY_S: Final = 0.05
MAX_CONNECTIONS: Final = 1100
"""A little above the default account concurrency of 1,000: each may wait for an invocation."""


class HttpServer:
    """Serves `handle` on 127.0.0.1.

    Port 0 takes any free one. At most `max_connections` are open: another one cuts the one that has
    waited longest for a request. Raises LocalError if the port isn't available.
    """

    def __init__(self, *, port: int = 0, max_connections: int = MAX_CONNECTIONS) -> None:
        self._max_connections = max_connections
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._waiting: dict[socket.socket, None] = {}
        """Connections without a whole request, longest waiting first."""
        self._lock = threading.Lock()
        self._closed = False
        self._accepting: threading.Thread | None = None

    def start(self, handle: Callable[[Request], Response]) -> None:
        """Start answering."""
        self._accepting = threading.Thread(
            target=self._accept, args=(handle,), name="http-accept", daemon=True
        )
        self._accepting.start()

    def close(self) -> None:
        """Stop listening, cut every connection and wait for its thread."""
        with self._lock:
            self._closed = True
            open_now = list(self._connections.items())
        with contextlib.suppress(OSError):  # wakes accept(), which close() alone does not
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection, _ in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._accepting is not None:
            self._accepting.join(5)
        for _, thread in open_now:
            if thread is not threading.current_thread():
                thread.join(5)

    def _accept(self, handle: Callable[[Request], Response]) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                with self._lock:  # most likely too many files are open
                    self._cut_longest_waiting()
                time.sleep(RETRY_S)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_TIMEOUT_S)
            self._begin(connection, handle)

    def _begin(self, connection: socket.socket, handle: Callable[[Request], Response]) -> None:
        thread = threading.Thread(
            target=self._serve, args=(connection, handle), name="http-connection", daemon=True
        )
        with self._lock:
            full = len(self._connections) >= self._max_connections
            if self._closed or (full and not self._cut_longest_waiting()):
                connection.close()
                return
            self._connections[connection] = thread
            self._waiting[connection] = None
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads: the others go on
            self._forget(connection)

    def _cut_longest_waiting(self) -> bool:
        """End an idle connection (with the lock held); False if there is none."""
        connection = next(iter(self._waiting), None)
        if connection is None:
            return False
        del self._waiting[connection], self._connections[connection]
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        return True

    def _asked(self, connection: socket.socket, *, whole: bool) -> None:
        """Note whether a connection has a request to answer."""
        with self._lock:
            self._waiting.pop(connection, None)
            if not whole and connection in self._connections:
                self._waiting[connection] = None

    def _serve(self, connection: socket.socket, handle: Callable[[Request], Response]) -> None:
        stream = connection.makefile("rb")
        try:
            while _answer_one(
                connection, stream, handle, lambda: self._asked(connection, whole=True)
            ):
                self._asked(connection, whole=False)
        except OSError:
            pass  # the peer went away
        finally:
            stream.close()
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.pop(connection, None)
            self._waiting.pop(connection, None)
        connection.close()


def _answer_one(
    connection: socket.socket,
    stream: BufferedReader,
    handle: Callable[[Request], Response],
    on_request: Callable[[], None],
) -> bool:
    """Read one request and answer it; False if the connection is over."""
    try:
        request = read_request(stream, connection)
    except MalformedRequestError as error:
        write_response(connection, plain(400, str(error)), keep_alive=False, head_only=False)
        return False
    if request is None:
        return False
    on_request()
    try:
        response = handle(request)
    except (HangUpError, OSError):
        return False
    except MalformedRequestError as error:
        response = plain(400, str(error))
    except Exception:
        log.exception("a request was not answered for")
        response = plain(500, "internal error of the local endpoint")
    keep_alive = request.keep_alive and request.discard_body()
    write_response(connection, response, keep_alive=keep_alive, head_only=request.method == "HEAD")
    return keep_alive


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or str(error)
        raise LocalError(
            f"can't listen on {LOOPBACK}:{port} ({why}): choose another with `port`, "
            "or `port=0` for any free one"
        ) from error
    return listener
