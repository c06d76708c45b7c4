"""Where a template sets a function's memory: the line, and how it reads with another size.

Templates are read more loosely here than for running them: whatever else they have, the line is
found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import yaml

from tuner.errors import NotInTemplateError, TemplateError
from tuner.iac.document import TemplateNode, read_document, read_text
from tuner.iac.intrinsics import Scope
from tuner.iac.parameters import Parameter, read_parameters
from tuner.iac.supported_properties import FUNCTION, FUNCTIONS
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_LINE: Final = 300
"""Characters: a longer line (often a whole template) isn't worth showing."""
_REFERENCE: Final = re.compile(r"\$\{[^!][^}]*\}")
_MEMORY: Final = "MemorySize"
_CHOOSING: Final = ("If", "FindInMap")
_PASSED: Final = ("Properties", "Ref", "Condition")


@dataclass(frozen=True, slots=True)
class MemoryEdit:
    """A line before and after; equal if the template already has the size."""

    path: Path
    line: int
    """In the file, from 1."""
    now: str
    after: str
    memory_mb: int
    """What the line sets now."""
    shared_by: tuple[str, ...] = ()
    """Logical ids of other functions whose memory the same line sets."""
    used_by: tuple[str, ...] = ()
    """What else uses the value: `Resize.EphemeralStorage`, `Conditions.IsLarge`."""
    is_chosen: bool = False
    """Whether a condition or a map chose this value among others."""


def memory_edit(
    path: Path, function: str, memory_mb: int, *, parameters: Mapping[str, str] | None = None
) -> MemoryEdit:
    """Return the edit that gives a function `memory_mb`: in its properties, in Globals, in a
    parameter's Default or a map, wherever its MemorySize comes from.

    `function` is its name in AWS or its logical id. Raises TemplateError, which says why, if there
    is no such line (NotInTemplateError: no such function).
    """
    root = read_document(path)
    functions = _functions(root, parameters or {})
    found = _named(path, functions, function)
    value = found.value(memory_mb)
    return MemoryEdit(
        path,
        value.line,
        *_line(value, memory_mb),
        value.whole_number(_MEMORY, "MB", least=limits.MIN_MEMORY_MB, most=limits.MAX_MEMORY_MB),
        tuple(each.logical_id for each in functions if each is not found and each.has(value)),
        _other_uses(root, functions, value),
        is_chosen=found.memory is not None and found.memory.function()[0] in _CHOOSING,
    )


def _other_uses(
    root: TemplateNode, functions: list[_Function], value: TemplateNode
) -> tuple[str, ...]:
    """What else uses a value, by section or resource and property, each once."""
    known = {id(each.memory.yaml_node) for each in functions if each.memory and each.has(value)}
    scope = functions[0].scope
    names = [
        name
        for name, parameter in scope.parameters.items()
        if any(node.yaml_node is value.yaml_node for node in parameter.nodes.values())
    ]
    found: dict[str, None] = {}

    def look(yaml_node: yaml.Node, path: tuple[str, ...]) -> None:
        if id(yaml_node) in known and path[-1:] == (_MEMORY,):
            return
        node = TemplateNode(root.path, yaml_node, scope)
        if path[:1] not in (("Parameters",), ("Mappings",)) and (
            yaml_node is value.yaml_node or _refers(node, names, value)
        ):
            found[".".join(path[1:] if path[0] == "Resources" else path)] = None
            return
        if isinstance(yaml_node, yaml.MappingNode):
            for key, inner in yaml_node.value:
                own = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
                look(inner, path if own in _PASSED or own.startswith("Fn::") else (*path, own))
        elif isinstance(yaml_node, yaml.SequenceNode):
            for inner in yaml_node.value:
                look(inner, path)

    look(root.yaml_node, ())
    return tuple(found)


def _refers(node: TemplateNode, names: list[str], value: TemplateNode) -> bool:
    """Whether a node is a function that evaluates to a parameter's or a map's value."""
    kind, argument = node.function()
    written = argument.yaml_node.value
    if kind == "Ref":
        return written in names
    if kind == "Sub":
        text = written[0].value if argument.is_list and written else written
        return any(f"${{{name}}}" in str(text) for name in names)
    if kind != "FindInMap":
        return False
    try:
        return node.resolved(_MEMORY).yaml_node is value.yaml_node
    except TemplateError:  # it has a part that only an account knows
        return False


@dataclass(frozen=True, slots=True)
class _Function:
    logical_id: str
    key: TemplateNode
    scope: Scope
    name: TemplateNode | None
    memory: TemplateNode | None

    def value(self, memory_mb: int) -> TemplateNode:
        """The plain value that MemorySize comes from, which `memory_mb` may replace."""
        if self.memory is None:
            self.key.refuse(
                f"{self.logical_id} has no {_MEMORY} (Lambda's default is {limits.MIN_MEMORY_MB} "
                f"MB): add {_MEMORY}: {memory_mb} to its Properties"
            )
        return self._followed(self.memory, memory_mb)

    def has(self, value: TemplateNode) -> bool:
        """Whether this is where its MemorySize comes from."""
        try:
            own = self.value(limits.MIN_MEMORY_MB)
        except TemplateError:
            return False
        places = [each.yaml_node.start_mark for each in (own, value)]
        return len({(place.line, place.column) for place in places}) == 1

    def _followed(self, node: TemplateNode, memory_mb: int) -> TemplateNode:
        name, argument = node.function()
        if not name:
            return node
        if name == "Ref":
            return self._default(argument.text(_MEMORY), argument, memory_mb)
        if name == "FindInMap":
            return self._followed(self.scope.resolve(node, _MEMORY), memory_mb)
        parts = argument.arguments(_MEMORY) if name == "If" else []
        if len(parts) != 3:
            node.refuse(f"{_MEMORY} uses {node.function_as_written}: no single line sets it")
        holds = self.scope.holds(parts[0].text(_MEMORY), parts[0])
        return self._followed(parts[1 if holds else 2], memory_mb)

    def _default(self, name: str, asked: TemplateNode, memory_mb: int) -> TemplateNode:
        parameter = self.scope.parameters.get(name)
        if parameter is None:
            asked.refuse(f"{_MEMORY} refers to {name}, which isn't a parameter of the template")
        if parameter.given is not None:
            parameter.key.refuse(f"{_MEMORY} is the parameter {name}: change it where it is set")
        if "Default" not in parameter.nodes or "SSM" in _kind(parameter):
            parameter.key.refuse(
                f"{_MEMORY} is the parameter {name}, whose value is not in the template: change it "
                "where it is given"
            )
        replace(parameter, given=str(memory_mb)).value(asked)  # checks that it allows the value
        return parameter.nodes["Default"]


def _kind(parameter: Parameter) -> str:
    return parameter.nodes["Type"].text("Type") if "Type" in parameter.nodes else ""


def _functions(root: TemplateNode, given: Mapping[str, str]) -> list[_Function]:
    sections = {name: value for name, (_, value) in root.entries("the template").items()}
    if "Resources" not in sections:
        root.refuse("the template has no Resources")
    scope = Scope(read_parameters(sections.get("Parameters"), given))
    sections = {name: replace(node, scope=scope) for name, node in sections.items()}
    scope.mappings = _values(sections.get("Mappings"), "Mappings")
    scope.conditions = _values(sections.get("Conditions"), "Conditions")
    shared = _values(_values(sections.get("Globals"), "Globals").get("Function"), "Globals")
    found = []
    for logical_id, (key, resource) in sections["Resources"].entries("Resources").items():
        parts = _values(resource, logical_id) if resource.is_mapping else {}
        kind = parts["Type"].text("Type") if "Type" in parts else ""
        if kind in FUNCTIONS:
            own = _values(parts.get("Properties"), f"the properties of {logical_id}")
            memory = own.get(_MEMORY) or (shared.get(_MEMORY) if kind == FUNCTION else None)
            found.append(_Function(logical_id, key, scope, own.get("FunctionName"), memory))
    return found


def _values(node: TemplateNode | None, what: str) -> dict[str, TemplateNode]:
    """A mapping's values by name; none if it doesn't exist."""
    return {} if node is None else node.values(what)


def _named(path: Path, functions: list[_Function], name: str) -> _Function:
    """The function with that name: given outright, generated by CloudFormation, or matching its
    pattern.
    """
    for matches in (_is_called, _has_a_made_name, _may_be_called):
        found = [each for each in functions if matches(each, name)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(each.logical_id for each in found)
            raise TemplateError(
                f"{path}: {ids} may each be {name}: give "
                "`template_parameters=NAME=VALUE`, so that their names can be resolved"
            )
    raise NotInTemplateError(f"{path}: no function of the template is called {name}")


def _is_called(function: _Function, name: str) -> bool:
    if function.name is None:
        return function.logical_id == name
    try:
        return function.name.text("FunctionName") == name
    except TemplateError:  # it has a part that only an account knows
        return False


def _has_a_made_name(function: _Function, name: str) -> bool:
    """CloudFormation generates STACK-LOGICALID-SUFFIX without a FunctionName."""
    made = rf".+-{re.escape(function.logical_id)}-[A-Za-z0-9]{{4,}}"
    return function.name is None and re.fullmatch(made, name) is not None


def _may_be_called(function: _Function, name: str) -> bool:
    """Whether a FunctionName with Fn::Sub can evaluate to it."""
    if function.name is None:
        return False
    kind, argument = function.name.function()
    if kind != "Sub" or argument.is_list:
        return False
    texts = _REFERENCE.split(argument.text("FunctionName"))
    # Names have at most 64 characters, so even many wildcards are cheap.
    return len(texts) < 8 and re.fullmatch(".+".join(map(re.escape, texts)), name) is not None


def _line(value: TemplateNode, memory_mb: int) -> tuple[str, str]:
    """The value's line, now and with the other size."""
    lines = read_text(value.path).split("\n")
    now = lines[value.line - 1].removesuffix("\r") if value.line <= len(lines) else ""
    start, end = value.yaml_node.start_mark.column, value.yaml_node.end_mark.column
    written = str(value.yaml_node.value)
    if value.yaml_node.end_mark.line + 1 != value.line or now[start:end].strip("\"'") != written:
        value.refuse(f"{_MEMORY} is not written on one line: set it to {memory_mb} there")
    if len(now) > MAX_LINE:
        value.refuse(f"the line with {_MEMORY} is too long to be shown: set it to {memory_mb}")
    return now, now[:start] + now[start:end].replace(written, str(memory_mb)) + now[end:]
