"""What a request may have: by botocore's model of Lambda's API, and by the rules beyond it."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.loaders import Loader

from tuner.errors import LocalError
from tuner.local.control_plane.api_error import ApiError, invalid
from tuner.local.deployment import check_runtime
from tuner.model.interval import counted
from tuner.model.lambda_limits import (
    MAX_EPHEMERAL_STORAGE_MB,
    MAX_MEMORY_MB,
    MAX_TIMEOUT_S,
    MIN_EPHEMERAL_STORAGE_MB,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tuner.local.deployment import HostLimits

# Members that change what runs, in ways that this endpoint cannot show.
_REFUSED: Final = (
    *("FileSystemConfigs", "CodeSigningConfigArn", "TenancyConfig", "CapacityProviderConfig"),
    *("DurableConfig", "RuntimeConfig", "AcceleratorConfig", "PublishTo"),
)

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment
# variables": these cannot be set by a function's configuration.
RESERVED_VARIABLES: Final = frozenset(
    (
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_EXECUTION_ENV", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME"),
        *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API"),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    )
)
_OTHER_RULES: Final[dict[str, dict[str, Any]]] = {
    # The model's limits are those of managed instances; a function on demand has lower ones.
    "MemorySize": {"type": "integer", "min": MIN_MEMORY_MB, "max": MAX_MEMORY_MB},
    "Timeout": {"type": "integer", "min": 1, "max": MAX_TIMEOUT_S},
    "EphemeralStorageSize": {
        "type": "integer",
        "min": MIN_EPHEMERAL_STORAGE_MB,
        "max": MAX_EPHEMERAL_STORAGE_MB,
    },
    # `runtimes` knows more of them than an old botocore.
    "Runtime": {"type": "string"},
}
_TYPES: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "string": (str, "a string"),
    "blob": (str, "a string"),
    "integer": (int, "an integer"),
    "long": (int, "an integer"),
    "double": ((int, float), "a number"),
    "timestamp": ((int, float, str), "a timestamp"),
    "boolean": (bool, "a boolean"),
    "list": (list, "a list"),
    "map": (Mapping, "an object"),
    "structure": (Mapping, "an object"),
}
_MAY_HOLD_NULL: Final = frozenset({"SubnetIds", "SecurityGroupIds"})
"""Lists for whose elements AWS doesn't say "Member must not be null"."""
Rule = tuple[str, "Callable[[Any], bool]"]


def check_function(request: Mapping[str, Any], limits: HostLimits) -> None:
    """Check the members of a create or update request beyond AWS's limits for each."""
    for member in _REFUSED:
        if request.get(member):
            raise invalid(f"{member} is not supported by the local Lambda: leave it out")
    _check_memory(request.get("MemorySize"), limits)
    if (runtime := request.get("Runtime")) is not None:
        try:
            check_runtime(runtime)
        except LocalError as error:
            raise invalid(str(error)) from None
    _check_environment((request.get("Environment") or {}).get("Variables") or {})


def _check_memory(memory_mb: int | None, limits: HostLimits) -> None:
    """Refuse what the host's cores can't emulate, in the words of an account with a lower cap."""
    if memory_mb is not None and memory_mb > limits.max_memory_mb:
        raise invalid(
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
            f"equal to {limits.max_memory_mb} (memory buys CPU, 1,769 MB a core, and this host's "
            f"{counted(limits.core_count, 'core')} can't show more)"
        )


def _check_environment(variables: Mapping[str, Any]) -> None:
    """Check names, types, reserved keys and the 4 KB; no message has a value."""
    if not all(isinstance(value, str) for value in variables.values()):
        raise serialization_error("Environment.Variables must map strings")
    reserved = sorted(name for name in variables if name in RESERVED_VARIABLES)
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name in variables:
        if not re.fullmatch(r"[a-zA-Z]([a-zA-Z0-9_])+", name):
            raise validation_error(
                f"1 validation error detected: Map key '{name}' at 'environment.variables' failed "
                "to satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z]([a-zA-Z0-9_])+"
            )
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > 4096:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided exceeded the 4KB limit."
        )


def check_tags(tags: Mapping[str, Any], existing: Mapping[str, str]) -> None:
    """Check tags by Lambda's rules: at most 50, no JSON in values.

    Values have at most 256 letters, digits, spaces and `_ . : / = + - @`; keys 1 to 128.
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


@functools.cache
def service_model() -> dict[str, Any]:
    """Read the model, once: 0.04 s and 2 MB."""
    model: dict[str, Any] = Loader().load_service_model("lambda", "service-2", "2015-03-31")
    return model


def _shape(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = _OTHER_RULES.get(name) or service_model()["shapes"][name]
    return shape


def check(operation: str, request: Mapping[str, Any], *, in_body: bool = True) -> None:
    """Raise AWS's ValidationException with every constraint that a request breaks.

    `request` has the members of the body, or (`in_body` False) those of the path, the query, and
    the headers.
    """
    shape = _input_shape(operation)
    members = _shape(shape)["members"].items()
    left_out = {name for name, of in members if ("location" in of) == in_body}
    if broken := [*_broken(shape, request, "", left_out)]:
        count = counted(len(broken), "validation error")
        raise validation_error(f"{count} detected: {'; '.join(broken)}")


def check_parameters(
    operation: str,
    path: Mapping[str, str],
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
) -> None:
    """Check a request's parameters outside its body."""
    given: dict[str, Any] = {}
    for name, of in _shape(_input_shape(operation))["members"].items():
        where, kind = of.get("location"), _shape(of["shape"])["type"]
        key = of.get("locationName", name)
        value: Any = path.get(key)
        if where == "querystring":
            values = query.get(key)
            value = values if kind == "list" or not values else values[-1]
        elif where == "header":
            value = headers.get(key.lower())
        if kind in ("integer", "long") and value and value.removeprefix("-").isdecimal():
            value = int(value)
        if where is not None and kind != "boolean":
            given[name] = value
    check(operation, given, in_body=False)


def _input_shape(operation: str) -> str:
    name: str = service_model()["operations"][operation]["input"]["shape"]
    return name


def unmatched(where: str, value: str, shape: str) -> ApiError:
    """Build the error for a value that fails the pattern of its shape."""
    rule = f"Member must satisfy regular expression pattern: {_shape(shape)['pattern']}"
    return validation_error(f"1 validation error detected: {_told(value, where, rule)}")


def validation_error(message: str) -> ApiError:
    """Build what Lambda answers before it looks at what a request asks for."""
    return ApiError(400, "ValidationException", message, type_=None)


def serialization_error(message: str) -> ApiError:
    """Build what Lambda answers to a value of the wrong type for its member."""
    return ApiError(400, "SerializationException", message, type_=None)


def _broken(name: str, value: Any, where: str, left_out: Collection[str] = ()) -> Iterator[str]:
    """List every rule that a value breaks; raises ApiError if its type is wrong."""
    shape = _shape(name)
    types, kind = _TYPES[shape["type"]]
    is_kind: bool = isinstance(value, types)
    if not is_kind or isinstance(value, bool) != (shape["type"] == "boolean"):
        raise serialization_error(f"{where or 'the request'} must be {kind}")
    yield from (_told(value, where, rule) for rule, is_kept in _rules(shape) if not is_kept(value))
    if shape["type"] == "list":
        said, no_nulls = _told(value, where, "Member"), name not in _MAY_HOLD_NULL
        yield from _broken_elements(shape["member"]["shape"], value, where, said, no_nulls=no_nulls)
    # No message repeats values of variables and tags, which are texts: they may be secrets.
    if shape["type"] == "map" and _shape(shape["value"]["shape"])["type"] == "double":
        values, said = [*value.values()], _told(value, where, "Map value")
        yield from _broken_elements(shape["value"]["shape"], values, where, said)
        said = _told(value, where, "Map keys")
        yield from _broken_elements(shape["key"]["shape"], [*value], where, said, no_nulls=False)
    for member, of in shape.get("members", {}).items():
        if member in left_out:
            continue
        given = value.get(member)
        at = f"{where}.{member[0].lower()}{member[1:]}".removeprefix(".")
        if given is not None:
            yield from _broken(of["shape"], given, at)
        elif member in shape.get("required", ()):
            yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"


def _broken_elements(
    name: str, values: list[Any], where: str, said: str, *, no_nulls: bool = True
) -> Iterator[str]:
    """AWS reports a list or map as a whole, with all rules for its elements."""
    if any([*_broken(name, value, where)] for value in values):
        rules = [rule for rule, _ in _rules(_shape(name))]
        if no_nulls:
            rules.append("Member must not be null")
        yield f"{said} must satisfy constraint: [{', '.join(rules)}]"


def _rules(shape: Mapping[str, Any]) -> Iterator[Rule]:
    is_number = shape["type"] in ("integer", "long", "double")
    what, size = ("value", lambda value: value) if is_number else ("length", len)
    low, high, pattern = shape.get("min"), shape.get("max"), shape.get("pattern")
    if high is not None:
        yield f"Member must have {what} less than or equal to {high}", lambda v: size(v) <= high
    if low is not None:
        yield f"Member must have {what} greater than or equal to {low}", lambda v: size(v) >= low
    if pattern is not None and r"\p{" not in pattern:  # those of tags: see check_tags
        yield (
            f"Member must satisfy regular expression pattern: {pattern}",
            lambda v: re.fullmatch(pattern, v) is not None,
        )
    if enum := shape.get("enum"):
        yield f"Member must satisfy enum value set: [{', '.join(enum)}]", lambda v: v in enum


def _told(value: Any, where: str, rule: str) -> str:
    said = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    if isinstance(value, dict):
        pairs = (
            f"{key}={float(each) if isinstance(each, int) else each}" for key, each in value.items()
        )
        said = f"{{{', '.join(pairs)}}}"
    return f"Value '{said}' at '{where}' failed to satisfy constraint: {rule}"
