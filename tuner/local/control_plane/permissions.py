"""Who may use a function or a layer: kept as AWS keeps it, and never enforced here."""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import (
    conflict,
    invalid,
    no_such_resource,
    not_found,
    stale_revision,
)
from tuner.local.control_plane.function_state import Policy
from tuner.local.control_plane.names import LATEST, Reference

if TYPE_CHECKING:
    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.layers import LayerStore

_CONDITIONS: Final = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
}
_PRINCIPAL: Final = re.compile(r"\*|\d{12}|arn:.*|[\w.-]+\.(amazonaws|amazon)\.com(\.cn)?")
_NO_POLICY: Final = "No policy is associated with the given resource."


class FunctionPermissionsApi:
    """Operations on the policies of functions, versions, and aliases."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def add_permission(self, call: Call) -> Answer:
        """AddPermission."""
        body = call.json()
        reference = call.reference
        if reference.qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        if not _PRINCIPAL.fullmatch(body["Principal"]):
            raise invalid(
                "The provided principal was invalid. Please check the principal and try again."
            )
        with self._store.open(reference.name) as function:
            self._store.check_alias_or_version(reference)
            policy = function.policies.get(reference.qualifier or "")
            if policy is None:
                policy = Policy(revision_id=self._revision(function, reference))
            arn = self._store.account.arn(function.name, reference.qualifier)
            statement = _add(policy, body, arn, body.get("RevisionId"), "GetPolicy")
            function.policies[reference.qualifier or ""] = policy
        return {"Statement": statement}

    def get_policy(self, call: Call) -> Answer:
        """GetPolicy."""
        reference = call.reference
        with self._store.open(reference, no_such_resource()) as function:
            policy = function.policies.get(reference.qualifier or "")
            if policy is None or not policy.statements:
                raise no_such_resource()
            return _described(policy)

    def remove_permission(self, call: Call) -> None:
        """RemovePermission."""
        reference = call.reference
        statement_id = call.path["StatementId"]
        absent = not_found(f"No policy found for: {self._store.account.arn(reference.name)}")
        with self._store.open(reference, absent) as function:
            self._store.check_alias_or_version(reference)
            policy = function.policies.get(reference.qualifier or "")
            _remove(policy, statement_id, call.query.get("RevisionId"), "GetPolicy")

    def _revision(self, function: Function, reference: Reference) -> str:
        """Return the revision that guards the first permission: that of its resource."""
        if alias := function.aliases.get(reference.qualifier or ""):
            return alias.revision_id
        return self._store.find(function, reference).revision_at(self._store.now_s())


class LayerPermissionsApi:
    """Operations on the policies of layer versions."""

    def __init__(self, layers: LayerStore) -> None:
        self._layers = layers
        self._policies: dict[str, Policy] = {}
        """By the version's ARN, of which none is used twice."""
        self._lock = threading.Lock()

    def add_layer_version_permission(self, call: Call) -> Answer:
        """AddLayerVersionPermission."""
        arn, body = self._version(call), call.json()
        with self._lock:
            policy = self._policies.get(arn) or Policy()
            given = call.query.get("RevisionId")
            statement = _add(policy, body, arn, given, "GetLayerPolicy")
            self._policies[arn] = policy
            return {"Statement": statement, "RevisionId": policy.revision_id}

    def get_layer_version_policy(self, call: Call) -> Answer:
        """GetLayerVersionPolicy."""
        arn = self._version(call)
        with self._lock:
            policy = self._policies.get(arn)
            if policy is None:
                raise not_found(_NO_POLICY)
            if not policy.statements:
                raise not_found(f"Layer version {arn} does not have any resource policy.")
            return _described(policy)

    def remove_layer_version_permission(self, call: Call) -> None:
        """RemoveLayerVersionPermission."""
        arn = self._version(call)
        with self._lock:
            given = call.query.get("RevisionId")
            _remove(self._policies.get(arn), call.path["StatementId"], given, "GetLayerPolicy")

    def _version(self, call: Call) -> str:
        """Return a layer version's ARN; ApiError if there is none."""
        arn = self._layers.arn(call.path["LayerName"], int(call.path["VersionNumber"]))
        if self._layers.find(arn) is None:
            raise not_found(f"Layer version {arn} does not exist.")
        return arn


def _add(policy: Policy, body: dict[str, Any], arn: str, given: str | None, read_with: str) -> str:
    """Add a statement; return it as JSON."""
    _check_revision(policy, given, read_with)
    statement_id = body["StatementId"]
    if statement_id in policy.statements:
        raise conflict(
            f"The statement id ({statement_id}) provided already exists. Please provide a "
            "new statement id, or remove the existing statement."
        )
    statement = policy.statements[statement_id] = _statement(body, arn)
    policy.revision_id = str(uuid.uuid4())
    return json.dumps(statement, separators=(",", ":"))


def _remove(policy: Policy | None, statement_id: str, given: str | None, read_with: str) -> None:
    if policy is None or not policy.statements:
        raise not_found(_NO_POLICY)
    if statement_id not in policy.statements:
        raise not_found(f"Statement {statement_id} is not found in resource policy.")
    _check_revision(policy, given, read_with)
    del policy.statements[statement_id]
    policy.revision_id = str(uuid.uuid4())


def _described(policy: Policy) -> Answer:
    statements = list(policy.statements.values())
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    text = json.dumps(document, separators=(",", ":"))
    return {"Policy": text, "RevisionId": policy.revision_id}


def _check_revision(policy: Policy, given: str | None, read_with: str) -> None:
    if given and given != policy.revision_id:
        raise stale_revision(read_with)


def _statement(body: dict[str, Any], arn: str) -> dict[str, Any]:
    named = body["Principal"]
    principal: str | dict[str, str] = {"Service": named}
    if named == "*":
        principal = named
    elif named.isdigit() or named.startswith("arn:"):
        principal = {"AWS": f"arn:aws:iam::{named}:root" if named.isdigit() else named}
    condition: dict[str, dict[str, str]] = {}
    for member, (operator, key) in _CONDITIONS.items():
        if body.get(member):
            condition.setdefault(operator, {})[key] = body[member]
    return {
        "Sid": body["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": body["Action"],
        "Resource": arn,
        **({"Condition": condition} if condition else {}),
    }
