"""What a function's MemorySize comes to in a CloudFormation template, and what else that sets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import yaml

from tuner.errors import TemplateError
from tuner.iac.document import TemplateNode
from tuner.iac.samconfig import GivenValue, given_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.iac.intrinsics import Scope
    from tuner.iac.parameters import Parameter
    from tuner.iac.setting import Sources
    from tuner.iac.yaml_edit import Yaml

MEMORY: Final = "MemorySize"
_PASSED: Final = ("Properties", "Ref", "Condition")


@dataclass(slots=True)
class MemoryValues:
    """Follows values through parameters, conditions and maps."""

    yaml: Yaml
    sources: Sources
    scope: Scope
    stage: str | None
    _values_of: dict[str, list[GivenValue]] = field(default_factory=dict)

    def place_or_none(self, memory: TemplateNode | None) -> TemplateNode | None:
        """Where a memory comes from; None where that can't be followed."""
        with contextlib.suppress(TemplateError):
            return None if memory is None else self.place(memory, None)
        return None

    def comes_from(self, memory: TemplateNode | None, value: TemplateNode) -> bool:
        """Whether a memory comes from the place where a value is written."""
        place = self.place_or_none(memory)
        at: int = value.yaml_node.start_mark.index
        return place is not None and place.yaml_node.start_mark.index == at

    def place(self, node: TemplateNode, memory_mb: int | None) -> TemplateNode:
        """The plain value that a node comes from. Raises TemplateError."""
        name, argument = node.function()
        if not name:
            return node
        if name == "Ref":
            return self._default(argument.text(MEMORY), argument, memory_mb)
        if name == "FindInMap":
            return self.place(self.scope.resolve(node, MEMORY), memory_mb)
        parts = argument.arguments(MEMORY) if name == "If" else []
        if len(parts) != 3:
            node.refuse(f"{MEMORY} uses {node.function_as_written}: no single line sets it")
        holds = self.scope.holds(parts[0].text(MEMORY), parts[0])
        return self.place(parts[1 if holds else 2], memory_mb)

    def _default(self, name: str, asked: TemplateNode, memory_mb: int | None) -> TemplateNode:
        parameter = self.scope.parameters.get(name)
        if parameter is None:
            asked.refuse(f"{MEMORY} refers to {name}, which isn't a parameter of the template")
        if parameter.given is not None:
            parameter.key.refuse(f"{MEMORY} is the parameter {name}: change it where it is set")
        if memory_mb is None and self._given_values(name):
            return parameter.nodes.get("Default", parameter.key)
        if "Default" not in parameter.nodes or "SSM" in (parameter.text("Type") or ""):
            parameter.key.refuse(
                f"{MEMORY} is the parameter {name}, whose value is not in the template: change it "
                "where it is given"
            )
        if memory_mb is not None:
            self._check_parameter(parameter, asked, memory_mb)
        return parameter.nodes["Default"]

    def _check_parameter(self, parameter: Parameter, asked: TemplateNode, memory_mb: int) -> None:
        """Refuse a value that isn't allowed, and a Default that a deployment's file overrides."""
        replace(parameter, given=str(memory_mb)).value(asked)
        for given in self._given_values(parameter.name):
            raise TemplateError(
                f"{given.path}:{given.line}: the parameter {parameter.name}, which sets the "
                f"memory, is given here: change it here to {memory_mb}"
            )

    def _given_values(self, parameter: str) -> list[GivenValue]:
        if parameter not in self._values_of:
            self._values_of[parameter] = given_values(self.yaml.path, parameter, self.sources)
        return self._values_of[parameter]

    def given(self, memory: TemplateNode) -> GivenValue | None:
        """What a deployment's file gives for the parameter that a memory is."""
        name, argument = memory.function()
        if name != "Ref":
            return None
        parameter = self.scope.parameters.get(argument.text(MEMORY))
        if parameter is None or parameter.given is not None:
            return None
        found = self._given_values(parameter.name)
        if self.stage is not None:
            found = [each for each in found if each.environment == self.stage]
        if len(found) > 1:
            places = ", ".join(f"{each.path}:{each.line} ({each.environment})" for each in found)
            raise TemplateError(
                f"{found[0].path}:{found[0].line}: the parameter {parameter.name}, which sets the "
                f"memory, is given in {places}: say which (`stage`)"
            )
        return found[0] if found else None

    def other_uses(self, value: TemplateNode, memories: Sequence[TemplateNode]) -> tuple[str, ...]:
        """What uses a value besides these memories, by section or resource and property."""
        known = {id(each.yaml_node) for each in memories if self.comes_from(each, value)}
        names = [
            name
            for name, parameter in self.scope.parameters.items()
            if any(
                node.yaml_node is value.yaml_node
                for node in (parameter.key, *parameter.nodes.values())
            )
        ]
        found: dict[str, None] = {}

        def look(yaml_node: yaml.Node, path: tuple[str, ...]) -> None:
            if id(yaml_node) in known and path[-1:] == (MEMORY,):
                return
            node = TemplateNode(self.yaml.path, yaml_node, self.scope)
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

        look(self.yaml.root.yaml_node, ())
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
        return node.resolved(MEMORY).yaml_node is value.yaml_node
    except TemplateError:  # of a part that only an account knows
        return False
