"""Events from a JSON Schema: what a client would usually send, not what would break a parser.

Most properties are present, numbers are in the middle of their range, lists are short
(`schema_values`); texts grow to reach a size. Every event is validated with jsonschema before it is
used.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError
from tuner.model.optional_import import optional_import
from tuner.payloads.body import checked
from tuner.payloads.sampling import Draw, quasirandom
from tuner.payloads.schema_values import Unsatisfiable, typical_value

if TYPE_CHECKING:
    from tuner.payloads.sampling import SizeDistribution

_FIXED: Final = ("enum", "const", "format", "pattern", "$ref", "examples")
_MODULES: Final = ("jsonschema", "referencing")
_TRIES: Final = 20


def enlarged(schema: Any, value: Any, wanted_bytes: int, draw: Draw) -> Any:
    """Return `value` with longer texts, as close to `wanted_bytes` as the schema allows.

    If it's already larger, or has no room, it's returned as it is.
    """
    missing = wanted_bytes - len(_written(value).encode())
    if missing <= 0:
        return value
    larger = copy.deepcopy(value)
    for owner, name, room in _rooms(schema, larger):
        if missing <= 0:
            break
        added = min(missing, room)
        owner[name] = owner[name] + " " * (added > 0) + draw.text(max(0, added - 1))
        missing -= added
    return larger


def _rooms(schema: Any, value: Any) -> list[tuple[Any, Any, int]]:
    """Texts that may grow, the roomiest first: (what has it, its name there, by how much)."""
    found = []
    if isinstance(schema, dict) and isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += _inner(inner, value, name)
    elif isinstance(schema, dict) and isinstance(value, list):
        for number in range(len(value)):
            found += _inner(schema.get("items", True), value, number)
    return sorted(found, key=lambda each: -each[2])


def _inner(schema: Any, owner: Any, name: Any) -> list[tuple[Any, Any, int]]:
    if isinstance(owner[name], str):
        if not isinstance(schema, dict) or any(word in schema for word in _FIXED):
            return []
        most = schema.get("maxLength", math.inf)
        return [(owner, name, int(min(most - len(owner[name]), 1 << 30)))]
    return _rooms(schema, owner[name])


class SchemaEvents:
    """Events that satisfy a schema, with sizes from a distribution if one is given."""

    def __init__(
        self, text: str, *, file: str, key: str, size: SizeDistribution | None = None
    ) -> None:
        """Read and check the schema. Raises PayloadError, which names file and path."""
        with optional_import(
            "schemas need jsonschema", *_MODULES, extra="payloads", error=PayloadError
        ):
            jsonschema, referencing = (import_module(name) for name in _MODULES)
        self._unresolvable = referencing.exceptions.Unresolvable
        self._schema, self._file, self._key, self._size = _parsed(text, file), file, key, size
        kind = jsonschema.validators.validator_for(
            self._schema, default=jsonschema.Draft202012Validator
        )
        try:
            kind.check_schema(self._schema)
        except jsonschema.SchemaError as error:
            raise PayloadError(
                f"schema {file} isn't valid, at {error.json_path}: its {error.validator} is wrong"
            ) from None
        # An empty registry: a $ref fetches nothing, neither from the network nor from a file.
        registry = referencing.Registry()
        self._validator = kind(self._schema, format_checker=kind.FORMAT_CHECKER, registry=registry)
        recipe = json.dumps([self._schema, key, repr(size)], sort_keys=True)
        self.digest = hashlib.sha256(recipe.encode()).hexdigest()

    def body(self, index: int) -> bytes:
        """Return the event at `index`. Raises PayloadError."""
        return checked(
            self.part(index).encode(), f"schema {self._file}: the event at index {index}"
        )

    def part(self, index: int, part: int = 0) -> str:
        """Return a value for one part of the batch of one event, as JSON."""
        why = ""
        for attempt in range(_TRIES):
            draw = Draw(self._key, index, part, attempt)
            try:
                value = typical_value(self._schema, draw, index=index)
            except Unsatisfiable as error:
                why = str(error)
                continue
            problem = self._problem(value)
            if problem is None:
                break
            why = problem
        else:
            raise PayloadError(f"schema {self._file} can't be met: {why}")
        if self._size is not None:
            wanted = self._size.at(quasirandom(self._key, index, part))
            value = enlarged(self._schema, value, wanted, draw)
            if problem := self._problem(value):
                raise PayloadError(
                    f"schema {self._file} can't be met with {wanted} bytes: {problem}"
                )
        return _written(value)

    def _problem(self, value: Any) -> str | None:
        """Where a value fails the schema. The value itself isn't repeated."""
        try:
            error = next(iter(self._validator.iter_errors(value)), None)
        except self._unresolvable:
            return "a $ref leads nowhere in the schema: write out what it means"
        except RecursionError:
            return "it refers to itself endlessly"
        return None if error is None else f"{error.json_path} fails {error.validator}"


def _parsed(text: str, file: str) -> Any:
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        raise PayloadError(
            f"schema {file} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (ValueError, RecursionError):
        raise PayloadError(f"schema {file} is not JSON") from None
    if not isinstance(schema, dict | bool):
        raise PayloadError(f"schema {file} isn't one: it must be an object")
    return schema


def _written(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
