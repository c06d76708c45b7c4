"""Reads a template of AWS SAM or CloudFormation: its functions, and its globals for them."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac import supported_properties as support
from tuner.iac.artifacts import layer_arn, read_layer
from tuner.iac.document import TemplateNode, read_document
from tuner.iac.function_properties import read_function
from tuner.iac.intrinsics import Scope
from tuner.iac.parameters import read_parameters
from tuner.iac.resources import ALIAS, VERSION, generated_from, read_resource
from tuner.iac.template import (
    IgnoredPart,
    Template,
    TemplateFunction,
    TemplateLayer,
    TemplateResource,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOCAL_ACCOUNT: Final = "123456789012"
"""An account that nobody has: what AWS::AccountId gives where nothing else is said."""
LOCAL_ENDPOINT: Final = "http://127.0.0.1"
"""Where queues' addresses begin where nothing else is said."""
_STACK_UUID: Final = "51af3dc0-da77-11e4-872e-1234567db123"
"""Of the form that CloudFormation gives: templates cut it into pieces."""
_ALWAYS_HERE: Final = "AWS::Logs::LogGroup"  # a group is made with its first line


def read_template(
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    region: str = "us-east-1",
    account_id: str = LOCAL_ACCOUNT,
    endpoint_url: str = LOCAL_ENDPOINT,
    allow_outside: bool = False,
) -> Template:
    """Return the functions of a template; `path` may be the folder that it lies in.

    `parameters` are given values of the template's own parameters, `environment` those of
    functions' environment variables, in place of what the template says; region and account are
    what the pseudo parameters come to, and queues' addresses are at the endpoint. What is no
    function is skipped. A function that has a value out of Lambda's range, or something that is not
    supported and would change what runs, is left out where others remain; so is one whose code lies
    outside the template's repository (its folder, where there is none), unless `allow_outside`.
    Raises TemplateError, with file and line, where none remains, and for a file that cannot be
    read.
    """
    file = _template_file(path)
    pseudo = {
        "AWS::Region": region,
        "AWS::AccountId": account_id,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account_id}:stack/local/{_STACK_UUID}",
        "AWS::StackName": "local",
    }
    reader = _Reader(
        parameters or {}, environment or {}, pseudo, endpoint_url, allow_outside=allow_outside
    )
    functions = reader.functions(read_document(file))
    if not functions and reader.left_out:
        raise TemplateError(next(iter(reader.left_out.values())))
    if not functions and reader.absent:
        raise TemplateError("; ".join(reader.absent)[:500])
    if not functions:
        kinds = " or ".join(support.FUNCTIONS)
        raise TemplateError(f"{file} has no resource of the type {kinds}")
    if not reader.left_out:
        _check_given(file, environment or {}, functions)
    return Template(
        file,
        functions,
        tuple(reader.ignored),
        reader.left_out,
        resources=tuple(reader.resources),
        skipped=tuple(reader.skipped.values()),
        not_made=tuple(reader.not_made),
    )


def _template_file(path: Path) -> Path:
    try:
        if not path.is_dir():
            return path
    except OSError:  # no name that a file system takes: reading it says so
        return path
    for name in ("template.yaml", "template.yml"):
        if (path / name).is_file():
            return path / name
    raise TemplateError(f"there is no template.yaml or template.yml in {path}: name the file")


@dataclass(frozen=True, slots=True)
class _Resource:
    """A resource as it is written."""

    key: TemplateNode
    type: str
    attributes: Mapping[str, tuple[TemplateNode, TemplateNode]]

    @property
    def metadata(self) -> TemplateNode | None:
        """Where the tools' own notes stand, if it has any."""
        return self.attributes["Metadata"][1] if "Metadata" in self.attributes else None


@dataclass(slots=True)
class _Reader:
    """Walks one template and notes what it passes over."""

    given: Mapping[str, str]
    environment: Mapping[str, str]
    pseudo: Mapping[str, str]
    endpoint_url: str
    allow_outside: bool = False
    ignored: list[IgnoredPart] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    """Functions whose condition does not hold, each told with its line."""
    layers: dict[str, TemplateLayer | str] = field(default_factory=dict)
    """By ARN; what is wrong with those that cannot be read."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Functions that cannot be read, by name, with the reasons."""
    resources: list[TemplateResource] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Types of what is neither run nor made, by logical id."""
    generated: dict[str, str] = field(default_factory=dict)
    """Types of what SAM would make, by logical id."""
    not_made: list[str] = field(default_factory=list)
    qualifiers: dict[str, set[str]] = field(default_factory=dict)
    """Aliases and versions of functions, by the function's ARN."""

    def functions(self, root: TemplateNode) -> tuple[TemplateFunction, ...]:
        sections = self._used(root.entries("the template"), support.SECTIONS, "")
        scope = self._scope(sections)
        sections = {name: replace(node, scope=scope) for name, node in sections.items()}
        if "Transform" in sections:
            _check_transform(sections["Transform"])
        if "Resources" not in sections:
            root.refuse("the template has no Resources")
        shared = self._globals(sections["Globals"]) if "Globals" in sections else {}
        resources = self._resources(sections["Resources"], scope)
        self._add_references(resources, scope, shared)
        found: dict[str, TemplateFunction] = {}
        for logical_id, resource in resources.items():
            if resource.type not in support.FUNCTIONS:
                continue
            scope.referred.clear()
            try:
                function = self._function(logical_id, resource, shared)
            except TemplateError as refused:
                self.left_out[scope.resources[logical_id]] = str(refused)
                continue
            if function.name in found:
                taken_by = found[function.name].logical_id
                resource.key.refuse(f"{logical_id} has the name {function.name}, as {taken_by} has")
            arn = scope.resources[f"{logical_id}.Arn"]
            found[function.name] = replace(
                function,
                not_here=self._not_here(scope.referred),
                qualifiers=tuple(sorted(self.qualifiers.get(arn, ()))),
            )
        return tuple(found.values())

    def _function(
        self, logical_id: str, resource: _Resource, shared: Mapping[str, TemplateNode]
    ) -> TemplateFunction:
        return read_function(
            logical_id,
            resource.key,
            own=self._properties(logical_id, resource),
            shared=_shared(resource, shared),
            layers=self.layers,
            given=self.environment,
            metadata=resource.metadata,
            is_sam=resource.type == support.FUNCTION,
        )

    def _scope(self, sections: Mapping[str, TemplateNode]) -> Scope:
        """Read what functions can refer to; its own values may be functions, too."""
        scope = Scope(
            read_parameters(sections.get("Parameters"), self.given),
            self.pseudo,
            allow_outside=self.allow_outside,
        )
        for name in ("Mappings", "Conditions"):
            if name in sections:
                entries = replace(sections[name], scope=scope).entries(name)
                values = {key: value for key, (_, value) in entries.items()}
                setattr(scope, name.lower(), values)
        return scope

    def _globals(self, node: TemplateNode) -> dict[str, TemplateNode]:
        properties: dict[str, TemplateNode] = {}
        for name, (key, value) in node.entries("Globals").items():
            if name == "Function":
                entries = value.entries("the globals for functions")
                properties = self._used(entries, support.PROPERTIES, " of Globals")
            else:
                self._note(key, name, " in Globals", "it is not about functions")
        if "FunctionName" in properties:
            properties["FunctionName"].refuse("FunctionName cannot be the same for all functions")
        return properties

    def _resources(self, section: TemplateNode, scope: Scope) -> dict[str, _Resource]:
        """Return the resources that exist."""
        found: dict[str, _Resource] = {}
        for logical_id, (key, resource) in section.entries("Resources").items():
            if logical_id.startswith(support.LOOP):
                self.left_out[logical_id] = key.said(support.ATTRIBUTES.unknown(logical_id))
                continue
            attributes = resource.entries(f"resource {logical_id}")
            if "Type" not in attributes:
                key.refuse(f"resource {logical_id} has no Type")
            its_type = attributes["Type"][1].text(f"Type of {logical_id}")
            if self._exists(logical_id, key, attributes, its_type, scope):
                found[logical_id] = _Resource(key, its_type, attributes)
        return found

    def _exists(
        self,
        logical_id: str,
        key: TemplateNode,
        attributes: Mapping[str, tuple[TemplateNode, TemplateNode]],
        its_type: str,
        scope: Scope,
    ) -> bool:
        if "Condition" not in attributes:
            return True
        node = attributes["Condition"][1]
        name = node.text(f"Condition of {logical_id}")
        if scope.holds(name, node):
            return True
        self._note(key, logical_id, "", f"its condition {name} does not hold")
        if its_type in support.FUNCTIONS:
            self.absent.append(
                key.said(
                    f"{logical_id} does not exist, as its condition {name} does not hold: give the "
                    "parameters that it depends on with --parameter NAME=VALUE"
                )
            )
        return False

    def _properties(self, logical_id: str, resource: _Resource) -> dict[str, TemplateNode]:
        """Return a function's own properties."""
        used = self._attributes(resource, logical_id)
        if "Properties" not in used:
            return {}
        entries = used["Properties"].entries(f"the properties of {logical_id}")
        return self._used(entries, support.FUNCTIONS[resource.type], f" of {logical_id}")

    def _add_references(
        self, resources: Mapping[str, _Resource], scope: Scope, shared: Mapping[str, TemplateNode]
    ) -> None:
        """Let functions refer to all resources; their own names may refer to the others."""
        functions = {n: each for n, each in resources.items() if each.type in support.FUNCTIONS}
        scope.types.update({name: resource.type for name, resource in resources.items()})
        for name, resource in functions.items():  # other resources may be named after them
            with contextlib.suppress(TemplateError):
                self._add_reference(name, resource, scope)
        for name, resource in resources.items():
            if resource.type in support.LAYERS:
                self._add_layer(name, resource, scope)
            elif name not in functions:
                self._add_other(name, resource, scope)
        for name, resource in functions.items():
            if name not in scope.resources:
                self._add_reference(name, resource, scope)
        for name, resource in resources.items():
            self._add_generated(name, resource, scope, _shared(resource, shared))

    def _add_reference(self, logical_id: str, resource: _Resource, scope: Scope) -> None:
        """Let other functions refer to one by its name and ARN."""
        if "Properties" not in resource.attributes:
            name = logical_id
        else:
            entries = resource.attributes["Properties"][1].entries(
                f"the properties of {logical_id}"
            )
            given = entries.get("FunctionName")
            name = given[1].text("FunctionName") if given else logical_id
        where = f"{self.pseudo['AWS::Region']}:{self.pseudo['AWS::AccountId']}"
        scope.resources[logical_id] = name
        scope.resources[f"{logical_id}.Arn"] = f"arn:aws:lambda:{where}:function:{name}"

    def _add_other(self, logical_id: str, resource: _Resource, scope: Scope) -> None:
        """Let functions refer to what is not run, and note whether it can be made."""
        other = read_resource(
            logical_id,
            resource.type,
            resource.key,
            resource.attributes.get("Properties", (None, None))[1],
            region=self.pseudo["AWS::Region"],
            account_id=self.pseudo["AWS::AccountId"],
            endpoint_url=self.endpoint_url,
        )
        scope.resources.update(other.references)
        if isinstance(other.wanted, TemplateResource):
            self.resources.append(other.wanted)
            self.ignored += other.ignored
            return
        self.skipped[logical_id] = resource.type
        if other.wanted is not None:
            self.not_made.append(other.wanted)

    def _add_generated(
        self, logical_id: str, resource: _Resource, scope: Scope, shared: Mapping[str, TemplateNode]
    ) -> None:
        """Let functions refer to what SAM makes of a resource, and to aliases and stages."""
        properties = resource.attributes.get("Properties", (None, None))[1]
        try:
            found = generated_from(logical_id, resource.type, properties, scope, shared)
        except TemplateError:  # of a value that only an account has
            return
        for name, (value, kind) in found.items():
            if name not in scope.types or name == logical_id:
                scope.resources[name] = value
            of, _, qualifier = value.rpartition(":")
            if kind in {ALIAS, VERSION} and of in scope.resources.values():
                self.qualifiers.setdefault(of, set()).add(qualifier)
                self.skipped.pop(name, None)
            elif "." not in name:
                self.generated.setdefault(name, kind)

    def _not_here(self, referred: set[str]) -> tuple[str, ...]:
        known = {**self.generated, **self.skipped}
        kinds = ((name, known[name]) for name in sorted(referred & known.keys()))
        return tuple(f"{name} ({kind})" for name, kind in kinds if kind != _ALWAYS_HERE)

    def _add_layer(self, logical_id: str, resource: _Resource, scope: Scope) -> None:
        """Let functions refer to a layer; one that cannot be read fails those that use it."""
        layer: TemplateLayer | str
        try:
            layer = self._layer(logical_id, resource)
            name = layer.name
        except TemplateError as refused:
            layer, name = str(refused), logical_id
        arn = layer_arn(name, self.pseudo["AWS::Region"], self.pseudo["AWS::AccountId"])
        if arn in self.layers:
            resource.key.refuse(f"{logical_id} has the name {name}, as another layer has")
        self.layers[arn] = layer
        scope.resources[logical_id] = arn

    def _layer(self, logical_id: str, resource: _Resource) -> TemplateLayer:
        used = self._attributes(resource, logical_id)
        nodes: dict[str, TemplateNode] = {}
        if "Properties" in used:
            entries = used["Properties"].entries(f"the properties of {logical_id}")
            nodes = self._used(entries, support.LAYERS[resource.type], f" of {logical_id}")
        return read_layer(logical_id, resource.key, nodes, resource.metadata)

    def _attributes(self, resource: _Resource, logical_id: str) -> dict[str, TemplateNode]:
        """Return a resource's attributes; one that nobody knows has no effect here."""
        known = support.ATTRIBUTES
        others = {
            name: node
            for name, node in resource.attributes.items()
            if name not in {*known.used, *known.ignored}
            and not difflib.get_close_matches(name[:100], known.used, n=1)
        }
        for name, (key, _) in others.items():
            self._note(key, name, f" of {logical_id}", "nothing here knows it")
        rest = {n: node for n, node in resource.attributes.items() if n not in others}
        return self._used(rest, known, f" of {logical_id}")

    def _used(
        self,
        entries: Mapping[str, tuple[TemplateNode, TemplateNode]],
        known: support.Vocabulary,
        whose: str,
    ) -> dict[str, TemplateNode]:
        """Return the values that are used; note the others, or refuse them."""
        used: dict[str, TemplateNode] = {}
        for name, (key, value) in entries.items():
            if name in known.used:
                used[name] = value
            elif name in known.ignored:
                self._note(key, name, whose, known.ignored[name])
            elif name in known.refused:
                key.refuse(f"{name}{whose} is not supported: {known.refused[name]}")
            else:
                key.refuse(known.unknown(name))
        return used

    def _note(self, node: TemplateNode, name: str, whose: str, why: str) -> None:
        self.ignored.append(IgnoredPart(name, whose, why, node.line))


def _shared(resource: _Resource, shared: Mapping[str, TemplateNode]) -> Mapping[str, TemplateNode]:
    """Return the globals that hold for a function: of SAM's only, and those it does not refuse."""
    if resource.type != support.FUNCTION or "IgnoreGlobals" not in resource.attributes:
        return shared if resource.type == support.FUNCTION else {}
    node = resource.attributes["IgnoreGlobals"][1]
    if not node.is_list and node.text("IgnoreGlobals") == "*":
        return {}
    refused = {item.text("IgnoreGlobals") for item in node.items("IgnoreGlobals")}
    return {name: value for name, value in shared.items() if name not in refused}


def _check_given(
    file: Path, environment: Mapping[str, str], functions: tuple[TemplateFunction, ...]
) -> None:
    """Refuse a value for a variable that no function has: it is a misspelled one."""
    known = sorted({name for each in functions for name, _ in each.environment})
    for name in environment:
        if name not in known:
            has = f"they have {', '.join(known)}" if known else "they have none"
            raise TemplateError(
                f"{file}: no function has the environment variable {name}: {has[:300]}"
            )


def _check_transform(node: TemplateNode) -> None:
    listed = node.items("Transform") if node.is_list else [node]
    for transform in listed:
        name = transform.text("Transform")
        if name not in support.TRANSFORMS:
            transform.refuse(f"the transform {name} cannot be applied here")
