"""A typical value for a JSON Schema."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.payloads.sampling import Draw

_DEEPEST: Final = 24
_OFTEN_THERE: Final = 0.8
_MOST_PARTS: Final = 300
"""After that many, only what the schema requires: one that refers to itself has no end else."""
_MOST_MULTIPLES: Final = 1000


_TYPES: Final[Mapping[str, type]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": float,
    "object": dict,
    "string": str,
}


class Unsatisfiable(Exception):  # noqa: N818 - not an error: another try may do
    """No value was found for a part."""


def typical_value(schema: Any, draw: Draw, *, index: int) -> Any:
    """Return a value that a client would usually send. Raises Unsatisfiable, with the path."""
    return _Maker(schema, draw, index).value(schema, "$", 0)


class _Maker:
    def __init__(self, root: Any, draw: Draw, index: int) -> None:
        self._root, self._draw, self._index = root, draw, index
        self._part_count = 0

    @property
    def _is_long(self) -> bool:
        return self._part_count > _MOST_PARTS

    def _is_there(self, inner: Any) -> bool:
        return self._draw.uniform() < _OFTEN_THERE and inner is not False

    def value(self, schema: Any, path: str, depth: int) -> Any:
        self._part_count += 1
        if depth > _DEEPEST:
            raise Unsatisfiable(f"{path[:120]} refers to itself endlessly")
        schema = self._resolved(schema, path)
        if "const" in schema:
            return schema["const"]
        for name in ("enum", "examples"):
            if fitting := [each for each in schema.get(name) or () if _is_of_type(each, schema)]:
                return self._draw.choice(fitting)
        if "default" in schema and _is_of_type(schema["default"], schema):
            return schema["default"]
        make: Callable[[Mapping[str, Any], str, int], Any]
        make = getattr(self, f"_{_kind(schema)}", self._string)  # a text for draft 3's `any`
        return make(schema, path, depth)

    def _resolved(self, schema: Any, path: str) -> dict[str, Any]:
        """One schema without references, alternatives and unions."""
        for _ in range(_DEEPEST):
            if schema is True:
                return {}
            if schema is False:
                raise Unsatisfiable(f"{path} allows nothing")
            rest = {k: v for k, v in schema.items() if k not in {"$ref", "allOf", "anyOf", "oneOf"}}
            if "$ref" in schema:
                schema = _merged(rest, self._referred(schema["$ref"], path))
            elif "allOf" in schema:
                schema = _merged(_without(schema, "allOf"), *schema["allOf"])
            elif "anyOf" in schema or "oneOf" in schema:
                name = "anyOf" if "anyOf" in schema else "oneOf"
                schema = _merged(_without(schema, name), self._draw.choice(schema[name]))
            else:
                return dict(schema)
        raise Unsatisfiable(f"{path} refers to itself endlessly")

    def _referred(self, reference: str, path: str) -> Any:
        if not reference.startswith("#"):
            raise Unsatisfiable(f"{path} refers to another file: put it under $defs")
        target = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or name not in target:
                raise Unsatisfiable(f"{path} refers to something that isn't there")
            target = target[name]
        return target

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        required, properties = schema.get("required", []), schema.get("properties", {})
        if isinstance(required, bool):  # draft 3: each property says so of itself
            rules = properties.items()
            required = [n for n, rule in rules if isinstance(rule, dict) and rule.get("required")]
        made = {}
        for name, inner in properties.items():
            if name in required or (not self._is_long and self._is_there(inner)):
                try:
                    made[name] = self.value(inner, f"{path}.{name}", depth + 1)
                except Unsatisfiable:
                    if name in required:
                        raise
        for name in required:
            if name not in made:
                more = schema.get("additionalProperties", True)
                made[name] = self.value(more, f"{path}.{name}", depth + 1)
        self._fill(made, schema, path, depth)
        return made

    def _fill(self, made: dict[str, Any], schema: Mapping[str, Any], path: str, depth: int) -> None:
        """Add properties up to `minProperties`: those that were left out, then others."""
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        least = min(int(schema.get("minProperties", 0)), _MOST_PARTS)
        for name in (*properties, *(f"property{number}" for number in range(least))):
            if len(made) >= least:
                return
            if name not in made:
                with suppress(Unsatisfiable):
                    made[name] = self.value(properties.get(name, more), f"{path}.{name}", depth + 1)

    def _array(self, schema: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        fixed, rest = schema.get("prefixItems", []), schema.get("items", True)
        if isinstance(rest, list):  # until draft 2019-09
            fixed, rest = rest, schema.get("additionalItems", True)
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        usual = 0 if self._is_long else self._draw.integer(1, 3)
        count = min(max(least, len(fixed), usual), most)
        if rest is False:
            count = min(count, len(fixed))
        made: list[Any] = []
        for number in range(int(count)):
            inner = fixed[number] if number < len(fixed) else rest
            for _ in range(20 if schema.get("uniqueItems") else 1):
                item = self.value(inner, f"{path}[{number}]", depth + 1)
                if not schema.get("uniqueItems") or item not in made:
                    break
            made.append(item)
        return made

    def _string(self, schema: Mapping[str, Any], path: str, _depth: int) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if "format" in schema:
            made = self._formatted(schema["format"])
            if made is not None:
                return made
        if "pattern" in schema:
            raise Unsatisfiable(
                f"{path} has a pattern, which can't be generated: give it an enum or examples"
            )
        if most < least:
            raise Unsatisfiable(f"{path} has a minLength above its maxLength")
        return self._draw.text(int(min(max(least, self._draw.integer(8, 24)), most)))

    def _formatted(self, name: str) -> str | None:
        draw, moment = self._draw, self._draw.time(self._index)
        host = f"{draw.text(5).split()[0]}.example.com"
        return {
            "date-time": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "date": moment.date().isoformat(),
            "time": f"{moment:%H:%M:%S}Z",
            "duration": f"PT{draw.integer(1, 59)}M",
            "email": f"{draw.code(6)}@example.com",
            "hostname": host,
            "ipv4": f"203.0.113.{draw.integer(1, 254)}",
            "ipv6": f"2001:db8::{draw.integer(1, 9999)}",
            "uri": f"https://{host}/{draw.code(8)}",
            "uuid": draw.uuid(),
        }.get(name)

    def _integer(self, schema: Mapping[str, Any], path: str, _depth: int) -> int:
        first, last = _multiples(schema, path)
        return int(self._draw.integer(first, last) * schema.get("multipleOf", 1))

    def _multiple(self, schema: Mapping[str, Any], path: str) -> float:
        """A whole number if there is one near; else the next multiple that a validator takes, which
        divides: 0.07 / 0.01 isn't 7.
        """
        step: float = schema["multipleOf"]
        first, last = _multiples(schema, path)
        drawn = self._draw.integer(first, last)
        whole = int(drawn * step)
        if first <= whole / step <= last and (whole / step).is_integer():
            return whole
        for number in islice(chain(range(drawn, last + 1), range(first, drawn)), _MOST_MULTIPLES):
            value = round(number * step, 12)
            if (value / step).is_integer():
                return value
        raise Unsatisfiable(f"{path} has no multiple of {step:g} in its range")

    def _number(self, schema: Mapping[str, Any], path: str, _depth: int) -> float:
        if "multipleOf" in schema:
            return self._multiple(schema, path)
        low, high = _bounds(schema)
        if low > high:
            raise Unsatisfiable(f"{path} has a minimum above its maximum")
        return round(low + (high - low) * (0.05 + 0.9 * self._draw.uniform()), 6)

    def _boolean(self, _schema: Mapping[str, Any], _path: str, _depth: int) -> bool:
        return self._draw.uniform() < 0.5

    def _null(self, _schema: Mapping[str, Any], _path: str, _depth: int) -> None:
        return None


def _is_of_type(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value that a schema suggests is of its type: many have `default: null` for none."""
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or not {*kinds} <= _TYPES.keys():
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return any(
        is_number and (kind == "number" or value % 1 == 0)
        if kind in ("number", "integer")
        else isinstance(value, _TYPES[kind])
        for kind in kinds
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """The schema's type; of several, the first that isn't null; else what its keywords suggest."""
    given = schema.get("type")
    if isinstance(given, list):
        given = next((each for each in given if each != "null" and isinstance(each, str)), "null")
    if given:
        return str(given)
    hints = {"properties": "object", "required": "object", "items": "array", "minimum": "number"}
    return next((kind for word, kind in hints.items() if word in schema), "string")


def _multiples(schema: Mapping[str, Any], path: str) -> tuple[int, int]:
    """How many times `multipleOf` (or 1) the range begins and ends with."""
    step = schema.get("multipleOf", 1)
    # Without a division whole numbers above 2^53 stay what they are.
    low, high = (end if step == 1 else end / step for end in _bounds(schema))
    first, last = math.ceil(low), math.floor(high)
    first += first * step <= schema.get("exclusiveMinimum", -math.inf)
    last -= last * step >= schema.get("exclusiveMaximum", math.inf)
    if first > last:
        raise Unsatisfiable(f"{path} has no whole number in its range")
    return first, last


def _bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    """The range, a hundred wide if one end is open."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None:
        low = min(0, high - 100) if high is not None and high < 100 else 0
    return low, low + 100 if high is None else high


def _merged(*schemas: Any) -> Any:
    """Several schemas in one: properties and requirements together, the tighter ranges."""
    merged: dict[str, Any] = {}
    for schema in schemas:
        if schema is False:
            return False
        for name, given in ({} if schema is True else schema).items():
            before = merged.get(name)
            if before is None:
                merged[name] = given
            elif name == "properties":
                merged[name] = {**before, **given}
            elif name in {"required", "allOf"}:
                merged[name] = [*before, *given]
            elif name.startswith(("min", "exclusiveMin")):
                merged[name] = max(before, given)
            elif name.startswith(("max", "exclusiveMax")):
                merged[name] = min(before, given)
            else:
                merged[name] = given
    return merged


def _without(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: given for key, given in schema.items() if key != name}
