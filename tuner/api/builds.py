"""Another build of a function, from a ZIP file, a folder or the name of a container image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError, LocalError
from tuner.model.build import Build
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from tuner.model.function import FunctionConfig

MAX_ZIPPED_BYTES: Final = 50 * 1024 * 1024
"""Lambda's limit for a package that is sent with a request."""
# https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html: Lambda takes images from ECR.
_IMAGE: Final = re.compile(
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[a-z0-9._/-]{1,256}"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def load_build(code: str) -> Build:
    """Read what `--code` names. Raises InputError."""
    if _IMAGE.fullmatch(code):
        return Build(image_uri=code)
    path = Path(code)
    try:
        if code.strip() and path.is_dir():
            package = _zipped(path)
        elif path.is_file():
            package = _read(path)
        else:
            raise InputError(
                f"--code {code!r} is neither a ZIP file, a folder nor an image in ECR "
                "(ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG): check the path"
            )
    except OSError as error:
        raise InputError(f"--code {code!r} cannot be read: {error.strerror}") from error
    if len(package) > MAX_ZIPPED_BYTES:
        raise InputError(
            f"--code {code!r} has {len(package) / 2**20:.0f} MB, a copy is made from 50 MB at "
            "most: leave out what is not needed, or put it into an image"
        )
    return Build(package=package)


def digest_of(code: str) -> str:
    """The digest that Lambda gives to what `--code` names, without asking it. Raises InputError."""
    found = load_build(code).code_sha256 or code.partition("@sha256:")[2]
    if not found:
        raise InputError(f"--code {code!r} has no digest: name the image by NAME@sha256:DIGEST")
    return found


def fit_build(build: Build, function: FunctionConfig) -> Finding:
    """Return what is to be said of measuring `build`. Raises InputError for the wrong kind."""
    is_image = build.image_uri is not None
    if is_image != (function.package_type == "Image"):
        kind = "a container image" if function.package_type == "Image" else "a ZIP package"
        raise InputError(f"{function.name} is {kind}: --code must be one too")
    what = "the image that --code names"
    if build.code_sha256 is not None:
        what = f"the package of --code (SHA-256 {build.code_sha256})"
    if build.code_sha256 == function.code_sha256:
        what += ", the very code that is deployed"
    return Finding(
        "other_build_measured",
        "info",
        f"What was measured is {what}, in a copy with the function's settings; deployed is "
        f"SHA-256 {function.code_sha256}.",
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        package = file.read(MAX_ZIPPED_BYTES + 1)
    if not package.startswith(b"PK"):
        raise InputError(f"--code {str(path)!r} is no ZIP file: give one, or a folder")
    return package


def _zipped(folder: Path) -> bytes:
    from tuner.local import zip_folder  # noqa: PLC0415 - only for a folder

    try:
        return zip_folder(folder)
    except LocalError as error:
        raise InputError(f"--code: {error}") from error
