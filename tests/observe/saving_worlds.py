"""Made-up weeks of a function whose memory changes once, and what that truly saved.

A function has two kinds of requests, one that computes and one that waits: memory moves them
differently, and their shares move by the hour of the day, over the weeks and by chance. The truth
is the expected cost of the requests after the change at the new memory over that of the very same
requests at the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.observe.use_hours import UseRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FIRST_HOUR = 24 * 20_513  # a Monday of 2026
OLD_MB, NEW_MB = 1024, 1792


@dataclass(frozen=True, slots=True)
class World:
    """What a function and its traffic are like. Shares and ratios; deviations of logarithms."""

    days_before: int = 10
    days_after: int = 10
    change_hour: int = 11
    per_day: float = 2000.0
    cv: float = 0.6
    ratio: float = 0.7
    """Cost of a computing request at the new memory over the old one."""
    waiting_ratio: float | None = None
    """The same of a waiting one; None: as a computing one."""
    waiting_share: float = 0.3
    share_by_hour: float = 0.0
    share_drift_per_week: float = 0.0
    cost_by_hour: float = 0.1
    weekend_cost: float = -0.05
    weekend_traffic: float = 0.6
    traffic_growth_per_week: float = 0.0
    cost_drift_per_week: float = 0.0
    day_deviation: float = 0.01
    day_persistence: float = 0.3
    walk_deviation: float = 0.0
    hour_deviation: float = 0.02
    hour_persistence: float = 0.5
    slow_share: float = 0.002
    slow_times: float = 6.0
    burst_share: float = 0.0
    burst_times: float = 10.0
    deployments: tuple[tuple[int, float], ...] = ()
    """(days from the change, step of the logarithm); a new version each."""
    cold_share: float = 0.01
    cold_times: float = 4.0
    gamma: bool = False
    """Requests of a gamma distribution, not a lognormal one."""
    nightly_share: float = 0.0
    """Of the requests that come in two hours of the night."""
    regime_share: float = 0.0
    """Days on which the level jumps, and stays there until it jumps again."""
    regime_deviation: float = 0.05
    arrivals: tuple[float, ...] = ()
    """Recorded: requests in one slot after another, replayed an hour each."""
    times: tuple[float, ...] = ()
    """Recorded: durations over their mean, in place of a distribution."""


@dataclass(frozen=True, slots=True)
class Made:
    """A world's hours, and the truth."""

    rows: UseRows
    saving_ratio: float
    change_hour: int
    deployed_hours: tuple[int, ...]


def make(world: World, rng: np.random.Generator) -> Made:
    """Draw a world."""
    hours = np.arange((world.days_before + world.days_after) * 24)
    at = world.days_before * 24 + world.change_hour
    new = hours >= at
    weekend = (hours // 24) % 7 >= 5
    clock = hours % 24
    weeks = (hours - at) / 168
    traffic = (1 + 0.8 * np.sin((clock - 9) / 24 * 2 * np.pi)) * np.where(
        weekend, world.weekend_traffic, 1.0
    )
    traffic *= world.per_day / 24 / traffic.mean() * np.exp(world.traffic_growth_per_week * weeks)
    traffic *= np.exp(rng.normal(0, 0.15, len(hours)))
    traffic *= np.where(rng.random(len(hours)) < world.burst_share, world.burst_times, 1.0)
    if world.nightly_share:
        night = np.where((clock == 2) | (clock == 3), 12.0, 0.0) * world.per_day / 24
        traffic = (1 - world.nightly_share) * traffic + world.nightly_share * night
    if world.arrivals:
        played = np.array(world.arrivals) / np.mean(world.arrivals)
        begin = rng.integers(len(played))
        traffic *= played[(begin + hours) % len(played)]
    level = world.cost_by_hour * np.sin((clock - 14) / 24 * 2 * np.pi)
    level += np.where(weekend, world.weekend_cost, 0.0) + world.cost_drift_per_week * weeks
    days = world.days_before + world.days_after
    day_level = _persistent(rng, days, world.day_deviation, world.day_persistence)
    day_level += np.cumsum(rng.normal(0, world.walk_deviation, days))
    jumps = np.maximum.accumulate(np.where(rng.random(days) < world.regime_share, range(days), 0))
    day_level += rng.normal(0, world.regime_deviation, days)[jumps] if world.regime_share else 0.0
    level += np.repeat(day_level, 24)
    level += _persistent(rng, len(hours), world.hour_deviation, world.hour_persistence)
    deployed = tuple(at + round(day * 24) for day, _ in world.deployments)
    version = np.full(len(hours), 1)
    for hour, (_, step) in zip(deployed, world.deployments, strict=True):
        level += np.where(hours >= hour, step, 0.0)
        version += hours >= hour
    version += new
    waiting = world.waiting_share + world.share_by_hour * np.cos((clock - 14) / 24 * 2 * np.pi)
    waiting = np.clip(waiting + world.share_drift_per_week * weeks, 0.02, 0.98)
    waiting_ratio = world.ratio if world.waiting_ratio is None else world.waiting_ratio
    base = 4e-6 * np.exp(level)
    expected = np.stack([(1 - waiting) * base, waiting * base * 0.5])
    ratios = np.array([[world.ratio], [waiting_ratio]])
    truth_old = (expected * traffic)[:, new].sum()
    truth_new = (expected * ratios * traffic)[:, new].sum()
    parts = []
    for kind, share in enumerate((1 - waiting, waiting)):
        cost = base * (1.0, 0.5)[kind] * np.where(new, ratios[kind, 0], 1.0)
        for cold in (False, True):
            chance = world.cold_share if cold else 1 - world.cold_share
            count = rng.poisson(traffic * share * chance)
            times = world.cold_times if cold else 1.0
            parts.append((np.full(len(hours), cold), *_sums(world, rng, count, cost * times)))
    cold, count, cost, squares = (np.concatenate(each) for each in zip(*parts, strict=True))
    setting = np.where(new, NEW_MB, OLD_MB), version
    rows = _rows(hours, *setting, cold=cold, sums=(count, cost, squares))
    return Made(
        rows, 1 - float(truth_new / truth_old), FIRST_HOUR + at,
        tuple(FIRST_HOUR + each for each in deployed),
    )  # fmt: skip


def _persistent(
    rng: np.random.Generator, count: int, deviation: float, persistence: float
) -> Floats:
    """An AR(1) series of this deviation."""
    noise = rng.normal(0, deviation, count)
    found = np.empty(count)
    found[0] = noise[0]
    for index in range(1, count):
        found[index] = persistence * found[index - 1] + noise[index] * np.sqrt(1 - persistence**2)
    return found


def _sums(
    world: World, rng: np.random.Generator, count: NDArray[np.int64], mean: Floats
) -> tuple[Floats, Floats, Floats]:
    """Sums of so many requests of this mean: each drawn, or close to it where they are many."""
    most = 400
    few = np.minimum(count, most)
    at = np.repeat(np.arange(len(count)), few)
    if world.times:
        times = rng.choice(world.times, len(at))
    elif world.gamma:
        shape = 1 / world.cv**2
        times = rng.gamma(shape, 1 / shape, len(at))
    else:
        deviation = np.sqrt(np.log1p(world.cv**2))
        times = np.exp(rng.normal(-(deviation**2) / 2, deviation, len(at)))
    slow = rng.random(len(at)) < world.slow_share
    times = times * np.where(slow, world.slow_times * (0.5 + rng.pareto(3, len(at))), 1.0)
    # a Pareto variable of index 3 less 1 has a mean of 1/2
    times /= 1 + world.slow_share * (world.slow_times - 1)
    scale = count / np.maximum(few, 1)
    sums = np.bincount(at, times, minlength=len(count))
    squares = np.bincount(at, times**2, minlength=len(count)) * scale
    # What is not drawn has the same mean and spread: the deviation falls with the root.
    sums = count + (sums - few) * np.sqrt(scale)
    return count.astype(float), sums * mean, squares * mean**2


def _rows(
    hours: NDArray[np.int64],
    memory_mb: NDArray[np.int64],
    version: NDArray[np.int64],
    *,
    cold: NDArray[np.bool_],
    sums: tuple[Floats, Floats, Floats],
) -> UseRows:
    count, cost, squares = sums
    times = len(cold) // len(hours)
    some = count > 0
    slot = np.tile(hours, times)[some] + FIRST_HOUR
    nothing = np.zeros(int(some.sum()))
    return UseRows(
        slot=slot,
        version=np.tile(version.astype(str).astype(object), times)[some],
        environment=np.full(int(some.sum()), "", dtype=object),
        memory_mb=np.tile(memory_mb, times)[some],
        cold=cold[some],
        count=count[some],
        cost_usd=cost[some],
        cost_squares=squares[some],
        failure_count=nothing,
        kill_count=nothing,
        first_us=slot * 3_600_000_000,
        log_ms=nothing,
        log_ms_squares=nothing,
        success_count=count[some],
    )
