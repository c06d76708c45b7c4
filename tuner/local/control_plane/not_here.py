"""What this endpoint never has: absent as on AWS when looked up, refused by name when made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import (
    ApiError,
    invalid,
    no_such_resource,
    not_supported,
)
from tuner.local.control_plane.governance import check_left
from tuner.local.control_plane.names import LATEST

if TYPE_CHECKING:
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call

_UNPUBLISHED: Final = "The function resource provided must be an alias or a published version."


class NotHereApi:
    """Operations on event source mappings, code signing and provisioned concurrency.

    Nothing is polled here, no signature is checked, and environments start on demand.
    """

    def __init__(self, store: FunctionStore, *, concurrent_executions: int) -> None:
        self._store = store
        self._concurrent_executions = concurrent_executions

    def create_event_source_mapping(self, call: Call) -> None:
        """CreateEventSourceMapping."""
        body = call.json()
        if not (body.get("EventSourceArn") or body.get("SelfManagedEventSource")):
            raise invalid("Unrecognized event source.")
        _check_source(body)
        reference = self._store.account.resolve(body["FunctionName"])
        with self._store.open(reference, invalid("Function does not exist")):
            if body.get("DestinationConfig") and _service(body) == "sqs":
                raise invalid(
                    "Unsupported DestinationConfig parameter for given event source mapping type."
                )
            raise not_supported(
                "Event source mappings are",
                "nothing polls queues or streams here; invoke with an event (tuner payload make)",
            )

    def get_event_source_mapping(self, _: Call) -> None:
        """GetEventSourceMapping, and DeleteEventSourceMapping."""
        raise no_such_resource()

    delete_event_source_mapping = get_event_source_mapping

    def update_event_source_mapping(self, call: Call) -> None:
        """UpdateEventSourceMapping."""
        call.json()
        raise no_such_resource()

    def list_event_source_mappings(self, call: Call) -> Answer:
        """ListEventSourceMappings."""
        if name := call.query.get("FunctionName"):
            self._store.check_exists(self._store.account.resolve(name))
        return {"EventSourceMappings": []}

    def create_code_signing_config(self, call: Call) -> None:
        """CreateCodeSigningConfig."""
        call.json()
        raise not_supported("Code signing is", "any package is taken as it is")

    def get_code_signing_config(self, call: Call) -> None:
        """GetCodeSigningConfig, DeleteCodeSigningConfig, ListFunctionsByCodeSigningConfig."""
        arn = call.path["CodeSigningConfigArn"]
        message = f"The Lambda code signing configuration {arn} can not be found."
        raise ApiError(404, "ResourceNotFoundException", message, type_=None)

    delete_code_signing_config = get_code_signing_config
    list_functions_by_code_signing_config = get_code_signing_config

    def update_code_signing_config(self, call: Call) -> None:
        """UpdateCodeSigningConfig."""
        call.json()
        self.get_code_signing_config(call)

    def list_code_signing_configs(self, _: Call) -> Answer:
        """ListCodeSigningConfigs."""
        return {"CodeSigningConfigs": []}

    def put_function_code_signing_config(self, call: Call) -> None:
        """PutFunctionCodeSigningConfig: which configuration is looked at before the function."""
        arn = call.json()["CodeSigningConfigArn"]
        raise ApiError(
            404,
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided configuration "
            f"is not deleted: {arn}.",
        )

    def get_function_code_signing_config(self, call: Call) -> Answer:
        """GetFunctionCodeSigningConfig: none is set, for which Lambda returns an empty object."""
        self._store.check_exists(call.reference)
        return {}

    def delete_function_code_signing_config(self, call: Call) -> None:
        """DeleteFunctionCodeSigningConfig."""
        self._store.check_exists(call.reference)

    def put_provisioned_concurrency_config(self, call: Call) -> None:
        """PutProvisionedConcurrencyConfig."""
        wanted = call.json()["ProvisionedConcurrentExecutions"]
        self._check_published(
            call,
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        )
        left = self._concurrent_executions - self._store.reserved_in_all()
        if wanted > left:
            raise invalid(
                "Specified ConcurrentExecutions for function is greater than account's unreserved "
                f"concurrency [{left}].",
                type_=None,
            )
        check_left(left - wanted, self._concurrent_executions, "ConcurrentExecutions")
        raise not_supported(
            "Provisioned concurrency is",
            "environments start on demand here; keep one warm by invoking it, and see what "
            "provisioned concurrency does on AWS",
        )

    def get_provisioned_concurrency_config(self, call: Call) -> None:
        """GetProvisionedConcurrencyConfig."""
        self._check_published(call)
        raise ApiError(
            404,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )

    def delete_provisioned_concurrency_config(self, call: Call) -> None:
        """DeleteProvisionedConcurrencyConfig."""
        self._check_published(call)

    def list_provisioned_concurrency_configs(self, call: Call) -> Answer:
        """ListProvisionedConcurrencyConfigs."""
        self._store.check_exists(call.reference)
        return {"ProvisionedConcurrencyConfigs": []}

    def _check_published(self, call: Call, unpublished: str = _UNPUBLISHED) -> None:
        reference = call.reference
        if reference.qualifier == LATEST:
            raise invalid(unpublished)
        self._store.check_alias_or_version(reference)


def _service(body: dict[str, Any]) -> str:
    """The service of an event source, "" for one that is self-managed."""
    parts = str(body.get("EventSourceArn") or "").split(":")
    return parts[2] if len(parts) > 2 else ""


def _check_source(body: dict[str, Any]) -> None:
    """Refuse what AWS refuses of a source before it looks at the function."""
    source, start = body.get("EventSourceArn"), body.get("StartingPosition")
    if _service(body) in ("dynamodb", "kinesis") and start is None:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null."
        )
    if _service(body) == "dynamodb" and start == "AT_TIMESTAMP":
        raise invalid(f"Unsupported starting position for arn type: {source}")
    if body.get("SelfManagedEventSource") and not body.get("SourceAccessConfigurations"):
        raise invalid("Required 'sourceAccessConfigurations' parameter is missing.")
