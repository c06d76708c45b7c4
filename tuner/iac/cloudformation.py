"""CloudFormation and SAM: where a template sets its functions' memory.

A template is read more loosely here than for running it: whatever else it has, the place is found.
A function's own value is changed where it's written: in its properties, a parameter's Default, a
branch or a map. What others also use is left, and the function gets its own size.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.intrinsics import Scope, scoped
from tuner.iac.memory_value import MEMORY, MemoryValues
from tuner.iac.parameters import read_parameters
from tuner.iac.samconfig import STACK_NAME, environment_of
from tuner.iac.setting import ANY, SUFFIX, DeclaredFunction, Setting, Sources, Stage, unknown
from tuner.iac.supported_properties import FUNCTION, FUNCTIONS, LOOP
from tuner.iac.yaml_edit import Yaml, is_among
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.document import TemplateNode

_REFERENCE: Final = re.compile(r"\$\{[^!][^}]*\}")
_CHOOSING: Final = ("If", "FindInMap")
_STACK: Final = unknown(STACK_NAME)
_TOP_LEVEL: Final = re.compile(r"""^["'\s{]*Resources["']?\s*:""", re.MULTILINE)


def is_template(text: str) -> bool:
    """Whether a text may be a template with functions."""
    return any(kind in text for kind in FUNCTIONS) and _TOP_LEVEL.search(text) is not None


def read_functions(path: Path, sources: Sources, stage: Stage) -> list[DeclaredFunction]:
    """Return a template's functions in its order. Raises TemplateError.

    A deployed name may tell parameters, and AWS::StackName.
    """
    environment = stage.name
    if environment is None and stage.known:
        environment = environment_of(path, stage.known, sources)
    template = _Template(Yaml.read(path, sources), sources, environment)
    template.read(stage.parameters, stage.known)
    return [
        DeclaredFunction(
            each.logical_id,
            path,
            each.key.line,
            partial(template.locate, each),
            name=_literal_name(each),
            made_names=tuple(_made_names(each)),
            memory=template.memory(each.memory),
            logical_ids=(each.logical_id,),
        )
        for each in template.functions
    ]


@dataclass(frozen=True, slots=True)
class _Function:
    logical_id: str
    key: TemplateNode
    name: TemplateNode | None = None
    properties: TemplateNode | None = None
    own: tuple[TemplateNode, TemplateNode] | None = None
    """Key and value of its own MemorySize."""
    memory: TemplateNode | None = None
    """Its own one, a merged one or the one in Globals."""
    in_loop: bool = False
    fault: TemplateError | None = None
    """Why its properties can't be read."""


@dataclass(slots=True)
class _Template:
    yaml: Yaml
    sources: Sources
    stage: str | None
    functions: list[_Function] = field(default_factory=list)
    scope: Scope = field(init=False)
    values: MemoryValues = field(init=False)
    """What memories come to; both are there once the template is read."""

    def read(self, given: Mapping[str, str], known: Mapping[str, str]) -> None:
        root = self.yaml.root
        sections = root.values("the template")
        if "Resources" not in sections:
            root.refuse("the template has no Resources")
        declared = _values(sections.get("Parameters"), "Parameters")
        told = {name: value for name, value in known.items() if name in declared}
        parameters = read_parameters(sections.get("Parameters"), {**told, **given})
        self.scope, sections = scoped(sections, Scope(parameters))
        self.values = MemoryValues(self.yaml, self.sources, self.scope, self.stage)
        shared = _values(_values(sections.get("Globals"), "Globals").get("Function"), "Globals")
        section = sections["Resources"]
        alone, _ = section.function()  # a loop alone looks like a function of CloudFormation
        if alone.startswith("ForEach::"):
            ((key, resource),) = section.yaml_node.value
            self._read_loop(
                f"Fn::{alone}",
                replace(section, yaml_node=key),
                replace(section, yaml_node=resource),
            )
            return
        for logical_id, (key, resource) in section.entries("Resources").items():
            if logical_id.startswith(LOOP):
                self._read_loop(logical_id, key, resource)
                continue
            parts = _values(resource, logical_id) if resource.is_mapping else {}
            kind = parts["Type"].text("Type") if "Type" in parts else ""
            if kind in FUNCTIONS:
                self._read_function(logical_id, key, parts, shared if kind == FUNCTION else {})

    def _read_function(
        self,
        logical_id: str,
        key: TemplateNode,
        parts: Mapping[str, TemplateNode],
        shared: Mapping[str, TemplateNode],
    ) -> None:
        properties = parts.get("Properties")
        try:
            what = f"the properties of {logical_id}"
            own = {} if properties is None else properties.entries(what)
        except TemplateError as fault:  # of this function alone
            self.functions.append(_Function(logical_id, key, fault=fault))
            return
        memory = own[MEMORY][1] if MEMORY in own else shared.get(MEMORY)
        self.functions.append(
            _Function(
                logical_id,
                key,
                own["FunctionName"][1] if "FunctionName" in own else None,
                properties,
                own[MEMORY] if MEMORY in own and is_among(properties, own[MEMORY][0]) else None,
                memory,
            )
        )

    def _read_loop(self, loop: str, key: TemplateNode, body: TemplateNode) -> None:
        """Functions generated by a loop are known, so that they can be refused with their line."""
        text = self.yaml.text[
            self.yaml.at(body.yaml_node.start_mark) : self.yaml.ends(body.yaml_node)
        ]
        if any(kind in text for kind in FUNCTIONS):
            resources = body.arguments(loop)[2] if len(body.arguments(loop)) > 2 else None
            for name in resources.values(loop) if resources is not None else ():
                self.functions.append(_Function(name, key, in_loop=True))

    def memory(self, node: TemplateNode | None) -> int | str:
        """MB, or the expression as written if only a deployment knows."""
        if node is None:
            return limits.MIN_MEMORY_MB
        try:
            given = self.values.given(node)
            if given is not None:
                return given.memory_mb
            return node.whole_number(MEMORY, "MB", least=1, most=limits.MAX_MEMORY_MB)
        except TemplateError:
            yaml_node = node.yaml_node
            return self.yaml.text[self.yaml.at(yaml_node.start_mark) : self.yaml.ends(yaml_node)]

    def locate(self, function: _Function, memory_mb: int) -> Setting:
        """Where the function's new size goes. Raises TemplateError."""
        if function.fault is not None:
            raise function.fault
        if function.in_loop:
            function.key.refuse(
                f"{function.logical_id} is made by a loop ({LOOP[:-2]}), which gives all its "
                "functions the same memory: write this one out, or change the loop by hand"
            )
        if function.own is None:
            return self._added(function)
        key, memory = function.own
        yaml_node = memory.yaml_node
        if yaml_node.start_mark.index < key.yaml_node.end_mark.index:  # an alias
            shared = self._sharing(function, memory)
            return replace(self.yaml.overriding(key, memory), shared_by=shared)
        if not memory.function()[0]:
            return self.yaml.replacing(memory)
        return self._followed(function, key, memory, memory_mb)

    def _added(self, function: _Function) -> Setting:
        if function.properties is None:
            function.key.refuse(
                f"{function.logical_id} has no Properties to add {MEMORY} to: write them"
            )
        if "Fn::Transform" in function.properties.values("the properties"):
            function.properties.refuse(
                f"a macro (Fn::Transform) adds to the properties of {function.logical_id}, maybe "
                f"{MEMORY} too: change it there"
            )
        shared = self._sharing(function, function.memory)
        return replace(self.yaml.inserting(function.properties, MEMORY), shared_by=shared)

    def _followed(
        self,
        function: _Function,
        key: TemplateNode,
        memory: TemplateNode,
        memory_mb: int,
    ) -> Setting:
        """The place that a CloudFormation function leads to, or the function's own value."""
        given = self.values.given(memory)
        place = self.values.place(memory, None if given else memory_mb)
        shared = self._sharing(function, memory)
        memories = [each.memory for each in self.functions if each.memory is not None]
        others = (*shared, *self.values.other_uses(place, memories))
        both = ", ".join(others)
        if given is not None:
            if others:
                memory.refuse(
                    f"the memory is a parameter that {given.path}:{given.line} gives, and {both} "
                    f"use it too: give {function.logical_id} one of its own"
                )
            parameter = self.scope.parameters[memory.function()[1].text(MEMORY)]
            replace(parameter, given=str(memory_mb)).value(memory)
            return Setting(given.path, given.span)
        if not others:
            return self.yaml.replacing(place)
        if memory.function()[0] in _CHOOSING and not _is_constant(memory):
            place.refuse(
                f"the memory of {function.logical_id} is chosen by {memory.function_as_written}, "
                f"and {both} have the value too: give {function.logical_id} its own value"
            )
        return replace(self.yaml.overriding(key, memory), shared_by=others)

    def _sharing(self, function: _Function, memory: TemplateNode | None) -> tuple[str, ...]:
        """Logical ids of other functions whose memory comes from the same place."""
        place = self.values.place_or_none(memory)
        if place is None:
            return ()
        return tuple(
            each.logical_id
            for each in self.functions
            if each is not function and self.values.comes_from(each.memory, place)
        )


def _is_constant(memory: TemplateNode) -> bool:
    """Whether a FindInMap has the same keys in every deployment."""
    kind, argument = memory.function()
    if kind != "FindInMap":
        return False
    return not any(each.function()[0] for each in argument.arguments(MEMORY))


def _values(node: TemplateNode | None, what: str) -> dict[str, TemplateNode]:
    """A mapping's values by name; empty if it doesn't exist."""
    return {} if node is None else node.values(what)


def _literal_name(function: _Function) -> str | None:
    with contextlib.suppress(TemplateError):  # of a part that only an account knows
        return None if function.name is None else function.name.text("FunctionName")
    return None


def _gap(item: TemplateNode) -> str:
    kind, argument = item.function()
    return unknown(argument.text("FunctionName")) if kind == "Ref" else ANY


def _made_names(function: _Function) -> list[str]:
    """What CloudFormation generates without a name, or the known parts of a name."""
    if function.in_loop:
        return [f"{_STACK}-{_REFERENCE.sub(ANY, function.logical_id)}-{SUFFIX}"]
    if function.name is None:
        return [f"{_STACK}-{function.logical_id}-{SUFFIX}"]
    kind, argument = function.name.function()
    with contextlib.suppress(TemplateError):
        if kind == "Sub":
            argument = argument.arguments("FunctionName")[0] if argument.is_list else argument
            text = argument.text("FunctionName")
            return [_REFERENCE.sub(lambda match: unknown(match[0][2:-1]), text)]
        if kind == "Join":
            by, listed = argument.arguments("FunctionName", 2, 2)
            parts = [
                _gap(item) if item.function()[0] else item.text("FunctionName")
                for item in listed.arguments("FunctionName")
            ]
            return [by.text("FunctionName").join(parts)]
    return []
