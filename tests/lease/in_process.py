"""The local Lambda's API without the sockets: what the SDK sends is handed to it directly.

A matrix of many thousand sweeps spends half its time on loopback connections, which are tested
elsewhere; everything of the SDK and of the API is as over the wire.
"""

from __future__ import annotations

import io
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.signers import RequestSigner

from tuner.local.http.message import HangUpError, Request
from tuner.local.http.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lease.account import Account
    from tuner.local.http.message import Response

    Handle = Callable[[Request], Response]


class Body(io.BytesIO):
    """A body as botocore and the download of a package read it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def handlers() -> Iterator[list[Handle]]:
    """Collect what answers the requests of servers that are started meanwhile."""
    found: list[Handle] = []
    start = HttpServer.start

    def noting(server: HttpServer, handle: Handle) -> None:
        found.append(handle)
        start(server, handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpServer, "start", noting)
        yield found


@contextmanager
def without_sockets(handle: Handle) -> Iterator[None]:
    """Hand every request of this process to `handle`, which looks at no signature."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestSigner, "sign", lambda *_, **__: None)
        patch.setattr(URLLib3Session, "send", lambda _session, request: _sent(handle, request))
        yield


@contextmanager
def on_a_quick_disk(account: Account) -> Iterator[None]:
    """Keep journals in memory where that can be: a real disk takes milliseconds a flush."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        account.state_dir = Path(folder)
        yield


def _sent(handle: Handle, prepared: Any) -> AWSResponse:
    parts = urlsplit(prepared.url)
    body = prepared.body or b""
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers |= {"content-length": str(len(body)), "host": parts.netloc}
    stream: Any = io.BytesIO(body if isinstance(body, bytes) else bytes(body))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    nothing: Any = None
    try:
        response = handle(Request(prepared.method, target, headers, stream, nothing))
    except HangUpError:
        raise ConnectionClosedError(endpoint_url=prepared.url) from None
    content = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    answered = {**dict(response.headers), "Content-Length": str(len(content))}
    return AWSResponse(prepared.url, response.status, answered, Body(content))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
