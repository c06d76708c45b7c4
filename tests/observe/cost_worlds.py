"""Made-up hours of a function whose true level is known: cycles, heavy tails, gaps, steps."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from tuner.observe.hourly import HourlyCosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEAN_USD = 2e-6
_FEW = 2500
"""Up to so many invocations a day each one is drawn; above, an hour's sums are."""


def up_to(hours: HourlyCosts, end: int) -> HourlyCosts:
    """The first `end` hours."""
    first, *sums = (getattr(hours, each.name) for each in fields(hours))
    return HourlyCosts(first, *(each[:end] for each in sums))


def made_hours(
    rng: np.random.Generator,
    *,
    days: int,
    per_day: float,
    cv: float,
    steps: Sequence[tuple[int, float]] = (),
    cycle: float = 0.1,
    weekend: float = -0.05,
    hour_deviation: float = 0.01,
    day_deviation: float = 0.0,
    slow_share: float = 0.002,
    gap_share: float = 0.02,
    traffic_step: tuple[int, float] = (0, 1.0),
) -> HourlyCosts:
    """Hours of lognormal costs of this coefficient of variation.

    `steps` are (hour, ratio less 1). Traffic varies nine to one over the day and is 40% less on
    weekends; the level varies by `cycle` over the day and `weekend` on weekends, and by chance from
    hour to hour and day to day; a share of the invocations is three times slower or more (a Pareto
    tail); some hours are missing.
    """
    hours = np.arange(days * 24)
    of_day, weekday = hours % 24, (hours // 24 + 3) % 7  # 1970-01-01 was a Thursday
    traffic = (1 + 0.8 * np.sin((of_day - 9) / 24 * 2 * np.pi)) * np.where(weekday >= 5, 0.6, 1.0)
    traffic *= per_day / 24 / traffic.mean() * np.exp(rng.normal(0, 0.15, len(hours)))
    traffic[hours >= traffic_step[0]] *= traffic_step[1]
    counts = rng.poisson(traffic)
    counts[rng.random(len(hours)) < gap_share] = 0
    deviation = float(np.sqrt(np.log1p(cv**2)))
    level = np.log(MEAN_USD) - deviation**2 / 2 + cycle * np.sin((of_day - 14) / 24 * 2 * np.pi)
    level += np.where(weekday >= 5, weekend, 0.0) + rng.normal(0, hour_deviation, len(hours))
    level += np.repeat(rng.normal(0, day_deviation, days), 24)
    for at, ratio in steps:
        level[hours >= at] += np.log1p(ratio)
    if per_day <= _FEW:
        return _of_invocations(rng, counts, level, deviation, slow_share)
    return _of_sums(rng, counts, level, deviation, cv)


def _of_invocations(
    rng: np.random.Generator,
    counts: NDArray[np.int64],
    level: NDArray[np.float64],
    deviation: float,
    slow_share: float,
) -> HourlyCosts:
    at = np.repeat(np.arange(len(counts)), counts)
    logs = level[at] + rng.normal(0, deviation, len(at))
    logs += np.where(rng.random(len(at)) < slow_share, 1 + rng.exponential(0.4, len(at)), 0.0)
    costs = np.exp(logs)

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(at, values, minlength=len(counts))

    return HourlyCosts(
        0, counts.astype(float), summed(costs), summed(costs**2), summed(logs), summed(logs**2)
    )


def _of_sums(
    rng: np.random.Generator,
    counts: NDArray[np.int64],
    level: NDArray[np.float64],
    deviation: float,
    cv: float,
) -> HourlyCosts:
    """What many lognormal costs add up to: exact for the logarithms, nearly so for the costs."""
    some = np.maximum(counts, 1)
    means = level + rng.normal(0, 1, len(counts)) * deviation / np.sqrt(some)
    spread = deviation**2 * rng.chisquare(np.maximum(some - 1, 1))
    costs = np.exp(level + deviation**2 / 2)
    noise = 1 + rng.normal(0, 1, len(counts)) * cv / np.sqrt(some)
    return HourlyCosts(
        0,
        counts.astype(float),
        counts * costs * noise,
        counts * costs**2 * (1 + cv**2),
        counts * means,
        np.where(counts > 0, spread + counts * means**2, 0.0),
    )
