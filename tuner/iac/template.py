"""What a template says of its functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.model.function import Architecture


@dataclass(frozen=True, slots=True)
class TemplateLayer:
    """A layer that the template makes."""

    logical_id: str
    name: str
    folder: Path
    """Absolute; it exists. It may be a ZIP."""
    line: int
    """Where the layer begins in the template, from 1."""
    build_method: str | None = None
    """How it is built: BuildMethod of its Metadata, such as "python3.13"."""


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """One function's settings and where its code lies, the globals and SAM's defaults filled in."""

    name: str
    code_dir: Path | None = None
    """Absolute; it exists. It may be a ZIP. None where the code is in the template."""
    handler: str = "handler.handler"
    runtime: str = "python3.13"
    memory_mb: int = 128
    timeout_s: int = 3
    architecture: Architecture = "x86_64"
    ephemeral_storage_mb: int = 512
    description: str = ""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    has_requirements: bool = False
    """Whether packages are named beside the code (requirements.txt, package.json) and not there."""
    inline_code: str | None = field(default=None, repr=False)
    """The code, where it is in the template: the module `index`."""
    logical_id: str = ""
    """What the template calls it: a Makefile's target is named after it."""
    build_method: str | None = None
    """How it is built: BuildMethod of its Metadata, such as "makefile"."""
    build_properties: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """With what: BuildProperties of its Metadata, "EntryPoints" and others, each a list."""
    layers: tuple[TemplateLayer, ...] = ()
    """In the order in which they are laid over one another."""
    logging: tuple[tuple[str, str], ...] = ()
    """What LoggingConfig says: LogFormat, levels and LogGroup, as they are given."""
    not_here: tuple[str, ...] = ()
    """What its settings refer to that is not made locally, with its type."""
    qualifiers: tuple[str, ...] = ()
    """Its aliases, and "1" where the template makes a version."""
    origin: str = ""
    """Where it begins, for messages: "template.yaml:12"."""


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """A bucket, queue, table or topic beside the functions, which can be made locally."""

    logical_id: str
    type: str
    name: str
    properties: Mapping[str, Any]
    """What it is made of, as CloudFormation calls it: texts, lists and mappings."""
    line: int


@dataclass(frozen=True, slots=True)
class IgnoredPart:
    """Something that has no effect where the functions are run on their own."""

    name: str
    """A property's or a section's name, or a function's."""
    whose: str
    """Empty, or such as " of Resize"."""
    why: str
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """The functions of a template, in its order, and what else is there."""

    path: Path
    functions: tuple[TemplateFunction, ...]
    ignored: tuple[IgnoredPart, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Functions that cannot be read, by name: why, with file and line."""
    resources: tuple[TemplateResource, ...] = ()
    """What can be made locally."""
    skipped: tuple[str, ...] = ()
    """The types of the other resources, one entry each."""
    not_made: tuple[str, ...] = ()
    """Why resources of a kind that can be made are not, with file and line."""
