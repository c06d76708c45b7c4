"""A value as one JSON object, and strictly back: the format of saved files.

`to_record` leaves out fields that are None; `from_record` refuses unknown fields, missing ones,
wrong types, numbers that aren't finite and choices that don't exist.
"""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")

_MAX_EXACT_INT = 2**53


class RecordError(ValueError):
    """An object isn't the record of a value; the message names the field."""


def to_record(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as a JSON object."""
    record = {}
    for name in _field_names(cast("Hashable", type(value))):
        field = getattr(value, name)
        if field is not None:
            record[name] = _plain(field)
    return record


def from_record(kind: type[T], record: object) -> T:
    """Return the value of dataclass `kind` that `to_record` made `record` from.

    Raises RecordError.
    """
    if not isinstance(record, dict):
        raise RecordError("is not an object")
    parsers = _parsers(cast("Hashable", kind))
    unknown = sorted(set(record) - set(parsers))
    if unknown:
        raise RecordError(f"has an unknown field {_shown(unknown[0])}")
    values = {}
    for name, (parse, required, optional) in parsers.items():
        if name in record:
            values[name] = _parse_field(name, parse, record[name])
        elif optional:
            values[name] = None
        elif required:
            raise RecordError(f"lacks the field {name}")
    return kind(**values)


def read_object(text: str | bytes) -> dict[str, Any] | None:
    """Read what may be a JSON object; None if it's anything else, or nested too deeply."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_field(name: str, parse: Callable[[Any], Any], value: Any) -> Any:
    try:
        return parse(value)
    except RecordError as error:
        raise RecordError(f"{name} {error}") from None


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return to_record(value) if is_dataclass(value) else value


@cache
def _parsers(kind: Any) -> dict[str, tuple[Callable[[Any], Any], bool, bool]]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: (
            _parser(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
            type(None) in get_args(hints[field.name]),
        )
        for field in fields(kind)
    }


def _parser(hint: Any) -> Callable[[Any], Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return partial(_choice, args)
    if origin is tuple:
        is_of_any_length = args[1:] == (...,)
        parsers = tuple(_parser(arg) for arg in args if arg is not ...)
        return partial(_items, *parsers) if is_of_any_length else partial(_fixed_items, parsers)
    if origin in (Union, types.UnionType):
        [inner] = [arg for arg in args if arg is not type(None)]
        return _parser(inner)  # None is left out of a record, never written
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(from_record, hint)
    if issubclass(hint, Enum):
        return partial(_member, hint)
    return {int: _int, float: _float, str: _str, bool: _bool, datetime: _moment}[hint]


def _items(parse: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise RecordError("is not a list")
    return tuple(parse(item) for item in value)


def _fixed_items(parsers: tuple[Callable[[Any], Any], ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != len(parsers):
        raise RecordError(f"is not a list of {len(parsers)}")
    return tuple(parse(item) for parse, item in zip(parsers, value, strict=True))


def _choice(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices or type(value) is not type(choices[0]):
        raise RecordError(f"is not one of {', '.join(map(str, choices))}")
    return value


def _member(kind: type[Enum], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise RecordError(f"is not one of {', '.join(str(item.value) for item in kind)}") from None


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) > _MAX_EXACT_INT:
        raise RecordError("is not a whole number")
    return value


def _float(value: Any) -> float:
    if type(value) not in (int, float) or abs(value) > _MAX_EXACT_INT or math.isnan(value):
        raise RecordError("is not a number")
    return float(value)


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise RecordError("is not text")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RecordError("is not true or false")
    return value


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise RecordError("is not a time") from None


def _shown(text: object) -> str:
    """Return a name from a foreign file, safe to put in a message."""
    return ascii(str(text)[:40])
