"""The JSON Schema of what `--json` prints."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.cli.running import run_here
from tests.docs.json_schema import check, schema

SWEEP = "examples/sweeps/mixed.jsonl"


def test_it_is_a_schema() -> None:
    """By the meta-schema of its draft."""
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_promised_key_cannot_go_unseen() -> None:
    """An answer without one of its keys, at any depth, is not of its kind."""
    printed = run_here("report", SWEEP, "--json").stdout
    check(printed)
    for path in (("options",), ("recommendation", "verdict"), ("sweep", "file"), ("goal", "name")):
        answer = json.loads(printed)
        holder = answer
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]
        with pytest.raises(jsonschema.ValidationError, match=path[-1]):
            check(json.dumps(answer))


def test_an_unknown_kind_is_refused() -> None:
    """A new kind comes with its part of the schema."""
    with pytest.raises(AssertionError, match="json-schema"):
        check('{"schema_version": 1, "kind": "surprise"}')
