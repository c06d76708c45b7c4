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
    """One function's settings, the template's globals and SAM's defaults filled in."""

    logical_id: str
    name: str
    handler: str
    runtime: str
    code_dir: Path | None
    """Absolute; it exists. It may be a ZIP. None where the code stands in the template."""
    memory_mb: int
    timeout_s: int
    architecture: Architecture
    ephemeral_storage_mb: int
    description: str
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    line: int
    """Where the function begins in the template, from 1."""
    has_requirements: bool
    """Whether packages are named beside the code (requirements.txt, package.json) and not there."""
    inline_code: str | None = field(default=None, repr=False)
    """The code, where it stands in the template."""
    build_method: str | None = None
    """How it is built: BuildMethod of its Metadata, such as "makefile"."""
    build_properties: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """With what it is built: BuildProperties of its Metadata, each a list of texts."""
    layers: tuple[TemplateLayer, ...] = ()
    """In the order in which they are laid over one another."""
    logging: tuple[tuple[str, str], ...] = ()
    """What LoggingConfig says: LogFormat, levels and LogGroup, as they are given."""
    not_here: tuple[str, ...] = ()
    """What its settings refer to that is not made locally, with its type."""
    qualifiers: tuple[str, ...] = ()
    """Its aliases, and "1" where the template makes a version."""


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
    """The functions of a template, in its order, and what stands beside them."""

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
