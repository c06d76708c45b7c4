"""Shifts an alias, and leaves it as it was or as it shall be: never in between.

An alias is shifted from one version to a new one by its share of invocations. Once the journal says
`finish`, the only way is forward; until then it is back. What somebody else routes stays theirs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.errors import (
    AwsError,
    ConflictError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.unfinished import JournaledAlias
from tuner.model.function import Routing

if TYPE_CHECKING:
    from tuner.lease.function_control import LeaseIO
    from tuner.lease.journal import Journal


class ShiftedAlias:
    """One alias of a leased function."""

    def __init__(self, before: Routing, function: str, *, io: LeaseIO, journal: Journal) -> None:
        self.before = before
        self._state = JournaledAlias(before.alias, before.version)
        self._now = before
        self._function = function
        self._io = io
        self._journal = journal

    @property
    def name(self) -> str:
        """Its name."""
        return self.before.alias

    @property
    def kept_version(self) -> str | None:
        """The version that it was decided to route to, if it was."""
        return self._state.finish

    def begin(self) -> None:
        """Record how it is. Raises LeaseError."""
        self._journal.announce("alias", name=self.name, version=self.before.version)

    def shift(self, version: str, weight: float) -> None:
        """Route a share of its invocations to a version.

        Raises ForeignChangeError if somebody else changed the alias, AwsError and LeaseError.
        """
        self._journal.announce("shift", version=version, weight=weight)
        shifted = (*self._state.shifted_to, version)
        self._state = replace(self._state, shifted_to=shifted, is_settled=False)
        self._write(Routing(self.name, self.before.version, ((version, weight),)))

    def finish(self, version: str) -> None:
        """Route to a version alone. Once this is in the journal there's no way back.

        Raises as `shift` does; `settle` then still finishes it.
        """
        self._journal.announce("finish", version=version)
        self._state = replace(self._state, finish=version, is_settled=False)
        self._write(Routing(self.name, version))

    def check(self) -> None:
        """Raise ForeignChangeError if somebody else changed it. Raises AwsError."""
        now = self._io.control.read_alias(self._function, self.name)
        if now.revision_id != self._now.revision_id and not is_ours(now, self._state):
            raise self._foreign(now)

    def settle(self) -> None:
        """Set it back, or finish it. Raises ForeignChangeError, LeftChangedError."""
        if self._state.shifted_to or self._state.finish:
            settle_alias(self._state, self._function, self._io, self._journal)

    def _write(self, wanted: Routing) -> None:
        wanted = replace(wanted, revision_id=self._now.revision_id)
        try:
            self._now = self._io.control.update_alias(self._function, wanted)
        except ConflictError:
            now = self._io.control.read_alias(self._function, self.name)
            if not now.is_like(wanted):
                raise self._foreign(now) from None
            self._now = now  # nobody else routes to this version: it was this request, sent twice

    def _foreign(self, now: Routing) -> ForeignChangeError:
        return ForeignChangeError(
            f"{self._function}: somebody else changed the alias {self.name} (a deployment?), which "
            f"routes to {now.describe()} now: roll out again when it's done"
        )


def settle_alias(state: JournaledAlias, function: str, io: LeaseIO, journal: Journal) -> None:
    """Make an alias what it shall be, and read it back.

    It's written even if it reads so: a read may be stale, and a request whose answer was lost may
    still arrive, which then fails on the new RevisionId. Raises ForeignChangeError if somebody
    else has changed it, LeftChangedError if it can't be set.
    """
    is_written = state.is_settled

    def attempt() -> Routing:
        nonlocal is_written
        now = io.control.read_alias(function, state.name)
        target = target_of(now, state)
        if target is None:
            raise ForeignChangeError(describe_foreign(function, now))
        if now.is_like(target) and is_written:
            return now
        journal.note("reset", version=target.version)
        io.control.update_alias(function, replace(target, revision_id=now.revision_id))
        is_written = True
        now = io.control.read_alias(function, state.name)
        if not now.is_like(target):
            raise AwsError(f"it still routes to {now.describe()}")
        return now

    try:
        now = io.retry(attempt)
    except FunctionNotFoundError as error:
        raise ForeignChangeError(f"{function}: the alias {state.name} is gone") from error
    except AwsError as error:
        target = state.target
        raise LeftChangedError(
            f"{function}: the alias {target.alias} could not be set to {target.describe()} "
            f"({error}). By hand: aws lambda update-alias --function-name {function} --name "
            f"{target.alias} --function-version {target.version} --routing-config "
            "AdditionalVersionWeights={}"
        ) from error
    with suppress(LeaseError):
        journal.tell("settled")
    if not now.is_like(state.target):
        raise ForeignChangeError(describe_foreign(function, now))


def target_of(now: Routing, state: JournaledAlias) -> Routing | None:
    """What to make of an alias; None if it's somebody else's and nothing of the rollout is in it.

    Whoever points it at another version may leave the rollout's share as it was: that is taken
    away, and the version is theirs.
    """
    if is_ours(now, state):
        return state.target
    if any(version in state.shifted_to for version, _ in now.weights):
        return Routing(state.name, now.version)
    return None


def is_ours(now: Routing, state: JournaledAlias) -> bool:
    """Whether the rollout may have made it so (or nobody changed anything)."""
    ours = {*state.shifted_to, state.finish}
    if now.version == state.version:
        return all(version in ours for version, _ in now.weights)
    return now.version == state.finish and not now.weights


def describe_foreign(function: str, now: Routing) -> str:
    """One sentence on an alias that somebody else has changed."""
    return (
        f"{function}: somebody else changed the alias {now.alias}, which routes to "
        f"{now.describe()} now; it was left alone"
    )
