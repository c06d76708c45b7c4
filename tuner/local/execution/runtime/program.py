"""What is executed for a function's Runtime, and its environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.local.deployment import check_runtime
from tuner.local.execution.runtime.file_view import OPT_DIR, TASK_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.local.deployment import Deployment
    from tuner.local.execution.runtime.interpreter import Interpreter
    from tuner.local.execution.runtime.node_js import NodeJs
    from tuner.model.finding import Finding

BOOTSTRAP: Final = "bootstrap"
PLACEHOLDER_KEY = "local"
"""Local credentials: they sign, but open nothing."""


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


def seen_argv(argv: Sequence[str], deployment: Deployment, seen: Deployment) -> tuple[str, ...]:
    """Name the executable as it appears where the folders are `seen`."""
    executable = Path(argv[0])
    for folder, shown in (
        (deployment.code_dir, seen.code_dir),
        (deployment.opt_dir, seen.opt_dir),
    ):
        if folder is not None and shown is not None and executable.is_relative_to(folder):
            return (str(shown / executable.relative_to(folder)), *argv[1:])
    return tuple(argv)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The package's own executable, or a layer's. This host's libraries replace Lambda's."""

    runtime: str
    directories: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """Its name in INIT_START: "provided:al2023"."""
        return self.runtime.replace(".", ":")

    def argv(self, deployment: Deployment) -> tuple[str, ...]:
        """The bootstrap; raises EntrypointError if there is none that can be executed."""
        return (str(find_bootstrap(deployment.code_dir, deployment.opt_dir)),)

    def search_paths(self, deployment: Deployment) -> Mapping[str, tuple[str, ...]]:
        """Only what every runtime gets."""
        del deployment
        return {}


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


def function_variables(
    deployment: Deployment,
    search_paths: Mapping[str, tuple[str, ...]],
    *,
    api_address: str,
    log_stream: str,
    home_dir: str,
    tmp_dir: str | None,
) -> dict[str, str]:
    """All variables of one execution environment; none come from the caller's own.

    Credentials are placeholders, and no file or metadata service is asked for others, so a handler
    can't act with the operator's. `search_paths` are the program's own; layers are found through
    them. `tmp_dir` is set if /tmp can't be made private.
    """
    variables = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": home_dir,
        "_HANDLER": deployment.handler,
        "LAMBDA_TASK_ROOT": str(deployment.code_dir),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_REGION": deployment.region,
        "AWS_DEFAULT_REGION": deployment.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{deployment.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": deployment.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": deployment.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": deployment.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": deployment.log_format,
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_ACCESS_KEY_ID": PLACEHOLDER_KEY,
        "AWS_SECRET_ACCESS_KEY": PLACEHOLDER_KEY,
        "AWS_SESSION_TOKEN": PLACEHOLDER_KEY,
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if tmp_dir is not None:
        variables["TMPDIR"] = tmp_dir
    paths = _paths(deployment, search_paths)
    variables |= {name: ":".join(parts) for name, parts in paths.items()}
    if deployment.application_log_level is not None:
        variables["AWS_LAMBDA_LOG_LEVEL"] = deployment.application_log_level
    variables.update(deployment.environment)
    # A function may have a PYTHONPATH of its own, but the runtime client must still be found.
    own = dict(deployment.environment).get("PYTHONPATH")
    if own and search_paths.get("PYTHONPATH"):
        variables["PYTHONPATH"] = ":".join((own, *search_paths["PYTHONPATH"]))
    return variables


def _paths(
    deployment: Deployment, search_paths: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Complete the program's search paths with those of every Lambda runtime."""
    opt = () if deployment.opt_dir is None else (str(deployment.opt_dir),)
    libraries = (str(deployment.code_dir), f"{deployment.code_dir}/lib")
    every = {
        **search_paths,
        "PATH": (
            *search_paths.get("PATH", ()),
            *("/usr/local/bin", "/usr/bin", "/bin"),
            *(f"{folder}/bin" for folder in opt),
        ),
        "LD_LIBRARY_PATH": (*libraries, *(f"{folder}/lib" for folder in opt)),
    }
    return {name: parts for name, parts in every.items() if parts}
