"""Whether a recommendation is stale: each reason with its evidence, and none by chance."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench import observe_drift
from tests.sweeps import made_sweep
from tests.watch.drift_worlds import CURRENT_MB, PRICES, TRUE_MS, World, made_days, swept
from tuner.model.interval import Interval
from tuner.watch.day_shift import DayValues, shift_of
from tuner.watch.drift import Deployed, Drift, drift_of


def drift(world: World, seed: int = 1) -> Drift:
    sweep, answer = swept()
    return drift_of(sweep, answer, days=made_days(world, seed))


def codes(found: Drift) -> list[str]:
    return [each.code for each in found.reasons]


@pytest.mark.parametrize(
    ("world", "code"),
    [
        (World(ratio=1.25), "duration_moved"),
        (World(ratio=0.75), "duration_moved"),
        (World(ratio=1.25, days_before=0), "duration_moved"),
        (World(memory_ratio=1.5), "memory_used_moved"),
        (World(memory_ratio=1.6, days_before=0), "memory_used_moved"),
        (World(cold_share_then=0.6), "traffic_mix_moved"),
        (World(cv_then=1.3), "traffic_mix_moved"),
    ],
)
def test_what_moved_is_told(world: World, code: str) -> None:
    """Each figure that moves is a reason of its own, and no other is given."""
    found = drift(world)
    assert codes(found) == [code]
    assert found.is_stale


def test_the_reason_has_its_figures() -> None:
    """A quarter slower since the sweep: both levels, and by how much, as the days were made."""
    [reason] = drift(World(ratio=1.25, per_day=20000)).reasons
    words = reason.message.split()
    then, now = float(words[words.index("than") + 1]), float(words[words.index("takes") + 1])
    assert then == pytest.approx(TRUE_MS, rel=0.04)
    assert now == pytest.approx(1.25 * TRUE_MS, rel=0.04)
    assert "% more than" in reason.message


def test_payloads_that_never_were_productions_are_no_drift() -> None:
    """Production took 60% longer than the sweep's events before it, and still does."""
    assert codes(drift(World(payload_ratio=1.6))) == []
    [reason] = drift(World(payload_ratio=1.6, days_before=0)).reasons
    assert reason.code == "duration_moved"
    assert "in the sweep (no days before it were read" in reason.message
    [reason] = drift(World(payload_ratio=1.6, ratio=1.25)).reasons
    assert "in the sweep" not in reason.message


def test_two_days_say_nothing_and_that_is_said() -> None:
    """Production isn't judged by fewer than three days, nor code and prices by nothing."""
    found = drift(World(ratio=3.0, days_after=2))
    assert found == Drift((), ("code", "production", "prices"))
    assert drift(World(per_day=15)).unchecked == ("code", "production", "prices")


def test_a_late_change_is_told_within_days() -> None:
    """Doubled four days ago, after two quiet weeks: the last days count for themselves."""
    assert codes(drift(World(ratio=2.0, changed_day=11))) == ["duration_moved"]


def test_another_build_and_another_memory_are_told() -> None:
    """What runs now is compared by digest; a size that was recommended isn't drift."""
    sweep, answer = swept()
    told = answer.memory_mb
    assert told is not None

    def found(memory_mb: int, digest: str = "q1w2e3", kind: str = "x86_64") -> list[str]:
        return codes(drift_of(sweep, answer, deployed=Deployed(digest, kind, memory_mb)))

    assert found(CURRENT_MB) == found(told) == []
    assert found(3000) == ["memory_changed"]
    assert found(told, "other") == ["code_changed"]
    assert found(told, "other", "arm64") == ["code_changed", "architecture_changed"]


def test_production_at_another_memory_is_told_once() -> None:
    """The account and the logs say the same."""
    sweep, answer = swept()
    days = [replace(each, memory_mb=3000) for each in made_days(World(), 1)]
    now = Deployed(None, None, 3000)
    assert codes(drift_of(sweep, answer, days=days, deployed=now)).count("memory_changed") == 1


def test_prices_are_compared_by_what_the_sweep_paid() -> None:
    """A GB-second a tenth dearer; the same list is nothing; made-up costs aren't judged."""
    sweep, answer = swept()
    assert drift_of(sweep, answer, prices=PRICES) == Drift((), ("code", "production"))
    [tier, *rest] = PRICES.duration_tiers
    dearer = replace(tier, price_usd_per_gb_second=tier.price_usd_per_gb_second * Decimal("1.1"))
    [reason] = drift_of(
        sweep, answer, prices=replace(PRICES, duration_tiers=(dearer, *rest))
    ).reasons
    assert reason.code == "price_changed"
    duration = sum(each.cost_usd - 2e-7 for each in sweep.invocations)
    change = 0.1 * duration / sum(each.cost_usd for each in sweep.invocations)
    assert f"{change * 100:.1f}% more" in reason.message
    unpriced = replace(made_sweep(), started_at=sweep.started_at)
    assert "prices" in drift_of(unpriced, answer, prices=PRICES).unchecked


def test_a_sweep_of_this_machine_is_held_against_prices_alone() -> None:
    """Its durations and its build aren't the account's."""
    sweep, answer = swept()
    local = replace(sweep, environment="local")
    found = drift_of(
        local, answer, days=made_days(World(ratio=2), 1), deployed=Deployed("x"), prices=PRICES
    )
    assert found == Drift((), ("code", "production"))


def test_the_finding_says_all_reasons() -> None:
    """One finding, whose message has every reason; none without a reason."""
    sweep, answer = swept()
    found = drift_of(
        sweep, answer, days=made_days(World(ratio=1.5), 1), deployed=Deployed("0ther00")
    )
    assert found.finding is not None
    assert (found.finding.code, found.finding.severity) == ("recommendation_stale", "warning")
    assert all(each.message in found.finding.message for each in found.reasons)
    assert Drift(()).finding is None


def test_a_shift_is_what_the_days_are_apart() -> None:
    """Days without noise: the ratio exactly; the interval by the prior alone, as by hand."""
    then, now = DayValues.of([(100.0, 0.0)] * 14), DayValues.of([(120.0, 0.0)] * 14)
    found = shift_of(then, now)
    assert found is not None
    assert found.ratio.estimate == pytest.approx(1.2)
    variance = 4 * 0.03**2 / (4 + 26)
    reach = 3.6460 * math.sqrt(2 * 3 * variance / 14)  # Student's t, 30 degrees of freedom, 99.9%
    assert found.ratio.low == pytest.approx(1.2 * math.exp(-reach), rel=1e-4)
    assert found.is_beyond(0.05) is (found.ratio.low > 1.05)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(1, 1e6), min_size=0, max_size=20),
    st.lists(st.floats(1, 1e6), min_size=0, max_size=20),
)
def test_a_shift_does_not_depend_on_the_unit_and_mirrors(
    then: list[float], now: list[float]
) -> None:
    """In ms or s it's the same ratio; seen from the other side it's the inverse."""
    before, after = (DayValues.of([(each, 0.01) for each in some]) for some in (then, now))
    found = shift_of(before, after)
    assert (found is None) is (min(len(then), len(now)) < 3)
    if found is None:
        return
    in_s = shift_of(*(DayValues.of([(each / 1000, 0.01) for each in some]) for some in (then, now)))
    assert in_s is not None
    assert in_s.ratio.low == pytest.approx(found.ratio.low)
    if (len(then) >= 14) is (len(now) >= 14):
        back = shift_of(after, before)
        assert back is not None
        assert back.ratio.estimate == pytest.approx(1 / found.ratio.estimate)
        assert back.ratio.high == pytest.approx(1 / found.ratio.low)


def test_an_estimate_that_is_no_level_gives_no_shift() -> None:
    """Nothing can be held against zero."""
    days = DayValues.of([(5.0, 0.0)] * 5)
    assert shift_of(Interval(0.0, 0.0, 1.0), days) is None
    assert len(DayValues.of([(0.0, 1.0), (1.0, np.inf)])) == 1


@pytest.mark.parametrize("number", [1, 3, 7])
def test_unchanged_functions_are_not_called_stale(number: int) -> None:
    """A few functions, each asked daily for three weeks (more: the bench)."""
    world = replace(observe_drift.UNCHANGED[number], per_day=100)
    assert observe_drift.first_stale_day(world, 7, weeks=3) is None
