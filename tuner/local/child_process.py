"""The local Lambda as a child process that ends with its parent, however that ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Required, Self, TypedDict

from tuner import errors
from tuner.errors import LocalError, TunerError
from tuner.local.execution.runtime.launch import keep_from_others
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import IO, Unpack

    from tuner.local.deployment import CpuControl

START_TIMEOUT_S: Final = 60.0
BUILD_TIMEOUT_S: Final = 1800.0
STOP_TIMEOUT_S: Final = 20.0
_PASSED_ON: Final = (
    *("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_", "USER", "LOGNAME", "XDG_RUNTIME_DIR"),
    *("PYTHON", "PYENV_", "VIRTUAL_ENV", "COVERAGE_"),
)
"""Prefixes of variable names. A handler, running as the same user, could read the
endpoint's own."""


class ServeOptions(TypedDict, total=False):
    """How a template's functions are served; see `LocalLambda.from_template`."""

    port: int
    region: Required[str]
    parameters: Mapping[str, str]
    environment: Mapping[str, str]
    build: bool
    build_for: str | None
    allow_outside: bool


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """What the endpoint says about itself and its host when it's ready."""

    endpoint_url: str
    region: str
    account_id: str
    access_key_id: str = field(repr=False)
    """The key that must sign requests that change anything."""
    functions: tuple[str, ...]
    left_out: Mapping[str, str]
    """Functions of the template that can't run here, with the reasons."""
    cpu_control: CpuControl
    max_memory_mb: int
    core_count: int
    host_findings: tuple[Finding, ...]
    """The ones in `findings` about this host."""
    findings: tuple[Finding, ...]
    function_findings: Mapping[str, tuple[Finding, ...]]
    """The ones about one function, by its name."""

    def findings_for(self, function: str) -> tuple[Finding, ...]:
        """What matters to whoever uses one function, without the others."""
        of_others = {
            finding
            for name, found in self.function_findings.items()
            if name != function
            for finding in found
        }
        of_others -= {*self.function_findings.get(function, ())}
        return tuple(finding for finding in self.findings if finding not in of_others)


class RunningLocalLambda:
    """A child that serves; ended by `close()` or the end of a `with` block."""

    def __init__(self, process: subprocess.Popen[bytes], status: LocalStatus) -> None:
        self._process = process
        self.status = status

    @property
    def endpoint_url(self) -> str:
        """Where clients connect."""
        return self.status.endpoint_url

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def wait(self) -> None:
        """Wait until the child ends by itself, which it shouldn't."""
        self._process.wait()

    def close(self) -> None:
        """End the child and wait for it: it ends its own children first."""
        end_child(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_local_lambda(
    template: Path,
    *,
    python: str,
    on_step: Callable[[str], None] = lambda _: None,
    **options: Unpack[ServeOptions],
) -> RunningLocalLambda:
    """Serve a template's functions from a child of the interpreter `python`.

    This process may hold credentials, and the handlers run below it as the same user: from now on
    only root can read its memory and variables.

    Returns once it answers; with `build` the functions are built first (or `build_for` and those
    that it names), and `on_step` is told about each. Raises the child's error: TemplateError,
    LocalError and their subclasses.
    """
    keep_from_others()
    build = options.get("build", False)
    process = subprocess.Popen(  # noqa: S603 - our own module
        [python, "-m", "tuner.local", str(template)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(os.environ, build=build),
        start_new_session=True,  # Ctrl-C is the parent's: it needs the endpoint to give back
    )
    try:
        # Not as arguments, which are anybody's to read: variables may be secret.
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # noticed when its output is read
            process.stdin.write(json.dumps(options, default=dict).encode() + b"\n")
            process.stdin.flush()
        limit_s = BUILD_TIMEOUT_S if build else START_TIMEOUT_S
        return RunningLocalLambda(process, _wait_ready(process, limit_s, on_step))
    except BaseException:
        end_child(process)
        raise


def _environment(caller: Mapping[str, str], *, build: bool) -> dict[str, str]:
    """The caller's variables that the child gets: no secret, least of all AWS's.

    An interpreter needs few; package managers may need any, so a build gets all except AWS's.
    """
    if build:
        return {name: value for name, value in caller.items() if not name.startswith("AWS_")}
    return {name: value for name, value in caller.items() if name.startswith(_PASSED_ON)}


def _wait_ready(
    process: subprocess.Popen[bytes], limit_s: float, on_step: Callable[[str], None]
) -> LocalStatus:
    said: dict[str, Any] = {"step": ""}
    try:
        with killed_after(process, limit_s) as output:
            while "step" in said:
                said = json.loads(output.readline())
                if "step" in said:
                    on_step(said["step"])
    except ValueError:
        raise LocalError("the local Lambda did not start: see its output above") from None
    if "error" in said:
        kind = getattr(errors, str(said.get("kind")), LocalError)
        known = isinstance(kind, type) and issubclass(kind, TunerError)
        raise (kind if known else LocalError)(said["error"])
    of_functions = said["function_findings"].items()
    found = {
        "functions": tuple(said["functions"]),
        "host_findings": _findings(said["host_findings"]),
        "findings": _findings(said["findings"]),
        "function_findings": {name: _findings(each) for name, each in of_functions},
    }
    return LocalStatus(**{**said, **found})


def _findings(said: list[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**each) for each in said)


def end_child(process: subprocess.Popen[bytes], limit_s: float = STOP_TIMEOUT_S) -> None:
    """Close a child's standard input, which ends it; one that takes longer is killed."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def killed_after(process: subprocess.Popen[bytes], limit_s: float) -> Iterator[IO[bytes]]:
    """Return a child's output to read from; the child is killed if that takes longer."""
    assert process.stdout is not None
    timer = threading.Timer(limit_s, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield process.stdout
    finally:
        timer.cancel()
