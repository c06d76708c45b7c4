"""Takes out of a reply what is the account's: ids, names, addresses, digests and times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_REPLACED: Final = (
    (re.compile(r":(role|user|assumed-role)/[\w+=,.@/-]+"), r":\1/NAME"),
    (re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])"), "000000000000"),
    (re.compile(r"\blive-[0-9]{8}-[0-9]{6}-[0-9a-f]+"), "ID"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b1-[0-9a-f]{8}-[0-9a-f]{24}\b"), "TRACE"),
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "HEX"),
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}="), "DIGEST"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}\b"), "KEY"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,20}(?:Z|[+-][0-9:]{4,5})?"), "TIME"),
    (re.compile(r"https?://[^\s\"]+"), "URL"),
)


def redacted(value: Any, names: Iterable[str]) -> Any:
    """JSON without them, in every text of it; `names` are the functions'."""
    if isinstance(value, dict):
        return {name: redacted(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [redacted(each, names) for each in value]
    if not isinstance(value, str):
        return value
    for name in names:
        value = value.replace(name, "FUNCTION")
    for pattern, instead in _REPLACED:
        value = pattern.sub(instead, value)
    return value
