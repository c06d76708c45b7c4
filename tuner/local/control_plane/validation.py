"""What Lambda, or this host, refuses of a function beyond what the service model says."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError
from tuner.local.control_plane.api_error import invalid
from tuner.local.control_plane.service_model import serialization_error, validation_error
from tuner.local.runtimes import check_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def check_function(request: Mapping[str, Any], max_memory_mb: int, core_count: int) -> None:
    """Check the members of a create or update request beyond AWS's limits for each."""
    for member in _REFUSED:
        if request.get(member):
            raise invalid(f"{member} is not supported by the local Lambda: leave it out")
    _check_memory(request.get("MemorySize"), max_memory_mb, core_count)
    _check_runtime(request.get("Runtime"))
    _check_environment((request.get("Environment") or {}).get("Variables") or {})


def _check_memory(memory_mb: int | None, max_memory_mb: int, core_count: int) -> None:
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


def _check_environment(variables: Mapping[str, Any]) -> None:
    """Check names, types, reserved keys and the 4 KB; no value is ever put into a message."""
    if not all(isinstance(value, str) for value in variables.values()):
        raise serialization_error("Environment.Variables must map strings")
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
            raise validation_error(
                f"1 validation error detected: Map key '{name}' at 'environment.variables' failed "
                "to satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z]([a-zA-Z0-9_])+"
            )
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > 4096:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided exceeded the 4KB limit."
        )


def check_tags(tags: Mapping[str, Any], existing: Mapping[str, str]) -> None:
    """Check tags by Lambda's rules: at most 50, no JSON in values.

    Values hold at most 256 letters, digits, spaces and `_ . : / = + - @`; keys 1 to 128.
    """
    if not all(isinstance(value, str) for value in tags.values()):
        raise serialization_error("Tags must map strings to strings")
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
