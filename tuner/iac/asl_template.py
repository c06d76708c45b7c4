"""State machines that a SAM or CloudFormation template declares: definition and substitutions."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.asl import machine_of, read_machine
from tuner.iac.document import read_document
from tuner.iac.intrinsics import Scope, scoped
from tuner.iac.parameters import read_parameters
from tuner.iac.references import References
from tuner.iac.resources import Resource
from tuner.iac.sam import LOCAL_ENDPOINT, pseudo_parameters
from tuner.iac.supported_properties import Notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tuner.iac.document import TemplateNode
    from tuner.iac.placeholders import Substitutions
    from tuner.model.workflow import Machine

_KINDS: Final = ("AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")


@dataclass(frozen=True, slots=True)
class DeclaredMachine:
    """A state machine in a template: its properties, and the express or standard type."""

    logical_id: str
    template: Path
    key: TemplateNode
    properties: Mapping[str, TemplateNode]

    @property
    def kind(self) -> str:
        """`express` or `standard`."""
        for name in ("Type", "StateMachineType"):
            if name in self.properties:
                return self.properties[name].text(name).lower()
        return "standard"

    @property
    def file(self) -> Path | None:
        """Where its definition is, if that's a file beside the template."""
        for name in ("DefinitionUri", "DefinitionS3Location"):
            with contextlib.suppress(TemplateError):
                written = self.properties[name].text(name) if name in self.properties else "s3:"
                if not written.startswith("s3:"):
                    return self.template.parent / written
        return None

    def substitutions(self, given: Substitutions) -> Substitutions:
        """With what the template says of `${Name}`; what is given counts more.

        What the template can't resolve is left out: it may not be needed.
        """
        values: dict[str, str] = {}
        unresolved: dict[str, str] = {}
        declared = self.properties.get("DefinitionSubstitutions")
        if declared is not None:
            for name, node in declared.values("DefinitionSubstitutions").items():
                try:
                    values[name] = node.text(name)
                except TemplateError as refused:
                    unresolved[name] = str(refused)
        return replace(given, declared=values, unresolved=unresolved, template=str(self.template))

    def machine(self, given: Substitutions) -> Machine:
        """Read its definition. Raises TemplateError."""
        known = self.substitutions(given)
        if (file := self.file) is not None:
            if not file.exists():
                self.key.refuse(f"{self.logical_id} has its definition in {file}, which isn't here")
            return read_machine(file, known)
        if "Definition" in self.properties:
            return machine_of(_keeping_unknown(self.properties["Definition"]), known)
        if "DefinitionString" not in self.properties:
            self.key.refuse(
                f"{self.logical_id} has no definition here: give its FILE.asl.json with this file "
                "as `template`"
            )
        node = _keeping_unknown(self.properties["DefinitionString"])
        text = node.text(f"DefinitionString of {self.logical_id}")
        return read_machine(self.template, known, text=text)


def _keeping_unknown(node: TemplateNode) -> TemplateNode:
    """The same, with what only an account knows as `${Name}`: most of it is of other services."""
    scope = node.scope
    if not isinstance(scope, Scope):
        return node
    return replace(node, scope=replace(scope, keeps_unknown=True))


def declared_machines(
    template: Path, parameters: Mapping[str, str] | None = None
) -> tuple[DeclaredMachine, ...]:
    """The state machines of a template, in its order. Raises TemplateError."""
    sections = read_document(template).values("the template")
    if "Resources" not in sections:
        raise TemplateError(f"{template} has no Resources: it's no template")
    pseudo = pseudo_parameters()
    del pseudo["AWS::StackId"]  # no name can be told by one that is made up
    known = read_parameters(sections.get("Parameters"), parameters or {})
    scope, sections = scoped(sections, Scope(known, pseudo))
    resources = dict(_resources(sections["Resources"]))
    with contextlib.suppress(TemplateError):
        References(scope, LOCAL_ENDPOINT, Notes(), names_all=True).add(resources, {})
    return tuple(
        DeclaredMachine(name, template, each.key, each.properties())
        for name, each in resources.items()
        if each.type in _KINDS
    )


def _resources(section: TemplateNode) -> Iterator[tuple[str, Resource]]:
    for logical_id, (key, node) in section.entries("Resources").items():
        with contextlib.suppress(TemplateError):
            attributes = node.entries(f"resource {logical_id}")
            kind = attributes["Type"][1].text("Type") if "Type" in attributes else ""
            yield logical_id, Resource(logical_id, key, kind, attributes)
