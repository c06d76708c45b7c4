"""Fails one request on its way, below the SDK: what a network and a service can do to a sweep."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from tests.lease.account import Killed
from tests.lease.in_process import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS: Final = (
    "error before",
    "error after",
    "dropped before",
    "dropped after",
    "gone before",
    "gone after",
    "throttled before",
    "killed before",
    "killed after",
)
"""`before` and `after` the request took effect; `gone` and `killed` last, the others pass."""


@dataclass
class Wire:
    """Counts requests and fails the one that it is told to."""

    fault: str = ""
    fails_at: int = -1
    requests: list[str] = field(default_factory=list)

    def send(self, real: Any, session: Any, request: Any) -> Any:
        """Stand in for the sending of one request."""
        number = len(self.requests)
        self.requests.append(f"{request.method} {urlsplit(request.url).path}")
        kind, _, moment = self.fault.partition(" ")
        lasts = kind in ("gone", "killed") and 0 <= self.fails_at < number
        if number != self.fails_at and not lasts:
            return real(session, request)
        if moment == "after" and number == self.fails_at:
            _ = real(session, request).content
        return _fail(kind, request)


def _fail(kind: str, request: Any) -> AWSResponse:
    match kind:
        case "killed":
            raise Killed
        case "dropped" | "gone":
            raise ConnectionClosedError(endpoint_url=request.url)
        case "error":
            return refusal(request, 500, "ServiceException")
    return refusal(request, 429, "TooManyRequestsException")


def refusal(request: Any, status: int, code: str) -> AWSResponse:
    body = json.dumps(
        {"Type": "Service", "Message": "a fault", "Reason": "CallerRateLimitExceeded"}
    )
    return AWSResponse(request.url, status, {"x-amzn-errortype": code}, Body(body.encode()))


@contextmanager
def faulty(wire: Wire) -> Iterator[None]:
    """Have every request of this process pass the wire; the SDK's waits take no time."""
    real = URLLib3Session.send
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            URLLib3Session, "send", lambda session, request: wire.send(real, session, request)
        )
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
        yield
