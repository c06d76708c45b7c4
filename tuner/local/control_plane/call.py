"""One API call: the parts of its request that operations read, and pages for their lists."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tuner.local.control_plane.error import ApiError, invalid, too_large
from tuner.local.http.message import BodyTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tuner.local.http.message import Request

MAX_CONTROL_BODY: Final = 70_167_211
"""Bytes of a control request: 50 MB of ZIP in base64, and the rest (Lambda's own figure)."""
PAGE_SIZE: Final = 50
"""Most items that Lambda puts on one page, whatever MaxItems says."""

Item = TypeVar("Item")


@dataclass(slots=True)
class Call:
    """A request with its path's parameters (decoded) and its query's."""

    operation: str
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def function_name(self) -> str:
        """The FunctionName of the path: a name or an ARN, perhaps qualified."""
        return self.path["FunctionName"]

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object; no body is an empty one."""
        try:
            body = self.request.read(MAX_CONTROL_BODY)
        except BodyTooLargeError:
            raise too_large(
                f"Request must be smaller than {MAX_CONTROL_BODY} bytes for the {self.operation} "
                "operation"
            ) from None
        if not body:
            return {}
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise _unparsable() from None
        if not isinstance(value, dict):
            raise _unparsable()
        return value

    def page(
        self, items: Sequence[Item], key: Callable[[Item], str], *, size: int = PAGE_SIZE
    ) -> tuple[list[Item], dict[str, str]]:
        """Cut one page after the Marker; gives it and the NextMarker member if more follow."""
        wanted = _max_items(self.query.get("MaxItems"))
        start = 0
        if marker := self.query.get("Marker"):
            last = _decode_marker(marker)
            start = next((n + 1 for n, item in enumerate(items) if key(item) == last), len(items))
        page = list(items[start : start + min(wanted, size)])
        if page and start + len(page) < len(items):
            return page, {"NextMarker": base64.b64encode(key(page[-1]).encode()).decode()}
        return page, {}


def _unparsable() -> ApiError:
    return ApiError(
        400,
        "InvalidRequestContentException",
        "Could not parse request body into json: not a JSON object",
    )


def _max_items(text: str | None) -> int:
    if text is None or text == "":
        return PAGE_SIZE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise ApiError(
            400,
            "ValidationException",
            f"1 validation error detected: Value '{text}' at 'maxItems' failed to satisfy "
            "constraint: Member must have value between 1 and 10000",
            type_=None,
        )
    return int(text)


def _decode_marker(marker: str) -> str:
    try:
        return base64.b64decode(marker, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("Invalid marker") from None
