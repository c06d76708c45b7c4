"""Restores what a sweep or a rollout left when the machine with its journal is gone.

The tag has the sweep and the original memory, Descriptions identify the versions and copies. This
machine can't know whether that sweep is still running on another one: the caller must know, and
names the sweep. A sweep on this machine is known by its lock.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.errors import AccessDeniedError, AwsError, LeaseError, LeftChangedError
from tuner.lease.cleanup import aliases_by_version, rollout_of, sweep_of
from tuner.lease.clone import COPY_PREFIX, delete_copy
from tuner.lease.function_control import recovery_io
from tuner.lease.journal import LeaseTerms, make_header
from tuner.lease.lock import SWEEP_TAG, SweepTag, function_lock, remove_sweep_tag
from tuner.lease.uninterruptible import uninterruptible
from tuner.model.progress import CopyDeleted, VersionDeleted, WindowClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl, LeaseIO
    from tuner.model.function import FunctionConfig, Routing
    from tuner.model.progress import ProgressHook

_START = re.compile(r"(?:rollout-)?([0-9]{8}-[0-9]{6})(?:-|$)")
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86400.0


@contextmanager
def locked(
    function: str, control: FunctionControl, *, state_dir: Path, endpoint_url: str | None
) -> Iterator[None]:
    """Hold the lock that a sweep of this function on this machine would hold.

    Raises LeaseError while such a sweep runs, and AwsError.
    """
    terms = LeaseTerms("recover", state_dir, endpoint_url, "")
    identity = make_header(control.read_function(function), terms)
    with function_lock(state_dir, identity):
        yield


def describe_age(sweep_id: str, now: datetime) -> str:
    """Say when a sweep started, from its id: "started 3 min ago"."""
    match = _START.match(sweep_id)
    try:
        started_at = datetime.strptime(match[1] if match else "", "%Y%m%d-%H%M%S")
    except ValueError:
        return "of unknown age"
    age_s = max((now - started_at.replace(tzinfo=UTC)).total_seconds(), 0.0)
    if age_s < _HOUR_S:
        return f"started {age_s / _MINUTE_S:.0f} min ago"
    if age_s < 2 * _DAY_S:
        return f"started {age_s / _HOUR_S:.0f} h ago"
    return f"started {age_s / _DAY_S:.0f} days ago"


@dataclass(frozen=True, slots=True)
class OrphanPlan:
    """What will be done about one function."""

    function: FunctionConfig = field(repr=False)
    tag: SweepTag | None = None
    delete_versions: tuple[str, ...] = ()
    keep_versions: tuple[tuple[str, str], ...] = ()
    """(version, alias that points at it): these stay."""
    delete_copies: tuple[tuple[str, str], ...] = ()
    """(name, Description) of temporary copies."""
    others: tuple[str, ...] = ()
    """Ids of sweeps that may still be running on another machine: nothing of theirs is touched."""
    notes: tuple[str, ...] = ()
    set_back: tuple[Routing, ...] = ()
    """Aliases that a rollout shares with its version: they get back to the other one alone."""

    @property
    def restores(self) -> bool:
        """Whether the memory of $LATEST differs from the tag's."""
        return self.tag is not None and self.tag.memory_mb != self.function.memory_mb

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the account will change."""
        return self.tag is None and not (
            self.delete_versions or self.delete_copies or self.set_back
        )

    def describe(self) -> tuple[str, ...]:
        """Return one line for each thing to do and each thing left alone."""
        name, lines = self.function.name, []
        if self.tag is not None and self.restores:
            lines.append(
                f"{name}: set $LATEST back from {self.function.memory_mb} to "
                f"{self.tag.memory_mb} MB, as the sweep {self.tag.sweep_id} found it"
            )
        lines += [
            f"{name}: set alias {alias.alias} back to version {alias.version} (it routes to "
            f"{alias.describe()})"
            for alias in self.set_back
        ]
        if self.delete_versions:
            lines.append(f"{name}: delete version {', '.join(self.delete_versions)}")
        lines += [f"{name}: delete its temporary copy {copy}" for copy, _ in self.delete_copies]
        if self.tag is not None:
            lines.append(f"{name}: remove the tag {SWEEP_TAG}")
        lines += [
            f"{name}: keep version {version}, since alias {alias} points at it"
            for version, alias in self.keep_versions
        ]
        lines += self.notes
        if not lines and not self.others:
            lines.append(f"{name}: nothing is left of any sweep")
        return tuple(lines)


def plan_orphans(
    function: str, control: FunctionControl, *, take_over: Collection[str] | None = None
) -> OrphanPlan:
    """Find what sweeps left of a function, without a journal. Raises AwsError.

    Only what the sweeps in `take_over` left will be restored; None: whatever is found.
    """
    now = control.read_function(function)
    notes = []
    tag: SweepTag | None = None
    copies: tuple[tuple[str, str], ...] = ()
    try:
        tag = SweepTag.parse(control.read_tags(now.arn).get(SWEEP_TAG, ""))
    except AccessDeniedError as error:
        notes.append(f"{now.name}: its memory before a sweep isn't known ({error})")
    try:
        copies = control.list_copies(now.name)
    except AccessDeniedError as error:
        notes.append(f"{now.name}: can't look for temporary copies ({error})")
    versions = control.list_versions(now.name)
    left = {v.version: sweep for v in versions if (sweep := sweep_of(v))}
    rolled = {v.version: rollout for v in versions if (rollout := rollout_of(v))}
    shared = _shared_aliases(now.name, control, rolled)
    # A finished rollout's version stays, and is nothing that was left.
    unfinished = {rolled[alias.weights[0][0]] for alias in shared} | {tag.sweep_id if tag else ""}
    left |= {version: rollout for version, rollout in rolled.items() if rollout in unfinished}
    copied = {copy: copy[0].removeprefix(COPY_PREFIX) for copy in copies}
    found = dict.fromkeys([*([tag.sweep_id] if tag else ()), *left.values(), *copied.values()])
    taken = [sweep for sweep in found if take_over is None or sweep in take_over]
    ours = [version for version, sweep in left.items() if sweep in taken]
    owners = aliases_by_version(control, now.name) if ours else {}
    set_back = tuple(alias for alias in shared if rolled[alias.weights[0][0]] in taken)
    for alias in set_back:
        if owners.get(alias.weights[0][0]) == alias.alias:
            del owners[alias.weights[0][0]]
    return OrphanPlan(
        now,
        tag if tag is not None and tag.sweep_id in taken else None,
        delete_versions=tuple(version for version in ours if version not in owners),
        keep_versions=tuple((v, owners[v]) for v in ours if v in owners),
        delete_copies=tuple(copy for copy, sweep in copied.items() if sweep in taken),
        others=tuple(sweep for sweep in found if sweep not in taken),
        notes=tuple(notes),
        set_back=set_back,
    )


def _shared_aliases(
    function: str, control: FunctionControl, rolled: Mapping[str, str]
) -> tuple[Routing, ...]:
    """Aliases that route a share to a version that a rollout published."""
    if not rolled:
        return ()
    found = (
        control.read_alias(function, alias.name)
        for alias in control.list_aliases(function)
        if len(alias.versions) > 1
    )
    return tuple(alias for alias in found if alias.weights and alias.weights[0][0] in rolled)


def recover_orphans(
    plan: OrphanPlan,
    control: FunctionControl,
    *,
    sleep: Callable[[float], None],
    on_progress: ProgressHook,
    take_over: Collection[str] | None = None,
) -> None:
    """Carry out a plan; repeating it changes nothing. The tag goes last.

    Raises LeaseError if the function changed since the plan was made, LeftChangedError if something
    couldn't be restored, on a second interruption, or if nothing succeeded for minutes.
    """
    io = recovery_io(control, sleep, on_progress)
    uninterruptible(
        lambda: _carry_out(plan, io, take_over),
        io.limit,
        command=f"tuner recover `function={plan.function.name}`",
    )


def _carry_out(plan: OrphanPlan, io: LeaseIO, take_over: Collection[str] | None) -> None:
    name = plan.function.name
    if plan_orphans(name, io.control, take_over=take_over) != plan:
        raise LeaseError(f"{name} changed since the plan was shown: recover again")
    try:
        if plan.tag is not None and plan.restores:
            # Under the RevisionId from the plan.
            wanted_mb, revision_id = plan.tag.memory_mb, plan.function.revision_id
            after = io.control.update_memory(name, wanted_mb, revision_id)
            if after.memory_mb != wanted_mb:
                raise AwsError(f"its memory reads {after.memory_mb} MB")
            io.on_progress(WindowClosed())
        for alias in plan.set_back:
            io.control.update_alias(name, replace(alias, weights=()))
        for version in plan.delete_versions:
            io.retry(partial(io.control.delete_version, name, version))
            io.on_progress(VersionDeleted(version))
        for copy, description in plan.delete_copies:
            delete_copy(copy, description, io)
            io.on_progress(CopyDeleted(copy))
        if plan.tag is not None:
            remove_sweep_tag(plan.function.arn, plan.tag.value, io)
    except AwsError as error:
        raise LeftChangedError(
            f"{name}: not everything was restored ({error}). Run: tuner recover `function={name}`"
        ) from error
