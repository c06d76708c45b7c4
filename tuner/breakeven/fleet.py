"""Counts the units of a fleet for its load (the peak all month, or what comes over the day), prices
it, and finds where it becomes cheaper for good.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven.work import MIN_PROCESS_MB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.breakeven.answer import BillItem
    from tuner.breakeven.offers import Offer
    from tuner.breakeven.terms import Scenario
    from tuner.breakeven.traffic import Traffic
    from tuner.breakeven.work import Work
    from tuner.model.arrays import Flags, Floats

SLOWER_RATIO: Final = 1.02
"""How much longer than on Lambda a request may take before a unit is too slow."""
RATES_PER_S: Final = np.geomspace(1e-4, 1e6, 201)
MOST_STEPS: Final = 200
"""Beyond this many units a step is half a percent, less than the grid resolves."""
ROUNDING: Final = 1e-9
"""A rate that fills n units exactly needs n, whatever the last bit of the division says."""
MOST_TEAM_UNITS: Final = 36
"""Units at the peak that a team would run if larger ones are available: a few dozen."""
COOLDOWN_MINUTES: Final = 5
RISE_LAG_MINUTES: Final = 3 + COOLDOWN_MINUTES
FALL_LAG_MINUTES: Final = 15 + COOLDOWN_MINUTES
"""Target tracking's alarms add capacity after 3 minutes above the target and take it away after 15
below (they show so in CloudWatch; re:Post says the same), and 300 s then pass: the default cooldown
of an ECS service (Application Auto Scaling API Reference,
TargetTrackingScalingPolicyConfiguration), and what a new instance has to warm up where nothing else
is set (EC2 Auto Scaling User Guide, "Set the default instance warmup")."""
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

    A rate alone says nothing of the day: the logarithm of the load is a cosine over 24 hours, the
    one such day with that mean and peak. At a peak of 3 times the mean 9 hours lie above the mean,
    and the quietest hour has 9% of it. The load scaled for is the highest between
    `FALL_LAG_MINUTES` and `RISE_LAG_MINUTES` before.
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


@dataclass(frozen=True, slots=True)
class Fleet:
    """Offers of one platform and what comes with them.

    `fixed_usd` is the monthly cost besides the units, `usd_per_rate` what each request per second
    adds to it; both have their items.
    """

    offers: tuple[Offer, ...]
    min_units: int
    fixed_usd: float
    usd_per_rate: float
    fixed_items: tuple[BillItem, ...] = ()
    rate_items: tuple[BillItem, ...] = ()
    speed_ratio: float = 1.0
    """The speed of its architecture's vCPUs over the function's architecture's."""

    @property
    def unit_usd(self) -> Floats:
        """A month of each offer."""
        return np.array([offer.month_usd for offer in self.offers])


@dataclass(frozen=True, slots=True)
class Capacity:
    """Rates that one unit can handle: (draws, offers).

    `following` is the load of an hour that the fleet is scaled for, `fixed` the mean rate of a
    month for a fleet sized for its peak.
    """

    following: Floats
    fixed: Floats

    def team_sized(self, rates_per_s: Floats) -> Flags:
        """Offers that a team would run in the number a mean rate needs: (draws, rates, offers).

        Up to `MOST_TEAM_UNITS` at the peak; if even the largest offer needs more, that one.
        """
        most = self.fixed.max(axis=1, keepdims=True) * (1 - 1e-9)
        least = np.minimum(rates_per_s / MOST_TEAM_UNITS, most)
        return np.asarray(self.fixed[:, None, :] >= least[:, :, None])


def capacity_per_s(
    offers: Sequence[Offer], work: Work, scenario: Scenario, load: FleetLoad
) -> Capacity:
    """Rates that one unit can handle; 0 if not a single process fits.

    The peak may use the target share of the vCPUs and of the processes' slots, and the mean the
    same share of a burstable type's baseline. A process holds further requests only while those
    before them wait.
    """
    speed, share = scenario.vcpu_speed[:, None], scenario.utilization[:, None]
    cpu_s = work.cpu_ms[:, None] / 1000 / speed
    duration_s = _duration_ms(offers, work, scenario) / 1000
    held = np.minimum(scenario.concurrency, 1 + work.wait_ms / 1000 / cpu_s[:, 0])[:, None]
    by_cpu = _of(offers, "vcpu") * share / cpu_s
    by_place = _process_counts(offers, work) * held * share / duration_s
    by_baseline = _of(offers, "sustained_vcpu") * share / cpu_s
    at_peak = np.minimum(by_cpu, by_place)
    return Capacity(
        following=np.minimum(at_peak / load.within_ratio, by_baseline),
        fixed=np.minimum(at_peak, by_baseline * load.burst_ratio) / load.peak_ratio,
    )


def fast_enough(offers: Sequence[Offer], work: Work, scenario: Scenario) -> Flags:
    """Offers where the central request takes no longer than on Lambda, and fits."""
    quick = _duration_ms(offers, work, scenario)[0] <= work.lambda_ms[0] * SLOWER_RATIO
    return np.asarray(quick & (_process_counts(offers, work)[0] >= 1))


def unit_count(rate_per_s: Floats, capacity: Floats, min_units: int) -> Floats:
    """Whole units that can handle a rate."""
    return np.maximum(np.ceil(rate_per_s / capacity - ROUNDING), min_units)


def cost_usd(
    fleet: Fleet,
    capacity: Capacity,
    load: FleetLoad,
    rates_per_s: Floats,
    *,
    any_size: bool = False,
) -> Floats:
    """Monthly cost at each mean rate: (draws, rates, offers).

    Infinite for offers of which a team would need too many, unless `any_size`.
    """
    cost = mean_units(fleet, capacity, load, rates_per_s) * fleet.unit_usd
    cost += (fleet.fixed_usd + rates_per_s * fleet.usd_per_rate)[:, None]
    return cost if any_size else np.where(capacity.team_sized(rates_per_s), cost, np.inf)


def mean_units(fleet: Fleet, capacity: Capacity, load: FleetLoad, rates_per_s: Floats) -> Floats:
    """Units on average over the hours: (draws, rates, offers).

    A fleet that would be larger if it followed the load has one size: burstable types, whose
    credits from the night carry the day's peak.
    """
    rates = rates_per_s[:, None]
    fixed = unit_count(rates, capacity.fixed[:, None], fleet.min_units)
    if load.is_fixed:
        return fixed
    full = rates / capacity.following[:, None]
    need = np.multiply.outer(load.levels, full.ravel())
    need -= ROUNDING
    units = np.maximum(np.ceil(need, out=need), fleet.min_units, out=need)
    return np.minimum((load.shares @ units).reshape(full.shape), fixed)


def break_even_per_s(fleet: Fleet, capacity: Floats, lambda_usd_per_rate: Floats) -> Floats:
    """Lowest rate above which a fleet of one offer stays cheaper: (draws, offers), inf if none.

    For a fleet of one size all month and a bill of Lambda that grows with the rate alone. On the
    step of n units Lambda is cheaper up to (fixed + n × unit) / margin, the margin being what a
    request saves before units. The last step on whose beginning Lambda is still cheaper decides.
    """
    margin = lambda_usd_per_rate[:, None] - fleet.usd_per_rate
    unit = fleet.unit_usd
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = margin * capacity - unit
        # A step that begins at equal cost doesn't count: hence one less than ceil.
        last = np.ceil((fleet.fixed_usd + margin * capacity) / gain - 1e-9) - 1
        last = np.maximum(last, fleet.min_units)
        crossing = (fleet.fixed_usd + last * unit) / margin
    found = np.minimum(crossing, last * capacity)
    return np.where((margin > 0) & (gain > 0), found, np.inf)


def lowest_team_break_even(break_even: Floats, capacity: Floats) -> Floats:
    """The lowest rate above which some team-sized offer stays cheaper: (draws,), from each one's.

    Beyond its maximum number of units an offer gives way to a larger one, which must be cheaper
    there.
    """
    order = np.argsort(-capacity, axis=1)
    largest = capacity >= capacity.max(axis=1, keepdims=True) * (1 - 1e-9)
    reach = np.where(largest, np.inf, MOST_TEAM_UNITS * capacity)
    found = np.full(len(capacity), np.inf)
    for column in order.T[:, :, None]:
        own, until = (np.take_along_axis(each, column, 1)[:, 0] for each in (break_even, reach))
        found = np.where(until >= found, np.minimum(found, own), found)
    return found


def break_even_by_hour_per_s(
    fleet: Fleet, capacity: Capacity, load: FleetLoad, lambda_usd: Callable[[Floats], Floats]
) -> Floats:
    """The same for any shape and any bill: (draws,), for the cheapest of the offers at each rate.

    `lambda_usd` takes rates (n,) and returns costs (draws, n). Found on a grid of 20 rates a
    decade from 0.0001/s to a million a second: the answer is the rate on the grid (12% apart)
    from which the fleet is cheaper at every greater one. For a single draw the grid has the
    beginnings of the fleet's steps besides, where it costs most, and the answer is then sought
    between the two rates about it, to 0.002%.
    """

    def gap(rates: Floats) -> Floats:
        return np.asarray(cost_usd(fleet, capacity, load, rates).min(axis=2) - lambda_usd(rates))

    def first_of(rates: Floats) -> Floats:
        """The rate after the last one at which the fleet costs as much or more."""
        loses = gap(rates) >= 0
        last = loses.shape[1] - 1 - loses[:, ::-1].argmax(axis=1)
        beyond = np.append(rates, np.inf)
        return np.asarray(beyond[np.where(loses.any(axis=1), last + 1, 0)])

    if len(capacity.fixed) > 1:
        return first_of(RATES_PER_S)
    rates = np.union1d(RATES_PER_S, _step_rates(capacity.fixed[0], load))
    for _ in range(2):
        found = first_of(rates)
        place = int(np.searchsorted(rates, found[0]))
        if not 0 < place < len(rates):
            return found
        rates = np.geomspace(rates[place - 1], rates[place], 61)
    return first_of(rates)


def _step_rates(capacity: Floats, load: FleetLoad) -> Floats:
    """Just above each multiple of a fixed unit's capacity, where another unit is needed."""
    if not load.is_fixed:
        return np.empty(0)  # many hours in small steps add up to a smooth curve
    starts = np.arange(1, MOST_STEPS + 1)[:, None] * capacity
    return np.asarray(starts.ravel() * (1 + 1e-9))


def _duration_ms(offers: Sequence[Offer], work: Work, scenario: Scenario) -> Floats:
    cores = np.minimum(work.core_count[:, None], _of(offers, "vcpu"))
    return work.wait_ms[:, None] + work.cpu_ms[:, None] / (scenario.vcpu_speed[:, None] * cores)


def _process_counts(offers: Sequence[Offer], work: Work) -> Floats:
    """Processes that fit into a unit's memory, each with the memory it was seen to use."""
    process_mb = np.maximum(max(work.memory_used_mb, MIN_PROCESS_MB), _of(offers, "min_process_mb"))
    return np.asarray(np.floor(_of(offers, "memory_mb") / process_mb))


def _of(offers: Sequence[Offer], name: str) -> Floats:
    return np.array([[getattr(offer, name) for offer in offers]], dtype=float)
