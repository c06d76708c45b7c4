"""How events of a function, a version or an alias are tried again, and how old they may become."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.error import invalid, not_found
from tuner.local.control_plane.function_state import EventConfig
from tuner.local.control_plane.names import LATEST
from tuner.local.control_plane.validation import Constraint, check
from tuner.local.http.message import Response, json_response

if TYPE_CHECKING:
    from tuner.local.control_plane.call import Call
    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.names import Reference
    from tuner.local.control_plane.store import FunctionStore

_CONSTRAINTS: Final = (
    Constraint("MaximumRetryAttempts", int, 0, 2),
    Constraint("MaximumEventAgeInSeconds", int, 60, 21_600),
)


class EventConfigApi:
    """Operations on the settings of asynchronous invocations."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def put_function_event_invoke_config(self, call: Call) -> Response:
        """PutFunctionEventInvokeConfig: what is left out goes back to Lambda's default."""
        return self._write(call, keep=False)

    def update_function_event_invoke_config(self, call: Call) -> Response:
        """UpdateFunctionEventInvokeConfig: what is left out stays."""
        return self._write(call, keep=True)

    def get_function_event_invoke_config(self, call: Call) -> Response:
        """GetFunctionEventInvokeConfig."""
        reference = self._reference(call)
        with self._store.open(reference.name) as function:
            config = self._find(function, reference)
            return json_response(200, self._describe(function, _key(reference), config))

    def list_function_event_invoke_configs(self, call: Call) -> Response:
        """ListFunctionEventInvokeConfigs: of every version and alias that has some."""
        reference = self._reference(call)
        with self._store.open(reference.name) as function:
            configs = sorted(function.event_configs.items())
            page, marker = call.page(configs, lambda entry: entry[0])
            listed = [self._describe(function, key, config) for key, config in page]
        return json_response(200, {"FunctionEventInvokeConfigs": listed, **marker})

    def delete_function_event_invoke_config(self, call: Call) -> Response:
        """DeleteFunctionEventInvokeConfig."""
        reference = self._reference(call)
        with self._store.open(reference.name) as function:
            self._find(function, reference)
            del function.event_configs[_key(reference)]
        return Response(204)

    def _write(self, call: Call, *, keep: bool) -> Response:
        body = call.json()
        check(body, _CONSTRAINTS)
        if any((body.get("DestinationConfig") or {}).values()):
            raise invalid("Destinations are not supported by the local Lambda: leave them out")
        reference = self._reference(call)
        with self._store.open(reference.name) as function:
            self._store.find(function, reference)
            base = self._find(function, reference) if keep else EventConfig()
            config = replace(
                base,
                retry_count=body.get("MaximumRetryAttempts", base.retry_count),
                max_age_s=body.get("MaximumEventAgeInSeconds", base.max_age_s),
                modified_at_s=time.time(),
            )
            function.event_configs[_key(reference)] = config
            return json_response(200, self._describe(function, _key(reference), config))

    def _reference(self, call: Call) -> Reference:
        return self._store.place.resolve(call.function_name, call.query.get("Qualifier"))

    def _find(self, function: Function, reference: Reference) -> EventConfig:
        self._store.find(function, reference)
        config = function.event_configs.get(_key(reference))
        if config is None:
            arn = self._store.place.arn(function.name, _key(reference))
            raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
        return config

    def _describe(self, function: Function, key: str, config: EventConfig) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "FunctionArn": self._store.place.arn(function.name, key),
            "LastModified": round(config.modified_at_s, 3),
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
        }
        if config.retry_count is not None:
            shape["MaximumRetryAttempts"] = config.retry_count
        if config.max_age_s is not None:
            shape["MaximumEventAgeInSeconds"] = config.max_age_s
        return shape


def _key(reference: Reference) -> str:
    return reference.qualifier or LATEST
