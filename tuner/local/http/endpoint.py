"""One port for all: Lambda's API is answered here, everything else is for the emulated services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from tuner.local.http.message import Response, json_response, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.local.http.message import Request

OWN_PREFIX: Final = "/_tuner/"
_LAMBDA_PATH: Final = re.compile(
    r"/20\d\d-\d\d-\d\d/(functions|event-source-mappings|tags|account-settings|layers)(/.*)?"
)
_SCOPE: Final = re.compile(r"[\d]{8}(?:/|%2F)[a-z0-9-]+(?:/|%2F)([a-z0-9-]+)(?:/|%2F)aws4_request")
_KEY: Final = re.compile(r"Credential=([^/,\s]{1,200})/")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class Endpoint:
    """Dispatches requests. Refuses what a web page in the user's browser could send.

    `services` is None where only Lambda is served; `own` answers paths below /_tuner/.
    """

    def __init__(
        self,
        lambda_api: Callable[[Request], Response],
        own: Callable[[Request], Response],
        services: Callable[[Request], Response] | None,
        why_no_services: str,
    ) -> None:
        self._lambda_api = lambda_api
        self._own = own
        self._services = services
        self._why_no_services = why_no_services

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if not _is_loopback(request.headers.get("host", "")):
            return plain(403, "this endpoint answers to localhost only (Host header)")
        origin = request.headers.get("origin")
        if origin is not None and not _is_loopback(origin.partition("://")[2]):
            return plain(403, "this endpoint does not answer web pages (Origin header)")
        if request.path.startswith(OWN_PREFIX):
            return self._own(request)
        service = signed_service(request)
        if service == "lambda" or (service is None and _LAMBDA_PATH.fullmatch(request.path)):
            return self._lambda_api(request)
        if self._services is None:
            return _refusal(service, request, self._why_no_services)
        return self._services(request)


def signed_service(request: Request) -> str | None:
    """Give the service that a request is signed for, by header or query; None if it is not."""
    found = _SCOPE.search(request.headers.get("authorization", ""))
    if found is None and "X-Amz-Credential" in request.query:
        found = _SCOPE.search(request.query)
    return found[1] if found else None


def signing_key_id(request: Request) -> str | None:
    """Give the access key id that a request is signed with; None if it is not, or by its query."""
    found = _KEY.search(request.headers.get("authorization", ""))
    return found[1] if found else None


def _is_loopback(authority: str) -> bool:
    """Whether a Host (with or without port) is this machine: DNS rebinding has other names."""
    name = authority.strip().lower()
    name = (
        name[: name.index("]") + 1]
        if name.startswith("[") and "]" in name
        else (name.rpartition(":")[0] or name if ":" in name else name)
    )
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
