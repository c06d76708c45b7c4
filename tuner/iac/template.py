"""What a template says of its functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.function import Architecture


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """One function's settings, the template's globals and SAM's defaults filled in."""

    logical_id: str
    name: str
    handler: str
    runtime: str
    code_dir: Path
    """Absolute; it exists."""
    memory_mb: int
    timeout_s: int
    architecture: Architecture
    ephemeral_storage_mb: int
    description: str
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    line: int
    """Where the function begins in the template, from 1."""
    has_requirements: bool
    """Whether a requirements.txt lies beside the code: it is not installed here."""


@dataclass(frozen=True, slots=True)
class Template:
    """The functions of a template, in its order.

    `ignored` says in a sentence each, with the line, what has no effect where the functions are
    run on their own (triggers, permissions, tracing, ...).
    """

    path: Path
    functions: tuple[TemplateFunction, ...]
    ignored: tuple[str, ...]
