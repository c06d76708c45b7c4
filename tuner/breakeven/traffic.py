"""How many requests come, and how they are spread over time."""

from __future__ import annotations

import csv
import datetime
import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.errors import InputError, UsageError
from tuner.model.interval import counted
from tuner.model.number_fields import check_number_fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.model.arrays import Floats
    from tuner.model.invocation import MinuteLoad

DEFAULT_PEAK_RATIO: Final = 3.0
STEADY_RATIO: Final = 1.5
MOST_LEVELS: Final = 96
"""Hours with finer differences are merged: the answer's cost grows with each level."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A mean rate (None: unknown), the peak over it, and the shape by hour where it is known.

    `shape` is each hour's rate over the mean, or its busiest minute's where minutes are known.
    Without it a day with that peak is assumed (`fleet`); with it the fleet follows the hours,
    and the peak is that within them. Raises UsageError for a rate or a peak that cannot be.

    >>> tuner.Traffic(50, peak_ratio=1.2).is_steady
    True
    """

    rate_per_s: float | None
    peak_ratio: float = DEFAULT_PEAK_RATIO
    shape: tuple[float, ...] = field(default=(1.0,), repr=False)
    basis: Literal["rate", "hours", "minutes"] = "rate"
    peak_concurrency: float | None = None
    """The most invocations seen running at once."""
    busiest_per_s: float | None = None
    """The rate in the busiest minute seen."""
    quiet_days: float = 0.0
    """Days before the first invocation seen."""

    def __post_init__(self) -> None:
        """Check the rate and the peak."""
        check_number_fields(self)
        if self.rate_per_s is not None and self.rate_per_s <= 0:
            raise UsageError(
                f"a rate of {self.rate_per_s:g}/s has no cost to compare: give one above 0"
            )
        if self.peak_ratio < 1:
            raise UsageError(
                f"a peak of {self.peak_ratio:g} times the mean is impossible: give 1 or more"
            )

    @property
    def is_by_hour(self) -> bool:
        """Whether the load of each hour is known."""
        return len(self.shape) > 1

    def levels(self) -> tuple[Floats, Floats]:
        """The hours' rates over the mean, ascending, and the share of hours at each."""
        return _levels_of(self.shape)

    @property
    def is_steady(self) -> bool:
        """Whether no peak is far above the mean."""
        return max(self.shape) * self.peak_ratio <= STEADY_RATIO


@functools.lru_cache(maxsize=8)
def _levels_of(shape: tuple[float, ...]) -> tuple[Floats, Floats]:
    levels, counts = np.unique(np.asarray(shape, dtype=float), return_counts=True)
    if len(levels) > MOST_LEVELS:
        groups = np.array_split(np.sort(shape), MOST_LEVELS)
        levels = np.array([group.mean() for group in groups])
        counts = np.array([len(group) for group in groups])
    return levels, np.asarray(counts / counts.sum())


def traffic_of_rate(rate_per_s: float | None, peak_ratio: float | None = None) -> Traffic:
    """Traffic with a mean rate. Raises UsageError for an impossible rate or peak."""
    return Traffic(rate_per_s, DEFAULT_PEAK_RATIO if peak_ratio is None else peak_ratio)


def read_traffic(path: Path, peak_ratio: float | None = None) -> Traffic:
    """Read a load by hour: CSV with the header `hour,requests`, hours as 2026-01-31T13:00.

    At least 24 hours, one line each, in order and without gaps; requests are the hour's. Raises
    InputError with the line.
    """
    rows = csv_rows(path, "traffic", "one with hour,requests")
    _check_header(path, rows)
    requests: list[float] = []
    previous: datetime.datetime | None = None
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        hour, count = _read_row(path, number, row)
        if previous is not None and _hours_between(path, number, previous, hour) != 1:
            raise InputError(
                f"{path}, line {number}: {row[0].strip()} isn't the next hour; "
                "give every hour once, in order (0 if there were none)"
            )
        previous = hour
        requests.append(count)
    return _traffic_of_hours(path, requests, 1.0 if peak_ratio is None else peak_ratio)


def csv_rows(path: Path, parameter: str, wanted: str) -> list[list[str]]:
    """The rows of a CSV file. Raises InputError, which says which parameter is to have what."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): check `{parameter}`") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path} isn't a CSV file: give {wanted}") from None


def _traffic_of_hours(path: Path, requests: Sequence[float], peak_ratio: float) -> Traffic:
    if len(requests) < 24:
        raise InputError(
            f"{path} has {counted(len(requests), 'hour')}: give a whole day at least (24)"
        )
    mean = sum(requests) / len(requests)
    if mean <= 0:
        raise InputError(f"{path} has no requests, so there is no cost to compare")
    shape = tuple(count / mean for count in requests)
    return replace(traffic_of_rate(mean / 3600, peak_ratio), shape=shape, basis="hours")


def traffic_of_minutes(
    minutes: Sequence[MinuteLoad],
    *,
    start: datetime.datetime,
    hours: int,
    peak_ratio: float | None = None,
) -> Traffic:
    """Traffic of the `hours` from `start`, a full hour; missing minutes had no requests.

    Each hour counts with its busiest minute: a fleet that follows the load is sized for that.
    Raises InputError if there were no requests.
    """
    busiest, total = [0.0] * hours, 0.0
    for minute in minutes:
        index = int((minute.start - start).total_seconds() // 3600)
        if 0 <= index < hours:
            total += minute.invocation_count
            busiest[index] = max(busiest[index], minute.invocation_count * 60)
    if total <= 0:
        raise InputError(
            f"CloudWatch has no invocation in the last {counted(f'{hours / 24:g}', 'day')}: "
            "there is no cost to compare (give `days`, `rate_per_s` or `traffic`)"
        )
    mean = total / hours
    seen = [minute for minute in minutes if minute.invocation_count]
    most = [minute.max_concurrency for minute in minutes if minute.max_concurrency is not None]
    first = min(minute.start for minute in seen)
    return replace(
        traffic_of_rate(mean / 3600, 1.0 if peak_ratio is None else peak_ratio),
        shape=tuple(count / mean for count in busiest),
        basis="minutes",
        peak_concurrency=max(most, default=None),
        busiest_per_s=max(busiest) / 3600,
        quiet_days=(first - start).total_seconds() / 86_400,
    )


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
