"""The platform block beside the memory answer."""

from __future__ import annotations

import pytest

from tests.sweeps import made_sweep
from tuner.api.breakeven import add_platform
from tuner.api.saved import recommend
from tuner.breakeven.question import Terms
from tuner.breakeven.traffic import traffic_of_rate

SWEEP = made_sweep(lambda memory_mb: 250 + 5 * 1769 / min(memory_mb, 1769))


def test_a_rate_fills_platform_and_saving_and_leaves_the_memory_answer() -> None:
    """Verdict, break-even rate and dollars a month come; size and ratio stay as they were."""
    before = recommend(SWEEP)
    after = add_platform(before, SWEEP, Terms(traffic=traffic_of_rate(1000.0)))
    assert after.platform is not None
    assert after.platform.verdict == "containers"
    assert after.platform.break_even_rate_per_s == pytest.approx(23.4, rel=0.1)
    assert after.choice.memory_mb == before.choice.memory_mb
    ratio, now = before.choice.saving_ratio, before.current.cost_usd_per_million
    assert ratio is not None
    assert now is not None
    assert after.choice.saving_usd_per_month is not None
    month = now.estimate * 1000 * 2.628
    assert after.choice.saving_usd_per_month.estimate == pytest.approx(ratio.estimate * month)


def test_without_a_rate_the_break_even_rate_is_stated() -> None:
    """No verdict, no saving, no further finding, but the rate."""
    before = recommend(SWEEP)
    after = add_platform(before, SWEEP)
    assert after.platform is not None
    assert after.platform.verdict is None
    assert after.platform.break_even_rate_per_s is not None
    assert after.choice.saving_usd_per_month is None
    assert after.findings == before.findings


def test_a_small_saving_is_no_flag() -> None:
    """A resize that saves less than the threshold a month says so."""
    after = add_platform(recommend(SWEEP), SWEEP, Terms(traffic=traffic_of_rate(0.1)))
    assert after.choice.verdict == "resize"
    assert "small-saving" in {finding.code for finding in after.findings}


def test_what_cannot_be_compared_leaves_the_answer() -> None:
    """One size: the answer as it was, with a finding where a rate was given."""
    sweep = made_sweep(sizes_mb=(1024,))
    before = recommend(sweep)
    assert add_platform(before, sweep) == before
    asked = add_platform(before, sweep, Terms(traffic=traffic_of_rate(5.0)))
    assert asked.platform is None
    assert asked.findings[-1].code == "platform-unknown"
