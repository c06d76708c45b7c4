"""What share of requests meets a cold start: arrivals, how long each is busy, and keep-alive. Pure.

Lambda hands a request to the environment that became idle last, and ends one that has been idle for
the keep-alive. So when the number of busy environments rises from k to k + 1, the request gets the
environment that became idle when that number last fell from k + 1 to k: it's cold if that was
longer ago than the keep-alive, or never happened. One number a level is all that must be kept, and
the share is exact for known times and durations (`tests/cold/replaying.py` replays environments).

AWS documents no keep-alive; 5 to 15 minutes are what is seen. What else ends environments (deploys,
and Lambda's own renewal after hours) isn't in it.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.cold.arrivals import Arrivals
    from tuner.model.arrays import Floats, Integers

KEEP_ALIVE_S: Final = (300.0, 600.0, 900.0)
"""The shortest, the middle one that the estimate is for, and the longest."""
_MOST_COUNTED: Final = 300_000
"""Requests that are counted; of a longer trace, stretches spread over it."""
_DRAWN: Final = 50_000
"""Of a rate alone: the share is known to 0.2 points then."""
_MOST_DRAWS: Final = 20
_STRETCHES: Final = 24
_MOST_BEFORE: Final = 1_000_000
"""Requests before those that count, of all stretches together."""
_NEVER: Final = -math.inf
_ENDLESS_S: Final = 1e12
MOSTLY: Final = 0.5
"""Of the cold starts, from which on it matters that they are at a trace's beginning."""
_Z90: Final = 1.645


@dataclass(frozen=True, slots=True)
class Work:
    """How long a request keeps its environment busy, in ms: lognormal by mean and coefficient of
    variation; a cold one by `init_ms` longer.
    """

    mean_ms: float
    cv: float
    init_ms: float

    def drawn_s(self, count: int, rng: np.random.Generator) -> Floats:
        """As many durations, in seconds."""
        spread = math.sqrt(math.log1p(self.cv**2))
        mean_log = math.log(max(self.mean_ms, 0.01) / 1000) - spread**2 / 2
        return rng.lognormal(mean_log, spread, count)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Requests in order: when they come and how long they take; counted from `counted_from` on."""

    starts_s: Floats
    busy_s: Floats
    counted_from: int = 0

    @property
    def counted(self) -> int:
        """How many count."""
        return len(self.starts_s) - self.counted_from


def cold_share(
    stretches: Sequence[Stretch], init_ms: float, keep_alive_s: float, ready_count: int = 0
) -> float:
    """The share of counted requests that are cold; `ready_count` environments are provisioned."""
    cold = sum(count_cold(each, init_ms, keep_alive_s, ready_count) for each in stretches)
    return cold / max(1, sum(each.counted for each in stretches))


def count_cold(stretch: Stretch, init_ms: float, keep_alive_s: float, ready_count: int = 0) -> int:
    """Cold starts among the counted requests of one stretch, which begins without environments."""
    init_s = init_ms / 1000
    ends_s: list[float] = []
    idle_since_s: list[float] = []
    """For each level k: when the number of busy environments last fell from k + 1 to k."""
    cold_count = 0
    for index, (start_s, busy_s) in enumerate(
        zip(stretch.starts_s.tolist(), stretch.busy_s.tolist(), strict=True)
    ):
        while ends_s and ends_s[0] <= start_s:
            end_s = heapq.heappop(ends_s)
            idle_since_s[len(ends_s)] = end_s
        level = len(ends_s)
        if level == len(idle_since_s):
            idle_since_s.append(_NEVER)
        is_cold = level >= ready_count and start_s - idle_since_s[level] > keep_alive_s
        cold_count += is_cold and index >= stretch.counted_from
        heapq.heappush(ends_s, start_s + busy_s + (init_s if is_cold else 0.0))
    return cold_count


def beginning_share(stretches: Sequence[Stretch], init_ms: float, ready_count: int = 0) -> float:
    """The share of counted requests that are cold because a trace begins without environments: some
    may have been there, and nobody knows.
    """
    count = 0
    for each in stretches:
        if each.counted_from == 0 and each.counted:
            end = int(np.searchsorted(each.starts_s, each.starts_s[0] + KEEP_ALIVE_S[-1], "right"))
            first = Stretch(each.starts_s[:end], each.busy_s[:end])
            count += count_cold(first, init_ms, _ENDLESS_S, ready_count)
    return count / max(1, sum(each.counted for each in stretches))


def stretches_of(arrivals: Arrivals, work: Work, rng: np.random.Generator) -> tuple[Stretch, ...]:
    """The requests to count, with what comes before them in the longest keep-alive.

    A short trace is counted from its first request, which is cold. Of a long one, equal stretches
    of time are, spread over it: busy ones have more requests, and so count for more. Where all of
    them are without a request, its first requests are counted.
    """
    before_s = min(KEEP_ALIVE_S[-1], _MOST_BEFORE / arrivals.rate_per_s)
    if arrivals.basis == "rate":
        before_count = math.ceil(before_s * arrivals.rate_per_s)
        starts_s = arrivals.drawn_s(before_count + _DRAWN, rng)
        return (Stretch(starts_s, work.drawn_s(len(starts_s), rng), before_count),)
    spans = _spans(arrivals, before_s)
    if not arrivals.durations_ms:  # what has to be drawn is drawn several times
        spans *= min(_MOST_DRAWS, math.ceil(_DRAWN / arrivals.request_count))
    drawn = (_stretch(arrivals, work, rng, span, before_s) for span in spans)
    counted = tuple(each for each in drawn if each.counted)
    if counted:
        return counted
    return (_stretch(arrivals, work, rng, (0.0, arrivals.passed_s(_MOST_COUNTED)), before_s),)


def _spans(arrivals: Arrivals, before_s: float) -> list[tuple[float, float]]:
    """From when to when requests count, in seconds from the trace's beginning."""
    if arrivals.request_count <= _MOST_COUNTED:
        return [(0.0, math.inf)]
    count = math.floor(_MOST_BEFORE / max(1.0, before_s * arrivals.rate_per_s))
    count = min(_STRETCHES, max(1, count))
    step_s = arrivals.window_s / count
    length_s = step_s * _MOST_COUNTED / arrivals.request_count
    # Within their parts, and not always at the same minute of the hour.
    begins_s = [(number + 0.382 * (number % 2) + 0.1) * step_s for number in range(count)]
    return [(from_s, from_s + length_s) for from_s in begins_s]


def _stretch(
    arrivals: Arrivals,
    work: Work,
    rng: np.random.Generator,
    span: tuple[float, float],
    before_s: float,
) -> Stretch:
    starts_s, durations_ms = arrivals.between(span[0] - before_s, span[1], rng)
    busy_s = work.drawn_s(len(starts_s), rng) if durations_ms is None else durations_ms / 1000
    return Stretch(starts_s, busy_s, int(np.searchsorted(starts_s, span[0])))


def share_over_keep_alive(
    stretches: Sequence[Stretch], init_ms: float, *, request_count: int = 0, ready_count: int = 0
) -> Interval:
    """The share at the middle keep-alive, from the longest's to the shortest's; so many
    environments are provisioned.

    The share of a trace of `request_count` requests (0: there is none) is one outcome: Wilson's 90%
    interval widens it. If most are cold at its beginning, they may have been warm.
    """
    high, middle, low = (
        cold_share(stretches, init_ms, keep_alive_s, ready_count) for keep_alive_s in KEEP_ALIVE_S
    )
    if request_count:
        count = min(request_count, sum(each.counted for each in stretches))
        beginning = beginning_share(stretches, init_ms, ready_count)
        if beginning > MOSTLY * middle:
            low = max(0.0, low - beginning)
        low, high = _wilson(low, count)[0], _wilson(high, count)[1]
    # More keep-alive is never colder, but an INIT that didn't happen frees an environment earlier.
    return Interval(middle, min(low, middle), max(high, middle))


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson (1927), the score interval of a proportion."""
    squared = _Z90**2
    center = (share + squared / (2 * count)) / (1 + squared / count)
    half = _Z90 / (1 + squared / count)
    half *= math.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    return max(0.0, center - half), min(1.0, center + half)


def concurrency_at_arrivals(stretches: Sequence[Stretch]) -> Integers:
    """For each counted request, how many run at once when it comes, itself among them; without any
    INIT, as with enough environments.
    """
    found = []
    for each in stretches:
        ends_s = np.sort(each.starts_s + each.busy_s)
        started = np.arange(1, len(each.starts_s) + 1)
        running = started - np.searchsorted(ends_s, each.starts_s, side="right")
        found.append(running[each.counted_from :])
    return np.concatenate(found)
