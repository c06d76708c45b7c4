"""Days of a function in production whose truth is known, around a sweep of it."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.sweeps import made_function, made_sweep
from tuner import session
from tuner.model.scan import DaySums
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

SWEPT: Final = datetime.date(2026, 10, 1)
CURRENT_MB: Final = 1024
TRUE_MS: Final = 10 + 200 * 1769 / CURRENT_MB
"""Of `tests.sweeps.cpu_bound_ms`."""
PRICES: Final = load_price_book().lambda_prices("us-east-1", "x86_64")


@cache
def swept(seed: int = 1) -> tuple[Sweep, Recommendation]:
    """A sweep of the first of October, with costs at today's prices, and its answer."""
    sweep = made_sweep(seed=seed, current_mb=CURRENT_MB, max_memory_used_mb=90)
    priced = tuple(
        replace(
            each,
            cost_usd=PRICES.invocation_cost_usd(each.memory_mb, each.report.billed_duration_ms),
        )
        for each in sweep.invocations
        if each.report is not None
    )
    sweep = replace(
        sweep,
        invocations=priced,
        started_at=f"{SWEPT}T10:00:00Z",
        function=made_function(CURRENT_MB),
    )
    return sweep, session.recommend(session.analyse(sweep))


@dataclass(frozen=True, slots=True)
class World:
    """How production behaves; `ratio` and the others after it hold from `changed_day` on."""

    per_day: float = 2000.0
    cv: float = 0.5
    slow_share: float = 0.002
    """Of invocations that take some three times as long and more (a Pareto tail)."""
    weekend_ratio: float = 0.95
    day_deviation: float = 0.01
    persistence: float = 0.5
    days_before: int = 28
    days_after: int = 14
    payload_ratio: float = 1.0
    """Production's mean over the sweep's, all along."""
    changed_day: int = 1
    """After the sweep."""
    ratio: float = 1.0
    memory_ratio: float = 1.0
    cold_share: float = 0.01
    cold_share_then: float | None = None
    cv_then: float | None = None


def made_days(world: World, seed: int) -> list[DaySums]:
    """The days, but the one of the sweep."""
    rng = np.random.default_rng([seed, 11])
    return [*_days(world, rng)]


def _days(world: World, rng: np.random.Generator) -> Iterator[DaySums]:
    excess = rng.normal(0, world.day_deviation)
    for number in range(-world.days_before, world.days_after + 1):
        keep = world.persistence
        excess = keep * excess + math.sqrt(1 - keep**2) * rng.normal(0, world.day_deviation)
        if number == 0:
            continue
        day = SWEPT + datetime.timedelta(days=number)
        is_changed = number >= world.changed_day
        weekend = day.weekday() >= 5
        level = TRUE_MS * world.payload_ratio * math.exp(excess)
        level *= (world.weekend_ratio if weekend else 1.0) * (world.ratio if is_changed else 1.0)
        cv = world.cv_then if is_changed and world.cv_then is not None else world.cv
        share = world.cold_share
        if is_changed and world.cold_share_then is not None:
            share = world.cold_share_then
        yield _day(world, rng, day, level_ms=level, cv=cv, cold_share=share, is_changed=is_changed)


def _day(
    world: World,
    rng: np.random.Generator,
    day: datetime.date,
    *,
    level_ms: float,
    cv: float,
    cold_share: float,
    is_changed: bool,
) -> DaySums:
    count = int(rng.poisson(world.per_day * (0.6 if day.weekday() >= 5 else 1.0)))
    deviation = math.sqrt(math.log1p(cv**2))
    times = level_ms * np.exp(rng.normal(-(deviation**2) / 2, deviation, count))
    times *= np.where(rng.random(count) < world.slow_share, 3 * (1 + rng.pareto(3, count)), 1.0)
    cold = rng.random(count) < cold_share
    used = 90 * (world.memory_ratio if is_changed else 1.0) * (1 + 0.04 * rng.random())
    warm = times[~cold]
    return DaySums(
        function="made",
        day=day.isoformat(),
        version="1",
        memory_mb=CURRENT_MB,
        invocation_count=count,
        billed_ms_sum=int(np.ceil(times + np.where(cold, 180.0, 0.0)).sum()),
        warm_count=len(warm),
        warm_ms_sum=float(warm.sum()),
        warm_ms2_sum=float((warm**2).sum()),
        cold_count=int(cold.sum()),
        init_ms_sum=180.0 * float(cold.sum()),
        error_count=0,
        timeout_count=0,
        oom_count=0,
        longest_ms=float(times.max(initial=0.0)),
        max_memory_used_mb=round(used),
    )
