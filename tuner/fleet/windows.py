"""When a fleet's sweeps may start: hours of the day in a time zone, on some days of the week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tuner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.fleet import RunWindow

_DAYS_IN_WEEK = 7


def is_open(windows: Sequence[RunWindow], now: datetime) -> bool:
    """Whether a sweep may start; always without windows."""
    return not windows or any(_contains(each, now) for each in windows)


def seconds_until_open(windows: Sequence[RunWindow], now: datetime) -> float:
    """How long until the next window opens; 0 if one is open.

    By the clock of the window's zone, so a change to or from summer time counts.
    """
    if is_open(windows, now):
        return 0.0
    return min((_next_start(each, now) - now).total_seconds() for each in windows)


def check_window(window: RunWindow) -> None:
    """Raise InputError for a time, zone or day that doesn't exist."""
    for value in (window.start, window.end):
        try:
            if time.fromisoformat(value).tzinfo is not None:
                raise ValueError
        except ValueError:
            raise InputError(f"{value!r} isn't a time of day: write it as 22:30") from None
    try:
        ZoneInfo(window.zone)
    except (ValueError, OSError, KeyError):
        raise InputError(
            f"{window.zone!r} isn't a time zone: use a name such as Europe/Berlin"
        ) from None
    for day in window.days:
        if day not in range(_DAYS_IN_WEEK):
            raise InputError(f"{day} isn't a day of the week: they are 0 (Monday) to 6")


def _contains(window: RunWindow, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(window.zone))
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    clock = local.time().replace(tzinfo=None)
    if start < end:
        return start <= clock < end and _runs_on(window, local)
    if clock >= start:
        return _runs_on(window, local)
    return clock < end and _runs_on(window, local - timedelta(days=1))


def _next_start(window: RunWindow, now: datetime) -> datetime:
    zone = ZoneInfo(window.zone)
    local = now.astimezone(zone)
    start = time.fromisoformat(window.start)
    days = ((local + timedelta(days=ahead)).date() for ahead in range(_DAYS_IN_WEEK + 1))
    starts = (datetime.combine(day, start, tzinfo=zone) for day in days)
    return next(at for at in starts if at > now and _runs_on(window, at))


def _runs_on(window: RunWindow, local: datetime) -> bool:
    return not window.days or local.weekday() in window.days
