"""What is executed for a function's Runtime, directly or by the function's wrapper script."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.local.deployment import check_runtime
from tuner.local.execution.runtime.file_view import OPT_DIR, TASK_DIR
from tuner.local.execution.runtime.variables import (
    LANG_DIR,
    RUNTIME_DIR,
    bin_dir_of,
    os_only_variables,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.local.deployment import Deployment
    from tuner.local.execution.runtime.interpreter import Interpreter
    from tuner.local.execution.runtime.node_js import NodeJs
    from tuner.model.finding import Finding

BOOTSTRAP: Final = "bootstrap"
MAX_LINKS: Final = 40
WRAPPER: Final = "AWS_LAMBDA_EXEC_WRAPPER"
_BY_WRAPPER: Final = (
    'wrapper=$1; shift; [ -f "$wrapper" ] || { echo "$wrapper: does not exist"; exit 127; }; '
    '[ -x "$wrapper" ] || { echo "$wrapper: is not an executable"; exit 126; }; '
    'exec "$wrapper" "$@"'
)
"""What Lambda's own start scripts do with a wrapper."""


class EntrypointError(Exception):
    """A package can't be started; the message is Lambda's, without the request id."""


def find_program(runtime: str, links_dir: Path) -> Program:
    """Find what runs `runtime` on this host. `links_dir` may be filled with links to packages.

    Raises LocalError for a runtime that can't run here, saying why.
    """
    from tuner.local.execution.runtime import (  # noqa: PLC0415 - only what the runtime needs
        interpreter,
        node_js,
    )

    check_runtime(runtime)
    if runtime.startswith("python"):
        return interpreter.find_interpreter(runtime, links_dir)
    if runtime.startswith("nodejs"):
        return node_js.find_node(runtime)
    return Bootstrap(runtime)


def as_seen(deployment: Deployment, program: Program) -> Deployment:
    """Name the folders as on Lambda; the layers' one only if the program isn't in /opt."""
    opt_dir = deployment.opt_dir
    in_opt = any(f"{folder}/".startswith(f"{OPT_DIR}/") for folder in program.directories)
    if opt_dir is not None and Path(OPT_DIR).is_dir() and not in_opt:
        opt_dir = Path(OPT_DIR)
    return replace(deployment, code_dir=Path(TASK_DIR), opt_dir=opt_dir)


def seen_argv(
    program: Program, deployment: Deployment, seen: Deployment, links: Mapping[str, str]
) -> tuple[str, ...]:
    """What to execute, named as it appears where the folders are `seen` and there are `links`."""
    argv = program.argv(deployment, seen, links)
    if isinstance(program, Bootstrap):  # which Lambda starts without any wrapper
        return (_seen_path(Path(argv[0]), deployment, seen), *argv[1:])
    argv = (f"{bin_dir_of(argv[0], links)}/{Path(argv[0]).name}", *argv[1:])
    wrapper = dict(deployment.environment).get(WRAPPER)
    if not wrapper:
        return argv
    by_layers = wrapper.startswith(f"{OPT_DIR}/") and seen.opt_dir is not None
    shown = f"{seen.opt_dir}{wrapper.removeprefix(OPT_DIR)}" if by_layers else wrapper
    if shown.startswith(f"{TASK_DIR}/"):
        shown = f"{seen.code_dir}{shown.removeprefix(TASK_DIR)}"
    return ("/bin/sh", "-c", _BY_WRAPPER, BOOTSTRAP, shown, *argv)


def _seen_path(executable: Path, deployment: Deployment, seen: Deployment) -> str:
    for folder, shown in (
        (deployment.code_dir, seen.code_dir),
        (deployment.opt_dir, seen.opt_dir),
    ):
        if folder is not None and shown is not None and executable.is_relative_to(folder):
            return str(shown / executable.relative_to(folder))
    return str(executable)


def shown_links(program: Program) -> dict[str, str]:
    """Where a view has links to: the interpreter's folder and the client's, by Lambda's names."""
    if isinstance(program, Bootstrap):
        return {}
    home = Path(program.executable).parent
    links = {LANG_DIR: str(home.parent)} if home.name == "bin" else {}
    if program.client_dir is not None:
        links[RUNTIME_DIR] = program.client_dir
    return {name: to for name, to in links.items() if not Path(name).exists()}


def way_to(program: Program) -> list[str]:
    """Return the folders on an interpreter's path, through its links."""
    if isinstance(program, Bootstrap):
        return []
    path = Path(program.executable)
    way = [str(path.parent)]
    while path.is_symlink() and len(way) < MAX_LINKS:
        path = path.parent / path.readlink()
        way.append(str(path.parent))
    return way


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The package's own executable, or a layer's. This host's libraries replace Lambda's."""

    runtime: str
    directories: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """Its name in INIT_START: "provided:al2023.v1"."""
        return f"{self.runtime.replace('.', ':')}.v1"

    def argv(
        self, deployment: Deployment, _seen: Deployment, _links: Mapping[str, str]
    ) -> tuple[str, ...]:
        """The bootstrap; raises EntrypointError if there is none that can be executed."""
        return (str(find_bootstrap(deployment.code_dir, deployment.opt_dir)),)

    def variables(self, seen: Deployment, _links: Mapping[str, str]) -> Mapping[str, str]:
        """Only what every runtime gets."""
        return os_only_variables(seen)


if TYPE_CHECKING:
    Program = Interpreter | NodeJs | Bootstrap
    """One way to run functions: an interpreter with a client, or the function's own bootstrap."""


def find_bootstrap(code_dir: Path, opt_dir: Path | None) -> Path:
    """Look where Lambda does: in the package, then in the layers. Raises EntrypointError."""
    folders = [code_dir, *([opt_dir] if opt_dir else [])]
    found = [folder / BOOTSTRAP for folder in folders if (folder / BOOTSTRAP).is_file()]
    if not found:
        raise EntrypointError(
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        )
    for path in found:
        if os.access(path, os.X_OK):
            return path
    where = "/var/task" if found[0].parent == code_dir else "/opt"
    raise EntrypointError(f"fork/exec {where}/{BOOTSTRAP}: permission denied")
