"""What is worse is said in time, and nothing else is; `make bench-rollout` has large numbers."""

from __future__ import annotations

import math
import random

import pytest

from tests.rollout.worlds import AS_BEFORE, World, roll
from tuner.model.interval import Interval
from tuner.rollout.comparison import ALPHA, Comparison
from tuner.rollout.evidence import ODDS_RATIOS, MeanTest, ShareTest, log_choose
from tuner.rollout.figures import Arm, Block
from tuner.rollout.forecast import Forecast, worst_case
from tuner.rollout.needed import needed_for
from tuner.rollout.steps import Step, parse_steps

TEN = Step(0.1, 600)


@pytest.mark.parametrize(
    ("new", "old", "hits"), [(5, 45, 7), (30, 30, 1), (3, 200, 150), (9, 2, 10)]
)
def test_a_block_gives_no_evidence_in_the_mean(new: int, old: int, hits: int) -> None:
    """Under equal versions the expected e-value of a block is 1, whatever its counts."""
    expected = 0.0
    for each in range(max(0, hits - old), min(new, hits) + 1):
        test = ShareTest()
        test.add(each, new, hits - each, old)
        log_share = (
            log_choose(new, each) + log_choose(old, hits - each) - log_choose(new + old, hits)
        )
        expected += math.exp(log_share + test.log_evidence)
    assert expected == pytest.approx(1)
    assert min(ODDS_RATIOS) > 1


@pytest.mark.parametrize("seed", range(12))
def test_errors_that_rise_are_returned_within_what_was_stated(seed: int) -> None:
    """From 1% to 21% of the new version's invocations, at a tenth of the traffic."""
    stated = needed_for(TEN, error_ratio=0.01, cv=0.5).for_errors
    rolled = roll(World(rise=0.2), seed, steps=(TEN,), most_minutes=100)
    assert rolled.worse is not None
    assert rolled.worse.startswith("errors: ")
    assert rolled.invocation_count <= stated


@pytest.mark.parametrize("seed", range(4))
def test_a_version_that_is_no_worse_gets_through(seed: int) -> None:
    """Bursts of errors and outliers that hit both versions turn nothing back."""
    world = World(per_minute=120, burst_share=0.05, outlier_share=0.005)
    rolled = roll(world, seed, steps=parse_steps("10%:10m,50%:10m"), most_minutes=200)
    assert rolled.worse is None
    assert rolled.is_settled


def compared(new: Arm, old: Arm, forecast: Forecast = AS_BEFORE, times: int = 40) -> Comparison:
    comparison = Comparison(forecast, 1.0, [100.0 + each for each in range(100)])
    for _ in range(times):
        comparison.add(Block(old, new))
    return comparison


def arm(rng: random.Random, count: int, middle_ms: float, **counts: int) -> Arm:
    durations = tuple(rng.uniform(0.5, 1.5) * middle_ms for _ in range(count))
    return Arm(count, durations_ms=durations, billed_ms=durations, **counts)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"failure_count": 2}, "errors"),
        ({"failure_count": 2, "timeout_count": 2}, "errors"),
        ({"failure_count": 1, "kill_count": 1}, "errors"),
        ({"throttle_count": 3}, "throttles"),
    ],
)
def test_each_count_is_watched(counts: dict[str, int], said: str) -> None:
    """What only the new version has is named, with the numbers of both."""
    rng = random.Random(1)
    why = compared(arm(rng, 10, 100, **counts), arm(rng, 90, 100)).worse()
    assert why is not None
    assert why.startswith(f"{said}: ")


def test_kills_stand_out_among_many_other_errors() -> None:
    """A tenth of all invocations fails anyway; the new version's kills show all the same."""
    rng = random.Random(1)
    new = arm(rng, 20, 100, failure_count=2, kill_count=2)
    why = compared(new, arm(rng, 180, 100, failure_count=18), times=30).worse()
    assert why is not None
    assert why.startswith("out-of-memory kills: ")


def test_slower_and_cheaper_as_forecast_is_not_worse() -> None:
    """Twice as slow at half the memory was agreed to; three times as slow wasn't."""
    rng = random.Random(1)
    forecast = worst_case(1024, 512)
    assert (forecast.duration_limit, forecast.cost_limit) == pytest.approx((2.2, 1.1))
    for middle_ms, said in ((200, None), (300, "cost")):
        comparison = Comparison(forecast, 0.5, arm(rng, 100, 100).durations_ms)
        for _ in range(60):
            comparison.add(Block(arm(rng, 90, 100), arm(rng, 10, middle_ms)))
        why = comparison.worse()
        assert (why is None) == (said is None), why
        assert comparison.is_settled == (said is None)


def test_a_slow_tail_alone_is_returned() -> None:
    """One in five calls is five times as slow, which the mean's limit would allow."""
    rng = random.Random(1)
    forecast = Forecast(Interval(1, 1, 1), Interval(1.8, 1.7, 1.9), "the sweep's forecast")
    comparison = Comparison(forecast, 1.0, arm(rng, 100, 100).durations_ms)
    for _ in range(60):
        fast, slow = arm(rng, 16, 100), arm(rng, 4, 400)
        comparison.add(Block(arm(rng, 180, 100), fast + slow))
    why = comparison.worse()
    assert why is not None
    assert why.startswith("p95 ")


def test_a_mean_is_not_judged_by_a_few() -> None:
    """Under fifty invocations no mean counts, however far off."""
    test = MeanTest(1.0)
    test.add([1000.0] * 49, [1.0, 2.0] * 200)
    assert not test.is_above(ALPHA)
    test.add([1000.0] * 2, [1.0, 2.0] * 200)
    assert test.is_above(ALPHA)


def test_what_a_step_needs() -> None:
    """At a half it's 17·(CV/δ)² of each version; smaller shares need more invocations in all."""
    half = needed_for(Step(0.5, 600), error_ratio=0.01, cv=0.5)
    assert half.for_cost == pytest.approx(17.1 * 25 * 2, rel=0.01)
    needs = [needed_for(Step(weight, 600), error_ratio=0.01, cv=0.5) for weight in (0.01, 0.1, 0.5)]
    assert sorted(needs, key=lambda each: each.count, reverse=True) == needs
    assert sorted(needs, key=lambda each: each.for_errors, reverse=True) == needs


@pytest.mark.parametrize("error_ratio", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("weight", [0.0001, 0.1, 0.9])
def test_what_a_step_needs_is_finite_and_soon_known(weight: float, error_ratio: float) -> None:
    """However small the share, and even if every invocation fails."""
    needed = needed_for(Step(weight, 600), error_ratio=error_ratio, cv=0.5)
    assert 50 <= needed.for_errors * weight < 100_000
