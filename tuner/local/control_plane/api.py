"""The Lambda API: finds a request's operation, runs it, turns a ApiError into AWS's error reply."""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable
from typing import Final

from tuner.errors import TunerError
from tuner.local.control_plane.call import Call
from tuner.local.control_plane.error import ApiError, invalid
from tuner.local.control_plane.routes import (
    REFUSED,
    ROUTES,
    Route,
    method_name,
    reason_refused,
)
from tuner.local.http.endpoint import signing_key_id
from tuner.local.http.message import HangUpError, MalformedRequestError, Request, Response

log = logging.getLogger(__name__)

Operation = Callable[[Call], Response]
_INTERNAL: Final = "The local Lambda failed inside; its log has the reason."


class LambdaApi:
    """Answers Lambda's requests. `parts` have a method for every operation of the route table.

    `access_key_id` is what requests must be signed with that change anything; None: with any.
    """

    def __init__(self, *parts: object, access_key_id: str | None = None) -> None:
        self._access_key_id = access_key_id
        self._operations: list[tuple[Route, Operation]] = [
            (route, _find_method(parts, route.operation)) for route in ROUTES
        ]

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            response = self._answer(request)
        except ApiError as refused:
            response = _error_reply(refused)
        except TunerError as error:
            response = _error_reply(ApiError(500, "ServiceException", str(error), type_="Service"))
        except (HangUpError, MalformedRequestError, OSError):
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = _error_reply(ApiError(500, "ServiceException", _INTERNAL, type_="Service"))
        if not any(name == "x-amzn-RequestId" for name, _ in response.headers):
            response.headers = (("x-amzn-RequestId", str(uuid.uuid4())), *response.headers)
        return response

    def _answer(self, request: Request) -> Response:
        for route, run in self._operations:
            path = route.match(request.method, request.path)
            if path is not None:
                self._check_key(route, request)
                return run(Call(route.operation, request, path, request.parameters()))
        for route in REFUSED:
            if route.match(request.method, request.path) is not None:
                raise invalid(reason_refused(route.operation))
        raise ApiError(
            404,
            "UnknownOperationException",
            f"The local Lambda does not serve {request.method} {request.path}",
            type_=None,
        )

    def _check_key(self, route: Route, request: Request) -> None:
        """Refuse changes by whoever was not given the key: any user of the machine gets here."""
        if self._access_key_id is None or route.method == "GET" or route.operation == "Invoke":
            return
        given = signing_key_id(request) or ""
        if not secrets.compare_digest(given.encode(), self._access_key_id.encode()):
            raise ApiError(
                403,
                "AccessDeniedException",
                f"{route.operation} is refused: this endpoint takes changes only from who has its "
                "key; export AWS_ACCESS_KEY_ID as the terminal says in which it was started",
                type_=None,
            )


def _find_method(parts: tuple[object, ...], operation: str) -> Operation:
    name = method_name(operation)
    found: list[Operation] = [getattr(part, name) for part in parts if hasattr(part, name)]
    if len(found) != 1:
        raise TypeError(f"{operation} needs exactly one {name}()")
    return found[0]


def _error_reply(refused: ApiError) -> Response:
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", refused.code),
        *refused.headers,
    )
    return Response(refused.status, refused.body(), headers)
