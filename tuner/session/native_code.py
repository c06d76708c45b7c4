"""Which files of a package run on one architecture alone: native code, by its ELF header."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.model.function import Architecture, LayerCode

# "ELF Header" in the System V ABI: the magic number, then EI_DATA at 5 (1: little endian) and
# e_machine at 18. Machines: 3 is i386, which x86_64 runs too; 62 is x86-64, 183 is AArch64.
_MAGIC: Final = b"\x7fELF"
_HEAD_BYTES: Final = 20
_MACHINES: Final[dict[int, Architecture]] = {3: "x86_64", 62: "x86_64", 183: "arm64"}
_INNER: Final = (".jar", ".war", ".whl", ".zip")
"""Archives in a package whose native code is loaded at run time."""
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError,
    ValueError,
)  # fmt: skip
"""What reading a file of an archive may end with."""
_MAX_INNER_BYTES: Final = 64 * 1024 * 1024
# How files of one library for several architectures tell them apart in their paths.
_OF_ONE: Final = re.compile(
    r"x86[_-]64|amd64|x64|aarch64|arm64(?:[_-]?v8)?|aarch_64", re.IGNORECASE
)


def foreign_code(package: bytes, architecture: Architecture) -> tuple[str, ...]:
    """The files in a ZIP that can't run on an architecture, sorted.

    A file of another architecture doesn't count where the package has its counterpart, with the
    same path but for the architecture's name, as packages for several have. Raises InputError for
    what isn't a ZIP.
    """
    found: dict[str, Architecture] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            found.update(_machines(archive, ""))
    except _DAMAGED as error:
        raise InputError(f"the package isn't a ZIP that can be read ({error})") from None
    own = {_neutral(path) for path, machine in found.items() if machine == architecture}
    return tuple(
        sorted(
            path
            for path, machine in found.items()
            if machine != architecture and _neutral(path) not in own
        )
    )


def foreign_layers(
    name: str, layers: Sequence[LayerCode], architecture: Architecture, *, has_build: bool
) -> list[Finding]:
    """What layers mean for a copy on another architecture.

    Raises InputError for one that can't work there: native code (with `has_build`, which may bring
    its own, only an extension's), or one that can't be read and says that it's for another.
    """
    findings = []
    for layer in layers:
        is_for_it = not layer.architectures or architecture in layer.architectures
        told = f"{layer.arn} (CompatibleArchitectures: {', '.join(layer.architectures) or 'none'})"
        if layer.package is None and not is_for_it:
            raise InputError(
                f"{name} can't run on {architecture}: its layer {told} isn't for it; compare "
                f"after the function has a layer for {architecture}"
            )
        files = foreign_code(layer.package, architecture) if layer.package is not None else ()
        fatal = [each for each in files if not has_build or each.startswith("extensions/")]
        if fatal:
            raise InputError(
                f"{name} can't run on {architecture}: its layer {layer.arn} has native code for "
                f"the other architecture ({fatal[0]}); compare after the function has a layer for "
                f"{architecture}, or without it"
            )
        if layer.package is None or files or not is_for_it:
            findings.append(_doubtful(layer, architecture, files))
    return findings


def _doubtful(layer: LayerCode, architecture: Architecture, files: Sequence[str]) -> Finding:
    why = "couldn't be read (lambda:GetLayerVersion), so nothing is known of its native code"
    if files:
        why = f"has native code for the other architecture ({files[0]}), which the build replaces"
    elif layer.package is not None:
        why = f"doesn't say that it's for {architecture}, though it has no native code"
    return Finding(
        "layer_on_other_architecture",
        "warning",
        f"The layer {layer.arn} {why}: make sure that the copy on {architecture} did the same "
        "work.",
    )


def _machines(archive: zipfile.ZipFile, within: str) -> Iterator[tuple[str, Architecture]]:
    for entry in archive.infolist():
        path = f"{within}{entry.filename}"
        with archive.open(entry) as file:
            head = file.read(_HEAD_BYTES)
            if (machine := _machine(head)) is not None:
                yield path, machine
            elif not within and path.lower().endswith(_INNER) and head.startswith(b"PK"):
                yield from _inside(head + file.read(_MAX_INNER_BYTES + 1), path)


def _inside(package: bytes, path: str) -> Iterator[tuple[str, Architecture]]:
    """What an archive in the package has; one that's damaged or huge says nothing."""
    if len(package) > _MAX_INNER_BYTES:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            yield from _machines(archive, f"{path}/")
    except _DAMAGED:
        return


def _machine(head: bytes) -> Architecture | None:
    """The architecture of an ELF file; None for anything else."""
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        return None
    return _MACHINES.get(int.from_bytes(head[18:20], "little" if head[5] == 1 else "big"))


def _neutral(path: str) -> str:
    return _OF_ONE.sub("*", path)
