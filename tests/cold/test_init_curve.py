"""INIT over memory, by hand and in made populations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuner.cold.init_curve import fit_init


def test_a_size_that_was_measured_has_its_own_mean() -> None:
    """By hand: two samples of 200 ms each at 512 MB; other sizes don't move them."""
    curve = fit_init({512: [200.0, 200.0], 1024: [500.0, 500.0]})
    assert curve is not None
    # Of log INIT: the prior's 0.18 counts for four samples, and these have no spread.
    spread = math.sqrt(4 * 0.18**2 / 6)
    assert curve.spread == pytest.approx(spread)
    found = curve.at(512)
    assert found.estimate == pytest.approx(200 * math.exp(spread**2 / 2))
    half = 2.01504837 * spread / math.sqrt(2)  # Student's t, 95%, 5 degrees of freedom
    assert found.high / found.estimate == pytest.approx(math.exp(half))
    assert found.low / found.estimate == pytest.approx(math.exp(-half))


def test_an_init_that_is_flat_stays_flat_between() -> None:
    """And the estimate is less sure than what was measured."""
    curve = fit_init({256: [300.0, 310, 290], 3008: [305.0, 295, 300]})
    assert curve is not None
    between = curve.at(1024)
    assert between.estimate == pytest.approx(305, rel=0.02)
    assert between.half_width_ratio > curve.at(256).half_width_ratio / 2


def test_an_init_that_falls_with_cpu_is_followed() -> None:
    """In inverse proportion to memory up to a whole vCPU, as where INIT gets no more CPU."""
    true = {mb: 300 * 1769 / min(mb, 1769) for mb in (256, 512, 1024, 1769, 3008)}
    curve = fit_init({mb: [ms] * 5 for mb, ms in true.items() if mb != 512})
    assert curve is not None
    assert curve.at(512).estimate == pytest.approx(true[512], rel=0.12)


def test_nothing_is_made_of_nothing() -> None:
    """Neither of no sample, nor of an INIT of 0."""
    assert fit_init({}) is None
    assert fit_init({512: []}) is None
    assert fit_init({512: [0.0]}) is None


def test_intervals_hold_the_mean_nine_times_of_ten() -> None:
    """For INITs as spread as public ones: 85% to 95% of 400 made ones."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(400):
        samples = rng.lognormal(math.log(400), 0.18, 5)
        curve = fit_init({1024: samples.tolist()})
        assert curve is not None
        found = curve.at(1024)
        inside += found.low <= 400 * math.exp(0.18**2 / 2) <= found.high
    assert 340 <= inside <= 380
