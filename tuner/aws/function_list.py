"""The functions of an account in a region, and their provisioned environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.aws.configuration import function_config
from tuner.aws.function_ref import arn_part
from tuner.errors import AwsError
from tuner.model.account import AccountFunction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.services import Services

_PAGE: Final = 50
_EXTENSION: Final = ":layer:LambdaInsightsExtension"


def list_functions(services: Services) -> Iterator[AccountFunction]:
    """Every function, 50 a page. Raises AwsError."""
    for raw in services.listed("lambda", "ListFunctions", MaxItems=_PAGE):
        yield account_function(raw, services.region)


def read_function(services: Services, function: FunctionRef) -> AccountFunction:
    """One function, at $LATEST. Raises AwsError and its subclasses."""
    answer = services.ask("lambda", "GetFunction", function, FunctionName=function.target)
    return account_function(answer.get("Configuration", {}), services.region)


def account_function(raw: dict[str, Any], region: str) -> AccountFunction:
    """Read a FunctionConfiguration. Raises AwsError for one without name, memory or timeout."""
    config = function_config(raw, region=region)
    logging = raw.get("LoggingConfig") or {}
    return AccountFunction(
        account=arn_part(config.arn, 4),
        region=config.region,
        name=config.name,
        architecture=config.architecture,
        runtime=config.runtime,
        memory_mb=config.memory_mb,
        timeout_s=config.timeout_s,
        ephemeral_storage_mb=config.ephemeral_storage_mb,
        code_sha256=config.code_sha256,
        log_group=logging.get("LogGroup") or f"/aws/lambda/{config.name}",
        logs_json=logging.get("LogFormat") == "JSON",
        log_has_reports=config.log_has_reports,
        has_lambda_insights=any(
            _EXTENSION in layer.get("Arn", "") for layer in raw.get("Layers") or ()
        ),
    )


def provisioned_counts(services: Services, function: str) -> tuple[tuple[str, int], ...]:
    """A function's (version or alias, provisioned environments); usually none.

    Raises AwsError.
    """
    found = []
    for raw in services.listed(
        "lambda", "ListProvisionedConcurrencyConfigs", FunctionName=function
    ):
        qualifier = str(raw.get("FunctionArn", "")).rpartition(":")[2]
        if not qualifier:
            raise AwsError(f"the provisioned concurrency of {function} names no version")
        count = raw.get("RequestedProvisionedConcurrentExecutions", 0)
        found.append((qualifier, int(count)))
    return tuple(found)


def version_digests(services: Services, function: str) -> dict[str, str]:
    """The digest of each version's code, $LATEST among them. Raises AwsError."""
    return {
        str(raw.get("Version")): str(raw.get("CodeSha256", ""))
        for raw in _versions(services, function)
    }


def version_layers(services: Services, function: str) -> dict[str, tuple[tuple[str, int], ...]]:
    """The layers of each version, $LATEST among them, as (name:version, bytes). Raises AwsError."""
    return {
        str(raw.get("Version")): tuple(
            (":".join(str(layer.get("Arn", "")).split(":")[6:]), int(layer.get("CodeSize", 0)))
            for layer in raw.get("Layers") or ()
        )
        for raw in _versions(services, function)
    }


def _versions(services: Services, function: str) -> Iterator[dict[str, Any]]:
    return services.listed(
        "lambda", "ListVersionsByFunction", FunctionName=function, MaxItems=_PAGE
    )
