"""Lambda's API as botocore describes it: each operation's route, and what its request may hold."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader

from tuner.local.control_plane.api_error import ApiError
from tuner.model.limits import (
    MAX_EPHEMERAL_STORAGE_MB,
    MAX_MEMORY_MB,
    MAX_TIMEOUT_S,
    MIN_EPHEMERAL_STORAGE_MB,
    MIN_MEMORY_MB,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    "boolean": (bool, "a boolean"),
    "list": (list, "a list"),
    "map": (Mapping, "an object"),
    "structure": (Mapping, "an object"),
}
Rule = tuple[str, "Callable[[Any], bool]"]


@functools.cache
def _model() -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model("lambda", "service-2", "2015-03-31")
    return model


def _shape(name: str) -> dict[str, Any]:
    shape: dict[str, Any] = _OTHER_RULES.get(name) or _model()["shapes"][name]
    return shape


@dataclass(frozen=True, slots=True)
class Route:
    """An operation's method and path; some have their path's query in common with another's."""

    operation: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[tuple[str, str]]

    def match(self, method: str, path: str, query: str) -> dict[str, str] | None:
        """Give the path's parameters, decoded, or None for another operation's request."""
        found = self.pattern.fullmatch(path) if method == self.method else None
        if found is None or not self.query <= {*parse_qsl(query)}:
            return None
        return {name: unquote(part) for name, part in found.groupdict().items()}


def read_routes() -> tuple[Route, ...]:
    """Give every operation's route: Invoke's first, and those that need a query before others."""
    routes = []
    for name, operation in _model()["operations"].items():
        template, _, query = operation["http"]["requestUri"].partition("?")
        # A trailing slash is tolerated: older clients send one for lists.
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?")
        method = operation["http"]["method"]
        routes.append(Route(name, method, pattern, frozenset(parse_qsl(query))))
    return tuple(sorted(routes, key=lambda route: (route.operation != "Invoke", not route.query)))


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Raise AWS's ValidationException with every constraint that a request's body breaks."""
    _refuse([*_broken(_input_shape(operation), request, "")])


def check_member(operation: str, member: str, value: object) -> None:
    """Check one member that a request's path, query or headers give."""
    shape = _shape(_input_shape(operation))["members"][member]["shape"]
    _refuse([*_broken(shape, value, f"{member[0].lower()}{member[1:]}")])


def _input_shape(operation: str) -> str:
    name: str = _model()["operations"][operation]["input"]["shape"]
    return name


def _refuse(broken: list[str]) -> None:
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise validation_error(f"{len(broken)} validation {errors} detected: {'; '.join(broken)}")


def unmatched(where: str, value: str, shape: str) -> ApiError:
    """Build the error for a value that fails the pattern of its shape."""
    rule = f"Member must satisfy regular expression pattern: {_shape(shape)['pattern']}"
    return validation_error(f"1 validation error detected: {_told(value, where, rule)}")


def validation_error(message: str) -> ApiError:
    """Build what Lambda answers before it looks at what a request asks for."""
    return ApiError(400, "ValidationException", message, type_=None)


def serialization_error(message: str) -> ApiError:
    """Build what Lambda answers to a value of another type than its member's."""
    return ApiError(400, "SerializationException", message, type_=None)


def _broken(name: str, value: Any, where: str) -> Iterator[str]:
    """Tell every rule that a value breaks; raises ApiError where it is of another type."""
    shape = _shape(name)
    types, kind = _TYPES[shape["type"]]
    is_kind: bool = isinstance(value, types)
    if not is_kind or isinstance(value, bool) != (shape["type"] == "boolean"):
        raise serialization_error(f"{where or 'the request'} must be {kind}")
    yield from (_told(value, where, rule) for rule, is_kept in _rules(shape) if not is_kept(value))
    if shape["type"] == "list":
        yield from _broken_elements(shape["member"]["shape"], value, where)
    for member, of in shape.get("members", {}).items():
        given = value.get(member)
        at = f"{where}.{member[0].lower()}{member[1:]}".removeprefix(".")
        if given is not None:
            yield from _broken(of["shape"], given, at)
        elif member in shape.get("required", ()) and "location" not in of:
            yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"


def _broken_elements(name: str, values: list[Any], where: str) -> Iterator[str]:
    """AWS tells of a list as a whole, with all rules for what is in it."""
    if any([*_broken(name, value, where)] for value in values):
        rules = ", ".join(rule for rule, _ in _rules(_shape(name)))
        yield _told(values, where, f"Member must satisfy constraint: [{rules}]")


def _rules(shape: Mapping[str, Any]) -> Iterator[Rule]:
    is_number = shape["type"] in ("integer", "long", "double")
    what, size = ("value", lambda value: value) if is_number else ("length", len)
    low, high, pattern = shape.get("min"), shape.get("max"), shape.get("pattern")
    if high is not None:
        yield f"Member must have {what} less than or equal to {high}", lambda v: size(v) <= high
    if low is not None:
        yield f"Member must have {what} greater than or equal to {low}", lambda v: size(v) >= low
    if pattern is not None:
        yield (
            f"Member must satisfy regular expression pattern: {pattern}",
            lambda v: re.fullmatch(pattern, v) is not None,
        )
    if enum := shape.get("enum"):
        yield f"Member must satisfy enum value set: [{', '.join(enum)}]", lambda v: v in enum


def _told(value: Any, where: str, rule: str) -> str:
    said = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    return f"Value '{said}' at '{where}' failed to satisfy constraint: {rule}"
