"""What a template says about its functions."""

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
    """Absolute, and exists. It may be a ZIP."""
    line: int
    """Where the layer begins in the template, from 1."""
    build_method: str | None = None
    """BuildMethod in its Metadata, such as "python3.13"."""


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """One function's settings and its code's place, with globals and SAM's defaults."""

    name: str
    code_dir: Path | None = None
    """Absolute, and exists. It may be a ZIP. None if the code is inline."""
    handler: str = "handler.handler"
    runtime: str = "python3.13"
    memory_mb: int = 128
    timeout_s: int = 3
    architecture: Architecture = "x86_64"
    ephemeral_storage_mb: int = 512
    description: str = ""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    has_requirements: bool = False
    """Whether the code lists packages (requirements.txt, package.json) that aren't installed."""
    inline_code: str | None = field(default=None, repr=False)
    """The inline code: the module `index`."""
    logical_id: str = ""
    """Its name in the template: a Makefile's target is named after it."""
    build_method: str | None = None
    """BuildMethod in its Metadata, such as "makefile"."""
    build_properties: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """BuildProperties in its Metadata, "EntryPoints" and others, each a list."""
    layers: tuple[TemplateLayer, ...] = ()
    """In the order in which they overlay one another."""
    logging: tuple[tuple[str, str], ...] = ()
    """LoggingConfig: LogFormat, levels and LogGroup, as given."""
    not_here: tuple[str, ...] = ()
    """What its settings refer to that isn't created locally, with its type."""
    qualifiers: tuple[str, ...] = ()
    """Its aliases, and "1" if the template makes a version."""
    origin: str = ""
    """Where it begins, for messages: "template.yaml:12"."""


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """A bucket, queue, table or topic beside the functions, which can be created locally."""

    logical_id: str
    type: str
    name: str
    properties: Mapping[str, Any]
    """Its properties, with CloudFormation's names: texts, lists and mappings."""
    line: int


@dataclass(frozen=True, slots=True)
class TemplateEventMapping:
    """A queue or stream that is polled for a function, where it's deployed."""

    source_arn: str
    function: str
    batch_size: int
    window_s: int = 0
    max_concurrency: int | None = None
    parallelization_factor: int = 1
    pollers: tuple[int, int] | None = None
    """The fewest and the most of provisioned mode."""


@dataclass(frozen=True, slots=True)
class OtherEventMapping:
    """Something else that is polled for a function, or a source that only an account knows."""

    function: str
    what: str
    """Such as "DynamoDB (event Orders)"."""


@dataclass(frozen=True, slots=True)
class IgnoredPart:
    """Something that has no effect when functions run on their own."""

    name: str
    """A property's or a section's name, or a function's."""
    whose: str
    """Empty, or such as " of Resize"."""
    why: str
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """A template's functions, in its order, and what else it has."""

    path: Path
    functions: tuple[TemplateFunction, ...]
    ignored: tuple[IgnoredPart, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Functions that can't be read, by name: why, with file and line."""
    resources: tuple[TemplateResource, ...] = ()
    """What can be created locally."""
    skipped: tuple[str, ...] = ()
    """The types of the other resources, one entry each."""
    not_made: tuple[str, ...] = ()
    """Why resources of a supported kind can't be created, with file and line."""
    event_mappings: tuple[TemplateEventMapping, ...] = ()
    """What is polled for functions where they are deployed; not here."""
    other_mappings: tuple[OtherEventMapping, ...] = ()
    """What is polled besides: not a queue or a stream of Kinesis, or none that can be read."""
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict)
    """By function, where it's set."""
