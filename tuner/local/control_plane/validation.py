"""Limits on a request's members, and the words in which AWS refuses what breaks them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tuner.errors import LocalError
from tuner.local.control_plane.error import ApiError, invalid
from tuner.local.runtimes import check_runtime
from tuner.model.limits import MAX_TIMEOUT_S

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Constraint:
    """What one member of a request must be. `path` leads to it through nested objects."""

    path: str
    kind: type = str
    low: int | None = None
    high: int | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()

    def find(self, request: Mapping[str, Any]) -> Any:
        """Give the member, or _ABSENT."""
        value: Any = request
        for part in self.path.split("."):
            if not isinstance(value, Mapping) or value.get(part) is None:
                return _ABSENT
            value = value[part]
        return value

    def broken_by(self, value: Any) -> str | None:
        """Say which rule the value breaks; raises ApiError if it is of another type."""
        if not isinstance(value, self.kind) or (self.kind is int and isinstance(value, bool)):
            raise ApiError(
                400,
                "SerializationException",
                f"{self.path} must be {_KIND_NAMES[self.kind]}",
                type_=None,
            )
        return self._broken_range(value) or self._broken_text(value)

    def _broken_range(self, value: Any) -> str | None:
        if self.low is None and self.high is None:
            return None
        size = value if self.kind is int else len(value)
        what = "value" if self.kind is int else "length"
        if self.low is not None and size < self.low:
            return f"Member must have {what} greater than or equal to {self.low}"
        if self.high is not None and size > self.high:
            return f"Member must have {what} less than or equal to {self.high}"
        return None

    def _broken_text(self, value: Any) -> str | None:
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            return f"Member must satisfy regular expression pattern: {self.pattern}"
        if self.values and value not in self.values:
            return f"Member must satisfy enum value set: [{', '.join(self.values)}]"
        return None


_KIND_NAMES: Final = {str: "a string", int: "an integer", list: "a list", bool: "a boolean"}
_ARN: Final = r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
_LOG_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

FUNCTION_CONSTRAINTS: Final = (
    Constraint("MemorySize", int, 128, 10240),
    Constraint("Timeout", int, 1, MAX_TIMEOUT_S),
    Constraint("EphemeralStorage.Size", int, 512, 10240),
    Constraint("Description", str, 0, 256),
    Constraint("Handler", str, 0, 128, pattern=r"[^\s]+"),
    Constraint("Runtime", str, 1, 64, pattern=r"[a-z0-9.\-]+"),
    Constraint("Role", pattern=r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"),
    Constraint("KMSKeyArn", pattern=_ARN),
    Constraint("DeadLetterConfig.TargetArn", pattern=_ARN),
    Constraint("TracingConfig.Mode", values=("Active", "PassThrough")),
    Constraint("SnapStart.ApplyOn", values=("PublishedVersions", "None")),
    Constraint("PackageType", values=("Zip", "Image")),
    Constraint("Architectures", list, 1, 1),
    Constraint("LoggingConfig.LogFormat", values=("JSON", "Text")),
    Constraint("LoggingConfig.ApplicationLogLevel", values=_LOG_LEVELS),
    Constraint("LoggingConfig.SystemLogLevel", values=("DEBUG", "INFO", "WARN")),
    Constraint("LoggingConfig.LogGroup", str, 1, 512, pattern=r"[.\-_/#A-Za-z0-9]+"),
    Constraint("Layers", list),
    Constraint("VpcConfig.SubnetIds", list, 0, 16),
    Constraint("VpcConfig.SecurityGroupIds", list, 0, 5),
    Constraint("VpcConfig.Ipv6AllowedForDualStack", bool),
    Constraint("Publish", bool),
    Constraint("DryRun", bool),
    Constraint("RevisionId", str),
    Constraint("CodeSha256", str),
)

# Members that change what runs, in ways that this endpoint cannot show.
_REFUSED: Final = (
    "FileSystemConfigs",
    "CodeSigningConfigArn",
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "PublishTo",
)


def check(request: Mapping[str, Any], constraints: tuple[Constraint, ...]) -> None:
    """Raise AWS's ValidationException with every broken constraint, if there is one."""
    broken = []
    for constraint in constraints:
        value = constraint.find(request)
        if value is _ABSENT:
            continue
        rule = constraint.broken_by(value)
        if rule is not None:
            where = ".".join(part[0].lower() + part[1:] for part in constraint.path.split("."))
            broken.append(f"Value '{value}' at '{where}' failed to satisfy constraint: {rule}")
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise ApiError(
            400,
            "ValidationException",
            f"{len(broken)} validation {errors} detected: {'; '.join(broken)}",
            type_=None,
        )


def check_function(request: Mapping[str, Any], max_memory_mb: int, core_count: int) -> None:
    """Check the members of a create or update request against AWS's and this host's limits."""
    check(request, FUNCTION_CONSTRAINTS)
    for member in _REFUSED:
        if request.get(member):
            raise invalid(f"{member} is not supported by the local Lambda: leave it out")
    check_memory(request.get("MemorySize"), max_memory_mb, core_count)
    _check_runtime(request.get("Runtime"))
    _check_architecture(request.get("Architectures"))
    environment = request.get("Environment")
    if environment is not None:
        _check_environment(environment)


def check_memory(memory_mb: int | None, max_memory_mb: int, core_count: int) -> None:
    """Refuse what the host's cores cannot show, in the words of an account whose cap is lower."""
    if memory_mb is not None and memory_mb > max_memory_mb:
        cores = f"{core_count} core{'' if core_count == 1 else 's'}"
        raise invalid(
            "'MemorySize' value failed to satisfy constraint: Member must have value less than "
            f"or equal to {max_memory_mb} (memory buys CPU, 1,769 MB a core, and this host's "
            f"{cores} cannot show more)"
        )


def _check_runtime(runtime: str | None) -> None:
    if runtime is None:
        return
    try:
        check_runtime(runtime)
    except LocalError as error:
        raise invalid(str(error)) from None


def _check_architecture(architectures: list[str] | None) -> None:
    if architectures is not None and architectures[0] not in ("x86_64", "arm64"):
        raise ApiError(
            400,
            "ValidationException",
            f"1 validation error detected: Value '[{architectures[0]}]' at 'architectures' failed "
            "to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum "
            "value set: [x86_64, arm64]]",
            type_=None,
        )


# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment
# variables": these cannot be set by a function's configuration.
RESERVED_VARIABLES: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)


def _check_environment(environment: Any) -> None:
    """Check names, types, reserved keys and the 4 KB; no value is ever put into a message."""
    variables = environment.get("Variables") if isinstance(environment, Mapping) else None
    variables = {} if variables is None else variables
    if not isinstance(variables, Mapping) or not all(
        isinstance(value, str) for value in variables.values()
    ):
        raise ApiError(
            400, "SerializationException", "Environment.Variables must map strings", type_=None
        )
    reserved = sorted(name for name in variables if name in RESERVED_VARIABLES)
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    if "AWS_LAMBDA_EXEC_WRAPPER" in variables:
        raise invalid(
            "AWS_LAMBDA_EXEC_WRAPPER starts the runtime through an extension's script, which the "
            "local Lambda cannot: leave it out"
        )
    for name in variables:
        if not re.fullmatch(r"[a-zA-Z]([a-zA-Z0-9_])+", name):
            raise ApiError(
                400,
                "ValidationException",
                f"1 validation error detected: Map key '{name}' at 'environment.variables' failed "
                "to satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z]([a-zA-Z0-9_])+",
                type_=None,
            )
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > 4096:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided exceeded the 4KB limit."
        )


def check_tags(tags: Any, existing: Mapping[str, str]) -> None:
    """Check tags by Lambda's rules: at most 50, no JSON in values.

    Values hold at most 256 letters, digits, spaces and `_ . : / = + - @`; keys 1 to 128.
    """
    if not isinstance(tags, Mapping) or not all(isinstance(v, str) for v in tags.values()):
        raise ApiError(
            400, "SerializationException", "Tags must map strings to strings", type_=None
        )
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys that start with 'aws:' are reserved for AWS")
        if not 1 <= len(key) <= 128 or not all(map(_allowed_in_tag, key)):
            raise invalid(f"The tag key {key!r} is too long or has characters that are not allowed")
        if len(value) > 256 or not all(map(_allowed_in_tag, value)):
            raise invalid(
                f"The value of tag {key!r} must have at most 256 characters and satisfy the "
                r"pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
            )
    if len({*existing, *tags}) > 50:
        raise invalid("Number of tags exceeds resource tag limit.")


def _allowed_in_tag(character: str) -> bool:
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN"
