"""How many requests come, and how they are spread over time."""

from __future__ import annotations

import csv
import datetime
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECONDS_PER_MONTH: Final = 730 * 3600
DEFAULT_PEAK_RATIO: Final = 3.0
STEADY_RATIO: Final = 1.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """A mean rate (None: unknown), the peak over it, and the shape by hour where it is known.

    `shape` is each hour's rate over the mean. Without it the fleet stands at its peak's size all
    month; with it the fleet follows the hours, and the peak is that within an hour.
    """

    rate_per_s: float | None
    peak_ratio: float = DEFAULT_PEAK_RATIO
    shape: tuple[float, ...] = (1.0,)

    @property
    def is_by_hour(self) -> bool:
        """Whether the load of each hour is known."""
        return len(self.shape) > 1

    @property
    def is_steady(self) -> bool:
        """Whether no peak is far above the mean."""
        return max(self.shape) * self.peak_ratio <= STEADY_RATIO


def traffic_of_rate(rate_per_s: float | None, peak_ratio: float | None = None) -> Traffic:
    """Traffic of a mean rate. Raises InputError for a rate or a peak that cannot be."""
    if rate_per_s is not None and not (math.isfinite(rate_per_s) and rate_per_s > 0):
        raise InputError(f"a rate of {rate_per_s:g}/s has no cost to compare: give one above 0")
    ratio = DEFAULT_PEAK_RATIO if peak_ratio is None else peak_ratio
    if not (math.isfinite(ratio) and ratio >= 1):
        raise InputError(f"a peak of {ratio:g} times the mean is none: give 1 or more")
    return Traffic(rate_per_s, ratio)


def read_traffic(path: Path, peak_ratio: float | None = None) -> Traffic:
    """Read a load by hour: CSV with the header `hour,requests`, hours as 2026-01-31T13:00.

    At least 24 hours, one line each, in order and without a gap; requests are those of the hour.
    Raises InputError with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({type(error).__name__})") from None
    _check_header(path, rows)
    requests: list[float] = []
    previous: datetime.datetime | None = None
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        hour, count = _read_row(path, number, row)
        if previous is not None and _hours_between(path, number, previous, hour) != 1:
            raise InputError(
                f"{path}, line {number}: {row[0].strip()} does not follow the hour before it; "
                "give every hour once, in order (0 where nothing came)"
            )
        previous = hour
        requests.append(count)
    return _traffic_of_hours(path, requests, 1.0 if peak_ratio is None else peak_ratio)


def _traffic_of_hours(path: Path, requests: Sequence[float], peak_ratio: float) -> Traffic:
    if len(requests) < 24:
        raise InputError(f"{path} has {len(requests)} hours: give a whole day at least (24)")
    mean = sum(requests) / len(requests)
    if mean <= 0:
        raise InputError(f"{path} has no request at all: there is no cost to compare")
    shaped = traffic_of_rate(mean / 3600, peak_ratio)
    return Traffic(shaped.rate_per_s, peak_ratio, tuple(count / mean for count in requests))


def _check_header(path: Path, rows: Sequence[Sequence[str]]) -> None:
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if header != ["hour", "requests"]:
        found = ",".join(header)[:60] or "nothing"
        raise InputError(
            f"{path} begins with {found}: the header must be hour,requests, "
            "with the number of requests in each hour (no other unit)"
        )


def _read_row(path: Path, number: int, row: Sequence[str]) -> tuple[datetime.datetime, float]:
    try:
        hour = datetime.datetime.fromisoformat(row[0].strip())
        count = float(row[1])
        if len(row) != 2 or not (math.isfinite(count) and count >= 0):
            raise ValueError
    except (ValueError, IndexError):
        raise InputError(
            f"{path}, line {number}: expected an hour and its number of requests, "
            "such as 2026-01-31T13:00,5400"
        ) from None
    return hour, count


def _hours_between(
    path: Path, number: int, before: datetime.datetime, after: datetime.datetime
) -> float:
    if (before.tzinfo is None) != (after.tzinfo is None):
        raise InputError(f"{path}, line {number}: give every hour with a time zone, or none")
    return (after - before).total_seconds() / 3600
