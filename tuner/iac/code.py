"""Where a function's code lies: a folder or ZIP beside the template, or the template itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tuner.iac.folder import IN_S3, asset, local_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.document import Place

BUILD_PROPERTIES: Final = (
    *("EntryPoints", "External", "Format", "Target", "OutExtension", "MainFields", "Loader"),
    *("Banner", "Minify", "Sourcemap"),
    "Binary",
)
"""Of esbuild, and of rust-cargolambda."""
MAX_INLINE_CHARACTERS: Final = 4 * 1024 * 1024
"""CloudFormation's limit for ZipFile."""


def read_code(
    logical_id: str,
    key: Place,
    places: Mapping[str, Place],
    metadata: Place | None,
    *,
    is_sam: bool,
) -> tuple[Path | None, str | None]:
    """Return the code's folder or ZIP, or the source that is written in the template.

    What CDK notes in the Metadata counts first; a function of SAM's without any has the template's
    folder.
    """
    noted = asset(metadata)
    if noted is not None:
        return noted, None
    if "InlineCode" in places:
        return None, _inline(places["InlineCode"], "InlineCode")
    if "CodeUri" in places:
        return local_files(places["CodeUri"], "CodeUri"), None
    if "Code" not in places and is_sam:
        return key.path.parent.resolve(), None
    if "Code" not in places:
        key.refuse(f"{logical_id} has no code: Code is needed, such as Code: ./folder")
    return _plain_code(logical_id, places["Code"])


def has_requirements(folder: Path, runtime: str) -> bool:
    """Whether packages are named beside the code that are not there yet."""
    if runtime.startswith("python"):
        return (folder / "requirements.txt").is_file()
    if not runtime.startswith("nodejs") or (folder / "node_modules").is_dir():
        return False
    try:
        package = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(package, dict) and bool(package.get("dependencies"))


def build_method(metadata: Place | None) -> str | None:
    """Return BuildMethod of a resource's Metadata; None where it says nothing of that."""
    entries = {} if metadata is None else metadata.entries("Metadata")
    if "BuildMethod" not in entries:
        return None
    return entries["BuildMethod"][1].text("BuildMethod")


def build_properties(metadata: Place | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return those of Metadata's BuildProperties that building needs, each as a list of texts."""
    entries = {} if metadata is None else metadata.entries("Metadata")
    if "BuildProperties" not in entries:
        return ()
    given = entries["BuildProperties"][1].entries("BuildProperties")
    return tuple((name, _texts(given[name][1], name)) for name in BUILD_PROPERTIES if name in given)


def _texts(place: Place, what: str) -> tuple[str, ...]:
    if place.resolved(what).is_list:
        return tuple(item.text(what) for item in place.items(what))
    return (place.text(what),)


def _plain_code(logical_id: str, place: Place) -> tuple[Path | None, str | None]:
    """Read Code of AWS::Lambda::Function: a path as `cloudformation package` takes it, or more."""
    if not place.resolved("Code").is_mapping:
        return local_files(place, "Code"), None
    entries = place.entries("Code")
    for name, (key, _) in entries.items():
        if name == "ImageUri":
            key.refuse("images cannot be run here: give code, Handler and Runtime")
        if name.startswith("S3"):
            key.refuse(f"Code of {logical_id} is {IN_S3}")
        if name != "ZipFile":
            key.refuse(f"{name} of Code is not supported: ZipFile or the path of a folder is")
    if not entries:
        place.refuse("Code is empty: it takes ZipFile or the path of a folder")
    return None, _inline(entries["ZipFile"][1], "ZipFile")


def _inline(place: Place, what: str) -> str:
    source = place.text(what)
    if not source.strip() or len(source) > MAX_INLINE_CHARACTERS:
        place.refuse(f"{what} must hold the code, at most 4 MB of it")
    return source
