"""Arrivals from a CSV file: a line for each request, or for each minute."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from tuner.breakeven.traffic import csv_rows
from tuner.cold.arrivals import (
    DAY_S,
    MINUTE_S,
    Arrivals,
    arrivals_of_minutes,
    arrivals_of_times,
)
from tuner.errors import InputError
from tuner.observe.side_files import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
