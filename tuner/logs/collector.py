"""Takes what readers find in logs, and passes it on in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuner.logs.stream import SaidRow
    from tuner.model.observation import ObservedOutcome, Origin

ReportRow = tuple[
    int,  # origin, by its number
    int,  # place in its file
    str,  # request id
    int | None,  # time, µs since 1970
    float,  # duration, ms
    int,  # billed, ms
    int,  # memory, MB
    int | None,  # most memory used, MB
    float | None,  # INIT, ms
    float | None,  # restore, ms
    float | None,  # billed restore, ms
    "ObservedOutcome",
    str | None,  # class name of the error
]
"""A report on its way from a line to a store: a plain tuple, since there are millions of them."""

BATCH: Final = 50_000
_SHOWN: Final = 5
_REMEMBERED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that looks like a report and can't be read: where it is and why, not what it says."""

    source: str
    line: int
    why: str


class Collector:
    """What was found so far. `take` gets full batches of rows, and the rest at the end;
    `take_said` the same of what lines say of requests besides.
    """

    def __init__(
        self,
        take: Callable[[list[ReportRow]], None],
        take_said: Callable[[list[SaidRow]], None] = lambda _: None,
    ) -> None:
        self._take = take
        self._take_said = take_said
        self._said: list[SaidRow] = []
        self._reported_id = ""
        self.rows: list[ReportRow] = []
        self.origins: dict[Origin, int] = {}
        self.cpu_ms: dict[str, float] = {}
        """CPU time by request id, of Lambda Insights events."""
        self.unreadable: list[Unreadable] = []
        """The first few."""
        self.unreadable_count = 0
        self.quoted_count = 0
        """Lines with a report in the middle of other text: a function's own output."""
        self.line_count = 0
        self._reading = ""
        self._counts: dict[int, int] = {}
        self._most: dict[int, int] = {}
        """The most often an unreadable line occurs in one source, by its hash."""
        self.first_us: int | None = None
        self.last_us: int | None = None

    def number(self, origin: Origin) -> int:
        """The number of an origin, the same each time."""
        return self.origins.setdefault(origin, len(self.origins))

    def name_function(self, source: str, function: str) -> None:
        """Name the function of a source that was read without one."""
        renamed = {
            replace(each, function=function)
            if each.source == source and each.function is None
            else each: number
            for each, number in self.origins.items()
        }
        if len(renamed) == len(self.origins):  # else one of that name is there: keep them apart
            self.origins = renamed

    def add(self, row: ReportRow) -> None:
        """Take a report."""
        self.rows.append(row)
        self.flush_if_full()

    def add_said(self, rows: list[SaidRow]) -> None:
        """Take what a line says."""
        self._said += rows
        if len(self._said) >= BATCH:
            self.flush_said()

    @property
    def reported_id(self) -> str:
        """The request of the latest report."""
        return self.rows[-1][2] if self.rows else self._reported_id

    def flush_if_full(self) -> None:
        """Pass on what is there if it's a batch."""
        if len(self.rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Pass on what is there."""
        if self.rows:
            self._reported_id = self.reported_id
            rows, self.rows = self.rows, []
            self._take(rows)

    def flush_said(self) -> None:
        """Pass on what lines say."""
        if self._said:
            rows, self._said = self._said, []
            self._take_said(rows)

    def saw(self, at_us: int) -> None:
        """Widen the window to a line's time."""
        if self.first_us is None or at_us < self.first_us:
            self.first_us = at_us
        if self.last_us is None or at_us > self.last_us:
            self.last_us = at_us

    def cannot_read(self, source: str, line: int, why: str, text: str) -> None:
        """Count a line that looks like a report and can't be read, once of several sources."""
        if source != self._reading:
            self._reading, self._counts = source, {}
        digest = hash(text.strip())
        here = self._counts[digest] = self._counts.get(digest, 0) + 1
        if here <= self._most.get(digest, 0):
            return
        if len(self._most) < _REMEMBERED:
            self._most[digest] = here
        self.unreadable_count += 1
        if len(self.unreadable) < _SHOWN:
            self.unreadable.append(Unreadable(source, line, why))
