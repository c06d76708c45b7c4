"""Function URLs: kept as settings, so that whoever asks what reaches a function hears of them.

Nothing is served at them: `http.endpoint` tells who calls one to use Invoke.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import conflict, no_such_resource, not_found
from tuner.local.control_plane.names import LATEST, is_version
from tuner.local.control_plane.validation import unmatched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.names import Reference

_NO_FUNCTION: Final = "Function does not exist"
_CHANGEABLE: Final = ("AuthType", "Cors", "InvokeMode")
_BUFFERED: Final = {"InvokeMode": "BUFFERED"}
"""What is read where no mode was ever given; a change's reply has none then."""


class FunctionUrlApi:
    """Operations on function URLs. `endpoint_url` is this endpoint's own address."""

    def __init__(self, store: FunctionStore, endpoint_url: str) -> None:
        self._store = store
        self._port = endpoint_url.rpartition(":")[2]

    def create_function_url_config(self, call: Call) -> Answer:
        """CreateFunctionUrlConfig."""
        body, reference = call.json(), call.reference
        with self._open(reference, _NO_FUNCTION) as function:
            key = reference.qualifier or ""
            arn = self._store.account.arn(function.name, reference.qualifier)
            if key in function.urls:
                raise conflict(
                    f"Failed to create function url config for [functionArn = {arn}]. Error "
                    "message:  FunctionUrlConfig exists for this Lambda function"
                )
            now = _now()
            host = f"{secrets.token_hex(16)}.lambda-url.{self._store.account.region}.localhost"
            url = function.urls[key] = {
                "FunctionUrl": f"http://{host}:{self._port}/",
                "FunctionArn": arn,
                "AuthType": body["AuthType"],
                "Cors": body.get("Cors"),
                "CreationTime": now,
                "LastModifiedTime": now,
                "InvokeMode": body.get("InvokeMode"),
            }
            return _given({**url, "LastModifiedTime": None})

    def get_function_url_config(self, call: Call) -> Answer:
        """GetFunctionUrlConfig."""
        reference = call.reference
        with self._open(reference, None) as function:
            return {**_BUFFERED, **_given(_find(function, reference))}

    def list_function_url_configs(self, call: Call) -> Answer:
        """ListFunctionUrlConfigs: the function's own, and its aliases'."""
        with self._open(call.reference, _NO_FUNCTION) as function:
            page, marker = call.page(sorted(function.urls.items()), lambda entry: entry[0])
            urls = [{**_BUFFERED, **_given(url)} for _, url in page]
        return {"FunctionUrlConfigs": urls, **marker}

    def update_function_url_config(self, call: Call) -> Answer:
        """UpdateFunctionUrlConfig: omitted members stay."""
        body, reference = call.json(), call.reference
        with self._open(reference, _NO_FUNCTION) as function:
            url = _find(function, reference)
            url |= _given({name: body.get(name) for name in _CHANGEABLE})
            url["LastModifiedTime"] = _now()
            return _given(url)

    def delete_function_url_config(self, call: Call) -> None:
        """DeleteFunctionUrlConfig: an alias's stays when the function's own goes."""
        reference = call.reference
        with self._open(reference, None) as function:
            _find(function, reference)
            del function.urls[reference.qualifier or ""]

    @contextmanager
    def _open(self, reference: Reference, absent: str | None) -> Iterator[Function]:
        """Hold the function; with the words of a change, its alias must exist too."""
        qualifier = reference.qualifier
        if qualifier == LATEST or (qualifier is not None and is_version(qualifier)):
            raise unmatched("qualifier", qualifier, "FunctionUrlQualifier")
        error = no_such_resource() if absent is None else not_found(absent)
        with self._store.open(reference, error) as function:
            if absent is not None and function.find_version(qualifier) is None:
                raise error
            yield function


def _given(url: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in url.items() if each is not None}


def _find(function: Function, reference: Reference) -> dict[str, Any]:
    url = function.urls.get(reference.qualifier or "")
    if url is None:
        raise no_such_resource()
    return url


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
