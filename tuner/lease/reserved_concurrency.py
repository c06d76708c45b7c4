"""Sets a function's reserved concurrency, and back to what it was before an emergency stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import (
    AwsError,
    ConflictError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeftChangedError,
)

if TYPE_CHECKING:
    from tuner.lease.function_control import LeaseIO
    from tuner.lease.journal import Journal, JournaledStop
    from tuner.model.function import FunctionConfig


def undo_by_hand(function: FunctionConfig, reserved: int | None) -> str:
    """The AWS CLI's command that sets a reserved concurrency, or removes it."""
    if reserved is None:
        return (
            f"aws lambda delete-function-concurrency --function-name {function.name} "
            f"--region {function.region}"
        )
    return (
        f"aws lambda put-function-concurrency --function-name {function.name} "
        f"--region {function.region} --reserved-concurrent-executions {reserved}"
    )


def write_reserved(name: str, wanted: int | None, io: LeaseIO) -> None:
    """Set a reserved concurrency (None: remove it) and read it back. Raises AwsError.

    It's written even where it reads so, since that read may be stale.
    """
    is_written = is_refused = False

    def attempt() -> None:
        nonlocal is_written, is_refused
        if not is_written:
            try:
                io.control.set_reserved_concurrency(name, wanted)
            except ConflictError:
                is_refused = True
                raise
            is_written = True
        now = io.control.read_reserved_concurrency(name)
        if now != wanted:
            is_written = False
            raise AwsError(f"its reserved concurrency still reads {_told(now)}")

    io.retry(attempt, lambda: is_refused)


def needs_release(state: JournaledStop, now: int | None) -> bool:
    """Whether to set it back: it's 0, or reads as before, which may be stale."""
    return now in {0, state.reserved}


def describe_release(name: str, state: JournaledStop, now: int | None) -> str:
    """One line on what recovery will do."""
    if now != 0:
        return f"{name}: set its reserved concurrency to {_told(state.reserved)} again"
    if state.reserved is None:
        return f"{name}: let it run again: remove its reserved concurrency of 0"
    return f"{name}: let it run again: set its reserved concurrency back from 0 to {state.reserved}"


def describe_foreign(name: str, now: int | None) -> str:
    """One line on what somebody else has set since."""
    return (
        f"{name}: somebody else set its reserved concurrency since it was stopped ({_told(now)} "
        "now); it was left alone"
    )


def release(function: FunctionConfig, state: JournaledStop, io: LeaseIO, journal: Journal) -> None:
    """Set the reserved concurrency back to what it was.

    Raises ForeignChangeError if somebody else has set it since, LeftChangedError if it can't be
    set.
    """
    name = function.name
    try:
        now = io.retry(lambda: io.control.read_reserved_concurrency(name))
        if not needs_release(state, now):
            raise ForeignChangeError(describe_foreign(name, now))
        journal.note("release", reserved=state.reserved)
        write_reserved(name, state.reserved, io)
    except FunctionNotFoundError as error:
        raise ForeignChangeError(f"{name}: the function is gone") from error
    except AwsError as error:
        raise LeftChangedError(
            f"{name}: its reserved concurrency could not be set to {_told(state.reserved)} "
            f"({error}). By hand: {undo_by_hand(function, state.reserved)}"
        ) from error


def _told(reserved: int | None) -> str:
    return "none" if reserved is None else f"{reserved}"
