"""What is executed for a function's Runtime, and what it has to be told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tuner.local.deployment import check_runtime
from tuner.local.execution.runtime.file_view import OPT_DIR, TASK_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.local.deployment import Deployment
    from tuner.model.finding import Finding


class Program(Protocol):
    """One way to run functions: an interpreter with a client, or the function's own bootstrap."""

    @property
    def label(self) -> str:
        """What INIT_START names: "python:3.11.7"."""

    @property
    def directories(self) -> tuple[str, ...]:
        """What it must be able to read."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say of it on this host."""

    def argv(self, deployment: Deployment) -> tuple[str, ...]:
        """What is executed; raises EntrypointError where the package has nothing to execute."""

    def search_paths(self, deployment: Deployment) -> Mapping[str, tuple[str, ...]]:
        """Variables that hold paths: what Lambda sets them to, layers included."""


class EntrypointError(Exception):
    """A package cannot be started; the message is Lambda's, without the request id."""


def find_program(runtime: str, links_dir: Path) -> Program:
    """Find what runs `runtime` on this host. `links_dir` may be filled with links to packages.

    Raises LocalError for a runtime that cannot be run here, and says why.
    """
    from tuner.local.execution.runtime import (  # noqa: PLC0415 - only what the runtime needs
        interpreter,
        node_js,
        provided,
    )

    check_runtime(runtime)
    if runtime.startswith("python"):
        return interpreter.find_interpreter(runtime, links_dir)
    if runtime.startswith("nodejs"):
        return node_js.find_node(runtime)
    return provided.Bootstrap(runtime)


def as_seen(deployment: Deployment, program: Program) -> Deployment:
    """Name the folders as on Lambda; the layers' one only if the program does not lie in /opt."""
    opt_dir = deployment.opt_dir
    in_opt = any(f"{folder}/".startswith(f"{OPT_DIR}/") for folder in program.directories)
    if opt_dir is not None and Path(OPT_DIR).is_dir() and not in_opt:
        opt_dir = Path(OPT_DIR)
    return replace(deployment, code_dir=Path(TASK_DIR), opt_dir=opt_dir)


def seen_argv(argv: Sequence[str], deployment: Deployment, seen: Deployment) -> tuple[str, ...]:
    """Name the executable as it is called where the folders are `seen`."""
    executable = Path(argv[0])
    for folder, shown in (
        (deployment.code_dir, seen.code_dir),
        (deployment.opt_dir, seen.opt_dir),
    ):
        if folder is not None and shown is not None and executable.is_relative_to(folder):
            return (str(shown / executable.relative_to(folder)), *argv[1:])
    return tuple(argv)
