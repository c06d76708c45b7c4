"""Sets $LATEST back, and believes it only when it has been read back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tuner.errors import (
    AwsError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.patience import persist
from tuner.lease.standing import standing

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tuner.lease.control import FunctionControl
    from tuner.lease.journal import Journal
    from tuner.lease.standing import Standing
    from tuner.model.function import FunctionConfig


def restore(
    original: FunctionConfig,
    our_memories_mb: Container[int],
    *,
    control: FunctionControl,
    journal: Journal,
    sleep: Callable[[float], None],
    must_write: bool = False,
) -> None:
    """Set the memory of $LATEST back, and read back that it is as in `original`.

    Reads first: a memory that this sweep did not set (`our_memories_mb`) is somebody else's and
    stays, and so does every other field (a deployment): only the memory is written, under the
    RevisionId that was read. A RevisionId that moved in between makes it look again.
    `must_write`: an update went out. If its answer was lost it may still arrive, and if it was
    accepted a read may be stale; so the memory is written even if it reads as before. A stale
    RevisionId is refused, and a late update fails on the new one.

    Raises ForeignChangeError if somebody else's change stands and nothing of this sweep's,
    LeftChangedError with the command to run if a memory that this sweep set stands.
    """
    is_written = not must_write

    def attempt() -> None:
        nonlocal is_written
        now = control.read_function(original.name)
        state = standing(original, now, our_memories_mb)
        if not state.is_ours and (is_written or not state.is_as_before):
            _refuse_foreign(state)
            return
        journal.note("restore", memory_mb=original.memory_mb)
        control.update_memory(original.name, original.memory_mb, now.revision_id)
        is_written = True
        state = standing(original, control.read_function(original.name), our_memories_mb)
        if state.is_ours:
            raise AwsError(f"its memory still reads {state.memory_mb} MB")
        _refuse_foreign(state)

    try:
        persist(attempt, sleep)
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


def _refuse_foreign(state: Standing) -> None:
    if not state.is_as_before:
        raise ForeignChangeError(state.describe_foreign())
