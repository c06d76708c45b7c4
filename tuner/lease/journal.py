"""What a sweep is about to change, on the disk before it is changed.

One file a sweep, `journals/<sweep id>.jsonl` in the state folder, readable by its owner only, a
JSON object a line. The file is locked while its sweep runs and removed when nothing is left.

    lease      what the function was: configuration, versions, aliases; before anything is changed
               (with isolation clone: before the copy is made; what follows is about the copy)
    tag        the function is about to be marked as being swept
    update     $LATEST's memory is about to become `memory_mb`
    publish    $LATEST is about to be published at `memory_mb`
    published  `version` came back; `is_new` if this sweep made it
    restore    $LATEST's memory is about to be set back
    restored   $LATEST reads as before
    delete     `version` is about to be deleted
    alias      a rollout is about to shift the alias `name`, which routes to `version` alone
    shift      the alias is about to route the share `weight` to `version`
    finish     it is about to route to `version` alone: from now on, this is how it ends
    reset      the alias is about to be set back, or to be finished once more
    settled    the alias reads as before, or as finished
    stop       the function's reserved concurrency, which was `reserved`, is about to become 0
    release    it is about to be set back
    unanswered the request `call` was abandoned `at` this time (seconds since 1970): it may still
               take effect, whatever was set back since
    done       nothing is left

`announce` must reach the disk, or the change is not made. `note` may fail: what it announces
(restore, reset, delete) follows from the records before it already, and a full disk must not keep a
function from being restored. `tell` says what was done, and is not waited for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tuner.errors import LeaseError, TunerError
from tuner.lease.unfinished import SCHEMA_VERSION, JournalHeader, read_journal
from tuner.model.function import mask_account
from tuner.model.record import to_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tuner.lease.unfinished import Kind, UnfinishedJournal
    from tuner.model.function import Alias, FunctionConfig

_SWEEP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Whose lease it is, where its journal goes, and which endpoint the function is at."""

    sweep_id: str
    state_dir: Path
    endpoint_url: str | None
    started_at: str
    """UTC, ISO 8601."""
    isolation: Kind = "version"
    keep: Callable[[], None] | None = None
    """Told when the journal has grown, before what that announces is done: for a state folder whose
    disk doesn't outlive the process. If it raises, nothing is done."""


class Journal:
    """The open journal of one sweep, locked against everybody else."""

    def __init__(self, path: Path, descriptor: int, keep: Callable[[], None] | None = None) -> None:
        self.path = path
        self._keep = keep
        self._descriptor = descriptor
        self.published: list[str] = []
        """Versions that this sweep made, to be deleted by number, whatever a list says."""

    @classmethod
    def create(
        cls, state_dir: Path, header: JournalHeader, keep: Callable[[], None] | None = None
    ) -> Self:
        """Create the file and its folder, and write the header to disk. Raises LeaseError."""
        if not _SWEEP_ID.fullmatch(header.sweep_id):
            raise LeaseError("a sweep's id is made of letters, digits and hyphens")
        path = journal_dir(state_dir) / f"{header.sweep_id}.jsonl"
        try:
            make_private_dir(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            journal = cls(path, descriptor, keep)
            lock_file(descriptor, waits=True)  # somebody may just see whether it's locked
        except OSError as error:
            raise LeaseError(
                f"the journal {path} can't be written ({error.strerror}): nothing was changed"
            ) from error
        try:
            journal.announce("lease", schema_version=SCHEMA_VERSION, **to_record(header))
            sync_dir(path.parent)
        except BaseException:
            journal.close()
            path.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open an unfinished journal to continue it. Raises LeaseError if its sweep is running."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise LeaseError(f"the journal {path} can't be opened ({error.strerror})") from error
        try:
            lock_file(descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LeaseError(f"the sweep of {path.stem} is still running") from error
        written = path.read_bytes()
        os.ftruncate(descriptor, written.rfind(b"\n") + 1)  # a torn last line would hide the next
        journal = cls(path, descriptor)
        unfinished = read_journal(path)
        journal.published += unfinished.published if unfinished is not None else ()
        return journal

    def announce(self, record: str, **fields: Any) -> None:
        """Write a record to disk. If this raises LeaseError, what it announces must not be done."""
        self._append(record, fields, sync=True)
        if self._keep is not None:
            try:
                self._keep()
            except TunerError as error:
                raise LeaseError(f"the journal can't be kept: {error}") from error

    def note(self, record: str, **fields: Any) -> None:
        """Write a record to disk if possible."""
        with contextlib.suppress(LeaseError):
            self._append(record, fields, sync=True)

    def note_unanswered(self, call: str | None) -> None:
        """Write which request was abandoned just now, if one was, to disk if possible."""
        if call is not None:
            self.note("unanswered", call=call, at=time.time())

    def tell(self, record: str, **fields: Any) -> None:
        """Write a record that the next one flushes to disk. Raises LeaseError."""
        self._append(record, fields, sync=False)

    def tell_published(self, version: str, *, is_new: bool) -> None:
        """Record which version publishing returned. Raises LeaseError."""
        if is_new:
            self.published.append(version)
        self.tell("published", version=version, is_new=is_new)

    def finish(self) -> None:
        """Nothing is left: record that and remove the file."""
        with contextlib.suppress(LeaseError):
            self.tell("done")
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the file and release its lock; an unfinished journal stays for recovery."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, record: str, fields: dict[str, Any], *, sync: bool) -> None:
        line = json.dumps({"record": record, **fields}, separators=(",", ":"), allow_nan=False)
        length = os.fstat(self._descriptor).st_size
        try:
            data = line.encode() + b"\n"
            while data:
                data = data[os.write(self._descriptor, data) :]
            if sync:
                os.fsync(self._descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, length)
            raise LeaseError(
                f"the journal {self.path} can't be written ({error.strerror}): no further change "
                "is made"
            ) from error


def make_header(
    function: FunctionConfig,
    terms: LeaseTerms,
    *,
    versions: Iterable[FunctionConfig] = (),
    aliases: Iterable[Alias] = (),
) -> JournalHeader:
    """Return the header for a function as it was read."""
    return JournalHeader(
        sweep_id=terms.sweep_id,
        function=dataclasses.replace(function, arn=mask_account(function.arn)),
        function_digest=function_digest(function, terms.endpoint_url),
        endpoint_url=_without_login(terms.endpoint_url),
        started_at=terms.started_at,
        versions=tuple(version.version for version in versions),
        aliases=tuple(alias.name for alias in aliases),
        isolation=terms.isolation,
    )


def function_digest(function: FunctionConfig, endpoint_url: str | None) -> str:
    """Return a digest that distinguishes functions of the same name in different accounts."""
    identity = json.dumps([function.arn, _without_login(endpoint_url)])
    return hashlib.sha256(identity.encode()).hexdigest()


def journal_dir(state_dir: Path) -> Path:
    """Return the folder of journals."""
    return state_dir / "journals"


def find_unfinished(
    state_dir: Path, on_damage: Callable[[Path, LeaseError], None] | None = None
) -> tuple[UnfinishedJournal, ...]:
    """Return the journals of sweeps that didn't finish and aren't running, oldest first.

    `on_damage` is told of each that can't be read. Without it, the first one raises LeaseError, as
    a folder that can't be read always does: what is left isn't known then.
    """
    unfinished = []
    for path in _journals(journal_dir(state_dir)):
        if not _is_running(path):
            try:
                journal = read_journal(path)
            except LeaseError as error:
                if on_damage is None:
                    raise
                on_damage(path, error)
                continue
            if journal is not None:
                unfinished.append(journal)
    return tuple(unfinished)


def _journals(folder: Path) -> list[Path]:
    try:
        found = list(folder.iterdir())
    except FileNotFoundError:  # nothing was ever changed from here
        return []
    except OSError as error:
        raise LeaseError(
            f"{folder} can't be read ({error.strerror}), so what is left changed isn't known: fix "
            "that, or set TUNER_STATE_DIR"
        ) from None
    return sorted(path for path in found if path.suffix == ".jsonl")


def _is_running(path: Path) -> bool:
    try:
        return is_locked(path)
    except OSError:
        return False  # since removed, or unreadable: reading it reports that


def lock_file(descriptor: int, *, shared: bool = False, waits: bool = False) -> None:
    """Lock an open file for this process, or raise BlockingIOError if another process has it
    (`waits`: wait for it).

    Raises LeaseError if the system, or the file's, has no such locks: without them, no change is
    safe.
    """
    try:
        import fcntl  # noqa: PLC0415 - absent on Windows, where saved sweeps can still be read
    except ImportError:
        raise LeaseError(
            "sweeping and recovering need the file locks of Linux and macOS: use WSL 2 on Windows"
        ) from None
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if waits else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        raise LeaseError(
            f"the file system of what is kept between runs has no locks ({error.strerror}), "
            "without which no change is safe: keep it on a local disk"
        ) from error


def is_locked(path: Path) -> bool:
    """Whether a process has a file locked. Raises OSError if it can't be opened, and LeaseError."""
    descriptor = os.open(path, os.O_RDONLY)  # its folder may be read-only
    try:
        lock_file(descriptor, shared=True)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def make_private_dir(path: Path) -> None:
    """Make a folder for the owner only. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def _without_login(endpoint_url: str | None) -> str | None:
    if endpoint_url is None:
        return None
    parts = urlsplit(endpoint_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def sync_dir(path: Path) -> None:
    """Flush a folder's entries to disk: what was created or renamed in it. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
