"""What an unfinished sweep, rollout, check or stop left, as its journal says."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.errors import LeaseError
from tuner.model.function import FunctionConfig, Routing
from tuner.model.record import RecordError, from_record

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Final = 1
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024
Kind = Literal["version", "clone", "throwaway", "stop"]
"""With clone the function is only read, and a copy named after the sweep is made; a throwaway is
made for a check (`throwaway`), and what it is to be is in the first record. A stop changes nothing
but the reserved concurrency (`stop`)."""


@dataclass(frozen=True, slots=True)
class JournalHeader:
    """What the function was before its sweep. No account id, no secret: settings are digests."""

    sweep_id: str
    function: FunctionConfig
    function_digest: str
    """Of ARN and endpoint: tells this function from one of the same name elsewhere."""
    endpoint_url: str | None
    started_at: str
    versions: tuple[str, ...]
    """Versions that existed before: never to be deleted."""
    aliases: tuple[str, ...]
    isolation: Kind = "version"


@dataclass(frozen=True, slots=True)
class JournaledAlias:
    """An alias that a rollout was about to shift, and how far it had come."""

    name: str
    version: str
    """The version that it routed to, alone, before."""
    shifted_to: tuple[str, ...] = ()
    """What it was about to route a share to."""
    finish: str | None = None
    """The version that it was about to route to alone: it will be finished, not set back."""
    is_settled: bool = False
    """Whether it has been read as before, or as finished, since."""

    @property
    def target(self) -> Routing:
        """How it shall be: as before, or as finished."""
        return Routing(self.name, self.finish or self.version)


@dataclass(frozen=True, slots=True)
class JournaledStop:
    """A function that was about to be stopped, and the reserved concurrency that it had."""

    reserved: int | None
    """None: it had none."""


@dataclass(frozen=True, slots=True)
class UnfinishedJournal:
    """What a sweep that did not end cleanly had written down."""

    path: Path
    header: JournalHeader
    memories_mb: tuple[int, ...]
    """What $LATEST's memory may be by this sweep's doing, its original memory included."""
    published: tuple[str, ...]
    """Versions known to be new; more may have been made without an answer having come."""
    deleting: tuple[str, ...] = ()
    """Those of them that were about to be deleted, or are."""
    is_changed: bool = False
    """Whether $LATEST was about to be changed and is not known to be set back: a read that shows
    it as before may be stale."""
    is_tagged: bool = False
    """Whether the function was about to be tagged as being swept."""
    unanswered_at: float | None = None
    """When a request was abandoned, in seconds since 1970: it may still take effect."""
    alias: JournaledAlias | None = None
    """If it's of a rollout."""
    stop: JournaledStop | None = None
    """If it's of an emergency stop that had begun."""


def read_journal(path: Path) -> UnfinishedJournal | None:
    """Read what a sweep left; None if it hadn't changed anything yet, or everything is restored.

    A file that is gone was listed before its sweep, or a recovery, ended. A torn last line means a
    crash before the change that it announced. Raises LeaseError for any other damage.
    """
    try:
        with path.open("rb") as file:
            written = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LeaseError(f"the journal {path} can't be read ({error.strerror})") from error
    lines = written.split(b"\n")[:-1]  # what follows the last line break is torn
    if len(written) > _MAX_FILE_BYTES:
        raise _damaged(path, len(lines), "the file is too large")
    if not lines:
        return None
    header = _header(path, lines[0])
    records = [_record(path, number, line) for number, line in enumerate(lines[1:], start=2)]
    return _unfinished(path, header, records)


def read_header(path: Path) -> JournalHeader | None:
    """Read whose a journal is, whatever follows; None if not even that can be read."""
    try:
        with path.open("rb") as file:
            return _header(path, file.readline(_MAX_FILE_BYTES))
    except (OSError, LeaseError):
        return None


def _unfinished(
    path: Path, header: JournalHeader, records: list[dict[str, Any]]
) -> UnfinishedJournal | None:
    original_mb = header.function.memory_mb
    memories: set[int] = set()
    published: list[str] = []
    deleting: list[str] = []
    kinds = {record["record"] for record in records}
    if "done" in kinds:
        return None
    unanswered_at: float | None = None
    alias: JournaledAlias | None = None
    stop: JournaledStop | None = None
    for number, record in enumerate(records, start=2):
        try:
            alias = _shifted(alias, record)
            match record["record"]:
                case "update":
                    memories.add(int(record["memory_mb"]))
                case "delete":
                    deleting.append(str(record["version"]))
                case "published" if record["is_new"]:
                    published.append(str(record["version"]))
                case "stop":
                    was = record["reserved"]
                    stop = JournaledStop(None if was is None else int(was))
                case "unanswered":
                    unanswered_at = float(record["at"])
                case "restored" if "unanswered" not in kinds:
                    memories.clear()
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise _damaged(path, number, "a record lacks a field") from error
    return UnfinishedJournal(
        path,
        header,
        tuple(sorted({*memories, original_mb})),
        tuple(published),
        deleting=tuple(deleting),
        is_changed=bool(memories),
        is_tagged="tag" in kinds,
        unanswered_at=unanswered_at,
        alias=alias,
        stop=stop,
    )


def _shifted(alias: JournaledAlias | None, record: dict[str, Any]) -> JournaledAlias | None:
    """What is known of the alias with one more record. Raises KeyError."""
    kind = record["record"]
    if kind == "alias":
        return JournaledAlias(str(record["name"]), str(record["version"]))
    if alias is None:
        return None
    if kind == "shift":
        versions = (*alias.shifted_to, str(record["version"]))
        return dataclasses.replace(alias, shifted_to=versions, is_settled=False)
    if kind == "finish":
        return dataclasses.replace(alias, finish=str(record["version"]), is_settled=False)
    return dataclasses.replace(alias, is_settled=True) if kind == "settled" else alias


def _header(path: Path, line: bytes) -> JournalHeader:
    record = _record(path, 1, line)
    if record.pop("record") != "lease":
        raise _damaged(path, 1, "it does not begin with a lease")
    version = record.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise LeaseError(
            f"the journal {path} was written by another version of tuner: recover with that version"
        )
    try:
        return from_record(JournalHeader, record)
    except RecordError as error:
        raise _damaged(path, 1, str(error)) from error


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, number, "it is not JSON") from error
    if not isinstance(record, dict) or not isinstance(record.get("record"), str):
        raise _damaged(path, number, "it is not a record")
    return record


def _damaged(path: Path, number: int, why: str) -> LeaseError:
    return LeaseError(
        f"the journal {path} is damaged at line {number} ({why}): compare the function's memory "
        "with what it should be, delete versions described 'lambda-tuner sweep', then remove it"
    )
