"""A template's local artifacts: code and layers, as a folder, a ZIP, or inline."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.document import repository_of
from tuner.iac.template import TemplateLayer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.document import TemplateNode

IN_S3: Final = (
    "in S3, where a deployment tool put it: use the template from before that step (sam build's or "
    "package's input), or measure the deployed function without `local_template` "
    "(`code=ZIP|FOLDER` takes your own build)"
)
_PACKED: Final = (".zip", ".jar")
_ASSET: Final = "aws:asset:path"
BUILD_PROPERTIES: Final = (
    *("EntryPoints", "External", "Format", "Target", "OutExtension", "MainFields", "Loader"),
    *("Banner", "Minify", "Sourcemap"),
    "Binary",
)
"""For esbuild, and for rust-cargolambda."""
MAX_INLINE_CHARACTERS: Final = 4 * 1024 * 1024
"""CloudFormation's limit for ZipFile."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,140}")


def local_files(node: TemplateNode, what: str) -> Path:
    """Return the folder or ZIP at a path relative to the template; else TemplateError."""
    if node.resolved(what).is_mapping:
        node.refuse(f"{what} is {IN_S3}")
    uri = node.text(what)
    if uri.startswith(("s3://", "https://s3")):
        node.refuse(f"{what} is {IN_S3}")
    path = node.path.parent / uri
    if not _may_be_read(path, node):
        node.refuse(
            f"{what} {uri!r} is outside the template's repository (its folder, where there is "
            "none): keep it inside, or give `allow_outside=True` if you trust the template"
        )
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError:  # not a valid file name
        is_folder = is_file = False
    if is_file and path.suffix.lower() not in _PACKED:
        node.refuse(f"{what} {uri!r} is a file but not a ZIP: name its folder")
    if not (is_folder or is_file):
        node.refuse(
            f"there is no folder or ZIP {uri!r} ({what}), relative to the template: build it first"
        )
    return path.resolve()


def asset(metadata: TemplateNode | None) -> Path | None:
    """Return what CDK says about a resource's files, whatever else the resource says."""
    if metadata is None or not metadata.is_mapping:
        return None
    notes = metadata.values("Metadata")
    return local_files(notes[_ASSET], _ASSET) if _ASSET in notes else None


def _may_be_read(path: Path, node: TemplateNode) -> bool:
    """Whether a path is within the template's repository, following links, or needn't be."""
    if node.scope is not None and node.scope.allow_outside:
        return True
    try:
        own, wanted = node.path.parent.resolve(), path.resolve()
        root = repository_of(own) or own
    except (OSError, ValueError, RuntimeError):  # not a valid file name: reported later
        return True
    return wanted.is_relative_to(root)


def read_code(
    logical_id: str,
    key: TemplateNode,
    nodes: Mapping[str, TemplateNode],
    metadata: TemplateNode | None,
    *,
    is_sam: bool,
) -> tuple[Path | None, str | None]:
    """Return the code's folder or ZIP, or the inline source.

    What CDK notes in the Metadata counts first; a SAM function without code has the template's
    folder.
    """
    noted = asset(metadata)
    if noted is not None:
        return noted, None
    if "InlineCode" in nodes:
        return None, _inline(nodes["InlineCode"], "InlineCode")
    if "CodeUri" in nodes:
        return local_files(nodes["CodeUri"], "CodeUri"), None
    if "Code" not in nodes and is_sam:
        return key.path.parent.resolve(), None
    if "Code" not in nodes:
        key.refuse(f"{logical_id} has no code: Code is needed, such as Code: ./folder")
    return _plain_code(logical_id, nodes["Code"])


def has_requirements(folder: Path, runtime: str) -> bool:
    """Whether the code lists packages that aren't installed yet. Raises TemplateError."""
    if runtime.startswith("python"):
        return (folder / "requirements.txt").is_file()
    if not runtime.startswith("nodejs") or (folder / "node_modules").is_dir():
        return False
    file = folder / "package.json"
    try:
        package = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    except RecursionError:
        raise TemplateError(f"{file} is nested too deeply to be read: fix it") from None
    return isinstance(package, dict) and bool(package.get("dependencies"))


def build_method(metadata: TemplateNode | None) -> str | None:
    """Return BuildMethod from a resource's Metadata; None if it has none."""
    notes = {} if metadata is None else metadata.values("Metadata")
    return notes["BuildMethod"].text("BuildMethod") if "BuildMethod" in notes else None


def build_properties(metadata: TemplateNode | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the BuildProperties in Metadata that building needs, each as a list of texts."""
    notes = {} if metadata is None else metadata.values("Metadata")
    if "BuildProperties" not in notes:
        return ()
    given = notes["BuildProperties"].values("BuildProperties")
    return tuple((name, _texts(given[name], name)) for name in BUILD_PROPERTIES if name in given)


def _texts(node: TemplateNode, what: str) -> tuple[str, ...]:
    if node.resolved(what).is_list:
        return tuple(item.text(what) for item in node.items(what))
    return (node.text(what),)


def _plain_code(logical_id: str, node: TemplateNode) -> tuple[Path | None, str | None]:
    """Read Code of AWS::Lambda::Function: a path as `cloudformation package` takes it, or more."""
    if not node.resolved("Code").is_mapping:
        return local_files(node, "Code"), None
    entries = node.entries("Code")
    for name, (key, _) in entries.items():
        if name == "ImageUri":
            key.refuse("images can't be run here: give code, Handler and Runtime")
        if name.startswith("S3"):
            key.refuse(f"Code of {logical_id} is {IN_S3}")
        if name != "ZipFile":
            key.refuse(f"{name} of Code is not supported: ZipFile or the path of a folder is")
    if not entries:
        node.refuse("Code is empty: it takes ZipFile or the path of a folder")
    return None, _inline(entries["ZipFile"][1], "ZipFile")


def _inline(node: TemplateNode, what: str) -> str:
    source = node.text(what)
    if not source.strip() or len(source) > MAX_INLINE_CHARACTERS:
        node.refuse(f"{what} must hold the code, at most 4 MB of it")
    return source


def read_layer(
    logical_id: str,
    key: TemplateNode,
    nodes: Mapping[str, TemplateNode],
    metadata: TemplateNode | None,
) -> TemplateLayer:
    """Return a layer; SAM calls its folder ContentUri, CloudFormation Content."""
    name_node = nodes.get("LayerName", key)
    name = name_node.text("LayerName")
    if not _NAME.fullmatch(name):
        name_node.refuse("a layer's name has at most 140 letters, digits, hyphens and underscores")
    folder = asset(metadata) or _content(logical_id, key, nodes)
    return TemplateLayer(logical_id, name, folder, key.line, build_method(metadata))


def _content(logical_id: str, key: TemplateNode, nodes: Mapping[str, TemplateNode]) -> Path:
    what = "Content" if "Content" in nodes else "ContentUri"
    if what not in nodes:
        key.refuse(f"{logical_id} has no ContentUri, which is needed")
    return local_files(nodes[what], what)


def layer_arn(name: str, region: str, account_id: str) -> str:
    """Return the ARN of a layer's first version: a template makes one of each."""
    return f"arn:aws:lambda:{region}:{account_id}:layer:{name}:1"
