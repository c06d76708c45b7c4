"""CloudFormation's functions, as far as they need no account.

Resolved are Ref and Sub of parameters and pseudo parameters, FindInMap, If with the conditions'
functions, Join, Select and Split, and Length and ToJsonString of the language extensions. Names and
meanings are those of the CloudFormation template reference. Everything is resolved when it is read,
so parts that have no effect here may use anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import yaml

from tuner.errors import TemplateError
from tuner.iac.document import STRING_TAG, TemplateNode, plain_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.iac.parameters import Parameter

NO_VALUE: Final = "AWS::NoValue"
MAX_TEXT: Final = 100_000
"""Characters that a resolved value may have: a few references can expand to any size."""
_REFERENCE: Final = re.compile(r"\$\{(!?)([^${}]*)\}")
_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_CONDITION_FUNCTIONS: Final = ("Equals", "And", "Or", "Not", "Condition")


@dataclass(slots=True)
class Scope:
    """What a template's functions can refer to."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    pseudo: Mapping[str, str] = field(default_factory=dict)
    """AWS::Region and the like."""
    mappings: Mapping[str, TemplateNode] = field(default_factory=dict)
    conditions: Mapping[str, TemplateNode] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    """What Ref (`Name`) and GetAtt (`Name.Arn`) return for resources of the template."""
    types: dict[str, str] = field(default_factory=dict)
    """By logical id."""
    referred: set[str] = field(default_factory=set)
    """Logical ids that were referred to; whoever asks clears them first."""
    allow_outside: bool = False
    """Whether code may be outside the template's repository."""
    keeps_unknown: bool = False
    """Whether what only an account knows stays `${Name}` in a text, instead of being refused."""
    _open: list[str] = field(default_factory=list)
    """Conditions being evaluated: none may depend on itself."""

    def resolve(self, node: TemplateNode, what: str) -> TemplateNode:
        """Return the plain node that a function evaluates to; raises TemplateError if it can't."""
        name, argument = node.function()
        known: dict[str, Callable[[TemplateNode, str], TemplateNode]] = {
            "Ref": self._ref,
            "GetAtt": self._attribute,
            "Sub": self._sub,
            "FindInMap": self._find_in_map,
            "If": lambda argument, what: self._branch(argument, what).resolved(what),
            "Join": self._join,
            "Select": self._select,
            "Split": self._split,
            "Length": lambda listed, what: _scalar(listed, str(len(listed.items(what)))),
            "ToJsonString": self._to_json,
        }
        if name not in known:
            if self.keeps_unknown:
                whose = argument.yaml_node.value if argument.is_text else ""
                return _scalar(node, _placeholder(f"{name} {whose}"))
            node.refuse(
                f"{what} uses {node.function_as_written}, which can't be resolved here: "
                "write the value out"
            )
        return known[name](argument, what)

    def is_absent(self, node: TemplateNode) -> bool:
        """Whether it evaluates to nothing: AWS::NoValue, outright or through a condition."""
        name, argument = node.function()
        if name == "Ref":
            return bool(argument.yaml_node.value == NO_VALUE)
        if name != "If":
            return False
        try:
            return self.is_absent(self._branch(argument, "Fn::If"))
        except TemplateError:  # reported when the value is needed
            return False

    def holds(self, name: str, node: TemplateNode) -> bool:
        """Evaluate a condition of the template. `node` is where it's used."""
        if name not in self.conditions:
            node.refuse(f"there is no condition {name} in the template")
        if name in self._open:
            node.refuse(f"the condition {name} depends on itself")
        self._open.append(name)
        try:
            return self._is_true(self.conditions[name], f"the condition {name}")
        finally:
            self._open.pop()

    def _is_true(self, node: TemplateNode, what: str) -> bool:
        name, argument = node.function()
        if name == "Condition":
            return self.holds(argument.text(what), argument)
        if name not in _CONDITION_FUNCTIONS:
            node.refuse(f"{what} must be made of Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition")
        if name == "Equals":
            one, other = argument.arguments(what, 2, 2)
            return one.text(what) == other.text(what)
        parts = argument.arguments(what, *((1, 1) if name == "Not" else (2, 10)))
        found = [self._is_true(part, what) for part in parts]
        return not found[0] if name == "Not" else (all if name == "And" else any)(found)

    def _ref(self, argument: TemplateNode, what: str) -> TemplateNode:
        name = argument.text(what)
        found = self._value(name, argument, what)
        return _scalar(argument, found) if isinstance(found, str) else _list(argument, found)

    def _attribute(self, argument: TemplateNode, what: str) -> TemplateNode:
        parts = argument.arguments(what) if argument.is_list else [argument]
        name = ".".join(part.text(what) for part in parts)
        is_known = name in self.resources
        found = self._of_resource(name) if is_known else self._unknown(name, argument, what)
        return _scalar(argument, found)

    def _value(self, name: str, node: TemplateNode, what: str) -> str | tuple[str, ...]:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.resources:
            return self._of_resource(name)
        if name not in self.parameters:
            return self._unknown(name, node, what)
        try:
            return self.parameters[name].value(node)
        except TemplateError:
            if self.keeps_unknown:
                return _placeholder(name)
            raise

    def _of_resource(self, name: str) -> str:
        self.referred.add(name.partition(".")[0])
        return self.resources[name]

    def _unknown(self, name: str, node: TemplateNode, what: str) -> str:
        """A placeholder for a name that only an account knows, or a refusal."""
        if not self.keeps_unknown:
            kind = self.types.get(name.partition(".")[0])
            known = "which is neither a parameter nor a resource of the template"
            if kind is not None:
                known = f"of the type {kind}, whose value only an account has"
            elif "." in name:
                known = "which can't be resolved here"
            node.refuse(f"{what} refers to {name}, {known}: write the value out")
        return _placeholder(name)

    def _sub(self, argument: TemplateNode, what: str) -> TemplateNode:
        variables: dict[str, TemplateNode] = {}
        if argument.is_list:
            argument, given = argument.arguments(what, 2, 2)
            variables = given.values(f"the variables of Fn::Sub in {what}")

        def replaced(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return variables[name].text(what)
            found = self._value(name, argument, what)
            if not isinstance(found, str):
                argument.refuse(f"{what} puts the list {name} into a string: join it")
            return found

        return _scalar(argument, _bounded(argument, _REFERENCE.sub(replaced, argument.text(what))))

    def _find_in_map(self, argument: TemplateNode, what: str) -> TemplateNode:
        parts = argument.arguments(what)
        if not 3 <= len(parts) <= 4:
            argument.refuse(f"Fn::FindInMap in {what} takes a map and two keys")
        keys = [part.text(what) for part in parts[:3]]
        default = parts[3].values("Fn::FindInMap") if len(parts) == 4 else {}
        if "DefaultValue" in default and not self._has(keys):
            return default["DefaultValue"].resolved(what)
        if keys[0] not in self.mappings:
            argument.refuse(f"there is no map {keys[0]} in Mappings")
        found = self.mappings[keys[0]]
        for depth, key in enumerate(keys[1:], start=1):
            values = found.values(" of ".join(reversed(keys[:depth])))
            if key not in values:
                argument.refuse(f"the map {keys[0]} has no {'.'.join(keys[1 : depth + 1])}")
            found = values[key]
        return found

    def _has(self, keys: list[str]) -> bool:
        """Whether Mappings have a map with both keys."""
        if keys[0] not in self.mappings:
            return False
        first = self.mappings[keys[0]].values(keys[0])
        return keys[1] in first and keys[2] in first[keys[1]].values(keys[1])

    def _to_json(self, argument: TemplateNode, what: str) -> TemplateNode:
        if argument.function()[0] or not (argument.is_list or argument.is_mapping):
            argument.refuse(f"Fn::ToJsonString in {what} takes a mapping or a list")
        return _scalar(argument, _json(argument, what))

    def _branch(self, argument: TemplateNode, what: str) -> TemplateNode:
        condition, then, otherwise = argument.arguments(what, 3, 3)
        return then if self.holds(condition.text(what), condition) else otherwise

    def _join(self, argument: TemplateNode, what: str) -> TemplateNode:
        delimiter, listed = argument.arguments(what, 2, 2)
        pieces = [item.text(what) for item in listed.items(what)]
        return _scalar(argument, _bounded(argument, delimiter.text(what).join(pieces)))

    def _select(self, argument: TemplateNode, what: str) -> TemplateNode:
        asked, given = argument.arguments(what, 2, 2)
        listed, index = given.items(what), plain_number(asked.text(what))
        if index is None or index >= len(listed):
            argument.refuse(f"{what} must name one of {len(listed)} in Fn::Select, from 0")
        return listed[index].resolved(what)

    def _split(self, argument: TemplateNode, what: str) -> TemplateNode:
        by, text = argument.arguments(what, 2, 2)
        delimiter = by.text(what)
        if not delimiter:
            argument.refuse(f"Fn::Split in {what} needs a delimiter")
        return _list(argument, tuple(text.text(what).split(delimiter)))


def scoped(
    sections: Mapping[str, TemplateNode], scope: Scope
) -> tuple[Scope, dict[str, TemplateNode]]:
    """A template's sections whose functions the scope resolves, with its maps and conditions."""
    found = {name: replace(node, scope=scope) for name, node in sections.items()}
    scope.mappings = found["Mappings"].values("Mappings") if "Mappings" in found else {}
    scope.conditions = found["Conditions"].values("Conditions") if "Conditions" in found else {}
    return scope, found


def _json(node: TemplateNode, what: str) -> str:
    """Return a value as JSON without blanks, its functions resolved.

    Never much longer than MAX_TEXT: every part is checked as it's added.
    """
    node = node.resolved(what)
    if not (node.is_list or node.is_mapping):
        tag = node.yaml_node.tag.rpartition(":")[2]
        if tag == "null":
            return tag
        text = node.text(what)
        if tag == "bool" or (tag in {"int", "float"} and _JSON_NUMBER.fullmatch(text)):
            return text
        return json.dumps(text, ensure_ascii=False)
    if node.is_list:
        values = [("", item) for item in node.items(what)]
    else:
        named = node.values(what).items()
        values = [(f"{json.dumps(name, ensure_ascii=False)}:", value) for name, value in named]
    parts: list[str] = []
    length = 0
    for key, value in values:
        parts.append(key + _json(value, what))
        length += len(parts[-1]) + 1
        if length > MAX_TEXT:
            node.refuse(f"a value expands to over {MAX_TEXT} characters")
    joined = ",".join(parts)
    return f"[{joined}]" if node.is_list else f"{{{joined}}}"


def _placeholder(name: str) -> str:
    """A text as Fn::Sub would write it, whatever the name has in it."""
    plain = "".join(char for char in name if char not in '${}"\\' and char.isprintable())
    return f"${{{plain.strip()}}}"


def _bounded(node: TemplateNode, text: str) -> str:
    if len(text) > MAX_TEXT:
        node.refuse(f"a value expands to over {MAX_TEXT} characters")
    return text


def _scalar(node: TemplateNode, text: str) -> TemplateNode:
    marks = (node.yaml_node.start_mark, node.yaml_node.end_mark)
    return replace(node, yaml_node=yaml.ScalarNode(STRING_TAG, text, *marks))


def _list(node: TemplateNode, texts: tuple[str, ...]) -> TemplateNode:
    marks = (node.yaml_node.start_mark, node.yaml_node.end_mark)
    nodes = [_scalar(node, text).yaml_node for text in texts]
    return replace(node, yaml_node=yaml.SequenceNode("tag:yaml.org,2002:seq", nodes, *marks))
