"""Reads the plain subset of an AWS SAM template: its functions and its globals for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuner.errors import TemplateError
from tuner.iac import support
from tuner.iac.document import Place, read_document
from tuner.iac.function import read_function
from tuner.iac.template import Template, TemplateFunction

if TYPE_CHECKING:
    from pathlib import Path


def read_template(path: Path) -> Template:
    """Return the functions of a SAM template; `path` may be the folder that it lies in.

    Raises TemplateError, with file and line, for a file that cannot be read, a value out of
    Lambda's range, and whatever is not supported and would change what runs.
    """
    file = _template_file(path)
    reader = _Reader(file)
    functions = reader.functions(read_document(file))
    if not functions:
        raise TemplateError(f"{file} has no resource of the type {support.FUNCTION}")
    return Template(file, functions, tuple(reader.notes))


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


@dataclass(slots=True)
class _Reader:
    """Walks one template and notes what it passes over."""

    path: Path
    notes: list[str] = field(default_factory=list)

    def functions(self, root: Place) -> tuple[TemplateFunction, ...]:
        sections = root.entries("the template")
        for name, (key, _) in sections.items():
            if name in support.IGNORED_SECTIONS:
                self._note(key, name, support.IGNORED_SECTIONS[name])
            elif name not in support.USED_SECTIONS:
                key.refuse(support.unknown(name, support.USED_SECTIONS, support.IGNORED_SECTIONS))
        if "Transform" in sections:
            _check_transform(sections["Transform"][1])
        if "Resources" not in sections:
            root.refuse("the template has no Resources")
        shared = self._globals(sections["Globals"][1]) if "Globals" in sections else {}
        found: dict[str, TemplateFunction] = {}
        for logical_id, (key, resource) in sections["Resources"][1].entries("Resources").items():
            properties = self._function_properties(logical_id, key, resource)
            if properties is None:
                continue
            function = read_function(logical_id, key, own=properties, shared=shared)
            if function.name in found:
                key.refuse(
                    f"the name {function.name} is taken by {found[function.name].logical_id}"
                )
            found[function.name] = function
        return tuple(found.values())

    def _globals(self, place: Place) -> dict[str, Place]:
        properties: dict[str, Place] = {}
        for name, (key, value) in place.entries("Globals").items():
            if name == "Function":
                properties = self._supported(value, "Globals")
            else:
                self._note(key, f"{name} in Globals", "it is not about functions")
        if "FunctionName" in properties:
            properties["FunctionName"].refuse("FunctionName cannot be the same for all functions")
        return properties

    def _function_properties(
        self, logical_id: str, key: Place, resource: Place
    ) -> dict[str, Place] | None:
        """Return a function's own properties; None for a resource that has no effect here."""
        attributes = resource.entries(f"resource {logical_id}")
        if "Type" not in attributes:
            key.refuse(f"resource {logical_id} has no Type")
        its_type = attributes["Type"][1].text(f"Type of {logical_id}")
        if its_type != support.FUNCTION:
            reason = support.reason_to_ignore_type(its_type)
            if reason is None:
                attributes["Type"][1].refuse(
                    f"{logical_id} is of the type {its_type[:100]}, which is not supported here: "
                    "leave it out of the template that is tuned"
                )
            self._note(key, f"{logical_id} ({its_type})", reason)
            return None
        for name, (place, _) in attributes.items():
            if name in support.IGNORED_ATTRIBUTES:
                self._note(place, f"{name} of {logical_id}", support.IGNORED_ATTRIBUTES[name])
            elif name in support.REFUSED_ATTRIBUTES:
                reason = support.REFUSED_ATTRIBUTES[name]
                place.refuse(f"{name} of {logical_id} is not supported: {reason}")
            elif name not in support.USED_ATTRIBUTES:
                place.refuse(support.unknown(name, support.USED_ATTRIBUTES))
        if "Properties" not in attributes:
            return {}
        return self._supported(attributes["Properties"][1], logical_id)

    def _supported(self, place: Place, owner: str) -> dict[str, Place]:
        """Return the properties that are used; note the others or refuse them."""
        used: dict[str, Place] = {}
        for name, (key, value) in place.entries(f"the properties of {owner}").items():
            if name in support.USED_PROPERTIES:
                used[name] = value
            elif name in support.IGNORED_PROPERTIES:
                self._note(key, f"{name} of {owner}", support.IGNORED_PROPERTIES[name])
            elif name in support.REFUSED_PROPERTIES:
                reason = support.REFUSED_PROPERTIES[name]
                key.refuse(f"{name} of {owner} is not supported: {reason}")
            else:
                key.refuse(
                    support.unknown(name, support.USED_PROPERTIES, support.IGNORED_PROPERTIES)
                )
        return used

    def _note(self, place: Place, what: str, why: str) -> None:
        self.notes.append(f"{self.path}:{place.line}: {what} is ignored: {why}")


def _check_transform(place: Place) -> None:
    listed = place.items("Transform") if place.is_list else [place]
    for transform in listed:
        name = transform.text("Transform")
        if name != support.TRANSFORM:
            transform.refuse(f"the transform {name[:100]} cannot be applied here")
