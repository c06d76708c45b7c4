"""Files that say when requests come: a CSV of times or of counts by the minute."""

from __future__ import annotations

import csv
import datetime
import math
from typing import TYPE_CHECKING, Final

from tuner.cold.arrivals import DAY_S, MINUTE_S, arrivals_of_minutes, arrivals_of_times
from tuner.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.cold.arrivals import Arrivals

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
    rows = _rows(path)
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


def is_table(path: Path) -> bool:
    """Whether a file is to be read by `read_arrivals`, and not as a log."""
    return path.suffix.lower() == ".csv"


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): check `arrivals`") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path} isn't a CSV file: give `arrivals` with {_EXPECTED}") from None


def _read_times(
    path: Path, rows: list[list[str]], *, unit_ms: float | None = None, is_end: bool = False
) -> Arrivals:
    """Times, with durations in `unit_ms` beside them if there are any."""
    times, durations_ms = [], []
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 1 + (unit_ms is not None):
            raise _wrong(path, number)
        time_s = _time_of(path, number, row[0])
        if unit_ms is not None:
            durations_ms.append(_number_of(path, number, row[1]) * unit_ms)
            time_s -= durations_ms[-1] / 1000 if is_end else 0.0
        times.append(time_s)
    began_at = None
    if times and min(times) > _FIRST_DATE_S:  # else seconds from any beginning
        began_at = datetime.datetime.fromtimestamp(min(times), datetime.UTC)
    return arrivals_of_times(times, durations_ms, began_at=began_at, source=path.name)


def _read_minutes(path: Path, rows: list[list[str]]) -> Arrivals:
    counts: dict[int, int] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 2:
            raise _wrong(path, number)
        minute = math.floor(_time_of(path, number, row[0], unit_s=MINUTE_S) / MINUTE_S)
        count = _number_of(path, number, row[1])
        if not count.is_integer():
            raise _wrong(path, number)
        counts[minute] = counts.get(minute, 0) + int(count)
    if not counts:
        raise InputError(f"{path} has no minute: give `arrivals` with {_EXPECTED}")
    first, last = min(counts), max(counts)
    if last - first > _MOST_DAYS * 1440:
        raise InputError(f"{path} spans over {_MOST_DAYS} days: give fewer in `arrivals`")
    began_at = None
    if first * MINUTE_S > _FIRST_DATE_S:
        began_at = datetime.datetime.fromtimestamp(first * MINUTE_S, datetime.UTC)
    each = [counts.get(minute, 0) for minute in range(first, last + 1)]
    return arrivals_of_minutes(each, began_at=began_at, source=path.name)


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
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.timestamp()
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
