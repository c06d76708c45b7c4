"""Fleets: how many units, what they cost, and from which rate on they are cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tuner.breakeven.fleet import (
    Capacity,
    Fleet,
    FleetLoad,
    break_even_by_hour_per_s,
    break_even_per_s,
    capacity_per_s,
    cost_usd,
    fast_enough,
    fleet_load,
    lowest_team_break_even,
)
from tuner.breakeven.offers import Offer
from tuner.breakeven.terms import central_scenario
from tuner.breakeven.traffic import Traffic
from tuner.breakeven.work import Work
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.pricing import load_price_book

# Function, $ per million invocations, published break-even in requests an hour, and the requests
# an hour that a t2.micro at $0.0116/h bore (SeBS, Copik et al., Middleware 2021; the billing of
# then: 100 ms steps, no free tier).
SEBS = (
    ("uploader, py, eco", 3.54167, 3275.3, 11371),
    ("uploader, py, perf", 6.66668, 1740.0, 11371),
    ("thumbnailer, py, eco", 2.29167, 5061.8, 27503),
    ("thumbnailer, py, perf", 3.33334, 3480.0, 27503),
    ("thumbnailer, node, eco", 3.75001, 3093.3, 18819),
    ("thumbnailer, node, perf", 10.00002, 1160.0, 18819),
    ("compression, py, eco", 32.08340, 361.6, 1284),
    ("compression, py, perf", 50.00010, 232.0, 1284),
    ("image recognition, py, eco", 15.83337, 732.6, 15312),
    ("image recognition, py, perf", 19.58337, 592.3, 15312),
    ("graph bfs, py, eco", 2.08334, 5568.0, 117153),
    ("graph bfs, py, perf", 2.50001, 4640.0, 117153),
)


def work_of(*, wait_ms: float, cpu_ms: float, lambda_ms: float = 1e9, memory_mb: int = 64) -> Work:
    one = np.ones(1)
    return Work(
        wait_ms=wait_ms * one,
        cpu_ms=cpu_ms * one,
        core_count=one,
        lambda_ms=lambda_ms * one,
        lambda_cost_usd=1e-6 * one,
        memory_used_mb=memory_mb,
        lambda_memory_mb=1024,
    )


def machine(month_usd: float, *, vcpu: float = 1, sustained: float | None = None) -> Offer:
    return Offer("m", vcpu, sustained or vcpu, 2048.0, month_usd)


def load_at(peak_ratio: float = 1.0, shape: tuple[float, ...] = (1.0,)) -> FleetLoad:
    """Of a fleet that has one size all month, or that follows the hours of the shape."""
    return fleet_load(Traffic(None, peak_ratio, shape), autoscaling=len(shape) > 1)


def alike(capacity: list[float]) -> Capacity:
    """What each offer bears, by the hour and all month."""
    return Capacity(np.array([capacity]), np.array([capacity]))


@pytest.mark.parametrize(("cost", "published", "capacity"), [row[1:] for row in SEBS])
def test_published_break_even_rates_are_met(cost: float, published: float, capacity: float) -> None:
    """Under the assumptions of the published table every rate is within 2 %."""
    fleet = Fleet((machine(0.0116 * 730),), min_units=1, fixed_usd=0, usd_per_rate=0)
    per_rate = np.array([cost / 1e6 * SECONDS_PER_MONTH])
    rate = break_even_per_s(fleet, np.array([[capacity / 3600]]), per_rate)[0, 0]
    assert rate * 3600 == pytest.approx(published, rel=0.02)


def test_a_busy_core_breaks_even_with_fargate_near_48_percent() -> None:
    """Lambda at 1,769 MB costs as much as a task of 1 vCPU and 2 GB when it is 48 % busy."""
    book = load_price_book()
    lambda_prices = book.lambda_prices("us-east-1", "x86_64")
    rate = book.fargate_prices("us-east-1", "x86_64").on_demand
    task = float(rate.vcpu_hour_usd + 2 * rate.gb_hour_usd)
    assert task == pytest.approx(0.0494, abs=5e-5)
    # A request lasts a minute, so that its own price does not count.
    minute = lambda_prices.invocation_cost_usd(1769, 60_000)
    fleet = Fleet((machine(task * 730),), min_units=1, fixed_usd=0, usd_per_rate=0)
    work, scenario = work_of(wait_ms=0, cpu_ms=60_000), central_scenario(1.0, 1.0)
    capacity = capacity_per_s(fleet.offers, work, scenario, load_at()).fixed
    found = break_even_per_s(fleet, capacity, np.array([minute * SECONDS_PER_MONTH]))[0, 0]
    assert found / capacity[0, 0] == pytest.approx(0.48, abs=0.005)


@settings(max_examples=60)
@example(unit=1.5, capacity=1.5, per_rate=1.5, fixed=0.0, min_units=1)
@example(unit=168.625, capacity=24.3125, per_rate=7.23828125, fixed=0.0, min_units=1)
@given(
    unit=st.floats(1, 200),
    capacity=st.floats(0.5, 50),
    per_rate=st.floats(1, 100),
    fixed=st.floats(0, 100),
    min_units=st.integers(1, 4),
)
def test_above_the_break_even_the_fleet_stays_cheaper(
    unit: float, capacity: float, per_rate: float, fixed: float, min_units: int
) -> None:
    """Above the break-even no rate is more expensive; just below it some are: it is the lowest."""
    fleet = Fleet((machine(unit),), min_units, fixed, usd_per_rate=0.3)
    found = break_even_per_s(fleet, np.array([[capacity]]), np.array([per_rate]))[0, 0]

    def gap(rate: float) -> float:
        month = cost_usd(fleet, alike([capacity]), load_at(), np.array([rate]))[0, 0, 0]
        return float(month - per_rate * rate)

    if not np.isfinite(found):
        assert (per_rate - 0.3) * capacity <= unit
        return
    rates = found * np.concatenate([1 + 1e-6 * np.arange(1, 5), np.geomspace(1.0001, 50, 300)])
    tolerance = 1e-5 * per_rate * found
    assert all(gap(float(rate)) < tolerance for rate in rates)
    # The stretch where the fleet costs more may be far shorter than 1e-7 of the rate.
    assert max(gap(found * (1 - below)) for below in (1e-7, 1e-8, 1e-9)) > -tolerance


@settings(max_examples=40, deadline=None)
@given(
    units=st.lists(st.tuples(st.floats(5, 100), st.floats(1, 30)), min_size=1, max_size=3),
    per_rate=st.floats(1, 60),
    fixed=st.floats(0, 100),
)
def test_the_search_follows_the_same_rule(
    units: list[tuple[float, float]], per_rate: float, fixed: float
) -> None:
    """With a flat load the search, which takes any bill, is within 0.2 % of the formula's fleet.

    The formula takes the best fleet of one type; with several types the search may find that
    another is cheaper on the steps between, so that it is never above.
    """
    offers = tuple(machine(unit) for unit, _ in units)
    capacity = alike([each for _, each in units])
    fleet = Fleet(offers, min_units=2, fixed_usd=fixed, usd_per_rate=0.2)
    rates = np.array([per_rate])
    each = break_even_per_s(fleet, capacity.fixed, rates)
    exact = float(lowest_team_break_even(each, capacity.fixed)[0])
    assume(not np.isfinite(exact) or exact / capacity.fixed.max() < 150)
    found = float(
        break_even_by_hour_per_s(
            fleet, capacity, load_at(), lambda asked: rates[:, None] * asked[None, :]
        )[0]
    )
    if len(units) == 1 and np.isfinite(exact):
        assert found == pytest.approx(exact, rel=0.002)
    elif np.isfinite(exact):
        assert found <= exact * 1.002


def test_the_fleet_follows_the_hours() -> None:
    """Half a day at 2 units and half at 8 costs 5 units, not 8."""
    fleet = Fleet((machine(10.0),), min_units=2, fixed_usd=0, usd_per_rate=0)
    load = load_at(shape=(0.4,) * 12 + (1.6,) * 12)
    assert cost_usd(fleet, alike([1.0]), load, np.array([5.0])) == pytest.approx(50.0)


def test_a_burstable_type_is_held_to_its_baseline() -> None:
    """At a steady load a baseline of 20 % bears a fifth; a peak may use the whole."""
    work, scenario = work_of(wait_ms=0, cpu_ms=100), central_scenario(0.5, 1.0)
    offers = (machine(1.0, vcpu=2), machine(1.0, vcpu=2, sustained=0.4))
    steady = capacity_per_s(offers, work, scenario, load_at())
    spiky = capacity_per_s(offers, work, scenario, load_at(5.0))
    assert steady.fixed[0] == pytest.approx([10, 2])
    assert spiky.fixed[0] == pytest.approx([2, 2])


def test_waiting_requests_share_a_process_and_computing_ones_do_not() -> None:
    """Concurrency counts for the waiting part alone; memory limits the processes."""
    scenario = central_scenario(1.0, 10.0)
    offers = (machine(1.0, vcpu=4),)
    for wait_ms, cpu_ms, borne in ((999, 1, 10), (0, 1000, 1)):
        work = work_of(wait_ms=wait_ms, cpu_ms=cpu_ms, memory_mb=2048)
        capacity = capacity_per_s(offers, work, scenario, load_at())
        assert capacity.fixed[0, 0] == pytest.approx(borne)


def test_units_that_are_slower_than_lambda_are_left_out() -> None:
    """A quarter vCPU is too slow for what Lambda does with a core; a whole one is not."""
    work = work_of(wait_ms=0, cpu_ms=100, lambda_ms=100)
    offers = (machine(1, vcpu=0.25), machine(1, vcpu=1), Offer("tiny", 1, 1, 32.0, 1))
    assert fast_enough(offers, work, central_scenario(0.6, 1.0)).tolist() == [False, True, False]


def test_the_worked_example_can_be_recomputed_by_hand() -> None:
    """100 ms of CPU at 1,769 MB, steady, from a queue, against tasks of 1 vCPU and 2 GB.

    Lambda: 0.0000002 + 0.1 s × 1.7275390625 GB × 0.0000166667 = $0.00000307926 an invocation, so
    $8.0923 a month for each request a second (2,628,000 s). A task: 730 h × (0.04048 + 2 ×
    0.004445 + 0.005) = $39.69 a month; it bears 0.6 / 0.1 s = 6/s. Just above 24/s five tasks are
    needed: $198.45 against Lambda's $194.21, more expensive. Just above 30/s six: $238.14 against
    $242.77, cheaper, as is every later step. So five tasks decide: 198.45 / 8.0923 = 24.52/s.
    """
    fleet = Fleet((machine(39.69),), min_units=2, fixed_usd=0, usd_per_rate=0)
    work, scenario = work_of(wait_ms=0, cpu_ms=100), central_scenario(0.6, 10.0)
    capacity = capacity_per_s(fleet.offers, work, scenario, load_at()).fixed
    assert capacity[0, 0] == pytest.approx(6)
    per_rate = np.array([(0.0000002 + 0.1 * 1.7275390625 * 0.0000166667) * 2_628_000])
    assert per_rate[0] == pytest.approx(8.0923, abs=0.001)
    found = break_even_per_s(fleet, capacity, per_rate)[0, 0]
    assert found == pytest.approx(24.52, abs=0.01)
