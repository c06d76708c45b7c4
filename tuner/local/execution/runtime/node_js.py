"""The Node.js that a function's Runtime names, with our own client for the Runtime API."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.deployment import node_major
from tuner.local.execution.runtime.interpreter import ask
from tuner.local.execution.runtime.variables import (
    RUNTIME_DIR,
    bin_dir_of,
    layers_dir,
    managed_variables,
)
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
    client_dir: None = None
    """Of the host's modules, none is shown."""

    @property
    def label(self) -> str:
        """Its name in INIT_START: "nodejs:20.v11.1" for 20.11.1."""
        return "nodejs:{}.v{}".format(*self.version.split(".", 1))

    @property
    def major(self) -> int:
        """20 for 20.11.1."""
        return int(self.version.partition(".")[0])

    @property
    def directories(self) -> tuple[str, ...]:
        """The installation's folder and the client's."""
        return (str(Path(self.executable).parents[1]), str(CLIENT.parent))

    def argv(
        self, deployment: Deployment, _seen: Deployment, _links: Mapping[str, str]
    ) -> tuple[str, ...]:
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

    def variables(self, seen: Deployment, links: Mapping[str, str]) -> Mapping[str, str]:
        """Of every managed runtime, and where modules are: the layers', then the function's."""
        opt, named = layers_dir(seen), node_major(seen.runtime)
        of_layers = f"{opt}/nodejs/node{named}/node_modules:{opt}/nodejs/node_modules"
        modules = f"{of_layers}:{RUNTIME_DIR}/node_modules:{RUNTIME_DIR}:{seen.code_dir}"
        own = managed_variables(seen, bin_dir_of(self.executable, links))
        return {**own, "NODE_PATH": modules}


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
