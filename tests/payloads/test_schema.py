"""Events from a JSON Schema: typical, valid, seeded, of the sizes that were asked for."""

from __future__ import annotations

import json
from statistics import median
from typing import Any

import jsonschema
import pytest

from tuner.errors import PayloadError
from tuner.payloads import schema
from tuner.payloads.sampling import parse_distribution
from tuner.payloads.schema import SchemaEvents

ORDER: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "lines", "note"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "at": {"type": "string", "format": "date-time"},
        "kind": {"enum": ["order", "refund"]},
        "email": {"type": ["string", "null"], "format": "email"},
        "total": {"type": "number", "exclusiveMinimum": 0, "maximum": 500},
        "note": {"type": "string", "minLength": 3},
        "short": {"type": "string", "maxLength": 10},
        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}},
        "payment": {"oneOf": [{"const": "cash"}, {"$ref": "#/$defs/card"}]},
        "flag": {"type": "boolean"},
    },
    "$defs": {
        "line": {
            "type": "object",
            "required": ["sku", "count"],
            "properties": {
                "sku": {"type": "string", "minLength": 8, "maxLength": 8},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
            },
        },
        "card": {
            "allOf": [
                {"type": "object", "required": ["last"]},
                {"properties": {"last": {"type": "integer", "minimum": 1000, "maximum": 9999}}},
            ]
        },
    },
}


def events(schema: Any, sizes: str | None = None) -> SchemaEvents:
    size = parse_distribution(sizes) if sizes else None
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return SchemaEvents(text, file="order.schema.json", key="1/order", size=size)


def test_every_event_is_valid_and_seeded() -> None:
    """Checked with another validator's run; the same again for the same seed."""
    first, second = events(ORDER), events(ORDER)
    bodies = [first.body(index) for index in range(100)]
    assert bodies == [second.body(index) for index in range(100)]
    assert len(set(bodies)) == 100
    for body in bodies:
        jsonschema.validate(json.loads(body), ORDER)


def test_values_are_typical() -> None:
    """Optional properties are mostly there, lists short, numbers within their range."""
    made = [json.loads(events(ORDER).body(index)) for index in range(100)]
    assert 60 <= sum("total" in each for each in made) <= 97
    assert all(1 <= len(each["lines"]) <= 3 for each in made)
    assert {each["kind"] for each in made if "kind" in each} == {"order", "refund"}
    assert {type(each["payment"]) for each in made if "payment" in each} == {str, dict}


def test_sizes_follow_the_distribution() -> None:
    """The median is what was asked for, and the events are still valid."""
    made = events(ORDER, "p50=2kB,p99=20kB")
    bodies = [made.body(index) for index in range(200)]
    assert 1500 < median(map(len, bodies)) < 2700
    assert 8_000 < max(map(len, bodies)) < 100_000
    jsonschema.validate(json.loads(max(bodies, key=len)), ORDER)


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("{", "not JSON: line 1, column 2"),
        ("[]", "isn't one: it must be an object"),
        ({"type": "hunter2"}, "isn't valid, at .*type"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "can't be met: . has no whole number"),
        ({"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 5}, "can't be met"),
        ({"type": "number", "minimum": 5, "maximum": 4}, "a minimum above its maximum"),
        ({"type": "string", "minLength": 5, "maxLength": 4}, "minLength above its maxLength"),
        ({"required": ["a"], "properties": {"a": False}}, "a allows nothing"),
        ({"required": ["a"], "properties": {"a": {"$ref": "#"}}}, "refers to itself endlessly"),
        ({"$ref": "#/$defs/a"}, "refers to something that isn't there"),
        ({"$ref": "other.json"}, "refers to another file"),
        ({"type": "string", "pattern": "^a+$"}, "has a pattern, which can't be generated"),
        ({"not": {}}, "fails not"),
        (False, "allows nothing"),
    ],
)
def test_a_schema_that_cannot_be_met_says_where(schema: Any, says: str) -> None:
    """One line, quickly, and no value in it."""
    with pytest.raises(PayloadError, match=says) as caught:
        events(schema).body(0)
    assert "order.schema.json" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0.01, 0.99, 0.01), (0.5, 0.9, 0.1), (2.1, 3.9, 0.3), (5, 20, 5)]
)
def test_a_multiple_of_a_fraction_is_in_its_range(low: float, high: float, step: float) -> None:
    """As prices in cents are written: below 1 there is no whole number."""
    rule = {"type": "number", "minimum": low, "maximum": high, "multipleOf": step}
    made = events(rule)
    values = [json.loads(made.body(index)) for index in range(50)]
    assert all(low <= value <= high for value in values)
    assert len(set(values)) > 1


PAIR = {"type": "array", "items": [{"type": "string"}, {"type": "integer"}], "minItems": 2}


@pytest.mark.parametrize(
    ("draft", "rule"),
    [
        ("draft-07", PAIR),
        ("draft-04", {**PAIR, "additionalItems": False}),
        ("draft-03", {"type": "object", "required": True, "properties": {"a": {"required": True}}}),
        ("draft-03", {"type": ["any", {"type": "object"}]}),
    ],
)
def test_older_drafts_are_read_as_they_are_meant(draft: str, rule: dict[str, Any]) -> None:
    """Lists by position, and what a property says of itself; jsonschema judges every event."""
    made = events({"$schema": f"http://json-schema.org/{draft}/schema#", **rule})
    assert all(made.body(index) for index in range(20))


def test_ids_of_many_digits_keep_their_range() -> None:
    """A float has 53 bits: the smallest ID would be one less."""
    rule = {"type": "integer", "minimum": 10**18 + 1, "maximum": 10**18 + 3}
    made = events(rule)
    assert all(json.loads(made.body(n)) in range(10**18 + 1, 10**18 + 4) for n in range(30))


def test_optional_self_reference_ends() -> None:
    """A tree has leaves."""
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}
    for index in range(20):
        jsonschema.validate(json.loads(events(tree).body(index)), tree)


def test_references_to_itself_do_not_multiply() -> None:
    """A tree whose nodes have several of themselves gets as long as an event is, and no longer."""
    node = {"type": "array", "items": {"$ref": "#"}}
    tree = {"type": "object", "properties": {"a": {"$ref": "#"}, "b": node, "c": {"$ref": "#"}}}
    assert all(len(events(tree).part(index)) < 20_000 for index in range(3))


@pytest.mark.parametrize("name", ["default", "examples", "enum"])
def test_a_suggested_value_of_another_type_is_not_taken(name: str) -> None:
    """As `default: null` of an optional text; what fits beside it is."""
    given = [None, True, 2.5, 7] if name != "default" else None
    rule = {"type": "integer", "minimum": 7, "maximum": 7, name: given}
    assert {events(rule).part(index) for index in range(5)} == {"7"}


def test_the_least_number_of_properties_is_met() -> None:
    """By those that may be there, then by others, if the schema allows them."""
    known = {"x": {"const": 1}, "y": {"const": 2}}
    rule = {"type": "object", "properties": known, "minProperties": 4}
    for index in range(9):
        value = json.loads(events({**rule, "additionalProperties": {"const": 3}}).part(index))
        assert sorted(value.values()) == [1, 2, 3, 3]
    with pytest.raises(PayloadError, match="minProperties"):
        events({**rule, "additionalProperties": False}).part(0)


@pytest.mark.parametrize("reference", ["file:///etc/hostname", "http://127.0.0.1:9/x.json", "#/no"])
def test_a_reference_fetches_nothing(reference: str) -> None:
    """A schema is validated with what stands in it: no file is read, nothing is asked for."""
    schema = json.dumps({"const": 1, "not": {"$ref": reference}})
    with pytest.raises(PayloadError, match=r"a \$ref leads nowhere in the schema"):
        SchemaEvents(schema, file="s.json", key="1").body(0)


def test_a_missing_extra_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""

    def lacking(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(schema, "import_module", lacking)
    with pytest.raises(PayloadError, match=r"schemas need jsonschema, .*\[payloads\]"):
        SchemaEvents("{}", file="s.json", key="k")
