"""A function to deploy when the endpoint starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac import TemplateFunction


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function's settings and where its code lies.

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
    """Whether packages are named that nobody installs here."""
    origin: str = ""
    """Where it is defined, for messages: "template.yaml:12"."""


def from_template(function: TemplateFunction, path: Path) -> FunctionDefinition:
    """Take over what the template at `path` says of a function."""
    return FunctionDefinition(
        name=function.name,
        code_dir=function.code_dir,
        handler=function.handler,
        runtime=function.runtime,
        memory_mb=function.memory_mb,
        timeout_s=function.timeout_s,
        architecture=function.architecture,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        description=function.description,
        environment=function.environment,
        has_requirements=function.has_requirements,
        origin=f"{path}:{function.line}",
    )
