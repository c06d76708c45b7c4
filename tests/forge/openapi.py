"""Holds requests against GitHub's published OpenAPI description (npm's @octokit/openapi)."""

from __future__ import annotations

import functools
import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

FILE = Path(__file__).parents[2] / ".venv" / "github-openapi.json"
_URI = "urn:github"


class Description:
    """The operations of the description, and what a request does that they do not know."""

    def __init__(self, document: dict[str, Any]) -> None:
        # Loaded with the description alone: tests run without either.
        from openapi_schema_validator import OAS30Validator

        self._validator: Any = OAS30Validator
        self._paths: dict[str, Any] = document["paths"]
        self._shared: dict[str, Any] = document["components"]["parameters"]
        self._patterns = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path))), path)
            for path in sorted(self._paths, key=lambda path: (path.count("{"), path))
        ]
        resource = Resource(contents=document, specification=DRAFT4)
        self._registry: Any = Registry().with_resource(_URI, resource)

    def operation_of(self, method: str, target: str) -> str:
        """The operation's id; raises AssertionError where there is none."""
        path, _ = self._found(target)
        operation = self._paths[path].get(method.lower())
        assert operation, f"{method} is no method of {path}"
        return str(operation["operationId"])

    def check(self, method: str, target: str, body: Any) -> None:
        """Raise AssertionError for a path, method, query or body that is not described."""
        path, values = self._found(target)
        self.operation_of(method, target)
        operation = self._paths[path][method.lower()]
        parameters = [
            self._shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            for each in operation.get("parameters", [])
        ]
        names = re.findall(r"\{(\w+)\}", path)
        self._check_values(parameters, "path", dict(zip(names, values, strict=True)))
        self._check_values(parameters, "query", dict(parse_qsl(urlsplit(target).query)))
        self._check_body(operation, f"{_pointer('paths', path, method.lower())}", body)

    def _found(self, target: str) -> tuple[str, tuple[str, ...]]:
        asked = urlsplit(target).path
        for pattern, path in self._patterns:
            if match := pattern.fullmatch(asked):
                return path, tuple(unquote(value) for value in match.groups())
        raise AssertionError(f"GitHub describes no {asked}")

    def _check_values(
        self, parameters: list[dict[str, Any]], where: str, given: dict[str, str]
    ) -> None:
        known = {each["name"]: each for each in parameters if each["in"] == where}
        assert set(given) <= set(known), f"unknown {where} parameters: {set(given) - set(known)}"
        needed = {name for name, each in known.items() if each.get("required")}
        assert needed <= set(given), f"missing {where} parameters: {needed - set(given)}"
        for name, text in given.items():
            schema = known[name]["schema"]
            value = int(text) if schema.get("type") == "integer" and text.isdecimal() else text
            self._validator(schema).validate(value)

    def _check_body(self, operation: dict[str, Any], pointer: str, body: Any) -> None:
        described = operation.get("requestBody")
        if described is None or body is None:
            assert body is None, "a body where none is described"
            assert not (described or {}).get("required"), "the body is missing"
            return
        schema = described["content"]["application/json"]["schema"]
        assert set(body) <= set(schema["properties"]), f"unknown in the body: {sorted(body)}"
        place = f"{pointer}{_pointer('requestBody', 'content', 'application/json', 'schema')[1:]}"
        reference = {"$ref": f"{_URI}{place}"}
        self._validator(reference, registry=self._registry).validate(body)


def _pointer(*parts: str) -> str:
    return "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


@functools.cache
def description() -> Description | None:
    """GitHub's description, read once; None where it could not be installed."""
    if not FILE.is_file():
        return None
    with FILE.open("rb") as file:
        return Description(json.load(file))


def needed_description() -> Description:
    """The same, for a test that is nothing without it: only a machine without npm skips it."""
    found = description()
    if found is None and shutil.which("npm") is None:
        pytest.skip("GitHub's description comes by npm, which is not installed")
    assert found is not None, f"{FILE.name} is missing: make openapi"
    return found
