"""What an invocation costs by the hour: a function's sums, its daily and weekly cycle, noise.

Costs are taken in logarithms: a change of code or memory multiplies them, the logarithm of a
heavy-tailed duration is close to a normal variable, and the mean of logarithms has no bias in hours
with few invocations. The mean of an hour scatters for three reasons, each a variance component
(Searle, Casella and McCulloch, "Variance Components", 1992): the invocations in it, the hour, and
the day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import chdtr, chdtrc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from tuner.model.arrays import Flags, Floats, Integers

HOURS_PER_DAY: Final = 24
EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday; Monday is 0
_FEWEST_DAYS_FOR_HOURS: Final = 4
FEWEST_DAYS_FOR_WEEK: Final = 14
_PRIOR_FREEDOM: Final = 50
"""A segment's variance is that of all hours where it has far fewer invocations than this."""
# Residuals beyond 2.5 deviations count as 2.5: an outage of an hour is no noise of all hours.
_CAP: Final = 2.5**2
_CAPPED_MEAN: Final = float(chdtr(3, _CAP) + _CAP * chdtrc(1, _CAP))
"""By chi-squared; `scipy.stats` takes half a second longer to import than `scipy.special`."""


@dataclass(frozen=True, slots=True, eq=False)
class HourlyCosts:
    """Sums by the hour without a gap: an hour with no invocation has zeros. UTC.

    `values` are what changes are looked for in: natural logarithms of an invocation's cost, or its
    cost, capped, over its mean.
    """

    first_hour: int
    """Hours since 1970-01-01T00:00Z."""
    counts: Floats
    cost_sums_usd: Floats
    cost_square_sums: Floats
    value_sums: Floats
    value_square_sums: Floats

    @classmethod
    def of(cls, hours: ArrayLike, *sums: ArrayLike) -> HourlyCosts:
        """Spread rows (any order, one an hour) over the whole window.

        `sums` are the fields after `first_hour`, in their order.
        """
        at = np.asarray(hours, dtype=np.int64)
        first = int(at.min())
        columns = [np.zeros(int(at.max()) - first + 1) for _ in sums]
        for column, values in zip(columns, sums, strict=True):
            column[at - first] = values
        return cls(first, *columns)

    @property
    def means(self) -> Floats:
        """Mean value of an hour; 0 where nothing was invoked."""
        return np.asarray(self.value_sums / np.maximum(self.counts, 1))

    @property
    def days(self) -> Integers:
        """For each hour the number of its day, from the first day on."""
        day = (self.first_hour + np.arange(len(self.counts))) // HOURS_PER_DAY
        return np.asarray(day - day[0], dtype=np.int64)

    @property
    def weekdays(self) -> Integers:
        """The weekday of each hour, Monday is 0."""
        day = self.first_hour // HOURS_PER_DAY + self.days
        return np.asarray((day + EPOCH_WEEKDAY) % 7, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Cycle and scatter of the hours' mean logarithms under unchanged code."""

    season: Floats
    """What the hour of the day and the day of the week add, for each hour."""
    within_variance: Floats
    """Of a single invocation's value, for each hour: a change of code may change it too."""
    hour_variance: float
    day_variance: float
    day_freedom: float
    """Degrees of freedom of `day_variance`."""

    def weights(self, counts: Floats) -> Floats:
        """One over the variance of an hour's mean, the day's part left out; 0 without data."""
        variance = self.within_variance / np.maximum(counts, 1) + self.hour_variance
        return np.asarray(np.where(counts > 0, 1 / np.maximum(variance, 1e-12), 0.0))


def fit_noise(costs: HourlyCosts, changes: Sequence[int]) -> Noise | None:
    """Fit cycle and noise, given where the level changed (indexes of hours; none: not known yet).

    None where there is too little to tell noise from anything: fewer than 30 invocations, or one
    day.
    """
    counts = costs.counts
    within = _within_variance(costs, changes)
    if counts.sum() < 30 or costs.days[-1] < 1 or within is None:
        return None
    pieces = _Pieces(costs, changes)
    own = within / np.maximum(counts, 1)
    noise = Noise(np.zeros(len(counts)), within, 0.0, 0.0, 1.0)
    for _ in range(2):
        by_hour, levels = _daily_cycle(costs, noise.weights(counts), pieces.of_hour)
        residuals = costs.means - by_hour - levels[pieces.of_hour]
        free = counts.astype(bool).sum() - len(levels) - HOURS_PER_DAY
        hour_variance = extra_variance(residuals, own, counts > 0, max(float(free), 1.0))
        noise = replace(noise, season=by_hour, hour_variance=hour_variance)
    weights = np.asarray(np.bincount(pieces.of_hour, noise.weights(counts)), dtype=np.float64)
    known = weights > 0
    by_weekday, residuals, freedom = _weekly_cycle(pieces, levels, weights)
    own = 1 / np.maximum(weights, 1e-12)
    day_variance = (
        extra_variance(residuals, own, known, freedom)
        if changes
        else _variance_of_steps(residuals, own, known)
    )
    return replace(
        noise,
        season=noise.season + by_weekday[pieces.of_hour],
        day_variance=day_variance,
        day_freedom=max(freedom, 2.0),
    )


class _Pieces:
    """Days, and the parts of a day within which the level changed."""

    def __init__(self, costs: HourlyCosts, changes: Sequence[int]) -> None:
        segment = _segments(len(costs.counts), changes)
        keys = costs.days * (len(changes) + 1) + segment
        _, first, of_hour = np.unique(keys, return_index=True, return_inverse=True)
        self.of_hour: Integers = np.asarray(of_hour, dtype=np.int64)
        self.weekdays: Integers = costs.weekdays[first]
        self.segments: Floats = np.eye(len(changes) + 1)[segment[first]]
        """A column a segment, 1 where the piece is of it."""


def _within_variance(costs: HourlyCosts, changes: Sequence[int]) -> Floats | None:
    """By hour that of its segment, as far as the segment has invocations to tell."""
    freedom = np.maximum(costs.counts - 1, 0)
    if freedom.sum() < 20:
        return None
    squares = costs.value_square_sums - costs.value_sums**2 / np.maximum(costs.counts, 1)
    squares = np.where(freedom > 0, np.maximum(squares, 0.0), 0.0)
    segment = _segments(len(freedom), changes)
    whole = max(float(squares.sum() / freedom.sum()), 1e-10)
    sums = np.bincount(segment, squares) + _PRIOR_FREEDOM * whole
    return np.asarray((sums / (np.bincount(segment, freedom) + _PRIOR_FREEDOM))[segment])


def _segments(count: int, changes: Sequence[int]) -> Integers:
    """For each hour the number of its segment."""
    return np.searchsorted(np.asarray(changes, dtype=int), np.arange(count), side="right")


def _daily_cycle(costs: HourlyCosts, weights: Floats, pieces: Integers) -> tuple[Floats, Floats]:
    """The effect of the hour of the day, shrunk as far as it may be noise, and each piece's level.

    Hours and pieces are fitted together, by turns, so that a change of level between pieces leaves
    no trace in the cycle.
    """
    values = costs.means
    slots = (costs.first_hour + np.arange(len(values))) % HOURS_PER_DAY
    piece_weights = np.bincount(pieces, weights)
    slot_weights = np.bincount(slots, weights, minlength=HOURS_PER_DAY)
    effects = np.zeros(HOURS_PER_DAY)

    def levels() -> Floats:
        sums = np.bincount(pieces, weights * (values - effects[slots]))
        found = sums / np.maximum(piece_weights, 1e-12)
        at, known = np.arange(len(found)), piece_weights > 0
        return np.interp(at, at[known], found[known])  # a day without an invocation has no level

    if costs.days[-1] + 1 >= _FEWEST_DAYS_FOR_HOURS:
        for _ in range(6):
            rest = weights * (values - levels()[pieces])
            sums = np.bincount(slots, rest, minlength=HOURS_PER_DAY)
            effects = sums / np.maximum(slot_weights, 1e-12)
        effects = _shrunk(effects, 1 / np.maximum(slot_weights, 1e-12))
    return effects[slots], levels()


def _shrunk(effects: Floats, variances: Floats) -> Floats:
    """Effects pulled to nothing by the share of noise in them (James and Stein, 1961)."""
    real = max(float(np.mean(effects**2) - np.mean(np.minimum(variances, 1e3))), 0.0)
    return np.asarray(effects * real / (real + variances)) if real else np.zeros(len(effects))


def extra_variance(residuals: Floats, own: Floats, known: Flags, freedom: float) -> float:
    """The variance of residuals, of which so many are free, beyond their own."""
    ratio = max(freedom / max(int(known.sum()), 1), 0.05)
    return _variance_beyond(residuals[known], own[known], ratio)


def _variance_beyond(residuals: Floats, own: Floats, freedom_ratio: float) -> float:
    """The variance that, with each value's own, makes the capped mean square what it should be."""
    if len(residuals) < 2:
        return 0.0

    def excess(extra: float) -> float:
        squares = residuals**2 / ((own + extra) * freedom_ratio)
        return float(np.minimum(squares, _CAP).mean()) - _CAPPED_MEAN

    low, high = 0.0, float(np.max(residuals**2)) + 1e-12
    if excess(low) <= 0:
        return 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _variance_of_steps(levels: Floats, own: Floats, known: Flags) -> float:
    """The days' variance from one day to the next: a change of level counts in one step only."""
    at = np.flatnonzero(known)
    if len(at) < 3:
        return 0.0
    return _variance_beyond(np.diff(levels[at]), own[at][1:] + own[at][:-1], 1.0) / 2


def _weekly_cycle(pieces: _Pieces, levels: Floats, weights: Floats) -> tuple[Floats, Floats, float]:
    """What weekdays add, each piece's residual, and how many of these are free."""
    count, segments = pieces.segments.shape
    weekdays = pieces.weekdays
    if count < FEWEST_DAYS_FOR_WEEK:
        rest = levels - pieces.segments @ _Fit(pieces.segments, levels, weights).effects
        return np.zeros(count), rest, float(max(count - segments, 1))
    if segments == 1:  # changes are not known yet: what a week's own mean leaves
        middle = np.arange(3, count - 3)
        rest = levels[middle] - [levels[day - 3 : day + 4].mean() for day in middle]
        found = np.array([np.median(rest[weekdays[middle] == day]) for day in range(7)])
        scatter = float(np.median(np.abs(rest - found[weekdays[middle]])))
        # A median's variance is half pi that of a mean; a deviation is 1.48 of the median's.
        variance = (1.48 * scatter) ** 2 * np.pi / 2 / (count / 7)
        effects = _shrunk(found - found.mean(), np.full(7, variance))
        return effects[weekdays], levels - effects[weekdays], float(count - 8)
    weekend = (weekdays >= 5) - 2 / 7
    fit = _Fit(np.column_stack([pieces.segments, weekend]), levels, weights)
    jump = float(_shrunk(fit.effects[-1:], fit.variances[-1:])[0])
    rest = levels - pieces.segments @ fit.effects[:-1] - weekend * jump
    day_weights = np.maximum(np.bincount(weekdays, weights, minlength=7), 1e-12)
    sums = np.bincount(weekdays, weights * rest, minlength=7)
    by_day = _shrunk(sums / day_weights, fit.scale / day_weights)
    effects = weekend * jump + by_day[weekdays]
    left = levels - effects
    left = left - pieces.segments @ _Fit(pieces.segments, left, weights).effects
    used = segments + bool(jump) + 5 * bool(np.any(by_day))
    return effects, left, float(max(count - used, 1))


class _Fit:
    """Weighted least squares: effects, their variances, and the scale of the noise."""

    def __init__(self, design: Floats, values: Floats, weights: Floats) -> None:
        normal = design.T @ (weights[:, None] * design)
        inverse = np.linalg.pinv(normal)
        self.effects = inverse @ (design.T @ (weights * values))
        residuals = values - design @ self.effects
        freedom = max(len(values) - design.shape[1], 1)
        self.scale = float((weights * residuals**2).sum() / freedom)
        self.variances = np.diag(inverse) * self.scale
