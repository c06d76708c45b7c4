"""Stops a function for now: its reserved concurrency is set to 0, and the journal says what it was.

Unlike a sweep's, this journal is meant to stay: `tuner recover` reads it to set the reserved
concurrency back, whenever that is. It begins with what the function was; `stop` then says which
reserved concurrency it had, and is on the disk before anything changes. A function is stopped once:
while such a journal is there, neither a second stop nor a sweep or rollout of it begins.

Reserved concurrency isn't what a sweep or rollout changes, so one on another machine is no reason
to wait: its invocations are throttled, and it ends. On this machine the function's lock is held by
it, and it has to be ended first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.function_control import LeaseIO, harmless
from tuner.lease.journal import Journal, function_digest, make_header
from tuner.lease.lock import function_lock
from tuner.lease.recover import find_unfinished
from tuner.lease.reserved_concurrency import undo_by_hand, write_reserved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl
    from tuner.lease.journal import LeaseTerms, UnfinishedJournal
    from tuner.model.function import FunctionConfig

STOP_ID: Final = "stop-"
"""How the id of a stop begins."""
_CHANGED_NOTHING: Final = (
    AccessDeniedError, ConflictError, CredentialsError, FunctionNotFoundError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stopped:
    """A function that takes no invocation now."""

    function: str
    stop_id: str
    reserved_before: int | None
    """None: it had no reserved concurrency."""

    @property
    def by_hand(self) -> str:
        """The command that undoes it without a journal."""
        return undo_by_hand(self.function, self.reserved_before)


def stop_of(
    function: FunctionConfig, state_dir: Path, endpoint_url: str | None
) -> UnfinishedJournal | None:
    """The journal that says that this function is stopped; None if none does."""
    digest = function_digest(function, endpoint_url)
    stops = (each for each in find_unfinished(state_dir) if each.header.isolation == "stop")
    return next((each for each in stops if each.header.function_digest == digest), None)


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
        if earlier is not None:
            raise LeaseError(
                f"{function.name} is stopped already, since {earlier.header.started_at}: tuner "
                "recover lets it run again"
            )
        io = LeaseIO(control, sleep, harmless(lambda _event: None))
        before = io.retry(lambda: control.read_reserved_concurrency(function.name))
        if before == 0:
            raise LeaseError(
                f"{function.name} is stopped already: its reserved concurrency is 0, and tuner "
                "didn't set it"
            )
        journal = Journal.create(terms.state_dir, header, terms.keep)
        try:
            journal.announce("stop", reserved=before)
            _set_to_none(function.name, before, io, journal)
        finally:
            journal.close()
    return Stopped(function.name, terms.sweep_id, before)


def _set_to_none(name: str, before: int | None, io: LeaseIO, journal: Journal) -> None:
    try:
        write_reserved(name, 0, io)
    except _CHANGED_NOTHING:
        if io.control.read_reserved_concurrency(name) == before:
            journal.finish()
        raise
    except AwsError as error:
        journal.note("unanswered", call="set_reserved_concurrency", at=time.time())
        raise LeftChangedError(
            f"{name}: its reserved concurrency may be 0 or may not ({error}): try again after "
            f"tuner recover, or stop it by hand: {undo_by_hand(name, 0)}"
        ) from error
