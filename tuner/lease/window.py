"""A publish window: while it is open, $LATEST isn't as its owner left it.

For each size: journal, update with RevisionId, publish with the sweep's Description, journal the
version, check what came back. However the window ends, $LATEST is restored and read back.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuner.errors import (
    AccessDeniedError,
    ConflictError,
    CredentialsError,
    ForeignChangeError,
    FunctionNotFoundError,
    LeaseError,
    MemoryCapError,
)
from tuner.lease.cleanup import description_of, is_of_sweep
from tuner.lease.function_control import WAITS_S
from tuner.lease.restore import differences, restore
from tuner.lease.uninterruptible import uninterruptible
from tuner.model.progress import VersionPublished, WindowClosed, WindowOpened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.lease.function_control import LeaseIO
    from tuner.lease.journal import Journal
    from tuner.lease.unfinished import JournalHeader
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig

# After these, an update wasn't made and won't be.
_NOT_MADE = (
    AccessDeniedError,
    CredentialsError,
    FunctionNotFoundError,
    ConflictError,
    MemoryCapError,
)


@dataclass(frozen=True, slots=True)
class PublishedSize:
    """A size and its version; an existing version isn't new and is never deleted."""

    memory_mb: int
    version: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """A window's result: versions, and the most that the account turned out to allow."""

    published: tuple[PublishedSize, ...]
    memory_cap_mb: int | None = None
    """The largest size allowed; None: nothing was refused."""


class Leased:
    """What is measured: a function itself, or a copy of it."""

    def __init__(
        self, original: FunctionConfig, header: JournalHeader, io: LeaseIO, journal: Journal
    ) -> None:
        self.original = original
        self.function_name = original.name
        """The function to invoke."""
        self.code_sha256 = original.code_sha256
        """Digest of the measured code; another build's once its copy is made."""
        self.findings: list[Finding] = []
        self._header = header
        self._io = io
        self._journal = journal
        self._published: Counter[int] = Counter()

    def publish(
        self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool] = lambda: False
    ) -> Publication:
        """Publish sizes in one window; the caller starts no invocation in the meantime.

        Raises AwsError, LeaseError and its subclasses.
        """
        raise NotImplementedError


@dataclass(slots=True)
class PublishWindow:
    """One window of a lease; used once."""

    original: FunctionConfig
    header: JournalHeader
    io: LeaseIO
    journal: Journal
    published: Counter[int]
    """How often each size was published before, by the same lease."""
    restores: bool = True
    """A temporary copy isn't restored, because it will be deleted."""
    is_closed: bool = field(default=True, init=False)
    """False while this sweep may have left $LATEST at another memory."""
    _may_be_changed: bool = field(default=False, init=False)
    """Whether an update was sent and not refused: unlike what is read, this is never stale."""
    _latest: FunctionConfig = field(init=False)
    _our_memories_mb: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self._latest = self.original
        self._our_memories_mb = {self.original.memory_mb}

    @property
    def latest_memory_mb(self) -> int:
        """Memory of $LATEST as this window last read or set it."""
        return self._latest.memory_mb

    def publish(self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool]) -> Publication:
        """Publish sizes until done, refused or asked to stop; then restore.

        Raises LeaseError, its subclasses and AwsError; $LATEST is restored then too, or
        LeftChangedError says that it isn't.
        """
        self._latest = self._checked(self._read(), self.original.memory_mb)
        self.io.on_progress(WindowOpened(tuple(sizes_mb)))
        self.is_closed = False
        try:
            # The size that $LATEST has needs no update.
            in_order = sorted(sizes_mb, key=lambda mb: (mb != self.original.memory_mb, mb))
            publication = self._publish_all(in_order, stop_requested)
        finally:
            if self.restores:
                uninterruptible(self._restore, self.io.limit)
        if self.restores:
            self.io.on_progress(WindowClosed())
        return publication

    def resize(self, size: int) -> None:
        """Set the memory of $LATEST and leave it so; if that fails, restore.

        Raises as `publish` does.
        """
        self._latest = self._checked(self._read(), self.original.memory_mb)
        self.is_closed = False
        try:
            self._update(size)
        except BaseException:
            uninterruptible(self._restore, self.io.limit)
            raise
        self.is_closed = True

    def _publish_all(
        self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool]
    ) -> Publication:
        published: list[PublishedSize] = []
        for size in sizes_mb:
            if stop_requested():
                break
            try:
                published.append(self._publish_size(size))
            except MemoryCapError as error:
                named_mb = error.max_memory_mb or size - 1
                return Publication(tuple(published), min(named_mb, size - 1))
        return Publication(tuple(published))

    def _publish_size(self, size: int) -> PublishedSize:
        if self._latest.memory_mb != size:
            self._update(size)
        self.journal.announce("publish", memory_mb=size)
        self.published[size] += 1
        version = self.io.control.publish_version(
            self.original.name,
            description_of(self.header.sweep_id, size, self.published[size]),
            self.original.code_sha256,
            self._latest.revision_id,
        )
        is_new = version.version not in self.header.versions
        is_ours = is_new and is_of_sweep(version, self.header.sweep_id)
        self.journal.tell_published(version.version, is_new=is_ours)
        self._check_version(version, size, is_new)
        # Publishing may change the RevisionId.
        self._latest = self._checked(self._agreeing(self._read(), size), size)
        self.io.on_progress(VersionPublished(size, version.version, is_new))
        return PublishedSize(size, version.version, is_new)

    def _update(self, size: int) -> None:
        self.journal.announce("update", memory_mb=size)
        self._our_memories_mb.add(size)
        was_changed, self._may_be_changed = self._may_be_changed, True
        try:
            latest = self.io.control.update_memory(
                self.original.name, size, self._latest.revision_id
            )
        except _NOT_MADE:
            self._may_be_changed = was_changed
            raise
        self._latest = self._checked(self._agreeing(latest, size), size)

    def _agreeing(self, latest: FunctionConfig, size: int) -> FunctionConfig:
        """Read again while a read shows the state before an accepted write."""
        for wait_s in WAITS_S:
            if latest.memory_mb == size or latest.memory_mb not in self._our_memories_mb:
                break
            self.io.sleep(wait_s)
            latest = self._read()
        return latest

    def _read(self) -> FunctionConfig:
        return self.io.control.read_function(self.original.name)

    def _checked(self, latest: FunctionConfig, size: int) -> FunctionConfig:
        """Return $LATEST as read if it is the original at `size`, or raise ForeignChangeError."""
        expected = dataclasses.replace(self.original, memory_mb=size)
        changed = differences(expected, latest)
        if changed:
            raise ForeignChangeError(
                f"{self.original.name}: somebody else changed {', '.join(changed)} of $LATEST (a "
                "deployment?): stopped. Sweep again when it's done"
            )
        return latest

    def _check_version(self, version: FunctionConfig, size: int, is_new: bool) -> None:
        """Raise LeaseError unless the version is the original's code at `size`."""
        number = f"{self.original.name}: version {version.version}"
        if not version.version.isdecimal():
            raise LeaseError(f"{number} came back from publishing, which isn't a version")
        if version.memory_mb != size:
            raise LeaseError(
                f"{number} was published for {size} MB but has {version.memory_mb} MB: this "
                "endpoint's versions can't be measured"
            )
        expected = dataclasses.replace(self.original, memory_mb=size, description="", version="")
        found = dataclasses.replace(version, description="", version="", settings=(), arn="")
        changed = differences(dataclasses.replace(expected, settings=(), arn=""), found)
        if changed:
            raise ForeignChangeError(
                f"{number} differs in {', '.join(changed)}: somebody else changed the function. "
                "Sweep again when they are done"
            )
        if is_new and not is_of_sweep(version, self.header.sweep_id):
            raise LeaseError(
                f"{number} lost its Description, so it can't be told apart from others"
            )

    def _restore(self) -> None:
        try:
            restore(
                self.original,
                self._our_memories_mb,
                io=self.io,
                journal=self.journal,
                must_write=self._may_be_changed,
            )
        except ForeignChangeError:
            self.is_closed = True  # nothing of this sweep is left there
            raise
        self.is_closed = True
