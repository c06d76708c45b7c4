"""Finishes what an interrupted sweep or rollout left.

It restores $LATEST, sets a shifted alias back (or finishes it, if that was decided), and deletes
the versions that were published. A function that was stopped runs again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.alias import describe_foreign, settle_alias, target_of
from tuner.lease.cleanup import Cleanup, deletable_versions, delete_versions
from tuner.lease.clone import copy_description, copy_name, delete_copy
from tuner.lease.function_control import recovery_io
from tuner.lease.journal import Journal, function_digest
from tuner.lease.lock import SWEEP_TAG, SweepTag, function_lock, has_tag, remove_sweep_tag
from tuner.lease.restore import Drift, restore
from tuner.lease.stop import describe_other_reserve, describe_release, needs_release, release
from tuner.lease.throwaway import is_of_this_account
from tuner.lease.unfinished import read_journal
from tuner.lease.uninterruptible import uninterruptible
from tuner.model.progress import CleanedUp, CopyDeleted, WindowClosed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl, LeaseIO
    from tuner.lease.unfinished import JournalHeader, UnfinishedJournal
    from tuner.model.function import FunctionConfig, Routing
    from tuner.model.progress import ProgressHook


LATE_S: Final = 30.0
"""How long a request that nobody waits for may still take effect: as long as the SDK
waits for one."""


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """What will be done about one unfinished journal."""

    journal: UnfinishedJournal
    restore_from_mb: int | None = None
    """The memory of $LATEST now, if it will be set back to `restore_to_mb`."""
    writes_again: bool = False
    """Whether to set the memory even though it reads as before, since that read may be stale."""
    delete_versions: tuple[str, ...] = ()
    delete_copy: str | None = None
    """Name of the function's temporary copy, or of a check's own function, if it exists."""
    keep_versions: tuple[tuple[str, str], ...] = ()
    """(version, alias that points at it): these stay."""
    remove_tag: bool = False
    """Whether the function is still tagged as being swept."""
    notes: tuple[str, ...] = ()
    """What is left alone, and why."""
    alias_now: Routing | None = None
    """How the rollout's alias routes now, if it will be settled."""
    release: str | None = None
    """What will be done about an emergency stop, in one line."""

    @property
    def restore_to_mb(self) -> int:
        """Memory of $LATEST before the sweep."""
        return self.journal.header.function.memory_mb

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the account will change."""
        return self.restore_from_mb is None and not (
            self.writes_again
            or self.delete_versions
            or self.delete_copy
            or self.remove_tag
            or self.alias_now
            or self.release
        )

    def describe(self) -> tuple[str, ...]:
        """Return one line for each thing to do and each thing left alone."""
        name = self.journal.header.function.name
        lines = []
        if self.restore_from_mb is not None:
            lines.append(
                f"{name}: set $LATEST back from {self.restore_from_mb} to {self.restore_to_mb} MB"
            )
        if self.writes_again:
            lines.append(
                f"{name}: set $LATEST to {self.restore_to_mb} MB again: it reads that way, but "
                "nothing says that the sweep's change was undone"
            )
        if self.alias_now is not None:
            lines.append(f"{name}: {self._describe_alias(self.alias_now)}")
        if self.release is not None:
            lines.append(self.release)
        if self.delete_copy:
            what = "this function of a live check"
            if self.delete_copy != name:
                what = f"its temporary copy {self.delete_copy}"
            lines.append(f"{name}: delete {what}")
        if self.delete_versions:
            lines.append(f"{name}: delete version {', '.join(self.delete_versions)}")
        if self.remove_tag:
            lines.append(f"{name}: remove the tag {SWEEP_TAG}")
        lines += [
            f"{name}: keep version {version}, since alias {alias} points at it"
            for version, alias in self.keep_versions
        ]
        lines += self.notes
        return tuple(lines) or (f"{name}: nothing is left to do",)

    def _describe_alias(self, now: Routing) -> str:
        assert self.journal.alias is not None
        target, finish = target_of(now, self.journal.alias) or now, self.journal.alias.finish
        again = " again" if now.is_like(target) else f" (it routes to {now.describe()})"
        if target.version != self.journal.alias.target.version:
            return f"set alias {now.alias} to version {target.version} alone{again}"
        if finish is not None:
            return f"finish alias {now.alias} at version {finish}{again}: that was decided"
        return f"set alias {now.alias} back to version {target.version}{again}"


def settles_in_s(journal: UnfinishedJournal, now_s: float) -> float:
    """Return how long to wait before planning, so that the plan sees everything the sweep did.

    `now_s` is in seconds since 1970; changing the clock doesn't make anybody wait longer.
    """
    if journal.unanswered_at is None or now_s < journal.unanswered_at:
        return 0.0
    return max(0.0, journal.unanswered_at + LATE_S - now_s)


def plan_recovery(
    journal: UnfinishedJournal, control: FunctionControl, *, endpoint_url: str | None = None
) -> RecoveryPlan:
    """Return what is to be done, changing nothing.

    `endpoint_url` is where `control` sends requests. Raises LeaseError if the sweep ran somewhere
    else (another account, region or endpoint), and AwsError.
    """
    header = journal.header
    original = header.function
    if header.isolation == "stop":
        return _plan_release(journal, control, endpoint_url)
    if header.isolation != "version":
        return _plan_copy(journal, control, endpoint_url)
    try:
        now = control.read_function(original.name)
    except FunctionNotFoundError:
        return RecoveryPlan(journal, notes=(f"{original.name}: the function is gone",))
    _check_identity(now, header, endpoint_url)
    drift = Drift(original, now, journal.memories_mb)
    notes: tuple[str, ...] = ()
    if drift.is_ours and drift.others_changes:
        theirs = ", ".join(drift.others_changes)
        notes = (f"{original.name}: somebody else changed {theirs} too, which stays as it is",)
    elif not (drift.is_ours or drift.is_as_before):
        notes = (drift.describe_foreign(),)
    alias_now, alias_notes = _plan_alias(journal, control)
    versions = _plan_versions(journal, control, settles=alias_now is not None)
    return RecoveryPlan(
        journal,
        restore_from_mb=now.memory_mb if drift.is_ours else None,
        writes_again=journal.is_changed and drift.is_as_before,
        delete_versions=tuple(version for version, alias in versions if alias is None),
        keep_versions=tuple((version, alias) for version, alias in versions if alias is not None),
        remove_tag=has_tag(now.arn, _tag_of(header), control),
        notes=(*notes, *alias_notes),
        alias_now=alias_now,
    )


def _plan_release(
    journal: UnfinishedJournal, control: FunctionControl, endpoint_url: str | None
) -> RecoveryPlan:
    name = journal.header.function.name
    if journal.stop is None:  # it ended before anything was announced
        return RecoveryPlan(journal)
    try:
        _check_identity(control.read_function(name), journal.header, endpoint_url)
        now = control.read_reserved_concurrency(name)
    except FunctionNotFoundError:
        return RecoveryPlan(journal, notes=(f"{name}: the function is gone",))
    if not needs_release(journal.stop, now):
        return RecoveryPlan(journal, notes=(describe_other_reserve(name, now),))
    return RecoveryPlan(journal, release=describe_release(name, journal.stop, now))


def _plan_alias(
    journal: UnfinishedJournal, control: FunctionControl
) -> tuple[Routing | None, tuple[str, ...]]:
    """How the alias is if it's to be settled, and what to say of it if it isn't."""
    state, name = journal.alias, journal.header.function.name
    if state is None or not (state.shifted_to or state.finish):
        return None, ()
    try:
        now = control.read_alias(name, state.name)
    except FunctionNotFoundError:
        return None, (f"{name}: the alias {state.name} is gone",)
    if target_of(now, state) is None:
        return None, (describe_foreign(name, now),)
    is_done = state.is_settled and now.is_like(state.target)
    return None if is_done else now, ()


def _plan_versions(
    journal: UnfinishedJournal, control: FunctionControl, *, settles: bool
) -> tuple[tuple[str, str | None], ...]:
    """The versions to delete, each with an alias that keeps it, if any; a finished one stays."""
    alias = journal.alias
    if alias is not None and alias.finish is not None:
        return ()
    published = [version for version in journal.published if version not in journal.deleting]
    versions = deletable_versions(journal.header, control, published)
    if alias is None or not settles:
        return versions
    return tuple((each, None if owner == alias.name else owner) for each, owner in versions)


def _plan_copy(
    journal: UnfinishedJournal, control: FunctionControl, endpoint_url: str | None
) -> RecoveryPlan:
    header = journal.header
    if header.isolation == "throwaway":
        if not is_of_this_account(header, control, endpoint_url):
            raise _elsewhere(header)
    else:
        with suppress(FunctionNotFoundError):  # the copy may have outlived its original
            _check_identity(control.read_function(header.function.name), header, endpoint_url)
    name, description = _copy_of(header)
    try:
        copy = control.read_function(name)
    except FunctionNotFoundError:
        return RecoveryPlan(journal)
    if copy.description != description:
        return RecoveryPlan(
            journal, notes=(f"{name}: kept, since its Description isn't this sweep's",)
        )
    return RecoveryPlan(journal, delete_copy=name)


def _copy_of(header: JournalHeader) -> tuple[str, str]:
    """Name and Description of what was made: a copy, or a check's own function."""
    if header.isolation == "throwaway":
        return header.function.name, header.function.description
    name = header.function.name
    return copy_name(header.sweep_id), copy_description(header.sweep_id, name)


def _tag_of(header: JournalHeader) -> str:
    return SweepTag(header.sweep_id, header.function.memory_mb).value


def _check_identity(now: FunctionConfig, header: JournalHeader, endpoint_url: str | None) -> None:
    if function_digest(now, endpoint_url) != header.function_digest:
        raise _elsewhere(header)


def _elsewhere(header: JournalHeader) -> LeaseError:
    return LeaseError(
        f"{header.function.name}: the sweep {header.sweep_id} ran in another account, region "
        "or endpoint than these credentials reach: give its `profile`, `region`, `endpoint_url`"
    )


def recover(
    plan: RecoveryPlan,
    control: FunctionControl,
    *,
    state_dir: Path,
    sleep: Callable[[float], None],
    on_progress: ProgressHook,
    endpoint_url: str | None = None,
) -> Cleanup:
    """Carry out a plan and close its journal. Repeating it changes nothing.

    Raises LeaseError if the sweep is still running or the function has changed since the plan was
    made (plan again), LeftChangedError if something couldn't be restored: the journal stays.
    """
    with function_lock(state_dir, plan.journal.header):
        if read_journal(plan.journal.path) is None:  # somebody has finished it since
            return Cleanup()
        journal = Journal.reopen(plan.journal.path)
        io = recovery_io(control, sleep, on_progress)
        try:
            return uninterruptible(lambda: _carry_out(plan, io, journal, endpoint_url), io.limit)
        finally:
            journal.close()


def forget(unfinished: UnfinishedJournal, *, state_dir: Path) -> None:
    """Close a journal without doing anything: its endpoint or account is gone for good."""
    with function_lock(state_dir, unfinished.header):
        Journal.reopen(unfinished.path).finish()


def _carry_out(
    plan: RecoveryPlan, io: LeaseIO, journal: Journal, endpoint_url: str | None
) -> Cleanup:
    header = plan.journal.header
    if plan_recovery(plan.journal, io.control, endpoint_url=endpoint_url) != plan:
        raise LeaseError(f"{header.function.name} changed since the plan was shown: recover again")
    if header.isolation == "stop":
        return _release(plan, io, journal)
    if header.isolation != "version":
        return _delete_copy(plan, io, journal)
    if plan.restore_from_mb is not None or plan.writes_again:
        with suppress(ForeignChangeError):  # the plan has named it; the sweep's memory is gone
            restore(
                header.function,
                plan.journal.memories_mb,
                io=io,
                journal=journal,
                must_write=plan.journal.is_changed,
            )
            io.on_progress(WindowClosed())
    alias = plan.journal.alias
    if alias is not None and plan.alias_now is not None:
        with suppress(ForeignChangeError):
            settle_alias(alias, header.function.name, io, journal)
    cleanup = Cleanup()
    if alias is None or alias.finish is None:
        cleanup = delete_versions(header, io, journal)
    if cleanup.failed:
        left = "; ".join(f"version {version} ({why})" for version, why in cleanup.failed)
        raise LeftChangedError(f"{header.function.name}: not deleted: {left}. Run: tuner recover")
    if plan.remove_tag or plan.journal.is_tagged:
        _remove_tag(plan, io)
    journal.finish()
    io.on_progress(CleanedUp(len(cleanup.deleted)))
    return cleanup


def _remove_tag(plan: RecoveryPlan, io: LeaseIO) -> None:
    header = plan.journal.header
    name = header.function.name
    try:
        arn = io.control.read_function(name).arn
        remove_sweep_tag(arn, _tag_of(header), io)
    except FunctionNotFoundError:
        return
    except AwsError as error:
        if isinstance(error, AccessDeniedError) and not plan.remove_tag:
            return  # not even allowed to read whether it's still there
        raise LeftChangedError(
            f"{name}: the tag {SWEEP_TAG} wasn't removed ({error}). Run: tuner recover"
        ) from error


def _delete_copy(plan: RecoveryPlan, io: LeaseIO, journal: Journal) -> Cleanup:
    """Delete the copy, and its log group even if the copy is already gone."""
    name, description = _copy_of(plan.journal.header)
    if not plan.notes:
        try:
            delete_copy(name, description, io)
        except AwsError as error:
            raise LeftChangedError(f"{name}: not deleted ({error}). Run: tuner recover") from error
    journal.finish()
    if plan.delete_copy:
        io.on_progress(CopyDeleted(name))
    return Cleanup((name,) if plan.delete_copy else ())


def _release(plan: RecoveryPlan, io: LeaseIO, journal: Journal) -> Cleanup:
    """Let a stopped function run again; what somebody else reserved since is theirs."""
    if plan.journal.stop is not None and plan.release is not None:
        with suppress(ForeignChangeError):
            release(plan.journal.header.function, plan.journal.stop, io, journal)
    journal.finish()
    return Cleanup()
