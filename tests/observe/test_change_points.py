"""Change points: found where they are, no more than that, in money, and never for traffic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.cost_worlds import MEAN_USD, made_hours, up_to
from tuner.observe.change_points import find_changes, thresholds
from tuner.observe.hourly import HourlyCosts, fit_noise

STEP_HOUR = 40 * 24 + 7


def flat(levels: list[float], counts: list[int]) -> HourlyCosts:
    """Hours in which half of the invocations cost 10% less than the level, and half 10% more."""
    level, count = np.array(levels), np.array(counts, dtype=float)
    low, high = np.log(level * 0.9), np.log(level * 1.1)
    return HourlyCosts(
        0,
        count,
        count * level,
        count * level**2 * 1.01,
        count * (low + high) / 2,
        count * (low**2 + high**2) / 2,
    )


def test_a_step_is_told_with_its_hour_its_ratio_and_its_money() -> None:
    """1,000 invocations an hour, from $2 to $3 a million: +50%, and $730 a month for a million."""
    hours = flat([2e-6] * 100 + [3e-6] * 100, [1000] * 200)
    [change] = find_changes(hours)
    assert change.hour == 100
    assert change.found_hour == 101
    assert (change.low_hour, change.high_hour) == (100, 100)
    assert change.ratio.estimate == pytest.approx(0.5)
    assert change.usd_per_month.estimate == pytest.approx(1e-6 * 1000 * 730)
    # The deviation of a mean of n such costs is 10% of it over the root of n.
    error = 1.645 * 1e-6 * 0.1 * np.sqrt(2**2 / 1e5 + 3**2 / 1e5) * 1000 * 730
    assert change.usd_per_month.high - change.usd_per_month.low == pytest.approx(2 * error, rel=0.3)


def test_traffic_alone_is_no_change() -> None:
    """Three times the invocations at the same cost of one changes nothing."""
    rng = np.random.default_rng(5)
    hours = made_hours(rng, days=60, per_day=1000, cv=0.6, traffic_step=(STEP_HOUR, 3.0))
    assert find_changes(hours) == ()


def test_traffic_and_cost_that_change_together_are_told_apart() -> None:
    """The ratio is that of an invocation's cost, and the traffic before and after stand beside."""
    rng = np.random.default_rng(6)
    hours = made_hours(
        rng, days=80, per_day=2000, cv=0.6, steps=[(STEP_HOUR, 0.2)],
        traffic_step=(STEP_HOUR, 2.0),
    )  # fmt: skip
    [change] = find_changes(hours)
    assert change.ratio.low < 0.2 < change.ratio.high
    assert change.count_per_day_after / change.count_per_day_before == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(("per_day", "cv"), [(1000, 0.3), (100_000, 0.3), (100_000, 1.0)])
def test_a_step_of_ten_percent_is_found_within_a_day(per_day: int, cv: float) -> None:
    """With no more than a day of data after it, whichever way it goes."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        ratio = 0.1 if seed % 2 else -0.1
        at = STEP_HOUR + int(rng.integers(24))
        hours = made_hours(
            rng, days=45, per_day=per_day, cv=cv, steps=[(at, ratio)], day_deviation=0.005
        )
        [change] = find_changes(up_to(hours, at + 24))
        assert abs(change.hour - at) <= 12
        assert change.ratio.estimate == pytest.approx(ratio, abs=0.05)


@pytest.mark.parametrize("per_day", [1000, 100_000])
def test_cycles_gaps_and_noise_are_no_changes(per_day: int) -> None:
    """Two years of two functions in which nothing happened have at most two false changes."""
    found = 0
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        found += len(find_changes(made_hours(rng, days=365, per_day=per_day, cv=0.6)))
    assert found <= 2


def test_an_excursion_comes_and_goes() -> None:
    """A day that costs half as much again is two changes, up and down."""
    rng = np.random.default_rng(9)
    hours = made_hours(
        rng, days=60, per_day=2000, cv=0.3, steps=[(900, 0.5), (924, 1 / 1.5 - 1)]
    )  # fmt: skip
    up, down = find_changes(hours)
    assert (up.ratio.estimate > 0.3, down.ratio.estimate < -0.2) == (True, True)
    assert abs(up.hour - 900) <= 2
    assert abs(down.hour - 924) <= 2


def test_the_noise_is_taken_apart() -> None:
    """The scatter of invocations, hours and days is found again, and so is the daily cycle."""
    rng = np.random.default_rng(3)
    hours = made_hours(
        rng, days=120, per_day=100_000, cv=0.6, hour_deviation=0.02, day_deviation=0.03,
        weekend=0.0,
    )  # fmt: skip
    noise = fit_noise(hours, ())
    assert noise is not None
    assert noise.within_variance[0] == pytest.approx(np.log(1.36), rel=0.02)
    assert noise.hour_variance**0.5 == pytest.approx(0.02, rel=0.1)
    assert noise.day_variance**0.5 == pytest.approx(0.03, rel=0.25)
    cycle = 0.1 * np.sin((np.arange(24) - 14) / 24 * 2 * np.pi)
    assert np.abs(noise.season[:24] - noise.season[:24].mean() - cycle).max() < 0.02


def test_the_slowest_alone_may_move_the_cost() -> None:
    """One invocation in fifty that takes sixty times as long is one change, not several."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(1000 / 24, 45 * 24)
    at = np.repeat(np.arange(len(counts)), counts)
    logs = rng.normal(np.log(MEAN_USD), 0.385, len(at))
    slow = (at >= STEP_HOUR) & (rng.random(len(at)) < 0.02)
    logs = np.where(slow, np.log(60 * MEAN_USD), logs)
    values = (np.exp(logs), np.exp(2 * logs), logs, logs**2)
    sums = (np.bincount(at, each, minlength=len(counts)) for each in values)
    [change] = find_changes(HourlyCosts(0, counts.astype(float), *sums))
    assert abs(change.hour - STEP_HOUR) <= 12
    assert change.ratio.low < 59 * 0.02 / np.exp(0.385**2 / 2) < change.ratio.high


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_whatever_comes_is_answered(seed: int) -> None:
    """Gaps, single invocations, wild levels: intervals hold their estimates, changes are in order,
    and nothing is warned of.
    """
    rng = np.random.default_rng(seed)
    hours = int(rng.integers(1, 600))
    counts = rng.poisson(rng.choice([0.05, 0.3, 1, 5, 50]), hours)
    counts *= rng.random(hours) < rng.choice([0.02, 0.3, 0.9, 1])
    counts[int(rng.integers(hours))] += 1
    levels = MEAN_USD * np.exp(np.cumsum(rng.normal(0, rng.choice([0, 0.01, 0.5]), hours)))
    at = np.repeat(np.arange(hours), counts)
    logs = np.log(np.clip(levels[at], 2e-7, 1.0)) + rng.normal(0, rng.choice([0, 0.5, 2]), len(at))
    values = (np.exp(logs), np.exp(2 * logs), logs, logs**2)
    sums = (np.bincount(at, each, minlength=hours) for each in values)
    found = find_changes(HourlyCosts(int(rng.integers(500_000)), counts.astype(float), *sums))
    for each in found:
        for interval in (each.ratio, each.usd_per_month):
            assert interval.low <= interval.estimate <= interval.high
        first, last = each.possible_hours
        assert first <= each.low_hour <= each.hour <= each.high_hour <= last
    assert [each.hour for each in found] == sorted({each.hour for each in found})


def test_too_little_says_nothing() -> None:
    """A handful of invocations, one day, or hours with one invocation each have no change."""
    assert find_changes(flat([1e-6] * 10, [1] * 10)) == ()
    assert find_changes(flat([1e-6] * 20, [1000] * 20)) == ()
    assert find_changes(flat([1e-6] * 200, [1] * 200)) == ()


def test_short_windows_need_more() -> None:
    """A window of a few hours comes more often than one of a day, and must differ by more."""
    three, day, week = thresholds(np.array([3, 24, 168]))
    assert three > day
    assert week > day
    assert MEAN_USD > 0


@pytest.mark.parametrize(("days", "at"), [(2.5, 30), (4, 50), (7, 72), (13, 200)])
def test_a_step_in_a_few_days_is_found(days: float, at: int) -> None:
    """Half as much again is found in days too, at a known deployment or anywhere."""
    hours = made_hours(
        np.random.default_rng(9), days=int(np.ceil(days)), per_day=2000, cv=0.4, steps=[(at, 0.5)],
        cycle=0.0 if days < 5 else 0.1, weekend=0.0,  # in so few days they can't be told
    )  # fmt: skip
    hours = up_to(hours, int(days * 24))
    for deployed in ([], [hours.first_hour + at]):
        [change] = find_changes(hours, deployed_hours=deployed)
        assert abs(change.hour - hours.first_hour - at) <= 3
        assert change.ratio.low < 0.5 < change.ratio.high


def test_a_few_days_without_a_change_have_none() -> None:
    """Not even where something was deployed: in 40 short archives nothing is found."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hours = made_hours(rng, days=2 + seed % 11, per_day=1000, cv=0.6)
        deployed = [] if seed % 2 else [hours.first_hour + len(hours.counts) // 2]
        assert find_changes(hours, deployed_hours=deployed) == ()
