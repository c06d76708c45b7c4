"""Reads archives of invocations whose figures are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.logs.forms import Invocation
from tuner.logs.archive import ReadFiles, read_files
from tuner.logs.collector import Collector
from tuner.logs.files import find_files

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.logs.collector import ReportRow
    from tuner.model.observation import Origin


class Found(NamedTuple):
    """What was read of an archive."""

    rows: list[ReportRow]
    collector: Collector
    came: ReadFiles

    def origin(self, row: ReportRow) -> Origin:
        """Where a row is from."""
        return {number: each for each, number in self.collector.origins.items()}[row[0]]


def read(*paths: Path) -> Found:
    """Read an archive."""
    rows: list[ReportRow] = []
    collector = Collector(rows.extend)
    came = read_files(find_files(paths), collector)
    return Found(rows, collector, came)


def read_bytes(folder: Path, data: bytes, name: str = "logs") -> Found:
    """Read a file of these bytes."""
    (folder / name).write_bytes(data)
    return read(folder / name)


INVOCATIONS = (
    Invocation(0, "127.10", 528, 1024, init="400.04", own=("hello", '{"message": "a"}')),
    Invocation(1, "3.25", 4, 1024, own=("[ERROR]\tnothing",)),
    Invocation(2, "3000.00", 3000, 512, status="timeout"),
    Invocation(3, "99.99", 100, 512, status="error"),
    Invocation(4, "7.00", 7, 512, own=("x" * 500,)),
)
TEXT = [event for each in INVOCATIONS for event in each.text_events()]
JSON = [event for each in INVOCATIONS for event in each.json_events()]


def expected(*, with_times: bool = True) -> list[tuple[object, ...]]:
    """What must be read of each."""
    return [
        (
            each.request_id,
            each.end_ms * 1000 if with_times else None,
            float(each.duration),
            each.billed_ms,
            each.memory_mb,
            73,
            float(each.init) if each.init else None,
            {"timeout": "timeout", "error": "error"}.get(each.status or "", "success"),
        )
        for each in INVOCATIONS
    ]


def measured(found: Found, *, with_times: bool = True) -> list[tuple[object, ...]]:
    """The same of what was read."""
    return [(row[2], row[3] if with_times else None, *row[4:9], row[11]) for row in found.rows]
