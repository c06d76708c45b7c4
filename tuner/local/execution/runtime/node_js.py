"""The Node.js that a function's Runtime names, with our own client for the Runtime API."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.deployment import node_major
from tuner.local.execution.runtime.interpreter import ask
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.local.deployment import Deployment

LEAST_MAJOR: Final = 18
PROBE: Final = "console.log(JSON.stringify([process.execPath, process.versions.node]))"
CLIENT: Final = Path(__file__).resolve().parent / "node" / "bootstrap.cjs"


@dataclass(frozen=True, slots=True)
class NodeJs:
    """A Node.js on this host."""

    executable: str
    version: str
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """Its name in INIT_START."""
        return f"nodejs:{self.version}"

    @property
    def major(self) -> int:
        """20 for 20.11.1."""
        return int(self.version.partition(".")[0])

    @property
    def directories(self) -> tuple[str, ...]:
        """The installation's folder and the client's."""
        return (str(Path(self.executable).parents[1]), str(CLIENT.parent))

    def argv(self, deployment: Deployment) -> tuple[str, ...]:
        """Give V8 the same share of the memory as Lambda, so it collects garbage as early."""
        new_space_mb = deployment.memory_mb // 10
        return (
            self.executable,
            "--expose-gc",
            "--max-http-header-size=81920",
            f"--max-semi-space-size={new_space_mb // 2}",
            f"--max-old-space-size={deployment.memory_mb - new_space_mb}",
            str(CLIENT),
        )

    def search_paths(self, deployment: Deployment) -> Mapping[str, tuple[str, ...]]:
        """NODE_PATH leads to the layers' modules, then to the function's."""
        opt = deployment.opt_dir
        named = node_major(deployment.runtime)
        of_layers = () if opt is None else (f"{opt}/nodejs/node{named}", f"{opt}/nodejs")
        modules = tuple(f"{folder}/node_modules" for folder in of_layers)
        return {
            "PATH": (str(Path(self.executable).parent),),
            "NODE_PATH": (*modules, str(deployment.code_dir)),
        }


def find_node(runtime: str) -> NodeJs:
    """Find the major version that `runtime` ("nodejs22.x") names, else another with a finding.

    Raises LocalError if there is no Node.js of version 18 or later.
    """
    wanted = node_major(runtime)
    usable: list[NodeJs] = []
    for command in _commands():
        found = _probe(command)
        if found is None or found.major < LEAST_MAJOR:
            continue
        if found.major == wanted:
            return found
        usable.append(found)
    if not usable:
        raise LocalError(
            f"{runtime} needs Node.js {LEAST_MAJOR} or later, and no such `node` is on PATH: "
            "install it, or tune the function on AWS"
        )
    nearest = min(usable, key=lambda each: abs(each.major - wanted))
    ran = f"Node.js {nearest.version} ran {runtime} functions instead"
    if wanted < LEAST_MAJOR:
        message = (
            f"Node.js before {LEAST_MAJOR} can't be used here: {ran}, and its times may differ"
        )
    else:
        message = (
            f"Node.js {wanted} is not on PATH: {ran}; put a `node` of version {wanted} on PATH to "
            "measure with it"
        )
    finding = Finding("runtime_substituted", "warning", message)
    return NodeJs(nearest.executable, nearest.version, (finding,))


def _commands() -> Iterator[str]:
    """The node on PATH, and those that a version manager keeps beside it."""
    command = shutil.which("node")
    if command is None:
        return
    yield command
    place = Path(command).resolve().parents[1]
    if place.name.startswith("v"):  # nvm and its like: versions/node/v20.11.1/bin/node
        yield from map(str, sorted(place.parent.glob("v*/bin/node"), reverse=True))


def _probe(command: str) -> NodeJs | None:
    match ask([command, "-e", PROBE]):
        case [str() as executable, str() as version]:
            return NodeJs(executable, version)
    return None
