"""Stops a function for now: its reserved concurrency is set to 0, and the journal says what it was.

Unlike a sweep's, this journal is meant to stay: `tuner recover` reads it to set the reserved
concurrency back, whenever that is. It begins with what the function was; `stop` then says which
reserved concurrency it had, and is on the disk before anything changes. While such a journal is
there, neither a sweep nor a rollout of it begins. It doesn't prove that the function is stopped: a
stop may have been killed halfway, and a deployment or an owner may have let it run since. Where the
function reads other than 0, it's stopped again, in the same journal, whose last `stop` counts.

Reserved concurrency isn't what a sweep or rollout changes, so one on another machine is no reason
to wait: its invocations are throttled, and it ends. On this machine the function's lock is held by
it, and it has to be ended first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.function_control import LeaseIO
from tuner.lease.journal import Journal, function_digest, journal_dir, make_header
from tuner.lease.lock import function_lock
from tuner.lease.unfinished import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl
    from tuner.lease.journal import LeaseTerms
    from tuner.lease.unfinished import JournaledStop, UnfinishedJournal
    from tuner.model.function import FunctionConfig

STOP_ID: Final = "stop-"
"""How the id of a stop begins."""
_CHANGED_NOTHING: Final = (
    AccessDeniedError, ConflictError, CredentialsError, FunctionNotFoundError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stopped:
    """A function that takes no invocation now."""

    config: FunctionConfig
    stop_id: str
    reserved_before: int | None
    """None: it had no reserved concurrency."""

    @property
    def function(self) -> str:
        """Its name."""
        return self.config.name

    @property
    def by_hand(self) -> str:
        """The command that undoes it without a journal."""
        return undo_by_hand(self.config, self.reserved_before)


def stop_of(
    function: FunctionConfig, state_dir: Path, endpoint_url: str | None
) -> UnfinishedJournal | None:
    """The journal of this function's stop; None if there is none that can be read: a damaged one,
    of whatever it is, keeps nothing from being stopped.
    """
    digest = function_digest(function, endpoint_url)
    for path in sorted(journal_dir(state_dir).glob(f"{STOP_ID}*.jsonl")):
        with suppress(LeaseError):
            found = read_journal(path)
            if found is not None and found.header.function_digest == digest:
                return found
    return None


def stop_function(
    function: FunctionConfig,
    terms: LeaseTerms,
    *,
    control: FunctionControl,
    sleep: Callable[[float], None],
) -> Stopped:
    """Set the reserved concurrency to 0, and read that back.

    Raises LeaseError if it's stopped already, or is swept or rolled out on this machine; AwsError
    if nothing was changed, and LeftChangedError if it may be stopped: the journal stays then.
    """
    header = make_header(function, terms)
    with function_lock(terms.state_dir, header):
        earlier = stop_of(function, terms.state_dir, terms.endpoint_url)
        io = LeaseIO(control, sleep, lambda _event: None)
        before = io.retry(lambda: control.read_reserved_concurrency(function.name))
        if before == 0:
            raise LeaseError(
                f"{function.name} is stopped already, since {earlier.header.started_at}: tuner "
                "recover lets it run again"
                if earlier is not None
                else f"{function.name} is stopped already: its reserved concurrency is 0, and "
                "tuner didn't set it"
            )
        journal = (
            Journal.create(terms.state_dir, header, terms.keep)
            if earlier is None
            else Journal.reopen(earlier.path)
        )
        try:
            journal.announce("stop", reserved=before)
            _set_to_none(function, before, io, journal)
        finally:
            journal.close()
    stop_id = terms.sweep_id if earlier is None else earlier.header.sweep_id
    return Stopped(function, stop_id, before)


def _set_to_none(
    function: FunctionConfig, before: int | None, io: LeaseIO, journal: Journal
) -> None:
    name = function.name
    try:
        write_reserved(name, 0, io)
    except _CHANGED_NOTHING as error:
        if io.control.read_reserved_concurrency(name) == before:
            journal.finish()
        if isinstance(error, ConflictError) and "provisioned concurrency" in str(error).lower():
            raise ConflictError(
                f"{error} So delete its provisioned concurrency first, and stop it again: `aws "
                f"lambda list-provisioned-concurrency-configs --function-name {name} --region "
                f"{function.region}` lists it, `aws lambda delete-provisioned-concurrency-config` "
                "takes each away"
            ) from error
        raise
    except AwsError as error:
        journal.note_unanswered("set_reserved_concurrency")
        raise LeftChangedError(
            f"{name}: its reserved concurrency may be 0 or may not ({error}): try again after "
            f"tuner recover, or stop it by hand: {undo_by_hand(function, 0)}"
        ) from error


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


def describe_other_reserve(name: str, now: int | None) -> str:
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
            raise ForeignChangeError(describe_other_reserve(name, now))
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
