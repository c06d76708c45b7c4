"""One function's settings, from a template's properties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from tuner.errors import TemplateError
from tuner.iac.artifacts import build_method, build_properties, has_requirements, read_code
from tuner.iac.supported_properties import FUNCTION, LOOP, PROPERTIES
from tuner.iac.template import TemplateFunction
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode
    from tuner.iac.resources import Resource
    from tuner.iac.template import TemplateLayer
    from tuner.model.function import Architecture

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOGGING: Final = ("LogFormat", "ApplicationLogLevel", "SystemLogLevel", "LogGroup")
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_RUNTIME: Final = re.compile(
    r"(?:python|java|dotnet|ruby)[0-9]{1,2}(?:\.[0-9]{1,2})?(?:\.al[0-9]{1,4})?"
    r"|nodejs[0-9]{1,2}\.x|provided(?:\.al[0-9]{1,4})?"
)

_RETIRED: Final = {
    r"go1\.x": "build for provided.al2023, as an executable called bootstrap",
    r"dotnetcore\d\.\d": "use dotnet8 or newer",
    r"nodejs(\d\.\d+(-edge)?)?": "use nodejs22.x or newer",
}


def read_function(
    resource: Resource,
    *,
    own: Mapping[str, TemplateNode],
    shared: Mapping[str, TemplateNode],
    layers: Mapping[str, TemplateLayer | str],
    given: Mapping[str, str],
) -> TemplateFunction:
    """Fill in the globals and SAM's defaults; the function's own properties win.

    Environments are merged variable by variable, and layers are added to the globals'. `layers` are
    the template's own by ARN (or why they can't be read), `given` are environment variables that
    replace the template's.
    """
    logical_id, key, metadata = resource.logical_id, resource.key, resource.metadata
    read = _Properties(logical_id, key, {**shared, **own})
    read.check_package()
    code_dir, inline_code = read_code(
        logical_id, key, read.nodes, metadata, is_sam=resource.type == FUNCTION
    )
    runtime = read.runtime()
    return TemplateFunction(
        logical_id=logical_id,
        name=read.name(),
        handler=read.handler(),
        runtime=runtime,
        code_dir=code_dir,
        inline_code=inline_code,
        memory_mb=read.number(
            "MemorySize",
            "MB",
            least=limits.MIN_MEMORY_MB,
            most=limits.MAX_MEMORY_MB,
            default=limits.MIN_MEMORY_MB,
        ),
        timeout_s=read.number("Timeout", "s", least=1, most=limits.MAX_TIMEOUT_S, default=3),
        architecture=read.architecture(),
        ephemeral_storage_mb=read.ephemeral_storage_mb(),
        description=read.description(),
        environment=_environment(shared, own, given),
        origin=f"{key.path}:{key.line}",
        has_requirements=code_dir is not None and has_requirements(code_dir, runtime),
        build_method=build_method(metadata),
        build_properties=build_properties(metadata),
        layers=(*_layers(shared, layers), *_layers(own, layers)),
        logging=read.logging(),
    )


@dataclass(frozen=True, slots=True)
class _Properties:
    """One function's properties, read one by one."""

    logical_id: str
    key: TemplateNode
    nodes: Mapping[str, TemplateNode]

    def check_package(self) -> None:
        node = self.nodes.get("PackageType")
        if node is not None and node.text("PackageType") != "Zip":
            node.refuse("only the PackageType Zip can be run here: give CodeUri and Handler")

    def name(self) -> str:
        node = self.nodes.get("FunctionName", self.key)
        name = node.text("FunctionName")
        if not _NAME.fullmatch(name):
            node.refuse("a function's name has at most 64 letters, digits, hyphens and underscores")
        return name

    def handler(self) -> str:
        node = self._needed("Handler")
        handler = node.text("Handler")
        if not handler or len(handler) > 128 or any(character.isspace() for character in handler):
            node.refuse("Handler must be 1 to 128 characters without spaces, such as app.handler")
        return handler

    def runtime(self) -> str:
        node = self._needed("Runtime")
        runtime = node.text("Runtime")
        for old, new in _RETIRED.items():
            if re.fullmatch(old, runtime):
                node.refuse(
                    f"the runtime {runtime} is retired, and Lambda no longer runs it: {new}"
                )
        if not _RUNTIME.fullmatch(runtime):
            node.refuse(f"{runtime!r} is not a Lambda runtime, such as python3.13")
        return runtime

    def number(self, name: str, unit: str, *, least: int, most: int, default: int) -> int:
        if name not in self.nodes:
            return default
        return self.nodes[name].whole_number(name, unit, least=least, most=most)

    def architecture(self) -> Architecture:
        node = self.nodes.get("Architectures")
        if node is None:
            return "x86_64"
        names = [item.text("Architectures") for item in node.items("Architectures")]
        if names not in (["x86_64"], ["arm64"]):
            node.refuse("Architectures must be a list of one: x86_64 or arm64")
        return cast("Architecture", names[0])

    def ephemeral_storage_mb(self) -> int:
        if "EphemeralStorage" not in self.nodes:
            return limits.MIN_EPHEMERAL_STORAGE_MB
        size = _inner(self.nodes["EphemeralStorage"], "EphemeralStorage", "Size")
        if size is None:
            self.nodes["EphemeralStorage"].refuse("EphemeralStorage has no Size")
        return size.whole_number(
            "EphemeralStorage",
            "MB",
            least=limits.MIN_EPHEMERAL_STORAGE_MB,
            most=limits.MAX_EPHEMERAL_STORAGE_MB,
        )

    def description(self) -> str:
        node = self.nodes.get("Description")
        description = "" if node is None else node.text("Description")
        if node is not None and len(description) > 256:
            node.refuse("Description is over 256 characters, Lambda's limit")
        return description

    def logging(self) -> tuple[tuple[str, str], ...]:
        if "LoggingConfig" not in self.nodes:
            return ()
        entries = self.nodes["LoggingConfig"].entries("LoggingConfig")
        for name, (key, _) in entries.items():
            if name not in _LOGGING:
                key.refuse(f"{name} isn't part of LoggingConfig: {', '.join(_LOGGING)} are")
        return tuple((name, value.text(name)) for name, (_, value) in entries.items())

    def _needed(self, name: str) -> TemplateNode:
        if name not in self.nodes:
            self.key.refuse(f"{self.logical_id} has no {name}, which is needed")
        return self.nodes[name]


def _environment(
    shared: Mapping[str, TemplateNode], own: Mapping[str, TemplateNode], given: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return the variables' values; globals that a function replaces aren't read."""
    values = {}
    for name, node in {**_variables(shared), **_variables(own)}.items():
        try:
            values[name] = (
                given[name] if name in given else node.text(f"the environment variable {name}")
            )
        except TemplateError as refused:
            raise TemplateError(f"{refused}, or give `template_environment={name}=VALUE`") from None
    return tuple(values.items())


def _variables(properties: Mapping[str, TemplateNode]) -> dict[str, TemplateNode]:
    """Return the environment's variables. No message repeats a value."""
    if "Environment" not in properties:
        return {}
    variables = _inner(properties["Environment"], "Environment", "Variables")
    if variables is None:
        return {}
    found: dict[str, TemplateNode] = {}
    for name, (key, value) in variables.entries("Variables").items():
        if name.startswith(LOOP):
            key.refuse(PROPERTIES.unknown(name))
        if not _VARIABLE.fullmatch(name):
            key.refuse("an environment variable's name is a letter, then letters, digits or _")
        found[name] = value
    return found


def _layers(
    properties: Mapping[str, TemplateNode], known: Mapping[str, TemplateLayer | str]
) -> tuple[TemplateLayer, ...]:
    if "Layers" not in properties:
        return ()
    found = []
    for item in properties["Layers"].items("Layers"):
        arn = item.text("Layers")
        if arn not in known:
            item.refuse(
                f"the layer {arn} is in an AWS account: put its files into a folder and name it "
                "with an AWS::Serverless::LayerVersion"
            )
        layer = known[arn]
        if isinstance(layer, str):
            raise TemplateError(layer)
        found.append(layer)
    return tuple(found)


def _inner(node: TemplateNode, what: str, name: str) -> TemplateNode | None:
    """Return the only property that a mapping may have."""
    entries = node.entries(what)
    for other, (key, _) in entries.items():
        if other != name:
            key.refuse(f"{other} of {what} is not supported: only {name} is")
    return entries[name][1] if name in entries else None
