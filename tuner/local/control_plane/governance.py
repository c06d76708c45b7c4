"""What surrounds functions: tags, concurrency, permissions, account limits, and look-ups."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import (
    ApiError,
    conflict,
    invalid,
    not_found,
    stale_revision,
)
from tuner.local.control_plane.function_state import Policy
from tuner.local.control_plane.names import LATEST, Reference
from tuner.local.control_plane.package import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from tuner.local.control_plane.validation import check_tags

if TYPE_CHECKING:
    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call

_CONDITIONS: Final = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
}
_PRINCIPAL: Final = re.compile(r"\*|\d{12}|arn:.*|[\w.-]+\.(amazonaws|amazon)\.com(\.cn)?")
_MIN_UNRESERVED: Final = 100
"""What an account must keep for functions without a reservation (all it has, if that is less)."""


class GovernanceApi:
    """Operations around a function."""

    def __init__(self, store: FunctionStore, *, concurrent_executions: int) -> None:
        self._store = store
        self._concurrent_executions = concurrent_executions

    def tag_resource(self, call: Call) -> None:
        """TagResource."""
        tags = call.json()["Tags"]
        with self._store.open(self._tagged(call)) as function:
            if not tags:
                raise invalid("An error occurred and the request cannot be processed.")
            check_tags(tags, function.tags)
            function.tags.update(tags)
            self._store.touch(function)

    def untag_resource(self, call: Call) -> None:
        """UntagResource."""
        with self._store.open(self._tagged(call)) as function:
            for key in call.request.parameters()["tagKeys"]:
                function.tags.pop(key, None)
            self._store.touch(function)

    def list_tags(self, call: Call) -> Answer:
        """ListTags."""
        with self._store.open(self._tagged(call)) as function:
            return {"Tags": dict(function.tags)}

    def put_function_concurrency(self, call: Call) -> Answer:
        """PutFunctionConcurrency."""
        wanted = call.json()["ReservedConcurrentExecutions"]
        name = call.function
        with self._store.open(Reference(name, LATEST)) as function:
            left = self._concurrent_executions - self._store.reserved_in_all(without=name) - wanted
            minimum = min(_MIN_UNRESERVED, self._concurrent_executions)
            if wanted > 0 and left < minimum:
                raise invalid(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{minimum}].",
                    type_=None,
                )
            function.reserved_concurrency = wanted
        return {"ReservedConcurrentExecutions": wanted}

    def get_function_concurrency(self, call: Call) -> Answer:
        """GetFunctionConcurrency: an empty object if nothing is reserved."""
        with self._store.open(call.function) as function:
            reserved = function.reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_function_concurrency(self, call: Call) -> None:
        """DeleteFunctionConcurrency."""
        with self._store.open(call.function) as function:
            function.reserved_concurrency = None

    def get_account_settings(self, _: Call) -> Answer:
        """GetAccountSettings."""
        functions = self._store.all()
        used = sum(version.code.size_bytes for _, versions in functions for version in versions)
        unreserved = max(self._concurrent_executions - self._store.reserved_in_all(), 0)
        return {
            "AccountLimit": {
                "TotalCodeSize": 75 * 1024**3,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": MAX_ZIPPED_BYTES,
                "ConcurrentExecutions": self._concurrent_executions,
                "UnreservedConcurrentExecutions": unreserved,
            },
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(functions)},
        }

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
            _check_revision(policy, body.get("RevisionId"))
            statement_id = body["StatementId"]
            if statement_id in policy.statements:
                raise conflict(
                    f"The statement id ({statement_id}) provided already exists. Please provide a "
                    "new statement id, or remove the existing statement."
                )
            arn = self._store.account.arn(function.name, reference.qualifier)
            statement = _statement(body, arn)
            policy.statements[statement_id] = statement
            function.policies[reference.qualifier or ""] = policy
            policy.revision_id = str(uuid.uuid4())
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def get_policy(self, call: Call) -> Answer:
        """GetPolicy."""
        reference = call.reference
        with self._store.open(reference, _no_such_resource()) as function:
            policy = function.policies.get(reference.qualifier or "")
            if policy is None or not policy.statements:
                raise _no_such_resource()
            statements = list(policy.statements.values())
            document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
            text = json.dumps(document, separators=(",", ":"))
            return {"Policy": text, "RevisionId": policy.revision_id}

    def remove_permission(self, call: Call) -> None:
        """RemovePermission."""
        reference = call.reference
        statement_id = call.path["StatementId"]
        absent = not_found(f"No policy found for: {self._store.account.arn(reference.name)}")
        with self._store.open(reference, absent) as function:
            self._store.check_alias_or_version(reference)
            policy = function.policies.get(reference.qualifier or "")
            if policy is None or not policy.statements:
                raise not_found("No policy is associated with the given resource.")
            if statement_id not in policy.statements:
                raise not_found(f"Statement {statement_id} is not found in resource policy.")
            _check_revision(policy, call.query.get("RevisionId"))
            del policy.statements[statement_id]
            policy.revision_id = str(uuid.uuid4())

    def list_event_source_mappings(self, call: Call) -> Answer:
        """ListEventSourceMappings: there are none here."""
        if name := call.query.get("FunctionName"):
            self._exists(self._store.account.resolve(name))
        return {"EventSourceMappings": []}

    def get_function_url_config(self, call: Call) -> None:
        """GetFunctionUrlConfig: there are none here."""
        call.reference  # noqa: B018 - another region's is refused first
        raise _no_such_resource()

    def list_function_url_configs(self, call: Call) -> Answer:
        """ListFunctionUrlConfigs."""
        self._exists(call.reference)
        return {"FunctionUrlConfigs": []}

    def get_provisioned_concurrency_config(self, call: Call) -> None:
        """GetProvisionedConcurrencyConfig: there is none here."""
        reference = call.reference
        if reference.qualifier == LATEST:
            raise invalid("The function resource provided must be an alias or a published version.")
        self._store.check_alias_or_version(reference)
        raise ApiError(
            404,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )

    def list_provisioned_concurrency_configs(self, call: Call) -> Answer:
        """ListProvisionedConcurrencyConfigs: there are none here."""
        self._exists(call.reference)
        return {"ProvisionedConcurrencyConfigs": []}

    def get_function_code_signing_config(self, call: Call) -> Answer:
        """GetFunctionCodeSigningConfig: none is set, for which Lambda returns an empty object."""
        self._exists(call.reference)
        return {}

    def get_runtime_management_config(self, call: Call) -> Answer:
        """GetRuntimeManagementConfig: the host's interpreter, as it is."""
        reference = call.reference
        self._exists(reference)
        arn = self._store.account.arn(reference.name, reference.qualifier or LATEST)
        return {"UpdateRuntimeOn": "Auto", "FunctionArn": arn}

    def get_function_recursion_config(self, call: Call) -> Answer:
        """GetFunctionRecursionConfig."""
        with self._store.open(call.function) as function:
            return {"RecursiveLoop": function.recursive_loop}

    def put_function_recursion_config(self, call: Call) -> Answer:
        """PutFunctionRecursionConfig: whether a function may call itself in a loop."""
        body = call.json()
        with self._store.open(call.function) as function:
            function.recursive_loop = body["RecursiveLoop"]
        return {"RecursiveLoop": body["RecursiveLoop"]}

    def _exists(self, reference: Reference) -> None:
        with self._store.open(reference) as function:
            self._store.find(function, reference)

    def _revision(self, function: Function, reference: Reference) -> str:
        """Return the revision that guards the first permission: that of its resource."""
        if alias := function.aliases.get(reference.qualifier or ""):
            return alias.revision_id
        return self._store.find(function, reference).revision_at(self._store.now_s())

    def _tagged(self, call: Call) -> str:
        arn = call.path["Resource"]
        kind = arn.split(":")[5]
        if kind != "function":
            raise not_found(f"{kind.replace('-', ' ').capitalize()} not found: {arn}")
        reference = self._store.account.resolve(arn)
        if reference.qualifier is not None:
            raise invalid(
                "Tags on function aliases and versions are not supported. Please specify a "
                "function ARN."
            )
        return reference.name


def _no_such_resource() -> ApiError:
    return not_found("The resource you requested does not exist.")


def _check_revision(policy: Policy, given: str | None) -> None:
    if given and given != policy.revision_id:
        raise stale_revision("GetPolicy")


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
