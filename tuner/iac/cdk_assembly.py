"""What `cdk synth` wrote: which construct became which function, under which name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TemplateError
from tuner.iac.setting import SUFFIX, matches
from tuner.iac.supported_properties import FUNCTIONS
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.iac.setting import Sources

_MAX_TEMPLATES: Final = 200


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A function in a synthesized template."""

    ids: tuple[str, ...]
    """Of its constructs, from the stack inward."""
    logical_id: str
    stack: str
    name: str | None
    handler: str | None
    memory_mb: int | None

    @property
    def deployed(self) -> str:
        """Its name, or the pattern of the one that CloudFormation makes."""
        return self.name or f"{self.stack}-{self.logical_id}-{SUFFIX}"


def synthesized(project: Path, sources: Sources) -> list[Synthesized]:
    """The functions of an app, from its `cdk.out`; none without one. Never raises."""
    folder = project / "cdk.out"
    if not folder.is_dir():
        return []
    templates = sources.listed(folder, lambda: sorted(folder.rglob("*.template.json")))
    found = []
    for template in templates[:_MAX_TEMPLATES]:
        content = _json(template, sources)
        resources = content.get("Resources")
        stack = _stack_of(template, sources)
        if isinstance(resources, dict):
            found += list(_functions(resources, stack))
    return found


def of_construct(
    known: list[Synthesized], id_pattern: str | None, handler: str | None, memory: int | str | None
) -> list[Synthesized]:
    """Those that a construct with this id, handler and memory may have become."""
    if id_pattern is None:
        return []
    return [
        each
        for each in known
        if matches(id_pattern, each.ids[-1])
        and (handler is None or f".{each.handler or handler}".endswith(f".{handler}"))
        and (not isinstance(memory, int) or each.memory_mb in (None, memory))
    ]


def _functions(resources: dict[str, Any], stack: str) -> Iterator[Synthesized]:
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or resource.get("Type") not in FUNCTIONS:
            continue
        properties = resource.get("Properties")
        metadata = resource.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        if not isinstance(properties, dict) or not isinstance(path, str):
            continue
        ids = tuple(path.removesuffix("/Resource").split("/"))
        name, handler = properties.get("FunctionName"), properties.get("Handler")
        memory = properties.get("MemorySize", 128)
        yield Synthesized(
            ids,
            logical_id,
            stack,
            name if isinstance(name, str) else None,
            handler if isinstance(handler, str) else None,
            memory if isinstance(memory, int) else None,
        )


def _stack_of(template: Path, sources: Sources) -> str:
    """The name of a template's stack, as the manifest beside it has it."""
    artifacts = _json(template.with_name("manifest.json"), sources).get("artifacts")
    for name, artifact in artifacts.items() if isinstance(artifacts, dict) else ():
        properties = artifact.get("properties") if isinstance(artifact, dict) else None
        if isinstance(properties, dict) and properties.get("templateFile") == template.name:
            return str(properties.get("stackName", name))
    return template.name.removesuffix(".template.json")


def _json(file: Path, sources: Sources) -> dict[str, Any]:
    with suppress(TemplateError):
        return read_object(sources.data(file)) or {}
    return {}
