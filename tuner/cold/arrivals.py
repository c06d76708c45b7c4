"""When requests come: a trace of times, counts by the minute, or a rate alone; and their files."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.breakeven.traffic import csv_rows
from tuner.errors import InputError
from tuner.model.interval import counted
from tuner.observe.side_files import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tuner.model.arrays import Floats
    from tuner.model.invocation import MinuteLoad

Basis = Literal["rate", "times", "minutes"]
MINUTE_S: Final = 60.0
DAY_S: Final = 86_400.0
_LEAST_DAYS: Final = 2
"""Hours without a request on one day may just be that day's."""
_MOST_REQUESTS: Final = 50_000_000
_TIMES: Final = frozenset({"timestamp", "time", "start", "start_timestamp"})
_ENDS: Final = frozenset({"end", "end_timestamp"})
_COUNTS: Final = frozenset({"requests", "count", "invocations"})
_MS_OF: Final = {"duration_ms": 1.0, "duration_s": 1000.0, "duration": 1000.0}
_EXPECTED: Final = "timestamp (with duration_ms if known), or minute,requests"
_MOST_DAYS: Final = 400
_FIRST_DATE_S: Final = DAY_S * 365
"""A number above it is a time since 1970, one below it a time since any beginning."""
_LATEST_S: Final = 1e11
"""In the year 5138; times since 1970 in milliseconds are larger."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Requests over a window, in seconds from its beginning; the rate alone has neither.

    `basis` "times" has when each request came, "minutes" how many came in each minute, "rate" just
    the rate: then they come at random (Poisson).
    """

    rate_per_s: float
    basis: Basis = "rate"
    times_s: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    """Requests of each minute, from the window's first."""
    durations_ms: tuple[float, ...] = ()
    """How long each of `times_s` took, where the trace says so."""
    began_at: datetime.datetime | None = None
    source: str = "the given rate"
    cold_count: int | None = None
    """How many met a cold start, where the trace is a log that says so."""

    @property
    def request_count(self) -> int:
        """Requests of the trace; 0 for a rate alone."""
        return len(self.times_s) + sum(self.counts)

    @property
    def window_s(self) -> float:
        """From the first to the last request of a trace, or its minutes."""
        if self.basis == "minutes":
            return len(self.counts) * MINUTE_S
        return self.times_s[-1] - self.times_s[0] if self.times_s else 0.0

    def passed_s(self, count: int) -> float:
        """When so many requests of a trace have come; of its minutes, at the end of one."""
        if self.basis == "minutes":
            return float(np.searchsorted(np.cumsum(self.counts), count) + 1) * MINUTE_S
        return self.times_s[count] if count < len(self.times_s) else math.inf

    def busy_hours(self) -> tuple[int, ...]:
        """The hours of the day (UTC) with requests; all where under two days are known."""
        if self.began_at is None or self.window_s < _LEAST_DAYS * DAY_S:
            return tuple(range(24))
        midnight = self.began_at.replace(hour=0, minute=0, second=0, microsecond=0)
        offset_s = (self.began_at - midnight).total_seconds()
        if self.basis == "minutes":
            seconds = np.flatnonzero(np.asarray(self.counts)) * MINUTE_S
        else:
            seconds = np.asarray(self.times_s)
        hours = np.unique((seconds + offset_s) // 3600 % 24)
        return tuple(int(hour) for hour in hours)

    def drawn_s(self, count: int, rng: np.random.Generator) -> Floats:
        """As many times at random at the rate, ascending: what a rate alone says."""
        return np.cumsum(rng.exponential(1.0 / self.rate_per_s, count))

    def between(
        self, from_s: float, to_s: float, rng: np.random.Generator
    ) -> tuple[Floats, Floats | None]:
        """When a trace's requests come from one moment to another, ascending, and how long each
        takes in ms, if that's known; those of a minute are placed at random within it.
        """
        if self.basis == "times":
            times_s = np.asarray(self.times_s)
            first, last = np.searchsorted(times_s, (from_s, to_s))
            durations_ms = np.asarray(self.durations_ms[first:last]) if self.durations_ms else None
            return times_s[first:last], durations_ms
        first = max(0, math.floor(from_s / MINUTE_S))
        last = len(self.counts) if math.isinf(to_s) else math.ceil(to_s / MINUTE_S)
        counts = self.counts[first:last]
        starts_s = np.repeat((first + np.arange(len(counts))) * MINUTE_S, counts)
        times_s = np.sort(starts_s + rng.uniform(0.0, MINUTE_S, len(starts_s)))
        return times_s[(times_s >= from_s) & (times_s < to_s)], None


def arrivals_of_times(
    times_s: Sequence[float],
    durations_ms: Sequence[float] = (),
    *,
    began_at: datetime.datetime | None = None,
    source: str = "the trace",
) -> Arrivals:
    """A trace of request times in seconds, in any order. Raises InputError for fewer than two at
    different times.
    """
    order = sorted(range(len(times_s)), key=times_s.__getitem__)
    ascending = [times_s[index] for index in order]
    span_s = ascending[-1] - ascending[0] if ascending else 0.0
    if span_s <= 0:
        count = counted(f"{len(ascending):,}", "request")
        together = ", all at one time" if len(ascending) > 1 else ""
        raise InputError(
            f"{source} has {count}{together}: give at least two "
            "at different times in `arrivals`, or a rate (`rate_per_s`)"
        )
    return Arrivals(
        (len(ascending) - 1) / span_s,
        "times",
        times_s=tuple(each - ascending[0] for each in ascending),
        durations_ms=tuple(durations_ms[index] for index in order) if durations_ms else (),
        began_at=began_at,
        source=source,
    )


def arrivals_of_minutes(
    counts: Sequence[int],
    *,
    began_at: datetime.datetime | None = None,
    source: str = "the trace",
) -> Arrivals:
    """Requests in each minute of a window. Raises InputError if there are none."""
    total = sum(counts)
    if total == 0:
        raise InputError(f"{source} has no request: give another `arrivals`, or `rate_per_s`")
    if total > _MOST_REQUESTS:
        raise InputError(
            f"{source} has {total:,} requests, over the limit of {_MOST_REQUESTS:,}: give fewer "
            "days in `arrivals`"
        )
    return Arrivals(
        total / (len(counts) * MINUTE_S),
        "minutes",
        counts=tuple(counts),
        began_at=began_at,
        source=source,
    )


def arrivals_of_loads(
    loads: Iterable[MinuteLoad], start: datetime.datetime, days: int, source: str
) -> Arrivals:
    """The minutes that CloudWatch has, of `days` from `start`. Raises InputError if there are
    none.
    """
    counts = [0] * (days * 1440)
    for each in loads:
        index = int((each.start - start).total_seconds() // MINUTE_S)
        if 0 <= index < len(counts):
            counts[index] += round(each.invocation_count)
    return arrivals_of_minutes(counts, began_at=start, source=source)


def read_arrivals(path: Path) -> Arrivals:
    """Read a CSV file: `timestamp` (with `duration_ms` if known) a request, or `minute,requests`.

    Times are ISO 8601 or seconds; minutes left out had no request. A duration in seconds is called
    `duration_s` or `duration`; with one, `end_timestamp` will do. Raises InputError with the line.
    """
    rows = csv_rows(path, "arrivals", f"`arrivals` with {_EXPECTED}")
    if not rows:
        raise InputError(f"{path} is empty: `arrivals` needs a header and lines ({_EXPECTED})")
    match [cell.strip().lower() for cell in rows[0]]:
        case [name, count] if count in _COUNTS and name in {"minute", *_TIMES}:
            return _read_minutes(path, rows)
        case [name] if name in _TIMES:
            return _read_times(path, rows)
        case [name, duration] if duration in _MS_OF and name in _TIMES | _ENDS:
            return _read_times(path, rows, unit_ms=_MS_OF[duration], is_end=name in _ENDS)
        case header:
            found = ",".join(header)[:60] or "nothing"
            raise InputError(
                f"{path} begins with {found}: the header of `arrivals` must be {_EXPECTED}"
            )


def _read_times(
    path: Path, rows: list[list[str]], *, unit_ms: float | None = None, is_end: bool = False
) -> Arrivals:
    """Times, with durations in `unit_ms` beside them if there are any."""
    times, durations_ms = [], []
    for number, row in _lines(path, rows, 1 + (unit_ms is not None)):
        time_s = _time_of(path, number, row[0])
        if unit_ms is not None:
            durations_ms.append(_number_of(path, number, row[1]) * unit_ms)
            time_s -= durations_ms[-1] / 1000 if is_end else 0.0
        times.append(time_s)
    began_at = _date_of(min(times, default=0.0))
    return arrivals_of_times(times, durations_ms, began_at=began_at, source=path.name)


def _read_minutes(path: Path, rows: list[list[str]]) -> Arrivals:
    counts: Counter[int] = Counter()
    for number, row in _lines(path, rows, 2):
        minute = math.floor(_time_of(path, number, row[0], unit_s=MINUTE_S) / MINUTE_S)
        count = _number_of(path, number, row[1])
        if not count.is_integer():
            raise _wrong(path, number)
        counts[minute] += int(count)
    if not counts:
        raise InputError(f"{path} has no minute: give `arrivals` with {_EXPECTED}")
    first, last = min(counts), max(counts)
    if last - first > _MOST_DAYS * 1440:
        raise InputError(f"{path} spans over {_MOST_DAYS} days: give fewer in `arrivals`")
    each = [counts[minute] for minute in range(first, last + 1)]
    return arrivals_of_minutes(each, began_at=_date_of(first * MINUTE_S), source=path.name)


def _lines(path: Path, rows: list[list[str]], count: int) -> Iterator[tuple[int, list[str]]]:
    """The lines below the header that aren't empty, by their number, with so many cells each."""
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != count:
            raise _wrong(path, number)
        if row:
            yield number, row


def _date_of(second: float) -> datetime.datetime | None:
    """The moment of a time since 1970; None of one since any beginning."""
    is_date = second > _FIRST_DATE_S
    return datetime.datetime.fromtimestamp(second, datetime.UTC) if is_date else None


def _time_of(path: Path, number: int, text: str, unit_s: float = 1.0) -> float:
    """Seconds from an ISO 8601 time (UTC where it names no zone), or from a plain number of
    `unit_s`.
    """
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise _wrong(path, number) from None
        return in_utc(moment).timestamp()
    if _LATEST_S <= value < 1000 * _LATEST_S:
        raise InputError(f"{path}, line {number}: {text} is too large for seconds: divide by 1,000")
    if not 0 <= value < _LATEST_S:
        raise _wrong(path, number)
    # An epoch in seconds is one for minutes as well.
    return value if value > _FIRST_DATE_S else value * unit_s


def _number_of(path: Path, number: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _wrong(path, number) from None
    if not 0 <= value < 1e9:
        raise _wrong(path, number)
    return value


def _wrong(path: Path, number: int) -> InputError:
    return InputError(
        f"{path}, line {number}: expected what the header says, such as 2026-01-31T13:00:05.2Z for "
        "a timestamp, or 2026-01-31T13:00,54 for a minute and its requests"
    )
