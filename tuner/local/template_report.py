"""What a template's functions lack, and what exists beside them: a line for each."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError
from tuner.model.finding import Finding
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tuner.iac import IgnoredPart, Template, TemplateFunction, TemplateResource

_USE: Final = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*|\b(?:require|import)\s*\(\s*)"""
    r"""["'](@(?:aws-sdk|smithy)/[a-z0-9][a-z0-9._-]*|aws-sdk)(?:/[^"'\n]*)?["']"""
)
_RANGE: Final = re.compile(r"[\^~]?\d+(\.[0-9A-Za-z.-]+)?")
_SOURCES: Final = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")
_MOST_BYTES: Final = 8 * 1024 * 1024
"""For one source: a bundle may be large, and anything larger is data."""


def findings_on(template: Template) -> Iterator[Finding]:
    """Report what in a template has no effect here, is left out, or couldn't be created."""
    if template.skipped:
        message = f"left out, since only functions run here: {_counted(template.skipped)}"
        yield Finding("template_resources_left_out", "info", message)
    if template.ignored:
        yield Finding("template_ignored", "info", f"no effect here: {_why(template.ignored)}")
    for why in template.not_made:
        yield Finding("template_resource_not_made", "warning", f"not created here: {why}")


def made(
    resources: Sequence[TemplateResource],
    make: Callable[[TemplateResource], None] | None,
    why_none: str,
) -> Iterator[Finding]:
    """Create resources and report them; `make` is None if nothing can be created.

    `why_none` says why then.
    """
    there: list[str] = []
    for resource in resources:
        what = f"{resource.logical_id} ({resource.type}, line {resource.line})"
        try:
            if make is None:
                raise LocalError(why_none)
            make(resource)
        except LocalError as refused:
            message = f"not created here: {what}: {refused}"
            yield Finding("template_resource_not_made", "warning", message)
            continue
        there.append(resource.type)
    if there:
        message = f"created here for this run, and empty: {_counted(there)}"
        yield Finding("template_resources_made", "info", message)


def left_out(why: str) -> Finding:
    """Say why a function isn't here."""
    return Finding("function_left_out", "warning", f"left out: {why}")


def findings_of(
    function: TemplateFunction, *, is_built: bool, may_build: bool
) -> Iterator[Finding]:
    """Say what a deployed function lacks, and what to do about it.

    `may_build`: a build was asked for; `is_built`: it changed the function's code.
    """
    name = function.name
    for layer in () if may_build else function.layers:
        if layer.build_method:
            message = (
                f"the layer {layer.name} is deployed as it lies in {layer.folder}, without its "
                f"BuildMethod {layer.build_method}: start with `build=True`"
            )
            yield Finding("layer_not_built", "warning", message)
    if function.has_requirements and not is_built:
        is_node = function.runtime.startswith("nodejs")
        file, tool = ("package.json", "npm") if is_node else ("requirements.txt", "pip")
        message = (
            f"{name}: the packages of its {file} are not installed here; start with `build=True` "
            f"to have {tool} do that in a copy of its folder"
        )
        yield Finding("requirements_not_installed", "warning", message)
    if not may_build and (missing := missing_sdk(function)):
        message = (
            f"{name} uses {', '.join(missing)}, which Lambda includes and this machine doesn't: "
            "start with `build=True` to have npm install it in a copy of its folder"
        )
        yield Finding("sdk_not_installed", "warning", message)
    if function.not_here:
        message = (
            f"{name} refers to {', '.join(function.not_here)}, which doesn't exist here: a "
            "call to it fails, and its time isn't measured"
        )
        yield Finding("template_resource_not_here", "warning", message)


def _counted(types: Iterable[str]) -> str:
    counts = Counter(types)
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in sorted(counts.items()))


def _why(parts: Sequence[IgnoredPart]) -> str:
    """Name the parts by reason; a part that occurs several times, once."""
    by_reason: dict[str, dict[str, None]] = {}
    for part in parts:
        by_reason.setdefault(part.why, {})[part.name] = None
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def missing_sdk(function: TemplateFunction) -> tuple[str, ...]:
    """Name the packages of the AWS SDK for JavaScript that a function's code uses but doesn't have.

    Lambda's Node.js runtimes include them, and this machine doesn't. In npm's form: with the
    version, if it's listed among the development packages.
    """
    if not function.runtime.startswith("nodejs"):
        return ()
    code_dir = function.code_dir
    package: dict[str, Any] = {}
    folders: list[Path] = []
    if code_dir is None:
        used = set(_USE.findall(function.inline_code or ""))
    elif code_dir.is_dir():
        used = {name for file in _sources(code_dir) for name in _USE.findall(_text(file))}
        package = _package(code_dir)
        folders.append(code_dir)
    else:
        return ()
    for layer in function.layers:
        folders += [layer.folder, *(layer.folder / "nodejs").glob("node*"), layer.folder / "nodejs"]
    declared = {*_dependencies(package, "dependencies")}
    for layer in function.layers:
        declared.update(_dependencies(_package(layer.folder), "dependencies"))
    there = (
        name for name in used for folder in folders if (folder / "node_modules" / name).is_dir()
    )
    for_development = _dependencies(package, "devDependencies")
    return tuple(
        _with_version(name, for_development.get(name))
        for name in sorted(used - declared - {*there})
    )


def _with_version(name: str, version: object) -> str:
    is_plain = isinstance(version, str) and _RANGE.fullmatch(version)
    return f"{name}@{version}" if is_plain else name


def _sources(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each != "node_modules" and each[0] != "."]
        for name in files:
            if name.endswith(_SOURCES) and not name.endswith(".d.ts"):
                yield Path(place, name)


def _text(file: Path) -> str:
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _package(folder: Path) -> dict[str, Any]:
    try:
        return read_object((folder / "package.json").read_bytes()) or {}
    except OSError:
        return {}


def _dependencies(package: dict[str, Any], kind: str) -> dict[str, Any]:
    named = package.get(kind)
    return named if isinstance(named, dict) else {}
