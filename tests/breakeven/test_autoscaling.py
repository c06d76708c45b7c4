"""Fleets that follow the day: what they cost, never less than they need, never more than fixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.breakeven.test_fleet import work_of
from tuner.breakeven.fleet import (
    MOST_TEAM_UNITS,
    Capacity,
    Fleet,
    assumed_day,
    capacity_per_s,
    cost_usd,
    fleet_load,
    mean_units,
    unit_count,
)
from tuner.breakeven.offers import Offer
from tuner.breakeven.terms import central_scenario
from tuner.breakeven.traffic import Traffic

PEAKS = st.floats(1.0, 30.0)
RATES = st.floats(0.01, 1e5)
OFFERS = (
    Offer("small, burstable", 2, 0.4, 2048.0, 17.0),
    Offer("medium", 1, 1, 2048.0, 30.0),
    Offer("large", 2, 2, 4096.0, 62.0),
    Offer("4xlarge", 16, 16, 32768.0, 490.0),
    Offer("nearly as large", 15.9, 15.9, 32768.0, 300.0),
)


def month_usd(
    rate_per_s: float, peak_ratio: float, *, autoscaling: bool = True, min_units: int = 2
) -> float:
    """The cheapest fleet for 100 ms of CPU a request."""
    fleet = Fleet(OFFERS, min_units, fixed_usd=16.0, usd_per_rate=0.2)
    load = fleet_load(Traffic(None, peak_ratio), autoscaling=autoscaling)
    work, scenario = work_of(wait_ms=20, cpu_ms=100), central_scenario(0.6, 10.0)
    capacity = capacity_per_s(OFFERS, work, scenario, load)
    return float(cost_usd(fleet, capacity, load, np.array([rate_per_s])).min())


@example(peak=1.0, rate=3930.0, factor=4000 / 3930)  # as many of either large type, then not
@given(peak=PEAKS, rate=RATES, factor=st.floats(1.0, 20.0))
def test_a_month_costs_more_as_the_rate_grows(peak: float, rate: float, factor: float) -> None:
    """Whatever the peak, and though the offers that a team would run change on the way."""
    for autoscaling in (True, False):
        low, high = (
            month_usd(each, peak, autoscaling=autoscaling) for each in (rate, rate * factor)
        )
        assert low <= high * (1 + 1e-12)


@given(peak=PEAKS, rate=RATES)
def test_autoscaled_never_costs_more_than_fixed_at_the_peak(peak: float, rate: float) -> None:
    """Burstable types too, which may stand all day on the credits of the night."""
    assert month_usd(rate, peak) <= month_usd(rate, peak, autoscaling=False) * (1 + 1e-12)


@given(rate=RATES)
def test_a_steady_load_costs_the_same_either_way(rate: float) -> None:
    """With the mean as its peak there is nothing to follow."""
    assert month_usd(rate, 1.0) == month_usd(rate, 1.0, autoscaling=False)


@given(peak=PEAKS, rate=RATES, min_units=st.integers(1, 5))
def test_never_fewer_than_the_minimum(peak: float, rate: float, min_units: int) -> None:
    """The mean over the hours is no fewer than the minimum, nor more than the peak's units."""
    fleet = Fleet(OFFERS, min_units, fixed_usd=0.0, usd_per_rate=0.0)
    load = fleet_load(Traffic(None, peak), autoscaling=True)
    work, scenario = work_of(wait_ms=20, cpu_ms=100), central_scenario(0.6, 10.0)
    capacity = capacity_per_s(OFFERS, work, scenario, load)
    counts = mean_units(fleet, capacity, load, np.array([rate]))
    assert (counts >= min_units * (1 - 1e-12)).all()
    most = unit_count(np.array([rate]), capacity.fixed, min_units)
    assert (counts[:, 0] <= most * (1 + 1e-12)).all()


@given(peak=st.floats(1.01, 12.0), rate=RATES, unit=st.floats(0.1, 100.0))
def test_capacity_falls_short_by_no_more_than_is_said(
    peak: float, rate: float, unit: float
) -> None:
    """Each hour's units bear its load less the stated share, and the peak's hour all of it."""
    load, ready = assumed_day(peak)
    short = fleet_load(Traffic(None, peak), autoscaling=True).shortfall_ratio
    borne = unit_count(rate * ready, np.array(unit), 2) * unit
    need = rate * load
    assert (borne >= need * (1 - short) * (1 - 1e-9)).all()
    assert borne[0] >= need[0] * (1 - 1e-9)
    assert short > 0


@pytest.mark.parametrize("peak", [1.0, 1.2, 3.0, 12.0])
def test_the_assumed_day_has_the_mean_and_the_peak_that_are_asked_for(peak: float) -> None:
    """24 hours of mean 1, the first the peak, falling to the twelfth and rising from there."""
    load, ready = assumed_day(peak)
    assert load.mean() == pytest.approx(1)
    assert load.max() == load[0] == pytest.approx(peak)
    assert (np.diff(load[:13]) <= 0).all()
    assert load[1:] == pytest.approx(load[:0:-1])
    assert (ready[1:12] >= load[1:12]).all()
    assert (ready[13:] <= load[13:] * (1 + 1e-12)).all()


BY_HOUR = (
    # What came 20 minutes before while the load falls, 8 minutes before while it rises: a second,
    # and the tasks for it. The first hour is the peak's.
    *((30.00, 15), (29.21, 15), (25.44, 13), (19.87, 10), (14.16, 8), (9.42, 5), (6.01, 4)),
    *((3.80, 2), (2.45, 2), (1.66, 2), (1.22, 2), (0.99, 2), (0.89, 2), (0.93, 2), (1.09, 2)),
    *((1.42, 2), (2.03, 2), (3.08, 2), (4.85, 3), (7.66, 4), (11.79, 6), (17.14, 9), (22.96, 12)),
    (27.78, 14),
)


def test_a_day_by_the_hour_is_what_was_computed_by_hand() -> None:
    """10/s with a peak of 3 times it, on tasks of 1 vCPU and 2 GB that bear 2/s, two at least.

    30 × exp(1.7606 × (cos(hour × 15°) − 1)) has a mean of 10. 140 task-hours a day, of 0.04048 +
    2 × 0.004445 + 0.005 dollars, are $7.6118, and 730 / 24 days $231.53. Always at the peak it's
    360 task-hours: $595.35 a month.
    """
    task_usd = 730 * (0.04048 + 2 * 0.004445 + 0.005)
    fleet = Fleet((Offer("task", 1, 1, 2048.0, task_usd),), 2, 0.0, 0.0)
    _, ready = assumed_day(3.0)
    assert ready * 10 == pytest.approx([rate for rate, _ in BY_HOUR], abs=0.006)
    assert sum(tasks for _, tasks in BY_HOUR) == 140
    load = fleet_load(Traffic(None, 3.0), autoscaling=True)
    capacity = Capacity(following=np.array([[2.0]]), fixed=np.array([[2.0 / 3]]))
    rate = np.array([10.0])
    assert mean_units(fleet, capacity, load, rate)[0, 0, 0] * 24 == pytest.approx(140)
    assert cost_usd(fleet, capacity, load, rate)[0, 0, 0] == pytest.approx(231.53, abs=0.005)
    always = fleet_load(Traffic(None, 3.0), autoscaling=False)
    assert cost_usd(fleet, capacity, always, rate)[0, 0, 0] == pytest.approx(595.35, abs=0.005)
    assert load.shortfall_ratio == pytest.approx(1 - 4.851 / 5.158, abs=1e-3)


def test_a_team_runs_a_few_dozen_units_of_the_cheapest_type_that_allows_it() -> None:
    """The small type is taken while 36 do, then a larger one, and the largest however many."""
    offers = (Offer("small", 1, 1, 2048.0, 10.0), Offer("large", 16, 16, 32768.0, 170.0))
    fleet = Fleet(offers, 1, 0.0, 0.0)
    capacity = Capacity(*(np.array([[1.0, 16.0]]),) * 2)
    load = fleet_load(Traffic(None, 1.0), autoscaling=True)
    rates = np.array([float(MOST_TEAM_UNITS), MOST_TEAM_UNITS + 1.0, 16_000.0])
    costs = cost_usd(fleet, capacity, load, rates)[0]
    assert costs.argmin(axis=1).tolist() == [0, 1, 1]
    assert costs.min(axis=1) == pytest.approx([360, 510, 170_000])
    anyhow = cost_usd(fleet, capacity, load, rates, any_size=True)[0]
    assert anyhow.argmin(axis=1).tolist() == [0, 0, 0]
