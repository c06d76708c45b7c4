"""Minutes of a function whose arrivals are known: seasons, bursts, schedules, and runaways."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tuner.watch.metric_history import MetricHistory

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
DAY: Final = 1440


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How a function is invoked without anything being wrong."""

    per_minute: float = 5.0
    daily: float = 0.8
    """By how much the rate swings over the day."""
    weekend: float = 0.5
    day_deviation: float = 0.15
    bursts_a_day: float = 0.0
    burst_ratio: float = 4.0
    burst_minutes: int = 20
    every_minutes: int = 0
    """A schedule: this many minutes apart, `batch` invocations."""
    batch: int = 1
    weekly_import: int = 0
    """Invocations a minute, on Sundays for two hours."""
    error_share: float = 0.002
    mean_ms: float = 200.0
    cv: float = 0.5


def made_history(arrivals: Arrivals, days: int, seed: int) -> MetricHistory:
    """Series of so many days as CloudWatch would have them."""
    rng = np.random.default_rng([seed, 5])
    minute = np.arange(days * DAY)
    of_day, weekday = minute % DAY, (minute // DAY) % 7
    rate = arrivals.per_minute * (1 + arrivals.daily * np.sin((of_day / DAY - 0.3) * 2 * math.pi))
    rate *= np.where(weekday >= 5, arrivals.weekend, 1.0)
    rate *= np.repeat(np.exp(rng.normal(0, arrivals.day_deviation, days)), DAY)
    for begin in np.flatnonzero(rng.random(len(minute)) < arrivals.bursts_a_day / DAY):
        rate[begin : begin + arrivals.burst_minutes] *= arrivals.burst_ratio * rng.uniform(0.5, 1.0)
    counts = rng.poisson(rate)
    if arrivals.every_minutes:
        counts[:: arrivals.every_minutes] += arrivals.batch
    imports = (weekday == 6) & (of_day >= 120) & (of_day < 240)
    counts[imports] += arrivals.weekly_import
    return history_of(counts, arrivals, rng)


def history_of(
    counts: np.ndarray, arrivals: Arrivals, rng: np.random.Generator, *, failing: bool = False
) -> MetricHistory:
    """The series of these counts a minute."""
    there = counts > 0
    spread = arrivals.cv / np.sqrt(np.maximum(counts, 1))
    mean = arrivals.mean_ms * np.exp(rng.normal(0, 1, len(counts)) * spread)
    errors = counts if failing else rng.binomial(counts, arrivals.error_share)
    busy = np.ceil(counts * mean / 60_000 + 2 * np.sqrt(counts * mean / 60_000))
    series = {
        ("Invocations", "Sum"): np.where(there, counts, np.nan),
        ("Errors", "Sum"): np.where(there, errors, np.nan),
        ("Duration", "Sum"): np.where(there, counts * mean, np.nan),
        ("Duration", "Average"): np.where(there, mean, np.nan),
        ("ConcurrentExecutions", "Maximum"): np.where(there, np.maximum(busy, 1), np.nan),
    }
    return MetricHistory(START, len(counts), series)
