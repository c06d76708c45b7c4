"""Files that a template names: code, or a layer's files, as a folder or packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.document import Place

IN_S3: Final = (
    "in S3, where a deployment tool has put it: use the template from before that (sam build's or "
    "package's input), or measure the deployed function without --local (--code ZIP|FOLDER takes a "
    "build of your own)"
)
_PACKED: Final = (".zip", ".jar")
_ASSET: Final = "aws:asset:path"


def local_files(place: Place, what: str) -> Path:
    """Return the folder or ZIP that a path means, seen from the template; else TemplateError."""
    if place.resolved(what).is_mapping:
        place.refuse(f"{what} is {IN_S3}")
    uri = place.text(what)
    if uri.startswith(("s3://", "https://s3")):
        place.refuse(f"{what} is {IN_S3}")
    path = place.path.parent / uri
    if not _may_be_read(path, place):
        place.refuse(
            f"{what} {uri!r} is outside the template's repository (its folder, where there is "
            "none): keep it inside, or give --allow-outside if you trust the template"
        )
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError:  # no name that a file system takes
        is_folder = is_file = False
    if is_file and path.suffix.lower() not in _PACKED:
        place.refuse(f"{what} {uri!r} is a file and no ZIP: name its folder")
    if not (is_folder or is_file):
        place.refuse(
            f"there is no folder or ZIP {uri!r} ({what}), seen from the template: build it first"
        )
    return path.resolve()


def asset(metadata: Place | None) -> Path | None:
    """Return what CDK says of a resource's files, whatever else the resource says of them."""
    if metadata is None or not metadata.is_mapping:
        return None
    entries = metadata.entries("Metadata")
    return local_files(entries[_ASSET][1], _ASSET) if _ASSET in entries else None


def _may_be_read(path: Path, place: Place) -> bool:
    """Whether a path lies where the template does, links followed, or that does not matter."""
    if place.scope is not None and place.scope.allow_outside:
        return True
    try:
        own, wanted = place.path.parent.resolve(), path.resolve()
        roots = [each for each in (own, *own.parents) if (each / ".git").exists()]
    except (OSError, ValueError, RuntimeError):  # no name that a file system takes: said later
        return True
    return wanted.is_relative_to(roots[0] if roots else own)
