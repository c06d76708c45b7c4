"""A temporary copy takes the whole sweep; the function itself is only read.

It's used if live traffic reaches $LATEST. The copy has the function's code, role and settings, and
nothing that would send traffic to it: no trigger, alias, concurrency or policy. Its name contains
the sweep's id and its Description says whose it is, so any machine can find and delete it. The
journal's first record, on disk before the copy is made, is all that recovery needs.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    EndpointError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    LeftChangedError,
    ThrottledError,
    UnknownTrafficError,
)
from tuner.lease.lock import SWEEP_TAG
from tuner.lease.restore import differences
from tuner.lease.window import Leased, PublishWindow
from tuner.model.finding import Finding
from tuner.model.progress import CopyDeleted, CopyMade

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.lease.function_control import LeaseIO
    from tuner.lease.journal import Journal
    from tuner.lease.unfinished import JournalHeader
    from tuner.lease.window import Publication
    from tuner.model.function import Architecture, FunctionConfig, WantedCopy
    from tuner.model.plan import Isolation

COPY_PREFIX: Final = "lambda-tuner-"
_MAX_NAME_LENGTH: Final = 64
_SECOND_LOOK_S: Final = 2.0
"""How long a create request whose answer was lost may still take effect."""
_CREATIONS: Final = ("create_copy", "create_throwaway")


@dataclass(frozen=True, slots=True)
class LiveTraffic:
    """What reaches $LATEST without naming a version or alias."""

    sources: tuple[str, ...] = ()
    """In words that fit after "reached by": "S3", "a function URL"."""
    unknown: tuple[str, ...] = ()
    """What couldn't be asked, in words."""


def choose_isolation(
    asked: Isolation, traffic: LiveTraffic, function_name: str
) -> Literal["version", "clone"]:
    """Return what the user asked for; for auto, a clone if anything reaches $LATEST.

    Publishing briefly changes $LATEST, which live traffic would notice. Raises UnknownTrafficError
    if auto can't tell.
    """
    if asked != "auto":
        return asked
    if traffic.sources:
        return "clone"
    if traffic.unknown:
        raise UnknownTrafficError(
            f"can't tell whether live traffic reaches $LATEST of {function_name} "
            f"({', '.join(traffic.unknown)}): give `isolation=clone` to measure a temporary copy, "
            "or `isolation=version` if nothing reaches it"
        )
    return "version"


def copy_name(sweep_id: str) -> str:
    """Return the name of a sweep's copy. Raises LeaseError for an id that's too long."""
    name = f"{COPY_PREFIX}{sweep_id}"
    if len(name) > _MAX_NAME_LENGTH:
        raise LeaseError(f"the sweep's id {sweep_id} is too long for a copy's name")
    return name


def copy_id(sweep_id: str, architecture: Architecture | None) -> str:
    """The id that the journal, the name and the Description of a sweep's copy have: the sweep's
    own, or with another architecture.
    """
    suffix = "" if architecture is None else f"-{architecture.replace('_', '-')}"
    return f"{sweep_id}{suffix}"


def copy_description(sweep_id: str, function_name: str) -> str:
    """Return the Description of a sweep's copy: nothing else is ever deleted."""
    return f"lambda-tuner sweep {sweep_id} copy of {function_name}"


class CloneLease(Leased):
    """Makes a copy, publishes sizes of it and deletes it with everything it has."""

    def __init__(
        self,
        original: FunctionConfig,
        header: JournalHeader,
        io: LeaseIO,
        journal: Journal,
        wanted: WantedCopy,
    ) -> None:
        super().__init__(original, header, io, journal)
        self.function_name = copy_name(header.sweep_id)
        self._wanted = wanted
        self._description = copy_description(header.sweep_id, original.name)
        self._copy: FunctionConfig | None = None
        self._answer_is_lost = False

    def begin(self) -> None:
        """Make the copy. Raises AwsError, ForeignChangeError if the function changed meanwhile."""
        self._answer_is_lost = True
        try:
            copy = self._io.control.create_copy(
                self.original.name,
                self.function_name,
                self._description,
                {SWEEP_TAG: self._header.sweep_id},
                self._wanted,
            )
        except AwsError as error:
            self._answer_is_lost = isinstance(error, (EndpointError, ThrottledError))
            raise
        self._answer_is_lost = False
        self._check(copy)
        self._copy = copy
        self.code_sha256 = copy.code_sha256
        self._io.on_progress(CopyMade(copy.name))

    def publish(
        self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool] = lambda: False
    ) -> Publication:
        """See `Leased`."""
        assert self._copy is not None
        window = PublishWindow(
            self._copy, self._header, self._io, self._journal, self._published, restores=False
        )
        publication = window.publish(sizes_mb, stop_requested)
        self._copy = dataclasses.replace(self._copy, memory_mb=window.latest_memory_mb)
        return publication

    def give_back(self) -> None:
        """Delete the copy and close the journal. Raises LeftChangedError; the journal stays."""
        logs_left = give_back_copy(
            self.function_name,
            self._description,
            self._io,
            self._journal,
            may_come_late=self._answer_is_lost,
        )
        if logs_left is not None:
            self.findings.append(logs_left)

    def _check(self, copy: FunctionConfig) -> None:
        """Raise ForeignChangeError unless the copy matches the function in the plan."""
        expected, wanted = self.original, self._wanted
        if wanted.build is not None:
            digest = wanted.build.code_sha256 or copy.code_sha256
            expected = dataclasses.replace(expected, code_sha256=digest)
        if wanted.architecture is not None:
            expected = dataclasses.replace(expected, architecture=wanted.architecture)
        changed = differences(_without_identity(expected), _without_identity(copy))
        if changed:
            raise ForeignChangeError(
                f"{self.original.name}: the copy differs in {', '.join(changed)}: somebody else "
                "changed the function. Sweep again"
            )


def _without_identity(function: FunctionConfig) -> FunctionConfig:
    """Blank what belongs to a copy alone; the gateway has compared `settings`."""
    return dataclasses.replace(function, name="", arn="", description="", settings=())


def give_back_copy(
    name: str, description: str, io: LeaseIO, journal: Journal, *, may_come_late: bool
) -> Finding | None:
    """Delete what a sweep or a check made and close its journal.

    `may_come_late`: the answer to the request that makes it was lost. Returns what `delete_copy`
    does; raises LeftChangedError, and the journal stays.
    """
    try:
        if may_come_late:
            io.sleep(_SECOND_LOOK_S)
        logs_left = delete_copy(name, description, io)
        if io.limit.unanswered in _CREATIONS:
            raise LeftChangedError(
                f"the request to make {name} got no answer and may still take effect. "
                "Run: tuner recover"
            )
        journal.finish()
    except AwsError as error:
        raise LeftChangedError(f"{name} wasn't deleted ({error}). Run: tuner recover") from error
    finally:
        journal.close()
    io.on_progress(CopyDeleted(name))
    return logs_left


def delete_copy(name: str, description: str, io: LeaseIO) -> Finding | None:
    """Delete a copy and its log group, if they still exist.

    Returns a finding if deleting the log group isn't permitted. Raises AwsError.
    """

    def attempt() -> None:
        io.control.delete_copy(name, description)
        with suppress(FunctionNotFoundError):
            io.control.read_function(name)
            raise AwsError("it still shows up")

    io.retry(attempt)
    try:
        io.retry(lambda: io.control.delete_logs_of_copy(name))
    except CredentialsError:
        raise
    except AccessDeniedError as error:
        return Finding(
            "log_group_left",
            "warning",
            f"The log group /aws/lambda/{name} couldn't be deleted: {error}",
        )
    return None
