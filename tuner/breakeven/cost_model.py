"""What each platform costs, and above which rate it's cheaper: work, traffic and prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven import fleet as fleets
from tuner.breakeven.answer import CurvePoint, PlatformCost, RateInterval, merged
from tuner.breakeven.fleet import fleet_load
from tuner.breakeven.terms import central_scenario
from tuner.breakeven.work import with_draws
from tuner.model.interval import Interval

if TYPE_CHECKING:
    from tuner.breakeven.answer import BillItem
    from tuner.breakeven.fleet import FleetLoad
    from tuner.breakeven.lambda_bill import LambdaBill
    from tuner.breakeven.platforms import Candidate
    from tuner.breakeven.terms import Scenario, Terms
    from tuner.breakeven.work import Work
    from tuner.model.arrays import Floats
    from tuner.pricing import LambdaPrices

CHART_RATES_PER_S: Final = np.geomspace(1e-2, 1e4, 61)
SEARCH_DRAWS: Final = 40


@dataclass(frozen=True, slots=True)
class CostModel:
    """All draws, and the central values, for one question."""

    work: Work
    scenario: Scenario
    bill: LambdaBill
    terms: Terms

    @property
    def load(self) -> FleetLoad:
        """The load that fleets are sized for."""
        return fleet_load(self.terms.traffic, autoscaling=self.terms.autoscaling)

    @property
    def fixed(self) -> CostModel:
        """The same with fleets sized for their peak all month; Lambda's bill is unchanged."""
        return replace(self, terms=replace(self.terms, autoscaling=False))

    @property
    def central(self) -> CostModel:
        """The same with only the central values."""
        middle = central_scenario(self.terms.utilization, self.terms.container_concurrency)
        return replace(self, work=self.work.central, scenario=middle)

    def subsample(self) -> CostModel:
        """The same with only the first draws, for searches."""
        work = with_draws(self.work, lambda draws: draws[:SEARCH_DRAWS])
        scenario = with_draws(self.scenario, lambda draws: draws[:SEARCH_DRAWS])
        return replace(self, work=work, scenario=scenario)


def on_architecture(costs: CostModel, prices: LambdaPrices, speed_ratio: float) -> CostModel:
    """The same function on Lambda's other architecture, with vCPUs `speed_ratio` times as fast."""
    work, bill = costs.work, costs.bill
    wait_ms = np.minimum(work.wait_ms, work.lambda_ms)
    took_ms = wait_ms + (work.lambda_ms - wait_ms) / speed_ratio
    size = bill.memory_mb, bill.ephemeral_storage_mb
    price_ratio = prices.price_usd_per_ms(*size) / bill.prices.price_usd_per_ms(*size)
    billed = work.lambda_cost_usd - float(bill.prices.request_price_usd)
    cost = float(prices.request_price_usd) + billed * price_ratio * took_ms / work.lambda_ms
    work = replace(work, lambda_ms=took_ms, lambda_cost_usd=cost)
    return replace(costs, work=work, bill=replace(bill, prices=prices))


def fitting(candidate: Candidate, costs: CostModel) -> Candidate | None:
    """The candidate with the offers that are fast enough; None if there is none."""
    middle = costs.central
    offers = candidate.fleet.offers
    fast = fleets.fast_enough(offers, middle.work, _scenario(candidate, middle))
    kept = tuple(offer for offer, quick in zip(offers, fast, strict=True) if quick)
    return replace(candidate, fleet=replace(candidate.fleet, offers=kept)) if kept else None


def fleet_usd(
    candidate: Candidate, at: CostModel, rate_per_s: float, *, any_size: bool = False
) -> Floats:
    """A month of the cheapest offer of each draw: (draws,)."""
    costs = _usd(candidate, at, np.array([rate_per_s]), any_size=any_size)
    return np.asarray(costs[:, 0].min(axis=1))


def price_platform(candidate: Candidate, costs: CostModel) -> PlatformCost:
    """Cost, break-even and chart line of one platform. Its offers must be fast enough."""
    middle, rate = costs.central, costs.terms.traffic.rate_per_s
    estimate = _break_even(candidate, middle)[0]
    at = rate or (estimate if np.isfinite(estimate) else 1.0)
    curve = _usd(candidate, middle, CHART_RATES_PER_S)[0].min(axis=1)
    return PlatformCost(
        name=candidate.name,
        kind=candidate.kind,
        units=describe_units(candidate, middle, at),
        cost_usd_per_month=None if rate is None else _cost(candidate, costs, rate),
        fixed_cost_usd_per_month=None if rate is None else _cost(candidate, costs.fixed, rate),
        break_even=_rate_interval(float(estimate), candidate, costs),
        same_architecture=candidate.architecture == costs.bill.prices.architecture,
        curve=_points(curve),
        bill=() if rate is None else _items(candidate, middle, rate),
    )


def _cost(candidate: Candidate, costs: CostModel, rate_per_s: float) -> Interval:
    middle = fleet_usd(candidate, costs.central, rate_per_s)[0]
    return interval(middle, fleet_usd(candidate, costs, rate_per_s))


def _points(usd: Floats) -> tuple[CurvePoint, ...]:
    points = zip(CHART_RATES_PER_S, usd, strict=True)
    return tuple(CurvePoint(float(rate), float(each)) for rate, each in points)


def price_lambda(costs: CostModel) -> PlatformCost:
    """Lambda itself at the chosen size."""
    middle, bill = costs.central, costs.bill
    rate = costs.terms.traffic.rate_per_s
    line = bill.month_usd(middle.work, CHART_RATES_PER_S)[0]
    cost, ready = None, 0.0
    if rate is not None:
        rates = np.array([rate])
        draws = bill.month_usd(costs.work, rates)[:, 0]
        cost = interval(bill.month_usd(middle.work, rates)[0, 0], draws)
        ready = bill.provisioned_count(middle.work, rate)
    return PlatformCost(
        name="Lambda",
        kind="lambda",
        units=f"{bill.memory_mb} MB" + (f" × {ready:,.0f} provisioned" if ready else ""),
        cost_usd_per_month=cost,
        break_even=None,
        curve=_points(line),
        bill=() if rate is None else bill.items(middle.work, rate),
    )


def interval(estimate: float, draws: Floats) -> Interval:
    """The central value with the draws' 90% interval, which always includes it."""
    low, high = np.quantile(draws, (0.05, 0.95))
    return Interval(float(estimate), float(min(low, estimate)), float(max(high, estimate)))


def _rate_interval(estimate: float, candidate: Candidate, costs: CostModel) -> RateInterval | None:
    if not np.isfinite(estimate):
        return None
    draws = np.sort(_break_even(candidate, costs))
    low = draws[int(0.05 * len(draws))]
    high = max(float(draws[min(int(0.95 * len(draws)), len(draws) - 1)]), estimate)
    return RateInterval(estimate, min(float(low), estimate), high if np.isfinite(high) else None)


def _break_even(candidate: Candidate, at: CostModel) -> Floats:
    """For each draw, from the offer with the lowest break-even: a fleet has one type."""
    if at.load.is_fixed and at.bill.is_linear:
        capacity = _capacity(candidate, at).fixed
        each = fleets.break_even_per_s(candidate.fleet, capacity, at.bill.usd_per_rate(at.work))
        return fleets.lowest_team_break_even(each, capacity)
    subset = at.subsample()
    best = _cheapest_somewhere(candidate, subset.central)
    return fleets.break_even_by_hour_per_s(
        best.fleet,
        _capacity(best, subset),
        at.load,
        lambda rates: subset.bill.month_usd(subset.work, rates),
    )


def _cheapest_somewhere(candidate: Candidate, middle: CostModel) -> Candidate:
    """The offers that are cheapest at some rate: few enough to search."""
    rates = np.append(CHART_RATES_PER_S, fleets.RATES_PER_S[-1])
    winners = np.unique(_usd(candidate, middle, rates)[0].argmin(axis=1))
    offers = tuple(candidate.fleet.offers[index] for index in winners)
    return replace(candidate, fleet=replace(candidate.fleet, offers=offers))


def _usd(
    candidate: Candidate, at: CostModel, rates_per_s: Floats, *, any_size: bool = False
) -> Floats:
    capacity = _capacity(candidate, at)
    return fleets.cost_usd(candidate.fleet, capacity, at.load, rates_per_s, any_size=any_size)


def _cheapest(
    candidate: Candidate, middle: CostModel, rate_per_s: float, *, any_size: bool = False
) -> tuple[int, float, int]:
    """The cheapest offer at a rate, with its units on average and at the peak."""
    fleet, capacity, load = candidate.fleet, _capacity(candidate, middle), middle.load
    rates = np.array([rate_per_s])
    costs = fleets.cost_usd(fleet, capacity, load, rates, any_size=any_size)
    best = int(costs[0, 0].argmin())
    mean = float(fleets.mean_units(fleet, capacity, load, rates)[0, 0, best])
    peak = fleets.unit_count(rates, capacity.fixed[0, best], fleet.min_units)
    return best, mean, int(peak[0])


def _capacity(candidate: Candidate, at: CostModel) -> fleets.Capacity:
    offers = candidate.fleet.offers
    return fleets.capacity_per_s(offers, at.work, _scenario(candidate, at), at.load)


def _scenario(candidate: Candidate, at: CostModel) -> Scenario:
    """The scenario with the speed of the candidate's architecture."""
    ratio = candidate.fleet.speed_ratio
    return replace(at.scenario, vcpu_speed=at.scenario.vcpu_speed * ratio)


def _items(candidate: Candidate, middle: CostModel, rate_per_s: float) -> tuple[BillItem, ...]:
    """The bill of the cheapest fleet at a rate; its units are the mean over the hours."""
    fleet = candidate.fleet
    best, count, _ = _cheapest(candidate, middle, rate_per_s)
    return merged(
        [
            *(item.times(count) for item in fleet.offers[best].items),
            *(item for item in fleet.fixed_items if item.price_usd),
            *(item.times(rate_per_s) for item in fleet.rate_items if item.price_usd),
        ]
    )


def describe_units(
    candidate: Candidate, middle: CostModel, rate_per_s: float, *, any_size: bool = False
) -> str:
    """The cheapest fleet at the peak: `4 × 1 vCPU + 2 GB`; if it changes over the month, its mean
    as well: `2.5 (max 4) × …`.
    """
    best, mean, most = _cheapest(candidate, middle, rate_per_s, any_size=any_size)
    count = f"{most:,}" if most - mean < 0.05 else f"{mean:,.1f} (max {most:,})"
    return f"{count} × {candidate.fleet.offers[best].name}"
