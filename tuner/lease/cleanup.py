"""Deletes the versions that a sweep published, and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.errors import AwsError, FunctionNotFoundError
from tuner.lease.function_control import WAITS_S
from tuner.model.progress import VersionDeleted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.lease.function_control import FunctionControl, LeaseIO
    from tuner.lease.journal import Journal
    from tuner.lease.unfinished import JournalHeader
    from tuner.model.function import FunctionConfig


ROLLOUT_ID = "rollout-"
"""How a rollout's id begins. Its version may stay, so its Description isn't a sweep's."""
_ANY_SWEEP = re.compile(
    r"lambda-tuner sweep ([A-Za-z0-9-]{1,80}) [0-9]+ MB(?:, number [0-9]{1,4})?"
)

_ANY_ROLLOUT = re.compile(r"lambda-tuner rollout ([A-Za-z0-9-]{1,80}) [0-9]+ MB")


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What was deleted, what an alias keeps (version, alias), what failed (version, why)."""

    deleted: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


def description_of(sweep_id: str, memory_mb: int, number: int = 1) -> str:
    """Return the Description of a sweep's version, which distinguishes it from the owner's.

    A size's further versions have a `number`, so that each can be found by its Description.
    """
    return f"{_prefix(sweep_id)}{memory_mb} MB{f', number {number}' if number > 1 else ''}"


def is_of_sweep(version: FunctionConfig, sweep_id: str) -> bool:
    """Whether a version's Description is this sweep's."""
    return version.description.startswith(_prefix(sweep_id))


def deletable_versions(
    header: JournalHeader, control: FunctionControl, published: Sequence[str]
) -> tuple[tuple[str, str | None], ...]:
    """Return the sweep's versions, each with an alias that points at it, if any.

    They are the versions that weren't there before and have the sweep's Description (a lost answer
    left no record in the journal), and those in `published`, because a list may be stale. Raises
    AwsError.
    """
    versions = _listed(header, control)
    versions += [version for version in published if version not in versions]
    owners = aliases_by_version(control, header.function.name) if versions else {}
    return tuple((version, owners.get(version)) for version in versions)


def delete_versions(header: JournalHeader, io: LeaseIO, journal: Journal) -> Cleanup:
    """Delete every version of the sweep that no alias points at, continuing after failures.

    Once one has failed for good, the others are tried once without waiting. Those in the journal
    are deleted by number, whatever a list says; then lists are read until none is left. A deleted
    function has none. Raises AwsError if versions can't be listed.
    """

    def list_ours() -> list[str]:
        try:
            return io.retry(lambda: _listed(header, io.control))
        except FunctionNotFoundError:
            journal.published.clear()  # they are gone with it
            return []

    def delete(version: str) -> None:
        try:
            alias = _delete_unless_aliased(
                header.function.name, version, io, journal, lambda: bool(failed)
            )
        except AwsError as error:
            failed[version] = str(error)
            return
        if alias is not None:
            kept[version] = alias
        elif version not in deleted:
            deleted.append(version)
            io.on_progress(VersionDeleted(version))

    deleted: list[str] = []
    kept: dict[str, str] = {}
    failed: dict[str, str] = {}
    pending = list_ours()
    pending += [version for version in journal.published if version not in pending]
    for wait_s in (0.0, *WAITS_S):
        if not pending:
            break
        io.sleep(wait_s)
        for version in pending:
            delete(version)
        pending = [v for v in list_ours() if v not in kept and v not in failed]
    failed |= dict.fromkeys(pending, "it is still listed")
    gone = tuple(version for version in deleted if version not in failed)
    return Cleanup(gone, tuple(kept.items()), tuple(failed.items()))


def _delete_unless_aliased(
    name: str, version: str, io: LeaseIO, journal: Journal, is_over: Callable[[], bool]
) -> str | None:
    """Delete a version, or return the alias that points at it. Raises AwsError."""
    alias = io.retry(lambda: aliases_by_version(io.control, name), is_over).get(version)
    if alias is None:
        journal.note("delete", version=version)
        io.retry(partial(io.control.delete_version, name, version), is_over)
    return alias


def _listed(header: JournalHeader, control: FunctionControl) -> list[str]:
    return [
        version.version
        for version in control.list_versions(header.function.name)
        if version.version not in header.versions and is_of_sweep(version, header.sweep_id)
    ]


def sweep_of(version: FunctionConfig) -> str | None:
    """The id of the sweep that made a version, by its Description; None if none did."""
    match = _ANY_SWEEP.fullmatch(version.description)
    return match[1] if match else None


def rollout_of(version: FunctionConfig) -> str | None:
    """The id of the rollout that published a version, by its Description; None if none did."""
    match = _ANY_ROLLOUT.fullmatch(version.description)
    return f"{ROLLOUT_ID}{match[1]}" if match else None


def _prefix(sweep_id: str) -> str:
    if sweep_id.startswith(ROLLOUT_ID):
        return f"lambda-tuner rollout {sweep_id.removeprefix(ROLLOUT_ID)} "
    return f"lambda-tuner sweep {sweep_id} "


def aliases_by_version(control: FunctionControl, name: str) -> dict[str, str]:
    """Return an alias for every version that has one. Raises AwsError."""
    return {
        version: alias.name for alias in control.list_aliases(name) for version in alias.versions
    }
