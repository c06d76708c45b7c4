"""A table of an archive in S3: its parts, one for each folder that's read, and its statements.

Firehose's folders are `YYYY/MM/DD/HH/` (or named as Hive's partitions are), and a part is a day
of them. An export task's are `TASK/STREAM/`, and a part is a task. Everything below a folder
belongs to its part, so parts never lie within each other.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tuner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tuner.model.observation import Window

_LOCATION: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_DAY: Final = re.compile(
    r"^(.*?(?:^|/)(?:(?:\w+=)?(\d{4})/(?:\w+=)?(\d{2})/(?:\w+=)?(\d{2})"
    r"|\w+=(\d{4})-(\d{2})-(\d{2}))/)"
)
"""`2026/11/30/`, `year=2026/month=11/day=30/`, or `dt=2026-11-30/`."""
_STREAM: Final = re.compile(r"^(.*?)(\d{4})-(\d{2})-(\d{2})-[^/]*\[[^/]+/[^/]+$")
_LONGEST_STREAM: Final = timedelta(days=1)
"""An environment's stream is named after the day on which it began, and lives some hours."""
_PARTS_A_STATEMENT: Final = 100


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object of a bucket."""

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket and what its keys begin with: nothing, or a folder."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, url: str, name: str) -> S3Location:
        """Read `s3://BUCKET/FOLDER`. Raises UsageError; `name` is the parameter's."""
        found = _LOCATION.fullmatch(url)
        folder = (found[2] or "").strip("/") if found else ""
        if found is None or any(char in folder for char in "'\\\n\r") or "//" in folder:
            raise UsageError(f"`{name}` is no place in S3: give one such as s3://my-logs/exports")
        return cls(found[1], f"{folder}/" if folder else "")

    def url(self, key: str = "") -> str:
        """As Athena writes it."""
        return f"s3://{self.bucket}/{key or self.prefix}"


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """Which parts of an archive a window is in, and how much Athena reads of them."""

    location: S3Location
    parts: tuple[str, ...]
    """Folders, as keys of the bucket that end in a slash."""
    object_count: int
    size_bytes: int
    unpacked_count: int
    """Objects whose name doesn't end in .gz: Athena takes them for plain text."""
    left_out_count: int
    """Objects beside folders that are parts, rather than within one."""

    @property
    def name(self) -> str:
        """The same for the same parts."""
        digest = hashlib.sha256("\n".join((self.location.url(), *self.parts)).encode())
        return f"tuner_logs_{digest.hexdigest()[:16]}"

    def create(self) -> str:
        """The statement that makes it, without parts: a line of text a row."""
        return (
            f"CREATE EXTERNAL TABLE IF NOT EXISTS {self.name} (line string)\n"
            "PARTITIONED BY (part string)\n"
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'\n"
            "WITH SERDEPROPERTIES ('field.delim' = '\\001')\n"
            "STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'\n"
            "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n"
            f"LOCATION '{self.location.url()}'"
        )

    def add_parts(self) -> Iterator[str]:
        """The statements that add its parts."""
        for begin in range(0, len(self.parts), _PARTS_A_STATEMENT):
            some = self.parts[begin : begin + _PARTS_A_STATEMENT]
            added = "\n".join(
                f"PARTITION (part = '{begin + number}') LOCATION '{self.location.url(folder)}'"
                for number, folder in enumerate(some)
            )
            yield f"ALTER TABLE {self.name} ADD IF NOT EXISTS\n{added}"

    def drop(self) -> str:
        """The statement that removes it; the archive itself stays."""
        return f"DROP TABLE IF EXISTS {self.name}"


def table_of(location: S3Location, objects: Iterable[S3Object], window: Window) -> ArchiveTable:
    """The parts that may have lines of a window.

    A day's folder is read if it's in the window or the day after it; a task's if one of its streams
    may reach into it; every other folder always.
    """
    folders: dict[str, list[S3Object]] = {}
    within: set[str] = set()
    for each in objects:
        if each.size_bytes:
            folder, is_within = _part_of(each.key, window)
            folders.setdefault(folder, []).append(each)
            if is_within:
                within.add(folder)
    ordered = sorted(folders)  # a folder comes right before what lies within it
    outer = {folder for folder, after in pairwise(ordered) if after.startswith(folder)}
    parts = tuple(sorted(within - outer))
    taken = [each for folder in parts for each in folders[folder]]
    return ArchiveTable(
        location,
        parts,
        len(taken),
        sum(each.size_bytes for each in taken),
        sum(not each.key.endswith(".gz") for each in taken),
        sum(len(folders[folder]) for folder in outer & within),
    )


def _part_of(key: str, window: Window) -> tuple[str, bool]:
    """An object's part, and whether the window may be in the object."""
    if stream := _STREAM.match(key):
        day = _day(*stream.groups()[1:])
        return stream[1], day is None or _is_near(day, window, _LONGEST_STREAM)
    if folder := _DAY.match(key):
        day = _day(*filter(None, folder.groups()[1:]))
        if day is not None:
            return folder[1], _is_near(day - timedelta(days=1), window, timedelta(days=1))
    return key[: key.rfind("/") + 1], True


def _is_near(day: datetime, window: Window, for_as_long: timedelta) -> bool:
    """Whether a day and what follows it have a moment of the window."""
    assert window.start is not None
    assert window.end is not None
    return day <= window.end and day + timedelta(days=1) + for_as_long > window.start


def _day(year: str, month: str, day: str) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None
