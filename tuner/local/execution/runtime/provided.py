"""A function that brings its own runtime: an executable called bootstrap."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.local.execution.runtime.program import EntrypointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.local.deployment import Deployment
    from tuner.model.finding import Finding

NAME: Final = "bootstrap"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The package's own executable, or a layer's. This host's libraries stand in for Lambda's."""

    runtime: str
    directories: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """What INIT_START names: "provided:al2023"."""
        return self.runtime.replace(".", ":")

    def argv(self, deployment: Deployment) -> tuple[str, ...]:
        """The bootstrap; raises EntrypointError where there is none that can be executed."""
        return (str(find_bootstrap(deployment.code_dir, deployment.opt_dir)),)

    def search_paths(self, deployment: Deployment) -> Mapping[str, tuple[str, ...]]:
        """Nothing beyond what every runtime gets."""
        del deployment
        return {}


def find_bootstrap(code_dir: Path, opt_dir: Path | None) -> Path:
    """Where Lambda looks: in the package, then in the layers. Raises EntrypointError."""
    folders = [code_dir, *([opt_dir] if opt_dir else [])]
    found = [folder / NAME for folder in folders if (folder / NAME).is_file()]
    if not found:
        raise EntrypointError(
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        )
    for path in found:
        if os.access(path, os.X_OK):
            return path
    where = "/var/task" if found[0].parent == code_dir else "/opt"
    raise EntrypointError(f"fork/exec {where}/{NAME}: permission denied")
