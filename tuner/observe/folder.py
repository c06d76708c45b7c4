"""Keeps what was read: Parquet in the state folder, found again while the files are the same.

Of log lines only REPORT fields, request ids, trace ids and error classes are kept, and digests of
errors and of messages' ids, never text.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.logs.archive import ReadFiles, read_files
from tuner.logs.collector import Unreadable  # noqa: TC001 - from_record reads the annotations
from tuner.logs.files import LogFile, find_files
from tuner.model.observation import Window
from tuner.model.record import from_record, to_record
from tuner.observe.database import (
    duckdb_error,
    make_joined_reports,
    open_database,
    read_parquet,
    write_parquet,
)
from tuner.observe.intake import Intake
from tuner.observe.store import Answers, ReportStore
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from tuner.logs.collector import Collector

_FORMAT: Final = 10
"""Of the files below, and of how lines are read: with another, archives are read anew."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RECENT: Final = timedelta(minutes=1)
"""A copy that ends so long ago is of now."""
_LATE: Final = timedelta(minutes=5)
"""A line that was logged so long before a copy's end may have come too late for it."""
_AGAIN: Final = _LATE + timedelta(minutes=15)
"""What an invocation logs before its report is of so long at most."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading an archive, besides its reports."""

    sources: tuple[str, ...]
    """What was given: files, folders, or live sources."""
    window: Window
    """From the first to the last line that has a time."""
    line_count: int
    report_count: int
    unreadable_count: int
    unreadable: tuple[Unreadable, ...]
    """The first few."""
    quoted_count: int
    too_long_count: int
    torn: tuple[tuple[str, str], ...]
    unusable: tuple[tuple[str, str], ...]
    """Files that are no logs, each with why."""
    asked: tuple[str, ...]
    """Functions that were asked for: rows that name none count as theirs."""
    asked_window: Window | None = None
    """The window that was asked of a live source; None for files, which are read whole."""


class ObservationFolder:
    """`observations/` in the state folder: archives' reports, each with its `Reading`."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "observations"

    def read(
        self,
        paths: Sequence[Path],
        *,
        asked: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[ReportStore, Reading]:
        """Read an archive, or take the kept copy. `progress` gets (files read, files in all).

        Raises InputError for what can't be read.
        """
        files = find_files(paths)
        return self._kept_or_read(
            self._file_of(paths, files),
            tuple(map(str, paths)),
            lambda collector: read_files(files, collector, progress),
            asked,
        )

    def read_live(
        self,
        source: str,
        question: str,
        window: Window,
        take: Callable[[Collector, Window], None],
        *,
        asked: str,
        up_to_now: bool = False,
    ) -> tuple[ReportStore, Reading]:
        """Read a live source's reports of a window, or take the copy kept for the same question.

        `take` passes lines of a window to a collector; with a kept copy it isn't called, and the
        `asked_window` of what is returned is the copy's. With `up_to_now` what was logged since
        then is read as well. Raises InputError, and what `take` raises.
        """
        kept = self._live_file(source, question)
        store, reading = self._read_window(kept, source, window, take, asked)
        known = reading.asked_window and reading.asked_window.end
        if not up_to_now or not known or not window.end or window.end - known < _RECENT:
            return store, reading
        store.close()
        rest = Window(known - _AGAIN, window.end)
        later = self._live_file(f"{source} since", f"{question} {known} {window.end:%H:%M}")
        later_store, more = self._read_window(later, source, rest, take, asked)
        later_store.close()
        return _joined(kept, later, known - _LATE), _added(reading, more, window)

    def _live_file(self, source: str, question: str) -> Path:
        name = f"{_digest([source])[:16]}-{_digest([_FORMAT, source, question])[:24]}.parquet"
        return self._folder / name

    def _read_window(
        self,
        kept: Path,
        source: str,
        window: Window,
        take: Callable[[Collector, Window], None],
        asked: str,
    ) -> tuple[ReportStore, Reading]:
        def read(collector: Collector) -> ReadFiles:
            take(collector, window)
            collector.flush()
            return ReadFiles(read=[source])

        store, reading = self._kept_or_read(kept, (source,), read, asked)
        if reading.asked_window is None:
            reading = replace(reading, asked_window=window)
            self._write(kept, reading)
        return store, reading

    def _kept_or_read(
        self,
        kept: Path,
        sources: tuple[str, ...],
        read: Callable[[Collector], ReadFiles],
        asked: str | None,
    ) -> tuple[ReportStore, Reading]:
        reading = _reading(kept)
        if reading is None:
            reading = self._read(kept, sources, read)
        if asked is not None and asked not in reading.asked:
            reading = replace(reading, asked=(*reading.asked, asked))
            self._write(kept, reading)
        return _opened(kept), reading

    def forget(self, function: str) -> int:
        """Delete what is kept of a function; return how many reports that were."""
        count = 0
        for kept in sorted(self._folder.glob("*.parquet")):
            count += self._forget_in(kept, function)
        return count

    def _file_of(self, paths: Sequence[Path], files: Iterable[LogFile]) -> Path:
        given = _digest([str(path.absolute()) for path in paths])
        held = _digest(
            [_FORMAT, *((str(each.path.absolute()), each.within, each.size_bytes, each.modified_ns)
             for each in files)]
        )  # fmt: skip
        return self._folder / f"{given[:16]}-{held[:24]}.parquet"

    def _read(
        self, kept: Path, sources: tuple[str, ...], read: Callable[[Collector], ReadFiles]
    ) -> Reading:
        """Write what `read` passes to a collector, in full or not at all."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder} can't be written ({error.strerror})") from None
        part = kept.with_name(f"{kept.stem}.{os.getpid()}.part")
        spill = part.with_suffix(".spill")
        connection = open_database(spill)
        try:
            intake = Intake(connection)
            came = read(intake.collector)
            if not came.read:
                name, why = came.unusable[0]
                raise InputError(f"no file there has logs: {name} is left out ({why})")
            count = intake.finish(part)
            reading = _made_reading(sources, intake, came, count)
        except duckdb_error() as error:
            _remove(part)
            why = str(error).partition("\n")[0]
            raise InputError(f"what is read can't be kept in {self._folder}: {why}") from None
        finally:
            connection.close()
            shutil.rmtree(spill, ignore_errors=True)
        part.chmod(0o600)
        part.replace(kept)
        self._write(kept, reading)
        for other in self._folder.glob(f"{kept.name.partition('-')[0]}-*.parquet"):
            if other != kept:  # of what the same paths held before
                _remove(other, other.with_suffix(".json"), _answers_of(other))
        return reading

    def _write(self, kept: Path, reading: Reading) -> None:
        """Keep what is said of the reports. If the disk is full, they are read again next time."""
        record = {"format": _FORMAT, "size_bytes": kept.stat().st_size, **to_record(reading)}
        with contextlib.suppress(OSError):
            write_whole(kept.with_suffix(".json"), json.dumps(record).encode(), new_mode=0o600)

    def _forget_in(self, kept: Path, function: str) -> int:
        reading = _reading(kept)
        asked = reading is not None and function in reading.asked
        connection = open_database()
        mine = f"coalesce(function = $1 OR (function IS NULL AND {asked}), false)"
        source = read_parquet(kept)
        try:
            count, others = connection.execute(
                f"SELECT count(*) FILTER ({mine}), count(*) FILTER (NOT {mine}) FROM ({source})",  # noqa: S608 - of constants
                [function],
            ).fetchone() or (0, 0)
            if count and others:
                part = kept.with_suffix(".part")
                left = f"SELECT * FROM ({source}) WHERE NOT {mine}"  # noqa: S608 - of constants
                connection.execute(write_parquet(left, part), [function])
                part.chmod(0o600)
                part.replace(kept)
        except duckdb_error():  # damaged, or of another version: nobody knows what it holds
            count, others = 0, 0
        finally:
            connection.close()
        _remove(_answers_of(kept))
        if not others:
            _remove(kept, kept.with_suffix(".json"))
        elif reading is not None and (count or asked):
            others_asked = tuple(name for name in reading.asked if name != function)
            self._write(kept, replace(reading, asked=others_asked))
        return int(count)


def _opened(kept: Path) -> ReportStore:
    """The reports of a file, which is opened for the first question without a kept answer."""
    view = f"CREATE VIEW reports AS {read_parquet(kept)}"
    connect = partial(_connected, kept, lambda connection: connection.execute(view))
    return ReportStore(connect, Answers(_answers_of(kept)))


def _joined(earlier: Path, later: Path, since: datetime) -> ReportStore:
    """The reports of a file up to a moment, and of another from then on."""
    make = partial(make_joined_reports, earlier=earlier, later=later, since=since)
    return ReportStore(partial(_connected, earlier, make))


def _connected(kept: Path, make: Callable[[DuckDBPyConnection], object]) -> DuckDBPyConnection:
    """A database with what `make` makes of kept reports."""
    connection = open_database()
    try:
        make(connection)
    except duckdb_error():
        connection.close()
        raise InputError(f"{kept} can't be read: delete it, and ask again") from None
    return connection


def _added(reading: Reading, more: Reading, window: Window) -> Reading:
    """What both readings of one source came to."""
    first, last = reading.window, more.window
    return replace(
        reading,
        window=Window(first.start or last.start, last.end or first.end),
        line_count=reading.line_count + more.line_count,
        report_count=reading.report_count + more.report_count,
        unreadable_count=reading.unreadable_count + more.unreadable_count,
        unreadable=reading.unreadable or more.unreadable,
        quoted_count=reading.quoted_count + more.quoted_count,
        too_long_count=reading.too_long_count + more.too_long_count,
        asked_window=window,
    )


def _answers_of(kept: Path) -> Path:
    return kept.with_suffix(".answers.json")


def _made_reading(
    sources: tuple[str, ...], intake: Intake, came: ReadFiles, report_count: int
) -> Reading:
    found = intake.collector
    return Reading(
        sources=sources,
        window=Window(_moment(found.first_us), _moment(found.last_us)),
        line_count=found.line_count,
        report_count=report_count,
        unreadable_count=found.unreadable_count,
        unreadable=tuple(found.unreadable),
        quoted_count=found.quoted_count,
        too_long_count=came.too_long_count,
        torn=tuple(came.torn),
        unusable=tuple(came.unusable),
        asked=(),
    )


def _reading(kept: Path) -> Reading | None:
    """The reading kept beside the reports; None if either is missing or can't be read."""
    try:
        record = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
        held = (record.pop("format"), record.pop("size_bytes"))
        return from_record(Reading, record) if held == (_FORMAT, kept.stat().st_size) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _moment(at_us: int | None) -> datetime | None:
    return None if at_us is None else _EPOCH + timedelta(microseconds=at_us)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _remove(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
