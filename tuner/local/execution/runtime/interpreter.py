"""The Python that a function's Runtime names, set up to run AWS's runtime client."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tuner.errors import LocalError
from tuner.local.deployment import PYTHON_MINORS
from tuner.local.execution.runtime.variables import RUNTIME_DIR, bin_dir_of, managed_variables
from tuner.model.finding import Finding
from tuner.model.optional_import import install_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tuner.local.deployment import Deployment

RUNTIME_CLIENT: Final = ("awslambdaric", "simplejson", "snapshot_restore_py")
SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""All pure Python: what Lambda's Python runtimes include beside the client."""
STAND_IN: Final = str(Path(__file__).resolve().parent / "stand_in")
FIRST_ON_AL2023: Final = 12
STARTER: Final = str(Path(__file__).resolve().parent / "python" / "bootstrap.py")
PROBE_LIMIT_S: Final = 20.0
PROBE: Final = """
import json, sys
import awslambdaric.bootstrap, runtime_client
try:
    import boto3
    sdk = True
except ImportError:
    sdk = False
places = {sys.prefix, sys.base_prefix, sys.exec_prefix, json.__file__.rpartition("/lib/")[0]}
print(json.dumps([sys.executable, list(sys.version_info[:3]), sdk, sorted(places)]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs awslambdaric."""

    executable: str
    version: str
    client_dir: str | None
    """Where the runtime client is, and boto3 if it has none of its own; None: in its packages."""
    directories: tuple[str, ...]
    """What it must be able to read."""
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """Its name in INIT_START: "python:3.12.v4" for 3.12.4."""
        return "python:{}.{}.v{}".format(*self.version.split("."))

    def argv(
        self, _deployment: Deployment, seen: Deployment, links: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Lambda's start of AWS's client: code comes first, then layers, then the client."""
        opt, minor = seen.opt_dir, seen.runtime
        layers = () if opt is None else (f"{opt}/python/lib/{minor}/site-packages", f"{opt}/python")
        found = RUNTIME_DIR if RUNTIME_DIR in links else self.client_dir
        client = () if found is None else (found,)
        locale = "C.UTF-8" if _minor(seen.runtime) >= FIRST_ON_AL2023 else ""
        given = dict(seen.environment).get("LC_CTYPE", locale)
        searched = ":".join((*layers, *client))
        return (self.executable, STARTER, searched, found or RUNTIME_DIR, given)

    def variables(self, seen: Deployment, links: Mapping[str, str]) -> Mapping[str, str]:
        """Of every managed runtime; PYTHONPATH is set at its start."""
        return managed_variables(seen, bin_dir_of(self.executable, links))


def find_interpreter(runtime: str, links_dir: Path) -> Interpreter:
    """The interpreter that `runtime` ("python3.12") names, else the nearest with a finding.

    `links_dir` gets links to the pure Python packages for another interpreter. Raises LocalError if
    awslambdaric isn't installed.
    """
    wanted = runtime.removeprefix("python")
    own = own_interpreter()
    if own.version.startswith(f"{wanted}."):
        return own
    tried = ""
    for command in _commands(wanted):
        found = other_interpreter(command, wanted, links_dir)
        if found is not None:
            return found
        tried = tried or command
    nearest = _nearest(own, _minor(runtime), links_dir)
    why = f"({tried}) can't run the runtime client" if tried else "is not on PATH"
    message = (
        f"python{wanted} {why}: Python {nearest.version} ran the function instead; "
        f"put a working python{wanted} on PATH to measure with it"
    )
    return replace(nearest, findings=(Finding("runtime_substituted", "warning", message),))


def _nearest(own: Interpreter, wanted: int, links_dir: Path) -> Interpreter:
    """The Python with the nearest version, if it lacks nothing (such as boto3); else our own.

    The standard library and the language lose parts with every version: old code needs the nearest.
    """
    own_minor = int(own.version.split(".")[1])
    nearer = [each for each in PYTHON_MINORS if abs(each - wanted) < abs(own_minor - wanted)]
    for minor in sorted(nearer, key=lambda each: abs(each - wanted)):
        for command in _commands(f"3.{minor}"):
            found = other_interpreter(command, f"3.{minor}", links_dir)
            if found is not None and not found.findings:
                return found
    return own


def _commands(wanted: str) -> Iterator[str]:
    """Every python3.x on PATH (the first may be a version manager's shim), and those beside ours.

    pyenv, uv and the like keep one folder per version.
    """
    name = f"python{wanted}"
    for folder in os.get_exec_path():
        command = shutil.which(name, path=folder)
        if command is not None:
            yield command
    beside = Path(sys.base_prefix).resolve().parent.glob(f"*{wanted}*/bin/{name}")
    yield from map(str, sorted(beside))


def own_interpreter() -> Interpreter:
    """The tool's own, with the compiled client if available, else the stand-in."""
    if importlib.util.find_spec("awslambdaric") is None:
        raise LocalError(f"awslambdaric is not installed: {install_command('local')}")
    compiled = importlib.util.find_spec("runtime_client") is not None
    return Interpreter(
        executable=sys.executable,
        version=".".join(map(str, sys.version_info[:3])),
        client_dir=None if compiled else STAND_IN,
        directories=_directories(sys.prefix, sys.base_prefix, sys.exec_prefix),
    )


def other_interpreter(command: str, wanted: str, links_dir: Path) -> Interpreter | None:
    """Try another interpreter with the stand-in client; None if that doesn't run.

    boto3 is added only if the interpreter has none of its own.
    """
    client_dir = str(_linked(RUNTIME_CLIENT, links_dir / "client"))
    answer = _probe(command, client_dir)
    if answer is None or not answer.version.startswith(f"{wanted}."):
        return None
    if not answer.has_sdk:
        client_dir = str(_linked(RUNTIME_CLIENT + SDK, links_dir / "sdk"))
        answer = _probe(command, client_dir) or answer
    message = (
        f"{command} has no boto3 and can't use the tool's: a handler that imports it will fail"
    )
    findings = () if answer.has_sdk else (Finding("sdk_missing", "warning", message),)
    directories = _directories(*answer.places, client_dir)
    return Interpreter(answer.executable, answer.version, client_dir, directories, findings)


class _Answer(NamedTuple):
    executable: str
    version: str
    has_sdk: bool
    places: list[str]


def _minor(runtime: str) -> int:
    """12 for "python3.12"."""
    return int(runtime.removeprefix("python3."))


def _probe(command: str, client_dir: str) -> _Answer | None:
    match ask([command, "-c", PROBE], PYTHONPATH=client_dir):
        case [str() as executable, list() as version, bool() as has_sdk, list() as places]:
            return _Answer(executable, ".".join(map(str, version)), has_sdk, places)
    return None


def ask(command: Sequence[str], **variables: str) -> Any:
    """What an interpreter on PATH reports as JSON; None if it doesn't run."""
    try:
        done = subprocess.run(  # noqa: S603 (as the user set it)
            command,
            env={"PATH": "/usr/bin:/bin", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_LIMIT_S,
            check=True,
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _linked(names: Iterable[str], directory: Path) -> Path:
    """Give a folder links to packages and to the stand-in for the client's compiled part."""
    directory.mkdir(parents=True, exist_ok=True)
    for origin in (*Path(STAND_IN).glob("*.py"), *filter(None, map(_origin, names))):
        link = directory / origin.name
        if not link.exists():
            link.symlink_to(origin)
    return directory


def _origin(name: str) -> Path | None:
    """A package's folder or a module's file."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return file.parent if file.name == "__init__.py" else file


def _directories(*places: str) -> tuple[str, ...]:
    """An interpreter's own places, the clients', and those of the packages that it gets."""
    packages = (str(each.parent) for each in map(_origin, RUNTIME_CLIENT + SDK) if each)
    return tuple(dict.fromkeys((*places, STAND_IN, str(Path(STARTER).parent), *packages)))
