"""Create, read, list, change and delete aliases."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuner.local.control_plane.api_error import conflict, invalid, not_found, stale_revision
from tuner.local.control_plane.function_state import Alias
from tuner.local.control_plane.names import LATEST, Reference, is_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call


class AliasesApi:
    """Operations on aliases."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def create_alias(self, call: Call) -> Answer:
        """CreateAlias."""
        body = call.json()
        name = body["Name"]
        with self._store.open(Reference(call.function, body["FunctionVersion"])) as function:
            if name in function.aliases:
                arn = self._store.account.arn(function.name, name)
                raise conflict(f"Alias already exists: {arn}")
            alias = Alias(
                name=name,
                version=body["FunctionVersion"],
                description=body.get("Description") or "",
                weights=_weights(body.get("RoutingConfig")),
                revision_id=str(uuid.uuid4()),
            )
            self._check_target(function, alias)
            function.aliases[name] = alias
            return self._describe(function, alias)

    def get_alias(self, call: Call) -> Answer:
        """GetAlias."""
        with self._store.open(call.function) as function:
            return self._describe(function, self._find(function, call))

    def list_aliases(self, call: Call) -> Answer:
        """ListAliases, for one FunctionVersion or for all."""
        with self._store.open(call.function) as function:
            only = call.query.get("FunctionVersion")
            listed = [
                alias
                for _, alias in sorted(function.aliases.items())
                if only is None or alias.points_at(only)
            ]
            page, marker = call.page(listed, lambda alias: alias.name)
            aliases = [self._describe(function, alias) for alias in page]
        return {"Aliases": aliases, **marker}

    def update_alias(self, call: Call) -> Answer:
        """UpdateAlias: omitted members stay as they are."""
        body = call.json()
        with self._store.open(call.function) as function:
            alias = self._find(function, call, "Alias not found")
            if body.get("RevisionId") not in (None, alias.revision_id):
                raise stale_revision()
            changed = replace(
                alias,
                version=body.get("FunctionVersion") or alias.version,
                description=body.get("Description", alias.description) or "",
                weights=(
                    _weights(body["RoutingConfig"])
                    if body.get("RoutingConfig") is not None
                    else alias.weights
                ),
                revision_id=str(uuid.uuid4()),
            )
            self._check_target(function, changed)
            function.aliases[alias.name] = changed
            return self._describe(function, changed)

    def delete_alias(self, call: Call) -> None:
        """DeleteAlias, if it exists."""
        with self._store.open(call.function) as function:
            function.aliases.pop(call.path["Name"], None)

    def _find(self, function: Function, call: Call, absent: str = "Cannot find alias arn") -> Alias:
        alias = function.aliases.get(call.path["Name"])
        if alias is None:
            arn = self._store.account.arn(function.name, call.path["Name"])
            raise not_found(f"{absent}: {arn}")
        return alias

    def _check_target(self, function: Function, alias: Alias) -> None:
        for number in (alias.version, *(number for number, _ in alias.weights)):
            exists = number == LATEST or (is_version(number) and int(number) in function.versions)
            if not exists:
                raise not_found(
                    f"Function not found: {self._store.account.arn(function.name, number)}"
                )
        if not alias.weights:
            return
        if alias.version == LATEST:
            raise invalid(
                "$LATEST is not supported for an alias pointing to more than 1 version", type_=None
            )
        if any(number == alias.version for number, _ in alias.weights):
            raise invalid(
                f"Invalid function version {alias.version}. Function version {alias.version} is "
                "already included in routing configuration."
            )

    def _describe(self, function: Function, alias: Alias) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "AliasArn": self._store.account.arn(function.name, alias.name),
            "Name": alias.name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RevisionId": alias.revision_id,
        }
        if alias.weights:
            shape["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
        return shape


def _weights(routing: Mapping[str, Any] | None) -> tuple[tuple[str, float], ...]:
    """Read a (validated) RoutingConfig: at most one other version, with its share."""
    given = (routing or {}).get("AdditionalVersionWeights") or {}
    if len(given) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    return tuple((number, float(weight)) for number, weight in given.items())
