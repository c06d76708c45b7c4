"""A function to deploy when the endpoint starts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac import TemplateFunction, TemplateLayer


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function's settings and where its code lies, a folder or a ZIP.

    Without `code_dir` it gets a handler that returns its event: enough where a scripted executor
    answers in its place.
    """

    name: str
    code_dir: Path | None = None
    handler: str = "handler.handler"
    runtime: str = "python3.13"
    memory_mb: int = 128
    timeout_s: int = 3
    architecture: str = "x86_64"
    ephemeral_storage_mb: int = 512
    description: str = ""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    has_requirements: bool = False
    """Whether packages are named beside the code that are not there."""
    inline_code: str | None = field(default=None, repr=False)
    """The code, where it is no folder's: the module `index`."""
    logical_id: str = ""
    """What the template calls it: a Makefile's target is named after it."""
    build_method: str | None = None
    """What the template says of how it is built: "makefile"."""
    build_properties: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """With what: "EntryPoints", "Binary" and others, each a list of texts."""
    layers: tuple[TemplateLayer, ...] = ()
    """In the order in which they are laid over one another."""
    logging: tuple[tuple[str, str], ...] = ()
    """Members of LoggingConfig."""
    not_here: tuple[str, ...] = ()
    """What its settings refer to that is neither here nor can be made."""
    qualifiers: tuple[str, ...] = ()
    """Aliases to make of a version 1; with "1" alone only that."""
    origin: str = ""
    """Where it is defined, for messages: "template.yaml:12"."""


def from_template(function: TemplateFunction, path: Path) -> FunctionDefinition:
    """Take over what the template at `path` says of a function."""
    names = {each.name for each in fields(FunctionDefinition)} - {"origin"}
    said = {name: getattr(function, name) for name in names}
    return FunctionDefinition(**said, origin=f"{path}:{function.line}")
