"""Change points of what an invocation costs: where the level moved, by how much, and how surely.

The series is read as it came, hour by hour. At every hour each of the last hours and days is set
against the weeks before it (a generalized likelihood ratio over windows of many lengths: Siegmund
and Venkatraman, "Using the Generalized Likelihood Ratio Statistic for Sequential Detection of a
Change-Point", Ann. Stat. 23 (1995), 255–271; windows of many scales with a threshold each: Dümbgen
and Spokoiny, "Multiscale Testing of Qualitative Hypotheses", Ann. Stat. 29 (2001), 124–152). So a
change is found when its evidence suffices, whenever it's asked for, and the same archive with more
days behind it tells the same. Afterwards each change is placed where the likelihood of the levels
around it is greatest, and the ones that later hours refute are dropped.

How many invocations come is no part of the series: traffic only says how well an hour is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri, stdtrit

from tuner.model.interval import Interval
from tuner.model.lambda_limits import HOURS_PER_MONTH
from tuner.model.spend import SMALLEST_RATIO
from tuner.observe.hourly import FEWEST_DAYS_FOR_WEEK, HOURS_PER_DAY, fit_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.arrays import Floats, Integers
    from tuner.observe.hourly import HourlyCosts, Noise

_BASELINE_HOURS: Final = 28 * HOURS_PER_DAY
_SHORTEST_BASELINE_HOURS: Final = HOURS_PER_DAY
_WINDOWS_HOURS: Final = np.array(
    [3, 4, 6, 8, 10, 12, 15, 18, 20, 22, 24, 26, 28, 32, 36, 42, 48, 60, 72, 96, 120, 168, 240, 336]
)
# The threshold of a window of one day, in standard deviations. With those of the other windows
# below, who asks every day is told of at most one false change of a function in a year
# (`tests/bench/observe_changes.py`).
DAY_THRESHOLD: Final = 3.75
_LONGER: Final = 0.25
_ROUNDS: Final = 4
_AT_DEPLOYMENT_HOURS: Final = 3
_LARGER_THAN_WEEKENDS: Final = 0.15
"""Of the logarithm. In under two weeks a smaller change counts only at a deployment."""
_LIKELY: Final = 2.97
"""Drop in log-likelihood within which the true hour is with 90%: on each side its excess is
exponential (Siegmund, "Confidence Sets in Change-point Problems", Int. Stat. Rev. 56 (1988))."""
POSSIBLE: Final = 5.3
"""The same with 99%: where to look for a cause."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of the level. Hours count from 1970-01-01T00:00Z; the new level begins at `hour`."""

    hour: int
    low_hour: int
    high_hour: int
    """The hours within which the level changed, 90%."""
    possible_hours: tuple[int, int]
    """The same, 99%."""
    found_hour: int
    """The hour before which the archive would have to end for the change not to be found."""
    ratio: Interval
    """Cost of an invocation after over before, less 1."""
    usd_per_month: Interval
    """The monthly difference, at the traffic after the change."""
    count_per_day_before: float
    count_per_day_after: float


def find_changes(
    costs: HourlyCosts,
    *,
    deployed_hours: Sequence[int] = (),
    day_threshold: float = DAY_THRESHOLD,
) -> tuple[ChangePoint, ...]:
    """Find where the cost of an invocation changed, in order.

    Cycle and noise are fitted around the changes, and the changes found within them, by turns.
    `deployed_hours` (since 1970) are where a change is likely; `day_threshold`: how many standard
    deviations a window of one day must differ by.
    """
    noise = _first_noise(costs, deployed_hours, day_threshold)
    if noise is None:
        return ()
    found: dict[int, int] = {}
    for _ in range(_ROUNDS):
        series = _Series(costs, noise, day_threshold)
        before, found = found, series.kept(series.alarms())
        if _is_short(costs):
            deployed = [each - costs.first_hour for each in deployed_hours]
            found = {at: known for at, known in found.items() if series.is_plain(at, deployed)}
        if not found:
            return ()
        noise = fit_noise(costs, sorted(found)) or noise
        if list(found) == list(before):
            break
    series = _Series(costs, noise, day_threshold)
    return _described(costs, noise, series, found)


def _is_short(costs: HourlyCosts) -> bool:
    """Whether a weekly cycle could pass for a change."""
    return bool(costs.days[-1] + 1 < FEWEST_DAYS_FOR_WEEK)


def _first_noise(
    costs: HourlyCosts, deployed_hours: Sequence[int], day_threshold: float
) -> Noise | None:
    """Noise before any change is known.

    Over weeks, steps from day to day tell it. In a few days a change would pass for what days
    differ by anyway: there the level may have moved at each deployment, or else where a move fits
    best.
    """
    noise = fit_noise(costs, ())
    if noise is None or not _is_short(costs):
        return noise
    inside = range(_SHORTEST_BASELINE_HOURS, len(costs.counts) - _WINDOWS_HOURS[0] + 1)
    moved = sorted({each - costs.first_hour for each in deployed_hours} & set(inside))
    if not moved and inside:
        series = _Series(costs, replace(noise, day_variance=0.0), day_threshold)
        moved = [series.best_split(0, series.length)]
    return fit_noise(costs, moved) or noise


def thresholds(windows_hours: Integers, day_threshold: float = DAY_THRESHOLD) -> Floats:
    """How many deviations a window must differ by.

    Short windows are many, so they need more (each octave below a day gets half of the alarms of
    the next); long ones are few.
    """
    days = np.asarray(windows_hours) / HOURS_PER_DAY
    shorter = np.sqrt(day_threshold**2 + 4 * np.maximum(-np.log(days), 0))
    return np.asarray(np.where(days > 1.4, day_threshold + _LONGER, shorter))


class _Series:
    """Sums of the hours' values without their cycle, for the mean of any stretch."""

    def __init__(self, costs: HourlyCosts, noise: Noise, day_threshold: float) -> None:
        weights = noise.weights(costs.counts)
        values = costs.means - noise.season
        self.length = len(weights)
        self.noise = noise
        self.day_threshold = day_threshold
        self._weights = np.concatenate([[0.0], np.cumsum(weights)])
        self._sums = np.concatenate([[0.0], np.cumsum(weights * values)])

    def alarms(self) -> dict[int, int]:
        """Changes as they're found, hour by hour: where the level begins, and when it was known."""
        found: dict[int, int] = {}
        start, look = 0, 0
        while True:
            alarm = self._first_alarm(start, look)
            if alarm is None:
                return found
            look = alarm
            start = self.best_split(start, look)
            found[start] = look

    def kept(self, found: dict[int, int]) -> dict[int, int]:
        """The changes that all hours around them support, each where it fits best."""
        places, known = sorted(found), [found[each] for each in sorted(found)]
        while places:
            for _ in range(2):
                for index in range(len(places)):
                    low, high = self.around(places, index)
                    places[index] = self.best_split(low, high, shortest_after=1)
            scores = [self._score(places, index) for index in range(len(places))]
            worst = int(np.argmin(scores))
            if scores[worst] >= 0:
                break
            del places[worst], known[worst]
        return dict(zip(places, known, strict=True))

    def is_plain(self, at: int, deployed: Sequence[int]) -> bool:
        """Whether a change is at a deployment, or larger than weekends usually are."""
        if any(abs(at - each) <= _AT_DEPLOYMENT_HOURS for each in deployed):
            return True
        difference, _, _ = self._difference(0, np.array([at]), self.length)
        return bool(abs(difference[0]) >= _LARGER_THAN_WEEKENDS)

    def split(self, low: int, high: int) -> tuple[Floats, Floats]:
        """Twice the gain in log-likelihood of a split at each hour between, and the differences."""
        at = np.arange(low + 1, high)
        differences, variances, _ = self._difference(low, at, high, with_day=False)
        gains = np.where(variances < math.inf, differences**2 / variances, 0.0)
        return gains, differences

    def _first_alarm(self, start: int, look: int) -> int | None:
        """The first hour at which a window is beyond its threshold."""
        ends = np.arange(max(start + _SHORTEST_BASELINE_HOURS + 3, look), self.length + 1)
        if not len(ends):
            return None
        splits = ends[:, None] - _WINDOWS_HOURS
        low = np.maximum(splits - _BASELINE_HOURS, start)
        usable = splits - start >= _SHORTEST_BASELINE_HOURS
        difference, variance, day_part = self._difference(
            low, np.maximum(splits, low), ends[:, None]
        )
        limit = _with_freedom(
            thresholds(_WINDOWS_HOURS, self.day_threshold),
            day_part / variance,
            self.noise.day_freedom,
        )
        enough = np.abs(difference) >= math.log1p(SMALLEST_RATIO)
        beyond = usable & enough & (np.abs(difference) > limit * np.sqrt(variance))
        hits = np.flatnonzero(beyond.any(axis=1))
        return int(ends[hits[0]]) if len(hits) else None

    def best_split(self, low: int, high: int, *, shortest_after: int = 3) -> int:
        """Where two levels fit best."""
        gains, _ = self.split(low, high)
        margin = min(_SHORTEST_BASELINE_HOURS, (high - low) // 2)
        allowed = gains[margin - 1 : len(gains) - shortest_after + 1]
        return low + margin + (int(np.argmax(allowed)) if len(allowed) else 0)

    def around(self, places: list[int], index: int) -> tuple[int, int]:
        """The stretch around one change: up to its neighbors, and at most the baseline's length."""
        place = places[index]
        before = places[index - 1] if index else 0
        after = places[index + 1] if index + 1 < len(places) else self.length
        return max(before, place - _BASELINE_HOURS), min(after, place + _BASELINE_HOURS)

    def _score(self, places: list[int], index: int) -> float:
        """How far a change lies beyond the threshold, by all hours around it; negative: not."""
        low, high = self.around(places, index)
        at = np.array([places[index]])
        difference, variance, day_part = self._difference(low, at, high)
        if abs(difference[0]) < math.log1p(SMALLEST_RATIO):
            return -1e9
        shorter = np.array([min(at[0] - low, high - at[0])])
        limit = thresholds(shorter, self.day_threshold)
        limit = _with_freedom(limit, day_part / variance, self.noise.day_freedom)
        return float(abs(difference[0]) / math.sqrt(variance[0]) - limit[0])

    def _difference(
        self,
        low: Integers | int,
        split: Integers,
        high: Integers | int,
        *,
        with_day: bool = True,
    ) -> tuple[Floats, Floats, Floats]:
        """Mean of [split, high) minus that of [low, split), its variance, the days' part."""
        before = self._weights[split] - self._weights[low]
        after = self._weights[high] - self._weights[split]
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = (self._sums[high] - self._sums[split]) / after - (
                self._sums[split] - self._sums[low]
            ) / before
            own = 1 / after + 1 / before
            days = 1 / np.maximum((split - low) / HOURS_PER_DAY, 1) + 1 / np.maximum(
                (high - split) / HOURS_PER_DAY, 1
            )
        known = (before > 0) & (after > 0)
        day_part = self.noise.day_variance * days * (1.0 if with_day else 0.0)
        variance = np.where(known, own + day_part, math.inf)
        return np.where(known, difference, 0.0), variance, day_part


def _with_freedom(limit: Floats, day_share: Floats, freedom: float) -> Floats:
    """A normal variable's limit, if a share of the variance is only known from this many days.

    Degrees of freedom by Satterthwaite (1946), Student's quantile by its expansion in them
    (Abramowitz and Stegun, 26.7.5).
    """
    inverse = day_share**2 / freedom
    first = (limit**3 + limit) / 4
    second = (5 * limit**5 + 16 * limit**3 + 3 * limit) / 96
    return np.asarray(limit + first * inverse + second * inverse**2)


def _described(
    costs: HourlyCosts, noise: Noise, series: _Series, found: dict[int, int]
) -> tuple[ChangePoint, ...]:
    places = sorted(found)
    described = []
    for index, place in enumerate(places):
        low, high = series.around(places, index)
        gains, _ = series.split(low, high)
        fall = (gains[place - low - 1] - gains) / 2
        ratio, usd_per_month = _in_money(costs, noise, (low, place, high))
        first = costs.first_hour
        likely, possible = (_ends(fall, low, place, limit) for limit in (_LIKELY, POSSIBLE))
        described.append(
            ChangePoint(
                hour=first + place,
                low_hour=first + likely[0],
                high_hour=first + likely[1],
                possible_hours=(first + possible[0], first + possible[1]),
                found_hour=first + found[place],
                ratio=ratio,
                usd_per_month=usd_per_month,
                count_per_day_before=_per_day(costs, low, place, at_end=True),
                count_per_day_after=_per_day(costs, place, high, at_end=False),
            )
        )
    return tuple(described)


def _ends(fall: Floats, low: int, place: int, limit: float) -> tuple[int, int]:
    """The hours around a change when it may have happened, without a break."""
    at = place - low - 1
    first = last = at
    while first > 0 and fall[first - 1] <= limit:
        first -= 1
    while last + 1 < len(fall) and fall[last + 1] <= limit:
        last += 1
    return low + 1 + first, low + 1 + last


def _per_day(costs: HourlyCosts, low: int, high: int, *, at_end: bool) -> float:
    """Invocations per day in the whole days next to a change, at most a week."""
    hours = high - low
    if hours >= HOURS_PER_DAY:
        hours = min(hours // HOURS_PER_DAY, 7) * HOURS_PER_DAY
    start = high - hours if at_end else low
    return float(costs.counts[start : start + hours].sum() / hours * HOURS_PER_DAY)


def _in_money(
    costs: HourlyCosts, noise: Noise, around: tuple[int, int, int]
) -> tuple[Interval, Interval]:
    """The means before and after, without the cycle: their ratio less 1, and dollars a month.

    Bills are means: here every invocation counts in full, even the slowest. 90% intervals on the
    logarithm (the delta method), with the days' part in the degrees of freedom.
    """
    low, place, high = around
    before = _Mean(costs, noise, low, place)
    after = _Mean(costs, noise, place, high)
    variance = before.variance + after.variance
    share = (before.day_part + after.day_part) / variance if variance else 0.0
    quantile = float(stdtrit(noise.day_freedom / share**2, 0.95) if share > 1e-6 else ndtri(0.95))
    change = math.log(after.usd / before.usd)
    reach = quantile * math.sqrt(variance)
    ratio = Interval(*(math.expm1(change + each) for each in (0.0, -reach, reach)))
    hours = max(high - place, 1)
    if hours >= HOURS_PER_DAY:
        invocations = after.weighted_count / hours
    else:  # part of a day says little of a day's traffic
        invocations = before.weighted_count / max(place - low, 1)
    scale = invocations * HOURS_PER_MONTH
    middle = (after.usd - before.usd) * scale
    error = (
        quantile
        * scale
        * math.hypot(after.usd * math.sqrt(after.variance), before.usd * math.sqrt(before.variance))
    )
    return ratio, Interval(middle, middle - error, middle + error)


class _Mean:
    """The mean cost of an invocation over a stretch, without the cycle."""

    def __init__(self, costs: HourlyCosts, noise: Noise, low: int, high: int) -> None:
        part = slice(low, high)
        counts, sums = costs.counts[part], costs.cost_sums_usd[part]
        self.weighted_count = float((counts * np.exp(noise.season[part])).sum())
        total, count = float(sums.sum()), float(counts.sum())
        self.usd = total / self.weighted_count
        squares = float(costs.cost_square_sums[part].sum()) - total**2 / count
        own = max(squares, 0.0) / total**2
        hours = noise.hour_variance * float(((counts / count) ** 2).sum())
        self.day_part = noise.day_variance / max((high - low) / HOURS_PER_DAY, 1)
        self.variance = own + hours + self.day_part
