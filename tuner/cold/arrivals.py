"""When requests come: a trace of times, counts by the minute, or a rate alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.errors import InputError
from tuner.model.interval import counted

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence

    from tuner.model.arrays import Floats
    from tuner.model.invocation import MinuteLoad

Basis = Literal["rate", "times", "minutes"]
MINUTE_S: Final = 60.0
DAY_S: Final = 86_400.0
_LEAST_DAYS: Final = 2
"""Hours without a request on one day may just be that day's."""
_MOST_REQUESTS: Final = 50_000_000


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
