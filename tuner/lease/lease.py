"""A function borrowed for one sweep: read, journaled, published from, restored."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Unpack

from tuner.errors import AwsError, ForeignChangeError, LeaseError, LeftChangedError
from tuner.lease.alias import ShiftedAlias
from tuner.lease.cleanup import ROLLOUT_ID, delete_versions
from tuner.lease.clone import CloneLease, copy_id
from tuner.lease.function_control import lease_io
from tuner.lease.journal import Journal, LeaseTerms, find_unfinished, make_header
from tuner.lease.lock import SWEEP_TAG, FunctionTag, function_lock
from tuner.lease.restore import differences
from tuner.lease.unfinished import read_header
from tuner.lease.uninterruptible import uninterruptible
from tuner.lease.window import Leased, PublishWindow
from tuner.model.finding import Finding
from tuner.model.function import WantedCopy
from tuner.model.progress import CleanedUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl, LeaseIO, Reach
    from tuner.lease.unfinished import JournalHeader
    from tuner.lease.window import Publication
    from tuner.model.function import Build, FunctionConfig, Routing


_REQUESTS: Final = {
    "set_tag": f"set the tag {SWEEP_TAG}",
    "update_memory": "change the memory of $LATEST",
    "publish_version": "publish a version",
    "update_alias": "shift the alias",
}


class Lease(Leased):
    """Publishes sizes of a function and restores it."""

    def __init__(
        self, original: FunctionConfig, header: JournalHeader, io: LeaseIO, journal: Journal
    ) -> None:
        super().__init__(original, header, io, journal)
        self._left: list[str] = []
        self._alias: ShiftedAlias | None = None
        self._foreign: ForeignChangeError | None = None
        self._tag = FunctionTag(original, header.sweep_id, io)
        if original.revision_id is None:
            self.findings.append(_no_locking_finding())

    def begin(self) -> None:
        """Tag the function as being swept. Raises LeaseError if it already is, and AwsError."""
        finding = self._tag.set(self._journal)
        if finding is not None:
            self.findings.append(finding)

    def publish(
        self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool] = lambda: False
    ) -> Publication:
        """See `Leased`."""
        with self._window() as window:
            publication = window.publish(sizes_mb, stop_requested)
        self.findings += [
            _reused_finding(entry.version, entry.memory_mb)
            for entry in publication.published
            if not entry.is_new
        ]
        return publication

    def resize(self, memory_mb: int) -> None:
        """Set the memory of $LATEST for good.

        Raises AwsError, LeaseError and its subclasses; then it's as before, or LeftChangedError
        says that it isn't.
        """
        with self._window() as window:
            window.resize(memory_mb)

    def shift_alias(self, before: Routing) -> ShiftedAlias:
        """Borrow an alias too: at the end it's as it was, or finished. Raises LeaseError."""
        alias = ShiftedAlias(before, self.function_name, io=self._io, journal=self._journal)
        alias.begin()
        self._alias = alias
        return alias

    @contextmanager
    def _window(self) -> Iterator[PublishWindow]:
        window = PublishWindow(
            self.original, self._header, self._io, self._journal, self._published
        )
        try:
            yield window
        except BaseException as error:
            if not window.is_closed:
                self._left.append(_left_open(self.original, error))
            raise

    def give_back(self) -> None:
        """Settle the alias, delete what was published and close the journal.

        Raises LeftChangedError, listing everything left, if anything is; the journal stays. Raises
        ForeignChangeError if somebody else has changed the alias.
        """
        if self._io.limit.unanswered is not None:
            request = _REQUESTS[self._io.limit.unanswered]
            self._left.append(f"the request to {request} got no answer and may still take effect")
        try:
            self._settle_alias()
            self._delete_versions()
            self._remove_tag()
        finally:
            if not self._left:
                self._journal.finish()
            self._journal.close()
        if self._left:
            raise LeftChangedError("; ".join(self._left) + ". Run: tuner recover")
        if self._foreign is not None:
            raise self._foreign

    def _settle_alias(self) -> None:
        if self._alias is None:
            return
        try:
            self._alias.settle()
        except ForeignChangeError as error:
            self._foreign = error
        except AwsError as error:
            self._left.append(f"the alias {self._alias.name} couldn't be read ({error})")
        except LeftChangedError as error:
            self._left.append(str(error))
        except BaseException:
            self._left.append(f"setting the alias {self._alias.name} was cut short")
            raise

    def _remove_tag(self) -> None:
        """Remove the tag once nothing is left: recovery may need its content."""
        if self._left:
            return
        try:
            self._tag.remove()
        except AwsError as error:
            self._left.append(f"the tag {SWEEP_TAG} wasn't removed ({error})")
        except BaseException:
            self._left.append(f"the tag {SWEEP_TAG} may still be there")
            raise

    def _delete_versions(self) -> None:
        if self._alias is not None and (self._left or self._alias.kept_version):
            return
        try:
            cleanup = delete_versions(self._header, self._io, self._journal)
        except AwsError as error:
            self._left.append(f"the sweep's versions could not be listed ({error})")
            return
        except BaseException:
            self._left.append("deleting the sweep's versions was cut short")
            raise
        self.findings += [_kept_finding(version, alias) for version, alias in cleanup.kept]
        self._left += [f"version {number} wasn't deleted ({why})" for number, why in cleanup.failed]
        if not self._left:
            self._io.on_progress(CleanedUp(len(cleanup.deleted)))


@contextmanager
def open_lease(
    function: FunctionConfig,
    terms: LeaseTerms,
    *,
    build: Build | None = None,
    **reach: Unpack[Reach],
) -> Iterator[Leased]:
    """Lease `function` (as it was read for the plan) and restore it at the end, whatever happens.

    Opening tags the function, or with isolation clone makes the copy, with `build` instead of the
    function's code if given. Where `reach` ends it early, KeyboardInterrupt is raised, or
    LeftChangedError if something may be left.

    Raises LeaseError if another sweep has the function, LeftChangedError if an earlier one left it
    changed, ForeignChangeError if it has changed since the plan; and AwsError.
    """
    with open_leases(function, terms, (WantedCopy(build),), **reach) as [lease]:
        yield lease


@contextmanager
def open_leases(
    function: FunctionConfig,
    terms: LeaseTerms,
    wanted: Sequence[WantedCopy],
    **reach: Unpack[Reach],
) -> Iterator[tuple[Leased, ...]]:
    """As `open_lease`, with several copies of one function, each with a journal of its own: what
    happens to one of them leaves the others' deletion and recovery as they are.
    """
    identity = make_header(function, terms)
    with function_lock(terms.state_dir, identity), ExitStack() as stack:
        refuse_unfinished(terms.state_dir, identity)
        leases: list[Leased] = []
        for each in wanted:
            own = replace(terms, sweep_id=copy_id(terms.sweep_id, each.architecture))
            leases.append(stack.enter_context(_leased(function, own, each, lease_io(**reach))))
        yield tuple(leases)


@contextmanager
def _leased(
    function: FunctionConfig, terms: LeaseTerms, wanted: WantedCopy, io: LeaseIO
) -> Iterator[Leased]:
    """Journal, begin, and give back."""
    original = io.control.read_function(function.name)
    _refuse_changed(function, original)
    header = _header(terms, original, io.control)
    journal = Journal.create(terms.state_dir, header, terms.keep)
    lease: Lease | CloneLease
    if terms.isolation == "clone":
        lease = CloneLease(original, header, io, journal, wanted)
    else:
        lease = Lease(original, header, io, journal)
    try:
        lease.begin()
        yield lease
    finally:
        journal.note_unanswered(io.limit.unanswered)
        uninterruptible(lease.give_back, io.limit)


def _header(terms: LeaseTerms, original: FunctionConfig, control: FunctionControl) -> JournalHeader:
    if terms.isolation == "clone":
        return make_header(original, terms)
    return make_header(
        original,
        terms,
        versions=control.list_versions(original.name),
        aliases=control.list_aliases(original.name),
    )


def refuse_unfinished(state_dir: Path, identity: JournalHeader) -> None:
    """Raise LeftChangedError if an earlier sweep or rollout may have left the function changed.

    Raises LeaseError for a damaged journal, unless it's known to be another function's.
    """

    def refuse_damaged(path: Path, error: LeaseError) -> None:
        header = read_header(path)
        if header is None or header.function_digest == identity.function_digest:
            raise error

    for unfinished in find_unfinished(state_dir, refuse_damaged):
        if unfinished.header.function_digest == identity.function_digest:
            if unfinished.header.isolation == "stop":
                raise LeftChangedError(
                    f"{identity.function.name} is stopped since {unfinished.header.started_at}: "
                    "its reserved concurrency is 0. To let it run again: tuner recover"
                )
            sweep_id = unfinished.header.sweep_id
            whose = "" if sweep_id.startswith(ROLLOUT_ID) else "sweep "
            raise LeftChangedError(
                f"{identity.function.name}: the {whose}{sweep_id} didn't finish and may have left "
                "the function changed. Run: tuner recover"
            )


def _refuse_changed(planned: FunctionConfig, original: FunctionConfig) -> None:
    changed = differences(planned, original)
    if changed:
        raise ForeignChangeError(
            f"{planned.name}: {', '.join(changed)} changed since the plan was made: nothing was "
            "touched. Sweep again"
        )


def _left_open(original: FunctionConfig, error: BaseException) -> str:
    if isinstance(error, LeftChangedError):
        return str(error).removesuffix(". Run: tuner recover")
    return f"{original.name}: $LATEST may not be back at {original.memory_mb} MB"


def _no_locking_finding() -> Finding:
    return Finding(
        "no_optimistic_locking",
        "warning",
        "The endpoint gives no RevisionId: a deployment at the very moment of an update would go "
        "unnoticed until the function is read back. Don't deploy during a sweep.",
    )


def _kept_finding(version: str, alias: str) -> Finding:
    return Finding(
        "version_kept",
        "warning",
        f"Version {version} was published by this sweep, but alias {alias} points at it now, so it "
        "wasn't deleted. Point the alias elsewhere before deleting it.",
    )


def _reused_finding(version: str, memory_mb: int) -> Finding:
    return Finding(
        "version_reused",
        "info",
        f"Version {version} already had the same code at {memory_mb} MB and was measured instead "
        "of a new one; live traffic to it may share its environments.",
    )
