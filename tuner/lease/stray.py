"""Puts right what a sweep left when the machine with its journal is gone.

The tag tells the sweep and the original memory, Descriptions tell the versions and copies. Whether
that sweep still runs somewhere cannot be known from here: whoever asks must know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tuner.errors import AccessDeniedError, AwsError, LeaseError, LeftChangedError
from tuner.lease.cleanup import aliases_by_version, is_of_any_sweep
from tuner.lease.clone import delete_copy
from tuner.lease.mark import SWEEP_TAG, SweepMark, remove_mark
from tuner.lease.patience import persist

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.lease.control import FunctionControl
    from tuner.model.function import FunctionConfig


@dataclass(frozen=True, slots=True)
class StrayPlan:
    """What is going to be done about one function."""

    function: FunctionConfig = field(repr=False)
    mark: SweepMark | None = None
    delete_versions: tuple[str, ...] = ()
    keep_versions: tuple[tuple[str, str], ...] = ()
    """(version, alias that points at it): stay."""
    delete_copies: tuple[tuple[str, str], ...] = ()
    """(name, Description) of temporary copies."""
    notes: tuple[str, ...] = ()

    @property
    def restores(self) -> bool:
        """Whether the memory of $LATEST is not what the tag says it was."""
        return self.mark is not None and self.mark.memory_mb != self.function.memory_mb

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the account is going to be changed."""
        return self.mark is None and not self.delete_versions and not self.delete_copies

    def describe(self) -> tuple[str, ...]:
        """Return one line for each thing to do and each thing left alone."""
        name, lines = self.function.name, []
        if self.mark is not None and self.restores:
            lines.append(
                f"{name}: set $LATEST back from {self.function.memory_mb} to "
                f"{self.mark.memory_mb} MB, as the sweep {self.mark.sweep_id} had found it"
            )
        if self.delete_versions:
            lines.append(f"{name}: delete version {', '.join(self.delete_versions)}")
        lines += [f"{name}: delete its temporary copy {copy}" for copy, _ in self.delete_copies]
        if self.mark is not None:
            lines.append(f"{name}: remove the tag {SWEEP_TAG}")
        lines += [
            f"{name}: keep version {version}, the alias {alias} points at it"
            for version, alias in self.keep_versions
        ]
        lines += self.notes
        return tuple(lines) or (f"{name}: nothing is left of any sweep",)


def plan_stray(function: str, control: FunctionControl) -> StrayPlan:
    """Find what sweeps left of a function, without a journal. Raises AwsError."""
    now = control.read_function(function)
    notes = []
    mark: SweepMark | None = None
    copies: tuple[tuple[str, str], ...] = ()
    try:
        mark = SweepMark.parse(control.read_tags(now.arn).get(SWEEP_TAG, ""))
    except AccessDeniedError as error:
        notes.append(f"{now.name}: its memory before a sweep cannot be known ({error})")
    try:
        copies = control.list_copies(now.name)
    except AccessDeniedError as error:
        notes.append(f"{now.name}: temporary copies cannot be looked for ({error})")
    ours = [v.version for v in control.list_versions(now.name) if is_of_any_sweep(v)]
    owners = aliases_by_version(control, now.name) if ours else {}
    return StrayPlan(
        now,
        mark,
        delete_versions=tuple(version for version in ours if version not in owners),
        keep_versions=tuple((v, owners[v]) for v in ours if v in owners),
        delete_copies=copies,
        notes=tuple(notes),
    )


def recover_stray(
    plan: StrayPlan, control: FunctionControl, *, sleep: Callable[[float], None]
) -> None:
    """Carry out a plan; doing it again changes nothing. The tag goes last.

    Raises LeaseError if the function changed since the plan was made, LeftChangedError if something
    could not be put right.
    """
    name = plan.function.name
    if plan_stray(name, control) != plan:
        raise LeaseError(f"{name} changed since the plan was shown: recover again")
    try:
        if plan.mark is not None and plan.restores:
            _restore(plan.function, plan.mark.memory_mb, control)
        for version in plan.delete_versions:
            persist(partial(control.delete_version, name, version), sleep)
        for copy, description in plan.delete_copies:
            delete_copy(copy, description, control=control, sleep=sleep)
        if plan.mark is not None:
            remove_mark(plan.function.arn, plan.mark.value, control=control, sleep=sleep)
    except AwsError as error:
        raise LeftChangedError(
            f"{name}: not everything is put right ({error}). Run: tuner recover --function {name}"
        ) from error


def _restore(function: FunctionConfig, memory_mb: int, control: FunctionControl) -> None:
    """Set the memory under the RevisionId that was planned with, and read it back."""
    after = control.update_memory(function.name, memory_mb, function.revision_id)
    if after.memory_mb != memory_mb:
        raise AwsError(f"its memory reads {after.memory_mb} MB")
