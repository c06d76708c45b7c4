"""A folder that a template names: code, or a layer's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.document import Place


def local_folder(place: Place, what: str) -> Path:
    """Return the folder that a path means, seen from the template; else TemplateError."""
    uri = place.text(what)
    if uri.startswith("s3://"):
        place.refuse(f"{what} is in S3: a local folder is needed")
    folder = place.path.parent / uri
    try:
        is_folder, is_file = folder.is_dir(), folder.is_file()
    except OSError:  # no name that a file system takes
        is_folder = is_file = False
    if is_file:
        place.refuse(f"{what} {uri!r} is a file: unpack it and name the folder")
    if not is_folder:
        place.refuse(f"there is no folder {uri!r} ({what}), seen from the template")
    return folder.resolve()
