"""How CloudWatch would have evaluated an alarm over a history, minute by minute.

The rules are those of the user guide, "Using Amazon CloudWatch alarms", "Configuring how CloudWatch
alarms treat missing data": it looks at more data points than the alarm's evaluation periods (two
more in the guide's examples, and here). If as many as the evaluation periods exist, the most
recent of them decide and missing ones don't count. Otherwise all that exist do, and each of the
rest counts as the alarm says. It's in ALARM if as many as its data points to alarm are breaching.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.alarm import Rings

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from tuner.model.alarm import Alarm, MissingData
    from tuner.model.arrays import Flags, Floats

    States = NDArray[np.int8]

OK: Final = 0
ALARM: Final = 1
INSUFFICIENT: Final = 2
_RETAIN: Final = 3
MORE_POINTS: Final = 2
"""Data points that are looked at beyond the evaluation periods."""


def breaching(alarm: Alarm, values: Floats) -> Flags:
    """Which values are beyond the threshold; what is missing (NaN) isn't."""
    if alarm.comparison == "GreaterThanThreshold":
        return np.asarray(values > alarm.threshold)
    return np.asarray(values >= alarm.threshold)


def states(
    exists: Flags, breaches: Flags, *, periods: int, to_alarm: int, missing: MissingData
) -> States:
    """The state after each period: 0 OK, 1 ALARM, 2 INSUFFICIENT_DATA; before the first it's OK.

    `exists` says which periods have a data point, `breaches` which of these are breaching.
    """
    count = len(exists)
    at = np.arange(count) + 1
    known = np.concatenate([[0], np.cumsum(exists)])
    broken = np.concatenate([[0], np.cumsum((exists & breaches)[exists])])
    """By how many points exist: how many of them are breaching."""
    begin = np.maximum(at - periods - MORE_POINTS, 0)
    there = known[at] - known[begin]
    enough = there >= periods
    first = np.where(enough, known[at] - periods, known[begin])
    breached = broken[known[at]] - broken[first]
    rings = breached >= to_alarm
    found = np.where(rings, ALARM, OK).astype(np.int8)
    short = ~enough & ~rings
    if missing == "breaching":
        found[short & (breached + periods - there >= to_alarm)] = ALARM
    elif missing in {"missing", "ignore"}:
        bad_only = short & (there == breached)
        found[bad_only] = INSUFFICIENT if missing == "missing" else _RETAIN
        if missing == "missing":
            found[bad_only & _is_old(exists, to_alarm, periods)] = ALARM
    return _retained(found)


def _is_old(exists: Flags, to_alarm: int, periods: int) -> Flags:
    """Whether the oldest point of the range is at least as many periods old as would make it ring:
    CloudWatch then takes the missing ones for a breach that goes on.
    """
    at = np.arange(len(exists))
    known = np.concatenate([[0], np.cumsum(exists)])
    begin = np.maximum(at + 1 - periods - MORE_POINTS, 0)
    until = np.maximum(at + 2 - to_alarm, 0)
    return np.asarray(known[np.maximum(until, begin)] > known[begin])


def _retained(found: States) -> States:
    """The state where it's retained is the last one that was set."""
    place = np.where(found == _RETAIN, -1, np.arange(len(found)))
    last = np.maximum.accumulate(place) if len(place) else place
    return np.where(last < 0, OK, found[np.maximum(last, 0)]).astype(np.int8)


def replayed(alarm: Alarm, values: Floats) -> Flags:
    """Whether it would have been in ALARM after each period of a series (NaN: no data point)."""
    exists = ~np.isnan(values)
    found = states(
        exists,
        exists & breaching(alarm, values),
        periods=alarm.evaluation_periods,
        to_alarm=alarm.datapoints_to_alarm,
        missing=alarm.missing,
    )
    return np.asarray(found == ALARM)


def rings_of(is_alarm: Flags, start: datetime, period_s: int) -> Rings:
    """The stretches in ALARM: from the end of the period that made it ring to the one that ended it
    (or the history's end).
    """
    edges = np.diff(np.concatenate([[0], is_alarm.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    step = timedelta(seconds=period_s)
    end = start + step * len(is_alarm)
    return Rings(
        start,
        end,
        tuple(
            (start + step * (int(begin) + 1), min(start + step * (int(until) + 1), end))
            for begin, until in zip(begins, ends, strict=True)
        ),
    )
