"""Deployment packages: folders become deterministic ZIPs, ZIPs become read-only code folders."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tuner.errors import LocalError
from tuner.local.control_plane.api_error import invalid, too_large

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIPPED_BYTES: Final = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES: Final = 250 * 1024 * 1024
MAX_FILES: Final = 50_000
_MAX_PART_BYTES: Final = 255
"""Of one name in a path, on every usual file system."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a ZIP can have, so the same files always give the same bytes."""

_NOT_PACKED: Final = frozenset({"__pycache__", ".git", ".aws-sam"})
"""In a project's own folder when it is used directly as a function's code."""


@dataclass(frozen=True, slots=True)
class Code:
    """One deployment package, kept as its ZIP and as the folder it unpacks to."""

    sha256: str
    """Base64 of the ZIP's SHA-256, or an image's digest in hexadecimal, as Lambda shows it."""
    size_bytes: int
    zip_path: Path
    folder: Path = field(repr=False)
    unzipped_bytes: int = 0
    image_uri: str | None = None
    """For a container image, which has no package here: only its name is kept."""


def image_code(uri: str) -> Code:
    """Represent a container image; its digest is the one in its name, or derived from it."""
    named = re.fullmatch(r".+@sha256:([0-9a-f]{64})", uri)
    digest = named[1] if named else hashlib.sha256(uri.encode()).hexdigest()
    return Code(digest, 0, Path(), Path(), image_uri=uri)


class CodeStore:
    """Keeps packages by hash in a private folder, which its owner removes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[str, Code] = {}
        self._lock = threading.Lock()

    def add(self, package: bytes, *, max_bytes: int | None = None) -> Code:
        """Keep a ZIP, or nothing of it.

        Raises ApiError for what Lambda, or safety, refuses, and LocalError if it can't be written.
        `max_bytes` is 50 MB for what a request brings, and more for what comes from S3.
        """
        limit = MAX_ZIPPED_BYTES if max_bytes is None else max_bytes
        if len(package) > limit:
            raise too_large(f"Zipped size must be smaller than {limit} bytes")
        digest = hashlib.sha256(package)
        key = digest.hexdigest()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._keep(package, digest)
            return self._kept[key]

    def find(self, hex_digest: str) -> Code | None:
        """Return a kept package by its hash in hexadecimal."""
        with self._lock:
            return self._kept.get(hex_digest)

    def lay(self, codes: tuple[Code, ...]) -> Path:
        """Overlay packages in a new folder: the later one's files win."""
        digest = hashlib.sha256("".join(code.sha256 for code in codes).encode()).hexdigest()
        folder = self._root / "opt" / digest
        with self._lock:
            if not folder.is_dir():
                fresh = folder.with_suffix(".new")
                shutil.rmtree(fresh, ignore_errors=True)
                for code in codes:
                    _lay_over(code.folder, fresh)
                _let_enter(fresh)
                fresh.rename(folder)
        return folder

    def _keep(self, package: bytes, digest: hashlib._Hash) -> Code:
        folder = self._root / "code" / digest.hexdigest()
        zip_path = self._root / "zip" / f"{digest.hexdigest()}.zip"
        folder.mkdir(parents=True)
        try:
            unzipped_bytes = _unpack(package, folder)
            _let_enter(folder)
            zip_path.parent.mkdir(exist_ok=True)
            zip_path.write_bytes(package)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            zip_path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise LocalError(f"a package can't be kept here ({error.strerror})") from error
            raise
        sha256 = base64.b64encode(digest.digest()).decode()
        return Code(sha256, len(package), zip_path, folder, unzipped_bytes)


def _let_enter(folder: Path) -> None:
    """Open folders, which a umask may have closed, to the handlers' user.

    Nobody else reaches them: the one above is its owner's.
    """
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o755)


def _lay_over(source: Path, folder: Path) -> None:
    """Put a folder's files into another one, as links to the same read-only files.

    What is a file there gives way to a folder, and a folder to a file.
    """
    for path in sorted(source.rglob("*")):
        target = folder / path.relative_to(source)
        if target.is_dir() and not path.is_dir():
            shutil.rmtree(target)
        if not target.is_dir():
            target.unlink(missing_ok=True)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(path)
        except OSError:  # a file system without links
            shutil.copy2(path, target)


def _unpack(package: bytes, folder: Path) -> int:
    """Write a ZIP's files below `folder`, and nowhere else; return their total bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            members = archive.infolist()
            _check_members(members)
            budget = MAX_UNZIPPED_BYTES
            for member in members:
                if not member.is_dir():
                    budget -= _write_member(archive, member, folder, budget)
            return MAX_UNZIPPED_BYTES - budget
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ):
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise invalid("The uploaded ZIP has a file and a folder of the same name.") from None


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if not any(not member.is_dir() for member in members):
        raise invalid("Uploaded file must be a non-empty zip")
    if len(members) > MAX_FILES:
        raise invalid(f"The uploaded ZIP has more than {MAX_FILES} files.")
    if sum(member.file_size for member in members) > MAX_UNZIPPED_BYTES:
        raise _too_large_unzipped()
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise invalid("The uploaded ZIP has a path that leads out of the package.")
        if any(len(part.encode()) > _MAX_PART_BYTES for part in path.parts):
            raise invalid("The uploaded ZIP has a name that is too long.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise invalid("The uploaded ZIP has a symbolic link: put in the file itself.")


def _write_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, budget: int
) -> int:
    """Write one file, counting real bytes, because a ZIP may lie about sizes. Returns the count."""
    target = folder / PurePosixPath(member.filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("xb") as sink:
        while piece := source.read(1024 * 1024):
            written += len(piece)
            if written > budget:
                raise _too_large_unzipped()
            sink.write(piece)
    executable = (member.external_attr >> 16) & 0o111
    target.chmod(0o555 if executable else 0o444)
    return written


def _too_large_unzipped() -> Exception:
    return invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")


def package_of(path: Path) -> bytes:
    """Return a ZIP as it is, and a folder packed. Raises LocalError."""
    if not path.is_file():
        return zip_folder(path)
    if path.stat().st_size > MAX_ZIPPED_BYTES:
        raise LocalError(f"{path}: over 50 MB, which is Lambda's limit for a zipped package")
    return _content(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LocalError(f"{path}: it can't be read ({error.strerror})") from None


def zip_folder(folder: Path) -> bytes:
    """Pack a folder: the same files give the same bytes. Compiled files are left out.

    Raises LocalError if the folder is missing, empty, too large, or has links to the outside, files
    that can't be read, or names that aren't UTF-8.
    """
    if not folder.is_dir():
        raise LocalError(f"{folder}: no such code folder")
    buffer = io.BytesIO()
    total = 0
    files = list(_files(folder))
    if not files:
        raise LocalError(f"{folder}: no code in this folder")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files:
            content = _content(path)
            total += len(content)
            if total > MAX_UNZIPPED_BYTES:
                raise LocalError(f"{folder}: over 250 MB, which is Lambda's limit for a package")
            member = zipfile.ZipInfo(_member_name(path, folder), _EPOCH)
            executable = path.stat().st_mode & 0o100
            member.external_attr = (0o100755 if executable else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return buffer.getvalue()


def _member_name(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise LocalError(f"{str(path)!a}: its name isn't UTF-8, so it can't be packed") from None
    return name


def _files(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if _NOT_PACKED.intersection(path.relative_to(folder).parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            raise LocalError(f"{path}: links outside the code folder, so it can't be packed")
        yield path


def zip_source(name: str, source: str) -> bytes:
    """Pack a single file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(name, _EPOCH)
        member.external_attr = 0o100644 << 16
        archive.writestr(member, source)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Uploads:
    """Reads packages into the code store."""

    codes: CodeStore
    read_object: Callable[[str, str, str | None, int], bytes] | None
    """Returns an object's bytes by bucket, key, version and maximum size, or raises LocalError;
    None if there is no S3 beside Lambda."""

    def read(self, source: Mapping[str, Any]) -> Code:
        """Keep the package of a Code, or a layer's Content; raises ApiError."""
        if source.get("ImageUri"):
            raise invalid("Container images are not supported by the local Lambda: send ZipFile")
        bucket, key = source.get("S3Bucket"), source.get("S3Key")
        if bucket or key:
            return self._from_s3(bucket, key, source.get("S3ObjectVersion"))
        encoded = source.get("ZipFile")
        if not isinstance(encoded, str) or not encoded:
            raise invalid("Please provide a source for function code.")
        try:
            return self.codes.add(base64.b64decode(encoded, validate=True))
        except ValueError:
            raise invalid("ZipFile is not base64") from None

    def _from_s3(self, bucket: Any, key: Any, version: Any) -> Code:
        if not (isinstance(bucket, str) and isinstance(key, str) and bucket and key):
            raise invalid("Please provide both S3Bucket and S3Key for the function code.")
        if self.read_object is None:
            raise invalid("This endpoint was started without S3: send the package as ZipFile")
        try:
            package = self.read_object(bucket, key, version or None, MAX_UNZIPPED_BYTES)
        except LocalError as error:
            raise invalid(str(error)) from None
        return self.codes.add(package, max_bytes=MAX_UNZIPPED_BYTES)
