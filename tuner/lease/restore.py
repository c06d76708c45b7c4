"""Sets $LATEST back, and trusts it only once it has been read back.

It separates the memory that the sweep set from what others changed.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import (
    AwsError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.model.function import mask_account

if TYPE_CHECKING:
    from collections.abc import Container

    from tuner.lease.function_control import LeaseIO
    from tuner.lease.journal import Journal
    from tuner.model.function import FunctionConfig


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs between $LATEST as it was and as read `now`, and who changed it."""

    original: FunctionConfig
    now: FunctionConfig
    our_memories_mb: Container[int]
    """What this sweep may have set the memory to."""

    @property
    def others_changes(self) -> tuple[str, ...]:
        """Names of the other fields that differ: a sweep never touches those."""
        return tuple(name for name in differences(self.original, self.now) if name != "memory_mb")

    @property
    def is_as_before(self) -> bool:
        """Whether every field is as it was."""
        return not differences(self.original, self.now)

    @property
    def is_ours(self) -> bool:
        """Whether it still has a memory that this sweep set, which must be set back.

        Anything else that differs (a deployment) is somebody else's and stays.
        """
        now_mb = self.now.memory_mb
        return now_mb != self.original.memory_mb and now_mb in self.our_memories_mb

    def describe_foreign(self) -> str:
        """One sentence on what somebody else did and what was left alone."""
        what = ", ".join(self.others_changes or ("memory_mb",))
        return (
            f"{self.original.name}: somebody else changed {what} of $LATEST during the sweep, and "
            f"that was left alone; its memory is now {self.now.memory_mb} MB"
        )


def differences(first: FunctionConfig, second: FunctionConfig) -> tuple[str, ...]:
    """Names of the fields and settings that differ, except RevisionId (and account ids)."""
    one, other = _comparable(first), _comparable(second)
    return tuple(
        sorted(name for name in {*one, *other} if one.get(name, ...) != other.get(name, ...))
    )


def _comparable(function: FunctionConfig) -> dict[str, object]:
    values: dict[str, object] = {
        field.name: getattr(function, field.name) for field in dataclasses.fields(function)
    }
    # What the log has follows from the settings.
    del values["revision_id"], values["settings"], values["log_has_reports"]
    values["arn"] = mask_account(function.arn)
    return {**values, **dict(function.settings)}


def restore(
    original: FunctionConfig,
    our_memories_mb: Container[int],
    *,
    io: LeaseIO,
    journal: Journal,
    must_write: bool,
) -> None:
    """Set the memory of $LATEST back, and read back that it's as in `original`.

    Reads first: a memory that this sweep didn't set (`our_memories_mb`) is somebody else's and
    stays, and so does every other field (a deployment): only the memory is written, under the
    RevisionId that was read. If the RevisionId moved in between, it looks again. `must_write`: an
    update was sent. If its answer was lost, it may still arrive; if it was accepted, a read may be
    stale. So the memory is written even if it reads as before. A stale RevisionId is refused, and a
    late update fails on the new one.

    Raises ForeignChangeError if only somebody else's change remains, LeftChangedError with the
    command to run if a memory that this sweep set remains.
    """
    is_written = not must_write

    def attempt() -> None:
        nonlocal is_written
        now = io.control.read_function(original.name)
        drift = Drift(original, now, our_memories_mb)
        if not drift.is_ours and (is_written or not drift.is_as_before):
            _refuse_foreign(drift)
            return
        journal.note("restore", memory_mb=original.memory_mb)
        io.control.update_memory(original.name, original.memory_mb, now.revision_id)
        is_written = True
        drift = Drift(original, io.control.read_function(original.name), our_memories_mb)
        if drift.is_ours:
            raise AwsError(f"its memory still reads {drift.now.memory_mb} MB")
        _refuse_foreign(drift)

    try:
        io.retry(attempt)
    except FunctionNotFoundError as error:
        raise ForeignChangeError(f"{original.name} was deleted during the sweep") from error
    except AwsError as error:
        raise LeftChangedError(
            f"{original.name}: $LATEST could not be set back to {original.memory_mb} MB ({error}). "
            f"By hand: aws lambda update-function-configuration --function-name {original.name} "
            f"--memory-size {original.memory_mb}"
        ) from error
    with suppress(LeaseError):
        journal.tell("restored")


def _refuse_foreign(drift: Drift) -> None:
    if not drift.is_as_before:
        raise ForeignChangeError(drift.describe_foreign())
