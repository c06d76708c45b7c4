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


def from_template(function: TemplateFunction) -> FunctionDefinition:
    """Take over what a template says of a function."""
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
    )
