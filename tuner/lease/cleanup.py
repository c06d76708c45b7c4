"""Deletes the versions that a sweep published, and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.errors import AwsError, FunctionNotFoundError
from tuner.lease.patience import persist
from tuner.model.progress import VersionDeleted

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tuner.lease.control import FunctionControl
    from tuner.lease.journal import Journal
    from tuner.model.function import FunctionConfig
    from tuner.model.progress import ProgressHook


_ANY_SWEEP = re.compile(r"lambda-tuner sweep ([A-Za-z0-9-]{1,80}) [0-9]+ MB")


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What was deleted, what an alias keeps (version, alias), what failed (version, why)."""

    deleted: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


def description_of(sweep_id: str, memory_mb: int) -> str:
    """Return the Description of a sweep's version: what tells it from the owner's."""
    return f"{_prefix(sweep_id)}{memory_mb} MB"


def is_of_sweep(version: FunctionConfig, sweep_id: str) -> bool:
    """Whether a version's Description is that of this sweep."""
    return version.description.startswith(_prefix(sweep_id))


def deletable_versions(
    control: FunctionControl, name: str, sweep_id: str, versions_before: Container[str]
) -> tuple[tuple[str, str | None], ...]:
    """Return the sweep's versions, each with an alias that points at it, if one does.

    They were not there before and their Description is the sweep's: what the journal says of
    them is not needed, an answer that was lost left no record. Raises AwsError.
    """
    versions = [
        version.version
        for version in control.list_versions(name)
        if version.version not in versions_before and is_of_sweep(version, sweep_id)
    ]
    owners = aliases_by_version(control, name) if versions else {}
    return tuple((version, owners.get(version)) for version in versions)


def delete_versions(
    name: str,
    sweep_id: str,
    versions_before: Container[str],
    *,
    control: FunctionControl,
    journal: Journal,
    sleep: Callable[[float], None],
    on_progress: ProgressHook,
) -> Cleanup:
    """Delete every version of the sweep that no alias points at, going on after failures.

    A function that is gone has none. Raises AwsError if versions cannot be listed.
    """
    try:
        found = persist(lambda: deletable_versions(control, name, sweep_id, versions_before), sleep)
    except FunctionNotFoundError:
        return Cleanup()
    deleted, kept, failed = [], [], []
    for version, _alias in found:
        try:
            alias = persist(lambda: aliases_by_version(control, name), sleep).get(version)
            if alias is not None:
                kept.append((version, alias))
                continue
            journal.note("delete", version=version)
            persist(partial(control.delete_version, name, version), sleep)
        except AwsError as error:
            failed.append((version, str(error)))
        else:
            deleted.append(version)
            on_progress(VersionDeleted(version))
    return Cleanup(tuple(deleted), tuple(kept), tuple(failed))


def sweep_of(version: FunctionConfig) -> str | None:
    """The id of the sweep that made a version, by its Description; None if none did."""
    match = _ANY_SWEEP.fullmatch(version.description)
    return match[1] if match else None


def _prefix(sweep_id: str) -> str:
    return f"lambda-tuner sweep {sweep_id} "


def aliases_by_version(control: FunctionControl, name: str) -> dict[str, str]:
    """Return an alias of every version that one points at. Raises AwsError."""
    return {
        version: alias.name for alias in control.list_aliases(name) for version in alias.versions
    }
