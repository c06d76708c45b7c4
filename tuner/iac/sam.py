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
    from collections.abc import Mapping
    from pathlib import Path


def read_template(path: Path) -> Template:
    """Return the functions of a SAM template; `path` may be the folder that it lies in.

    Raises TemplateError, with file and line, for a file that cannot be read, a value out of
    Lambda's range, and whatever is not supported and would change what runs.
    """
    file = _template_file(path)
    reader = _Reader()
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

    notes: list[str] = field(default_factory=list)

    def functions(self, root: Place) -> tuple[TemplateFunction, ...]:
        sections = self._used(root.entries("the template"), support.SECTIONS, "")
        if "Transform" in sections:
            _check_transform(sections["Transform"])
        if "Resources" not in sections:
            root.refuse("the template has no Resources")
        shared = self._globals(sections["Globals"]) if "Globals" in sections else {}
        found: dict[str, TemplateFunction] = {}
        for logical_id, (key, resource) in sections["Resources"].entries("Resources").items():
            properties = self._function_properties(logical_id, key, resource)
            if properties is None:
                continue
            function = read_function(logical_id, key, own=properties, shared=shared)
            if function.name in found:
                taken_by = found[function.name].logical_id
                key.refuse(f"{logical_id} has the name {function.name}, as {taken_by} has")
            found[function.name] = function
        return tuple(found.values())

    def _globals(self, place: Place) -> dict[str, Place]:
        properties: dict[str, Place] = {}
        for name, (key, value) in place.entries("Globals").items():
            if name == "Function":
                entries = value.entries("the globals for functions")
                properties = self._used(entries, support.PROPERTIES, " of Globals")
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
                    f"{logical_id} is of the type {its_type}, which is not supported here: "
                    "leave it out of the template that is tuned"
                )
            self._note(key, f"{logical_id} ({its_type})", reason)
            return None
        used = self._used(attributes, support.ATTRIBUTES, f" of {logical_id}")
        if "Properties" not in used:
            return {}
        entries = used["Properties"].entries(f"the properties of {logical_id}")
        return self._used(entries, support.PROPERTIES, f" of {logical_id}")

    def _used(
        self, entries: Mapping[str, tuple[Place, Place]], known: support.Vocabulary, whose: str
    ) -> dict[str, Place]:
        """Return the values that are used; note the others, or refuse them."""
        used: dict[str, Place] = {}
        for name, (key, value) in entries.items():
            if name in known.used:
                used[name] = value
            elif name in known.ignored:
                self._note(key, f"{name}{whose}", known.ignored[name])
            elif name in known.refused:
                key.refuse(f"{name}{whose} is not supported: {known.refused[name]}")
            else:
                key.refuse(known.unknown(name))
        return used

    def _note(self, place: Place, what: str, why: str) -> None:
        self.notes.append(place.said(f"{what} is ignored: {why}"))


def _check_transform(place: Place) -> None:
    listed = place.items("Transform") if place.is_list else [place]
    for transform in listed:
        name = transform.text("Transform")
        if name != support.TRANSFORM:
            transform.refuse(f"the transform {name} cannot be applied here")
