"""Makes a value larger where its schema leaves room: a text without a limit of its length."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.payloads.draw import Draw

_FIXED: Final = ("enum", "const", "format", "pattern", "$ref", "examples")


def grown(schema: Any, value: Any, wanted_bytes: int, draw: Draw) -> Any:
    """Return `value` with longer texts, as near to `wanted_bytes` as the schema lets it come.

    What is larger already, or has no room, is returned as it is.
    """
    missing = wanted_bytes - _size(value)
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
    """Texts that may grow, the roomiest first: (what holds it, its name there, by how much)."""
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


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
