"""Reads a template of AWS SAM or CloudFormation: its functions, with its globals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NoReturn

from tuner.errors import TemplateError
from tuner.iac import supported_properties as support
from tuner.iac.document import TemplateNode, read_document
from tuner.iac.event_mappings import read_event_mappings, read_reserved
from tuner.iac.function_properties import read_function
from tuner.iac.intrinsics import Scope, scoped
from tuner.iac.parameters import read_parameters
from tuner.iac.references import References
from tuner.iac.resources import Resource
from tuner.iac.template import (
    OtherEventMapping,
    Template,
    TemplateEventMapping,
    TemplateFunction,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOCAL_ACCOUNT: Final = "123456789012"
"""An account that nobody has: the default value of AWS::AccountId."""
LOCAL_ENDPOINT: Final = "http://127.0.0.1"
"""The default start of queues' addresses."""
_STACK_UUID: Final = "51af3dc0-da77-11e4-872e-1234567db123"
"""In CloudFormation's format: templates cut it into pieces."""


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
    """Return the functions of a template; `path` may be its folder.

    `parameters` are given values of the template's own parameters, `environment` those of
    functions' environment variables, replacing the template's; region and account are the pseudo
    parameters' values, and queues' addresses are at the endpoint. What isn't a function is skipped.
    A function with a value out of Lambda's range, or with something unsupported that would change
    what runs, is left out if others remain; so is one whose code is outside the template's
    repository (its folder, if there is none), unless `allow_outside`. Raises TemplateError, with
    file and line, if none remains, and for a file that can't be read.
    """
    file = _template_file(path)
    root = read_document(file)
    reader = _Reader()
    sections = reader.notes.used(root.entries("the template"), support.SECTIONS, "")
    given = read_parameters(sections.get("Parameters"), parameters or {})
    scope, sections = scoped(
        sections,
        Scope(given, pseudo_parameters(region, account_id), allow_outside=allow_outside),
    )
    if "Transform" in sections:
        _check_transform(sections["Transform"])
    if "Resources" not in sections:
        root.refuse("the template has no Resources")
    shared = reader.globals(sections["Globals"]) if "Globals" in sections else {}
    resources = reader.resources(sections["Resources"], scope)
    references = References(scope, endpoint_url, reader.notes)
    references.add(resources, shared)
    functions = reader.functions(resources, shared, references, environment or {})
    if not functions:
        reader.refuse_empty(file)
    if not reader.left_out:
        _check_given(file, environment or {}, functions)
    mappings = tuple(read_event_mappings(resources, scope))
    return Template(
        file,
        functions,
        tuple(reader.notes.ignored),
        reader.left_out,
        resources=tuple(references.resources),
        skipped=tuple(references.skipped.values()),
        not_made=tuple(references.not_made),
        event_mappings=tuple(each for each in mappings if isinstance(each, TemplateEventMapping)),
        other_mappings=tuple(each for each in mappings if isinstance(each, OtherEventMapping)),
        reserved_concurrency=dict(read_reserved(resources, sections.get("Globals"), scope)),
    )


def pseudo_parameters(region: str = "us-east-1", account_id: str = LOCAL_ACCOUNT) -> dict[str, str]:
    """What a template's pseudo parameters come to here."""
    return {
        "AWS::Region": region,
        "AWS::AccountId": account_id,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account_id}:stack/local/{_STACK_UUID}",
        "AWS::StackName": "local",
    }


def _template_file(path: Path) -> Path:
    try:
        if not path.is_dir():
            return path
    except OSError:  # not a valid file name: reading it reports that
        return path
    for name in ("template.yaml", "template.yml"):
        if (path / name).is_file():
            return path / name
    raise TemplateError(f"there is no template.yaml or template.yml in {path}: name the file")


@dataclass(slots=True)
class _Reader:
    """Walks one template and notes what it skips."""

    notes: support.Notes = field(default_factory=support.Notes)
    absent: list[str] = field(default_factory=list)
    """Functions whose condition is false, each with its line."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Functions that can't be read, by name, with the reasons."""

    def functions(
        self,
        resources: Mapping[str, Resource],
        shared: Mapping[str, TemplateNode],
        references: References,
        environment: Mapping[str, str],
    ) -> tuple[TemplateFunction, ...]:
        found: dict[str, TemplateFunction] = {}
        scope = references.scope
        for logical_id, resource in resources.items():
            if resource.type not in support.FUNCTIONS:
                continue
            scope.referred.clear()
            try:
                function = read_function(
                    resource,
                    own=resource.used_properties(self.notes),
                    shared=resource.globals_of(shared),
                    layers=references.layers,
                    given=environment,
                )
            except TemplateError as refused:
                self.left_out[scope.resources[logical_id]] = str(refused)
                continue
            if function.name in found:
                taken_by = found[function.name].logical_id
                resource.key.refuse(f"{logical_id} has the name {function.name}, as {taken_by} has")
            found[function.name] = replace(
                function,
                not_here=references.not_here(),
                qualifiers=references.qualifiers(logical_id),
            )
        return tuple(found.values())

    def refuse_empty(self, file: Path) -> NoReturn:
        """Say why there is no function."""
        if self.left_out:
            raise TemplateError(next(iter(self.left_out.values())))
        if self.absent:
            raise TemplateError("; ".join(self.absent)[:500])
        kinds = " or ".join(support.FUNCTIONS)
        raise TemplateError(f"{file} has no resource of the type {kinds}")

    def globals(self, node: TemplateNode) -> dict[str, TemplateNode]:
        properties: dict[str, TemplateNode] = {}
        for name, (key, value) in node.entries("Globals").items():
            if name == "Function":
                entries = value.entries("the globals for functions")
                properties = self.notes.used(entries, support.PROPERTIES, " of Globals")
            else:
                self.notes.add(key, name, " in Globals", "it is not about functions")
        if "FunctionName" in properties:
            properties["FunctionName"].refuse("FunctionName can't be the same for all functions")
        return properties

    def resources(self, section: TemplateNode, scope: Scope) -> dict[str, Resource]:
        """Return the resources that exist."""
        found: dict[str, Resource] = {}
        for logical_id, (key, resource) in section.entries("Resources").items():
            if logical_id.startswith(support.LOOP):
                self.left_out[logical_id] = key.located(support.ATTRIBUTES.unknown(logical_id))
                continue
            attributes = resource.entries(f"resource {logical_id}")
            if "Type" not in attributes:
                key.refuse(f"resource {logical_id} has no Type")
            its_type = attributes["Type"][1].text(f"Type of {logical_id}")
            found[logical_id] = Resource(logical_id, key, its_type, attributes)
        return {name: each for name, each in found.items() if self._exists(each, scope)}

    def _exists(self, resource: Resource, scope: Scope) -> bool:
        if "Condition" not in resource.attributes:
            return True
        node, logical_id = resource.attributes["Condition"][1], resource.logical_id
        name = node.text(f"Condition of {logical_id}")
        if scope.holds(name, node):
            return True
        self.notes.add(resource.key, logical_id, "", f"its condition {name} does not hold")
        if resource.type in support.FUNCTIONS:
            self.absent.append(
                resource.key.located(
                    f"{logical_id} does not exist, because its condition {name} is false: set the "
                    "parameters that it depends on with `template_parameters=NAME=VALUE`"
                )
            )
        return False


def _check_given(
    file: Path, environment: Mapping[str, str], functions: tuple[TemplateFunction, ...]
) -> None:
    """Refuse a value for a variable that no function has: it's probably misspelled."""
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
        macro = transform.values("Transform").get("Name") if transform.is_mapping else None
        name = (macro or transform).text("Transform")
        if name not in support.TRANSFORMS:
            transform.refuse(f"the transform {name} can't be applied here")
