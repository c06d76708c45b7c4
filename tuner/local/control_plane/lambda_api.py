"""The Lambda API: finds a request's operation, runs it, turns an ApiError into AWS's reply."""

from __future__ import annotations

import base64
import logging
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote

from tuner.errors import TunerError
from tuner.local.control_plane.api_error import ApiError, invalid, too_large
from tuner.local.control_plane.validation import check, check_parameters, service_model
from tuner.local.http.endpoint import signing_key_id
from tuner.local.http.message import (
    BodyTooLargeError,
    HangUpError,
    MalformedRequestError,
    Request,
    Response,
    json_response,
)
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.local.control_plane.names import AccountRegion, Reference

log = logging.getLogger(__name__)

MAX_CONTROL_BODY: Final = 70_167_211
"""Bytes of a control request: 50 MB of ZIP in base64, plus the rest (Lambda's own figure)."""
PAGE_SIZE: Final = 50
"""Most items that Lambda puts on one page, whatever MaxItems says."""
_INTERNAL: Final = "The local Lambda failed inside; its log has the reason."
_REASONS: Final = {
    "InvokeWithResponseStream": "responses are buffered here: use Invoke",
    "PutRuntimeManagementConfig": "the interpreter is this host's",
}

Item = TypeVar("Item")


@dataclass(slots=True)
class Call:
    """A request with its (decoded) path parameters and its query's."""

    operation: str
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, str]
    account: AccountRegion

    @property
    def reference(self) -> Reference:
        """What the path's FunctionName and the query's Qualifier name."""
        return self.account.resolve(self.path["FunctionName"], self.query.get("Qualifier"))

    @property
    def function(self) -> str:
        """The function's name, for an operation on all of it."""
        return self.account.resolve_unqualified(self.path["FunctionName"])

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object that follows the model; no body counts as an empty one."""
        try:
            body = self.request.read(MAX_CONTROL_BODY)
        except BodyTooLargeError:
            raise too_large(
                f"Request must be smaller than {MAX_CONTROL_BODY} bytes for the {self.operation} "
                "operation"
            ) from None
        value = read_object(body or b"{}")
        if value is None:
            raise ApiError(
                400,
                "InvalidRequestContentException",
                "Could not parse request body into json: not a JSON object",
            )
        check(self.operation, value)
        return value

    def page(
        self, items: Sequence[Item], key: Callable[[Item], str]
    ) -> tuple[list[Item], dict[str, str]]:
        """Cut one page after the Marker; return it, and the NextMarker member if more follow."""
        wanted = int(self.query.get("MaxItems") or PAGE_SIZE)
        start = 0
        if marker := self.query.get("Marker"):
            try:
                last = base64.b64decode(marker, validate=True).decode()
            except ValueError:
                raise invalid("Invalid marker") from None
            start = next((n + 1 for n, item in enumerate(items) if key(item) == last), len(items))
        page = list(items[start : start + min(wanted, PAGE_SIZE)])
        if page and start + len(page) < len(items):
            return page, {"NextMarker": base64.b64encode(key(page[-1]).encode()).decode()}
        return page, {}


@dataclass(frozen=True, slots=True)
class Route:
    """An operation's method and path; some differ only in their path's query."""

    operation: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    status: int
    """For a reply without its own."""

    def match(self, method: str, path: str, query: str) -> dict[str, str] | None:
        """Return the decoded path parameters, or None for another operation's request."""
        found = self.pattern.fullmatch(path) if method == self.method else None
        if found is None or not self.query <= {*parse_qsl(query)}:
            return None
        return {name: unquote(part) for name, part in found.groupdict().items()}


def read_routes() -> tuple[Route, ...]:
    """Return every operation's route: Invoke's first, and those that need a query before others."""
    routes = []
    for name, operation in service_model()["operations"].items():
        template, _, query = operation["http"]["requestUri"].partition("?")
        # A trailing slash is tolerated: older clients send one for lists.
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?")
        http, needed = operation["http"], frozenset(parse_qsl(query))
        routes.append(Route(name, http["method"], pattern, needed, http.get("responseCode", 200)))
    return tuple(sorted(routes, key=lambda route: (route.operation != "Invoke", not route.query)))


Answer = dict[str, Any]
Operation = Callable[[Call], "Answer | Response | None"]


class LambdaApi:
    """Answers Lambda's requests. `parts` have a method for every operation served.

    A method returns the reply's members (None: an empty reply), or the reply itself.
    `access_key_id` must sign requests that change anything; None: any key may.
    """

    def __init__(
        self, *parts: object, account: AccountRegion, access_key_id: str | None = None
    ) -> None:
        self._account = account
        self._access_key_id = access_key_id
        self._operations: list[tuple[Route, Operation | None]] = [
            (route, _find_method(parts, route.operation)) for route in read_routes()
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
            path = route.match(request.method, request.path, request.query)
            if path is None:
                continue
            if run is None:
                why = _REASONS.get(route.operation)
                raise invalid(
                    f"{route.operation} is not supported by the local Lambda"
                    f"{f': {why}' if why else ''}"
                )
            self._check_key(route, request)
            query = request.parameters()
            check_parameters(route.operation, path, query, request.headers)
            last = {name: values[-1] for name, values in query.items()}
            given = run(Call(route.operation, request, path, last, self._account))
            if isinstance(given, Response):
                return given
            return Response(route.status) if given is None else json_response(route.status, given)
        raise ApiError(
            404,
            "UnknownOperationException",
            f"The local Lambda does not serve {request.method} {request.path}",
            type_=None,
        )

    def _check_key(self, route: Route, request: Request) -> None:
        """Refuse changes without the key: any user of the machine gets here."""
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


def _find_method(parts: tuple[object, ...], operation: str) -> Operation | None:
    """GetFunctionUrlConfig is some part's get_function_url_config; None: it isn't served."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    found: list[Operation] = [getattr(part, name) for part in parts if hasattr(part, name)]
    return found[0] if found else None


def _error_reply(refused: ApiError) -> Response:
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", refused.code),
        *refused.headers,
    )
    return Response(refused.status, refused.body(), headers)
