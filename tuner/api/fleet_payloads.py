"""Files that a fleet's items are sent, brought to where its workers find them.

An item names files of the machine that planned it. A file or a folder goes to the bucket whole, a
payload set (.toml) with the folder that it may use files of.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import FleetError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.fleet.remote import FleetBucket
    from tuner.model.fleet import FleetPlan

_MARK: Final = "fleet-payload:"
_MOST_BYTES: Final = 20 * 1024 * 1024
_MOST_FILES: Final = 1_000


def sent(plan: FleetPlan, bucket: FleetBucket) -> FleetPlan:
    """Write the payloads' files to the bucket, and return the plan with their names there.

    Raises InputError for files that are too large or too many, and AwsError.
    """
    specs = {spec for item in plan.items for spec in item.payloads}
    names = {spec: _send(Path(spec), bucket) for spec in specs if _is_here(spec)}
    return _renamed(plan, lambda spec: names.get(spec, spec))


def fetched(plan: FleetPlan, bucket: FleetBucket, folder: Path) -> FleetPlan:
    """Read the payloads' files from the bucket, and return the plan with their paths here.

    Raises FleetError and AwsError.
    """
    return _renamed(plan, lambda spec: _fetch(spec, bucket, folder))


def _renamed(plan: FleetPlan, named: Callable[[str], str]) -> FleetPlan:
    items = (replace(each, payloads=tuple(map(named, each.payloads))) for each in plan.items)
    return replace(plan, items=tuple(items))


def _is_here(spec: str) -> bool:
    path = Path(spec)
    return path.is_absolute() and "\n" not in spec and path.exists()


def _send(path: Path, bucket: FleetBucket) -> str:
    root = path if path.is_dir() else path.parent
    files = [path]
    if path.is_dir() or path.suffix == ".toml":
        found = (each for each in sorted(root.rglob("*")) if each.is_file())
        files = [*islice(found, _MOST_FILES + 1)]
    if len(files) > _MOST_FILES or sum(each.stat().st_size for each in files) > _MOST_BYTES:
        raise InputError(f"{root} is too large to send to workers: keep payloads in a folder alone")
    contents = {each.relative_to(root).as_posix(): each.read_bytes() for each in files}
    digest = hashlib.sha256()
    for name, data in contents.items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    tree = digest.hexdigest()[:24]
    for name, data in contents.items():
        bucket.store.write(f"{bucket.prefix}/payloads/{tree}/{name}", data)
    return f"{_MARK}{tree}/{'' if path.is_dir() else path.name}"


def _fetch(spec: str, bucket: FleetBucket, folder: Path) -> str:
    if not spec.startswith(_MARK):
        return spec
    tree, _, name = spec.removeprefix(_MARK).partition("/")
    prefix = f"{bucket.prefix}/payloads/{tree}/"
    for key in bucket.store.keys(prefix):
        file = _file_below(folder, f"{tree}/{key.removeprefix(prefix)}")
        data = bucket.store.read(key)
        if data is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return str(_file_below(folder, f"{tree}/{name}"))


def _file_below(folder: Path, name: str) -> Path:
    """The file of a bucket's name in a folder. Raises FleetError for one that leads elsewhere."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise FleetError(f"the bucket has a file of a strange name: {name}")
    return folder / name
