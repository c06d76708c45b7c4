"""How the cost of an invocation moved with the memory, by the days before and after the change.

Days are means of what was billed, so that the slowest invocation counts in full, less the cycle of
the hours of the day. What else moves them is a term each of one Gaussian model (a mixed model:
Searle, Casella and McCulloch, "Variance Components", 1992): chance, an excess of day upon day that
dies out with time (so hours and days in a row are no independent witnesses), weekdays and weekends,
a drift over the weeks, a step at every other deployment, and what functions do that nobody changed
(a covariate with a coefficient of its own: Brodersen et al., "Inferring causal impact using
Bayesian structural time-series models", Ann. Appl. Stat. 9 (2015), 247–274). How large these are is
not known beforehand and hardly told by a few days: the answer is averaged over a grid of sizes,
each by its restricted likelihood, and so it is wide where days are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.observe.hourly import EPOCH_WEEKDAY, HOURS_PER_DAY, extra_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.arrays import Flags, Floats, Integers
    from tuner.observe.use_hours import UseRows

DRAW_COUNT: Final = 4000
MOST_DAYS: Final = 42
"""On each side: older days are of another time."""
_PRIOR_FREEDOM: Final = 50
_FEWEST_UNTOUCHED: Final = 30
"""Invocations of an untouched function, below which a day of it says nothing."""
# The grid, in logarithms of cost: days that differ by 0.25% to 16%; how much of a day's excess is
# left a day later; weekends, and a drift in a week. Judgment, widened once by the scenarios of
# `tests/bench/verify.py` that were seen, and judged on those that were held back.
_DAY_DEVIATIONS: Final = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16)
_PERSISTENCES: Final = (0.0, 0.4, 0.7, 0.9)
_WEEKEND_DEVIATIONS: Final = (0.0, 0.02, 0.06, 0.18)
_WEEKLY_DRIFTS: Final = (0.0, 0.01, 0.03, 0.1)
_DEPLOYMENT_DEVIATIONS: Final = (0.005, 0.03, 0.15)
_OWN_EXCESSES: Final = (1.0, 2.0)
"""A sum of heavy-tailed invocations scatters more than its sample's variance says."""


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days, parted where something was deployed; each with its mean cost."""

    day: Integers
    """Since 1970."""
    is_after: Floats
    """1 where the memory is the new one."""
    deployments: Integers
    """How many other deployments came before."""
    mean_usd: Floats
    """Of an invocation, less the cycle of the hours of the day."""
    own_variance: Floats
    """Of the mean, relative, by the invocations in it."""
    count: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What the change of memory did to the logarithm of an invocation's mean cost."""

    draws: Floats
    cycle_moved: float
    """The part of the plain difference of logarithms that the hours of the day explain."""


def fit_step(
    rows: UseRows,
    new_mb: int,
    *,
    deployed_hours: Sequence[float] = (),
    untouched: Sequence[UseRows] = (),
    seed: int = 0,
) -> Step | None:
    """The change of cost from all other sizes in `rows` to `new_mb`; None without both.

    `rows` have only hours of one size. `deployed_hours` are other deployments; `untouched` are the
    rows of functions that nobody changed meanwhile.
    """
    days, cycle_moved = _days(rows, new_mb, deployed_hours)
    sides = [float(days.count[days.is_after == side].sum()) for side in (0, 1)]
    if min(sides) < 2:
        return None
    level = [
        float((days.mean_usd * days.count)[days.is_after == side].sum() / sides[side])
        for side in (0, 1)
    ]
    if min(level) <= 0:
        return None
    base = np.where(days.is_after == 1, level[1], level[0])
    residual = days.mean_usd / base - 1
    change_hour = int(rows.slot[rows.memory_mb == new_mb].min())
    outside = _outside(days, change_hour, untouched)
    draws = _posterior(days, residual, outside, np.random.default_rng(seed))
    return Step(draws + math.log(level[1] / level[0]), cycle_moved)


def _days(rows: UseRows, new_mb: int, deployed_hours: Sequence[float]) -> tuple[Days, float]:
    hours, hour_at = np.unique(rows.slot, return_inverse=True)
    count = _summed(hour_at, rows.count)
    cost = _summed(hour_at, rows.cost_usd)
    squares = _summed(hour_at, rows.cost_squares)
    after = _summed(hour_at, rows.count * (rows.memory_mb == new_mb)) > 0.5 * count
    deployed = np.searchsorted(np.sort(np.asarray(deployed_hours)), hours, side="right")
    day = hours // HOURS_PER_DAY
    keys = np.stack([day, after.astype(np.int64), deployed])
    pieces, at = np.unique(keys, axis=1, return_inverse=True)
    at = at.reshape(-1)
    size = pieces.shape[1]
    cycle = _daily_cycle(hours % HOURS_PER_DAY, at, count, cost, size)
    exposure = _summed(at, count * cycle, size)
    means = _summed(at, cost, size) / exposure
    expected = means[at] * cycle
    spread = _spread(count, squares, expected, after)
    residuals = cost / np.maximum(count * expected, 1e-300) - 1
    free = max(float(len(hours) - size - (cycle.std() > 0) * HOURS_PER_DAY), 1.0)
    excess = extra_variance(residuals, spread[after.astype(int)] / count, count > 0, free)
    total = _summed(at, count, size)
    of_hours = _summed(at, count**2, size) / total**2
    side = pieces[1].astype(int)
    plain = [cost[after == each].sum() / max(count[after == each].sum(), 1) for each in (0, 1)]
    level = [
        cost[after == each].sum() / max((count * cycle)[after == each].sum(), 1e-300)
        for each in (0, 1)
    ]
    moved = 0.0
    if min(plain) > 0 and min(level) > 0:
        moved = math.log(plain[1] / plain[0]) - math.log(level[1] / level[0])
    days = Days(
        day=pieces[0],
        is_after=pieces[1].astype(float),
        deployments=pieces[2],
        mean_usd=means,
        own_variance=spread[side] / total + excess * of_hours,
        count=exposure,
    )
    return days, moved


def _summed(at: Integers, values: Floats, size: int = 0) -> Floats:
    return np.asarray(np.bincount(at, values, minlength=size), dtype=np.float64)


def _daily_cycle(slot: Integers, at: Integers, count: Floats, cost: Floats, size: int) -> Floats:
    """For each hour what its hour of the day multiplies the cost by, shrunk to 1 by its noise.

    Hours and pieces of days are fitted by turns, which is Poisson pseudo-likelihood: unbiased for
    means whatever their distribution (Gourieroux, Monfort and Trognon, Econometrica 52 (1984)).
    """
    effects = np.ones(HOURS_PER_DAY)
    if len(np.unique(at)) < 4:
        return effects[slot]
    seen = np.bincount(slot, minlength=HOURS_PER_DAY)
    for _ in range(8):
        level = _summed(at, cost, size) / np.maximum(
            _summed(at, count * effects[slot], size), 1e-300
        )
        expected = _summed(slot, count * level[at], HOURS_PER_DAY)
        sums = _summed(slot, cost, HOURS_PER_DAY)
        effects = np.where(expected > 0, sums / np.maximum(expected, 1e-300), 1.0)
        effects = np.maximum(effects, 1e-6)
    residual = cost / np.maximum(count * level[at] * effects[slot], 1e-300) - 1
    weight = _summed(slot, count, HOURS_PER_DAY)
    noise = _summed(slot, count**2 * residual**2, HOURS_PER_DAY)
    noise = noise / (np.maximum(weight, 1) ** 2 * np.maximum(1 - 1 / np.maximum(seen, 2), 0.5))
    shift = effects - 1
    known = seen > 1
    if known.sum() < 2:
        return np.ones(len(slot))
    real = max(float(np.mean(shift[known] ** 2 - noise[known])), 0.0)
    shrunk = np.where(known, shift * real / np.maximum(real + noise, 1e-300), 0.0)
    return np.asarray((1 + shrunk)[slot])


def _spread(count: Floats, squares: Floats, expected: Floats, after: Flags) -> Floats:
    """The squared coefficient of variation of an invocation on each side, pulled together where
    one has few.
    """
    relative = squares / np.maximum(expected, 1e-300) ** 2
    sums = np.array([(relative - count)[after == side].sum() for side in (False, True)])
    counts = np.array([count[after == side].sum() for side in (False, True)])
    both = max(float(sums.sum() / max(counts.sum() - 1, 1)), 1e-6)
    return np.asarray(np.maximum((sums + _PRIOR_FREEDOM * both) / (counts + _PRIOR_FREEDOM), 1e-6))


def _outside(days: Days, change_hour: int, untouched: Sequence[UseRows]) -> Floats | None:
    """By how much functions that nobody changed cost more or less on each day, the day of the
    change in its two parts: the median of their logarithms over their own level. None without one.
    """
    wanted = 2 * days.day + days.is_after
    series = []
    for rows in untouched:
        keys, at = np.unique(
            2 * (rows.slot // HOURS_PER_DAY) + (rows.slot >= change_hour), return_inverse=True
        )
        count, cost = _summed(at, rows.count), _summed(at, rows.cost_usd)
        known = count >= _FEWEST_UNTOUCHED
        if known.sum() < 4:
            continue
        logs = np.log(cost[known] / count[known])
        series.append(np.interp(wanted, keys[known], logs - logs.mean()))
    return np.asarray(np.median(series, axis=0)) if series else None


def _posterior(
    days: Days, residual: Floats, outside: Floats | None, rng: np.random.Generator
) -> Floats:
    """Draws of the step: a mixture over the grid, by restricted likelihood."""
    design = np.column_stack([np.ones(len(residual)), days.is_after])
    estimates, variances, scores = [], [], []
    for part in _kernels(days, outside):
        factor = np.linalg.cholesky(part)
        whitened_x = np.linalg.solve(factor, np.broadcast_to(design, (len(part), *design.shape)))
        whitened_y = np.linalg.solve(
            factor, np.broadcast_to(residual[:, None], (len(part), len(residual), 1))
        )
        normal = np.swapaxes(whitened_x, 1, 2) @ whitened_x
        inverse = np.linalg.inv(normal)
        found = inverse @ (np.swapaxes(whitened_x, 1, 2) @ whitened_y)
        left = ((whitened_y - whitened_x @ found) ** 2).sum(axis=(1, 2))
        log_size = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        scores.append(-(log_size + np.log(np.linalg.det(normal)) + left) / 2)
        estimates.append(found[:, 1, 0])
        variances.append(inverse[:, 1, 1])
    score = np.concatenate(scores)
    weight = np.exp(score - score.max())
    chosen = rng.choice(len(weight), DRAW_COUNT, p=weight / weight.sum())
    spread = np.sqrt(np.concatenate(variances))[chosen]
    return np.asarray(np.concatenate(estimates)[chosen] + spread * rng.normal(size=DRAW_COUNT))


def _kernels(days: Days, outside: Floats | None) -> list[Floats]:
    """The covariance of the days for every point of the grid, in stacks that fit in the cache."""
    own = np.diag(days.own_variance)
    day = days.day.astype(float)
    apart = np.abs(day[:, None] - day)
    weekday = (days.day + EPOCH_WEEKDAY) % 7
    weekend = weekday >= 5
    week = (weekend[:, None] == weekend) + (weekday[:, None] == weekday) / 9
    weeks = (day - day.mean()) / 7
    after = days.is_after * (weeks - np.average(weeks, weights=days.is_after * days.count))
    drift = np.outer(weeks, weeks) + np.outer(after, after)
    steps = np.minimum.outer(days.deployments, days.deployments)  # those before both of two days
    others = np.zeros_like(own) if outside is None else np.outer(outside, outside)
    persistent = [np.where(apart == 0, 1.0, each**apart if each else 0.0) for each in _PERSISTENCES]
    grid = [
        _WEEKEND_DEVIATIONS,
        _WEEKLY_DRIFTS,
        _DEPLOYMENT_DEVIATIONS if steps.any() else (0.0,),
        (0.0,) if outside is None else (0.0, 1.0),
    ]
    parts = []
    for excess in _OWN_EXCESSES:
        stack = []
        for of_weekends, of_drift, deployed, other in product(*grid):
            fixed = excess * own + of_weekends**2 * week + of_drift**2 * drift
            fixed = fixed + deployed**2 * steps + other * others
            stack += [
                fixed + deviation**2 * shape
                for deviation in _DAY_DEVIATIONS
                for shape in persistent
            ]
        parts.append(np.stack(stack))
    return parts
