"""The JSON Schema of what `--json` prints, from docs/json-schema.yaml."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import jsonschema
import yaml

from tests.end_to_end.running import ROOT

SOURCE: Final = ROOT / "docs" / "json-schema.yaml"


@cache
def schema() -> dict[str, Any]:
    """The schema: one of the kinds, in which every key that is listed is required."""
    source = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    kinds = []
    for name, kind in source["kinds"].items():
        head = {"schema_version": {"const": 1}, "kind": {"const": name}}
        object_of_kind = {"title": name, "type": "object", **kind}
        kinds.append({**object_of_kind, "properties": {**head, **kind.get("properties", {})}})
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {**source["$defs"], **{kind["title"]: kind for kind in kinds}},
        "oneOf": [{"$ref": f"#/$defs/{kind['title']}"} for kind in kinds],
    }
    required: dict[str, Any] = _with_required(made)
    return required


def _with_required(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_required(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _with_required(each) for name, each in value.items()}
    if isinstance(value.get("properties"), dict) and "type" in value:
        made["required"] = list(value["properties"])
    return made


def check(text: str) -> None:
    """Hold what a command printed against the schema, where it is one of its objects."""
    if not text.startswith("{"):
        return
    try:
        found = json.loads(text)
    except ValueError:
        return
    if "schema_version" not in found or "kind" not in found:
        return
    _validator(found["kind"]).validate(found)


@cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    """Of one kind; that the schema is one is held by a test, once."""
    whole = schema()
    assert kind in whole["$defs"], f"{kind} is not in {SOURCE.name}"
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]})
