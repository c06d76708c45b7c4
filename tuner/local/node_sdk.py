"""The AWS SDK for JavaScript, which Lambda's Node.js runtimes include and this machine doesn't."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.deployment import FunctionDefinition

_USE: Final = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*|\b(?:require|import)\s*\(\s*)"""
    r"""["'](@(?:aws-sdk|smithy)/[a-z0-9][a-z0-9._-]*|aws-sdk)(?:/[^"'\n]*)?["']"""
)
_RANGE: Final = re.compile(r"[\^~]?\d+(\.[0-9A-Za-z.-]+)?")
_SOURCES: Final = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")
_MOST_BYTES: Final = 8 * 1024 * 1024
"""For one source: a bundle may be large, and anything larger is data."""


def missing_sdk(function: FunctionDefinition) -> tuple[str, ...]:
    """Name the SDK packages that a function's code uses but doesn't have.

    In npm's form: with the version, if it's listed among the development packages.
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
