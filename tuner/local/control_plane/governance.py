"""What surrounds functions: tags, concurrency, recursion, and the account's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.local.control_plane.api_error import invalid, not_found
from tuner.local.control_plane.names import LATEST, Reference
from tuner.local.control_plane.package import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from tuner.local.control_plane.validation import check_tags
from tuner.local.http.message import json_response

if TYPE_CHECKING:
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.layers import LayerStore
    from tuner.local.http.message import Response

ARCHITECTURE_HEADER: Final = "X-Tuner-Architecture"
"""With the account's settings: what all code here runs on, whatever its function says."""
MIN_UNRESERVED: Final = 100
"""What an account must keep for functions without a reservation (all it has, if that is less)."""


def check_left(left: int, account_limit: int, what: str) -> None:
    """Refuse what leaves too little to functions without a reservation."""
    least = min(MIN_UNRESERVED, account_limit)
    if left < least:
        raise invalid(
            f"Specified {what} for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{least}].",
            type_=None,
        )


@dataclass(frozen=True, slots=True)
class GovernanceApi:
    """Operations around a function."""

    store: FunctionStore
    layers: LayerStore
    concurrent_executions: int
    architecture: str | None

    def tag_resource(self, call: Call) -> None:
        """TagResource."""
        tags = call.json()["Tags"]
        with self.store.open(self._tagged(call)) as function:
            if not tags:
                raise invalid("An error occurred and the request cannot be processed.")
            check_tags(tags, function.tags)
            function.tags.update(tags)
            self.store.touch(function)

    def untag_resource(self, call: Call) -> None:
        """UntagResource."""
        with self.store.open(self._tagged(call)) as function:
            for key in call.request.parameters()["tagKeys"]:
                function.tags.pop(key, None)
            self.store.touch(function)

    def list_tags(self, call: Call) -> Answer:
        """ListTags."""
        with self.store.open(self._tagged(call)) as function:
            return {"Tags": dict(function.tags)}

    def put_function_concurrency(self, call: Call) -> Answer:
        """PutFunctionConcurrency."""
        wanted = call.json()["ReservedConcurrentExecutions"]
        name = call.function
        with self.store.open(Reference(name, LATEST)) as function:
            left = self.concurrent_executions - self.store.reserved_in_all(without=name) - wanted
            if wanted > 0:
                check_left(left, self.concurrent_executions, "ReservedConcurrentExecutions")
            function.reserved_concurrency = wanted
        return {"ReservedConcurrentExecutions": wanted}

    def get_function_concurrency(self, call: Call) -> Answer:
        """GetFunctionConcurrency: an empty object if nothing is reserved."""
        with self.store.open(call.function) as function:
            reserved = function.reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_function_concurrency(self, call: Call) -> None:
        """DeleteFunctionConcurrency."""
        with self.store.open(call.function) as function:
            function.reserved_concurrency = None

    def get_account_settings(self, _: Call) -> Response:
        """GetAccountSettings."""
        functions = self.store.all()
        used = sum(version.code.size_bytes for _, versions in functions for version in versions)
        used += sum(each.code.size_bytes for versions in self.layers.all() for each in versions)
        unreserved = max(self.concurrent_executions - self.store.reserved_in_all(), 0)
        settings = {
            "AccountLimit": {
                "TotalCodeSize": 75 * 1024**3,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": MAX_ZIPPED_BYTES,
                "ConcurrentExecutions": self.concurrent_executions,
                "UnreservedConcurrentExecutions": unreserved,
            },
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(functions)},
        }
        answer = json_response(200, settings)
        if self.architecture is not None:
            answer.headers = (*answer.headers, (ARCHITECTURE_HEADER, self.architecture))
        return answer

    def get_runtime_management_config(self, call: Call) -> Answer:
        """GetRuntimeManagementConfig: the host's interpreter, as it is."""
        reference = call.reference
        self.store.check_exists(reference)
        arn = self.store.account.arn(reference.name, reference.qualifier or LATEST)
        return {"UpdateRuntimeOn": "Auto", "FunctionArn": arn}

    def get_function_recursion_config(self, call: Call) -> Answer:
        """GetFunctionRecursionConfig."""
        with self.store.open(call.function) as function:
            return {"RecursiveLoop": function.recursive_loop}

    def put_function_recursion_config(self, call: Call) -> Answer:
        """PutFunctionRecursionConfig: whether a function may call itself in a loop."""
        body = call.json()
        with self.store.open(call.function) as function:
            function.recursive_loop = body["RecursiveLoop"]
        return {"RecursiveLoop": body["RecursiveLoop"]}

    def _tagged(self, call: Call) -> str:
        arn = call.path["Resource"]
        kind = arn.split(":")[5]
        if kind != "function":
            raise not_found(f"{kind.replace('-', ' ').capitalize()} not found: {arn}")
        reference = self.store.account.resolve(arn)
        if reference.qualifier is not None:
            raise invalid(
                "Tags on function aliases and versions are not supported. Please specify a "
                "function ARN."
            )
        return reference.name
