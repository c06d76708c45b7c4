"""The load that a fleet is sized for: its peak all month, or what comes over the day.

A rate alone says nothing of the day, so one is assumed: the logarithm of the load is a cosine over
24 hours, the one such day whose mean and peak are those that are asked for. At a peak of 3 times
the mean 9 hours lie above the mean, and the quietest hour has 9% of it.

Target tracking follows it late. AWS's alarms for it add capacity after 3 minutes above the target
and take it away after 15 below (they show so in CloudWatch; re:Post says the same), and 300 s then
pass: the default cooldown of an ECS service (Application Auto Scaling API Reference,
TargetTrackingScalingPolicyConfiguration), and what a new instance has to warm up where nothing else
is set (EC2 Auto Scaling User Guide, "Set the default instance warmup").
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tuner.breakeven.traffic import Traffic
    from tuner.model.arrays import Floats

COOLDOWN_MINUTES: Final = 5
RISE_LAG_MINUTES: Final = 3 + COOLDOWN_MINUTES
FALL_LAG_MINUTES: Final = 15 + COOLDOWN_MINUTES
MOST_HOURLY_RATIO: Final = 12.0
"""A higher peak lasts less than an hour: what is above it comes within each hour."""


@dataclass(frozen=True, slots=True)
class FleetLoad:
    """What the units must handle, relative to the mean rate: `levels` (ascending) and their
    `shares`.

    `within_ratio` is the peak within an hour over its level, `peak_ratio` the overall peak over the
    mean rate, and `burst_ratio` the part of it that passes within a day, so that a burstable type's
    credits last. `shortfall_ratio` is the share of an hour's load that has no unit yet.
    """

    levels: Floats
    shares: Floats
    within_ratio: float
    peak_ratio: float
    burst_ratio: float
    shortfall_ratio: float = 0.0

    @property
    def is_fixed(self) -> bool:
        """Whether the fleet has the same size all month."""
        return len(self.levels) == 1


@functools.lru_cache(maxsize=64)
def fleet_load(traffic: Traffic, *, autoscaling: bool) -> FleetLoad:
    """The load of a fleet that follows the traffic, or of one sized for its peak all month.

    A load by hour is followed by the hour, without the lag, which is shorter.
    """
    burst_ratio = traffic.peak_ratio
    peak_ratio = max(traffic.shape) * burst_ratio
    if autoscaling and traffic.is_by_hour:
        return FleetLoad(*traffic.levels(), burst_ratio, peak_ratio, burst_ratio)
    if not autoscaling or peak_ratio == 1:
        return FleetLoad(np.ones(1), np.ones(1), peak_ratio, peak_ratio, burst_ratio)
    hourly = min(peak_ratio, MOST_HOURLY_RATIO)
    load, ready = assumed_day(hourly)
    levels, counts = np.unique(np.round(ready, 12), return_counts=True)
    short = max(float(np.max(1 - ready / load)), 0.0)
    return FleetLoad(levels, counts / 24, peak_ratio / hourly, peak_ratio, burst_ratio, short)


def assumed_day(peak_ratio: float) -> tuple[Floats, Floats]:
    """For each of 24 hours, the peak first: the load over the mean, and the load scaled for.

    The latter is the highest between `FALL_LAG_MINUTES` and `RISE_LAG_MINUTES` before.
    """
    hours = np.arange(24.0)
    low, high = 0.0, 200.0
    for _ in range(60):
        steepness = (low + high) / 2
        if 1 / np.mean(_shape(hours, steepness)) < peak_ratio:
            low = steepness
        else:
            high = steepness
    ago = np.arange(RISE_LAG_MINUTES, FALL_LAG_MINUTES + 1)[:, None] / 60
    ready = peak_ratio * _shape(hours - ago, steepness).max(axis=0)
    ready[0] = peak_ratio  # the peak is reached and kept within its hour
    return peak_ratio * _shape(hours, steepness), ready


def _shape(hours: Floats, steepness: float) -> Floats:
    """The load over its peak."""
    return np.asarray(np.exp(steepness * (np.cos(hours * np.pi / 12) - 1)))
