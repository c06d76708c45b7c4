"""Slow first calls: found within environments, and taken out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.inference.curve import fit_curve
from tuner.inference.sample import Sample
from tuner.inference.settling import Settling
from tuner.inference.variance_components import measure_levels

SIZES = (128, 512, 1769)


def _calls(
    extra: float, decay: float, *, count: int, noise: float, seed: int = 0
) -> tuple[Sample, ...]:
    """An environment a size, each with a cold call and `count` warm ones."""
    rng = np.random.default_rng(seed)
    return tuple(
        Sample(
            memory_mb,
            100 * (1 + extra * math.exp(-number / decay)) * math.exp(rng.normal(0, noise)),
            f"{memory_mb}/1",
            cold=number == 0,
            call_number=number,
        )
        for memory_mb in SIZES
        for number in range(count + 1)
    )


def test_one_warm_call_tells_nothing() -> None:
    """Without two warm calls in one environment the probability is the prior's."""
    assert Settling.of(_calls(2, 1, count=1, noise=0.0)).probability == pytest.approx(0.08)
    assert Settling.of(()).probability == pytest.approx(0.08)
    assert Settling.of((), "java21").probability == pytest.approx(0.3)


def test_two_calls_by_hand() -> None:
    """The odds for two calls are those of the marginal likelihood, computed by hand.

    With half-differences d and h of log durations and of a hypothesis, and the noise integrated
    out, a hypothesis against none is ((c + 2 (d - h)²) / (c + 2 d²))^-(2.5 + 1)/2,
    c = 2.5 · 0.05².
    """
    samples = (
        Sample(512, 130.0, "512/1", call_number=1),
        Sample(512, 100.0, "512/1", call_number=2),
    )
    half, known = math.log(1.3) / 2, 2.5 * 0.05**2
    ratios = []
    for extra in np.geomspace(0.1, 4, 12):
        for decay in np.geomspace(0.4, 16, 10):
            first, second = (math.log(1 + extra * math.exp(-n / decay)) for n in (1, 2))
            squares = 2 * (half - (first - second) / 2) ** 2
            ratios.append(((known + squares) / (known + 2 * half**2)) ** -1.75)
    odds = 0.08 / 0.92 * float(np.mean(ratios))
    assert Settling.of(samples).probability == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize(("extra", "decay"), [(0.8, 1.5), (0.5, 4.0), (2.0, 1.0)])
def test_what_first_calls_take_longer_is_found(extra: float, decay: float) -> None:
    """From eight calls at three sizes the first calls' extra time is known within 5%."""
    found = Settling.of(_calls(extra, decay, count=8, noise=0.02))
    assert found.probability > 0.99
    for number in (1, 2, 4, 8):
        truth = math.log(1 + extra * math.exp(-number / decay))
        assert found.extra_at(number) == pytest.approx(truth, abs=0.05)


def test_steady_calls_do_not_settle() -> None:
    """Of a hundred steady functions with 10% of noise at most three look as if they settled."""
    likely = [Settling.of(_calls(0, 1, count=4, noise=0.1, seed=s)).is_likely for s in range(100)]
    assert sum(likely) <= 3


def test_the_curve_is_of_settled_calls() -> None:
    """The posterior's interval holds what settled calls take, where a mean of all calls would be
    12% above it.
    """
    samples = _calls(0.8, 1.5, count=6, noise=0.03)
    draws = fit_curve(samples, sizes_mb=SIZES).draws_ms(SIZES)
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert ((low < 100) & (high > 100)).all()
    assert np.mean([s.duration_ms for s in samples if not s.cold]) > 112


def test_what_is_not_known_of_first_calls_is_shared_by_sizes() -> None:
    """Levels that rest on first calls alone are unsure together; settled ones are not."""
    first = _calls(0.8, 1.5, count=2, noise=0.03)
    late = tuple(Sample(1024, 100.0, "1024/1", call_number=n) for n in range(40, 45))
    settling = Settling.of((*first, *late))
    levels = measure_levels((*first, *late), settling)
    shared = levels.shared_covariance
    last, *_others = np.flatnonzero(levels.sizes_mb == 1024)
    assert shared[0, 0] == pytest.approx(shared[0, 1])
    assert shared[0, 0] > 0.001
    assert abs(shared[0, last]) < shared[0, 0] / 5
    assert shared[last, last] < shared[0, 0] / 20


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1e6), st.integers(0, 500)), min_size=1, max_size=12),
    st.floats(0.1, 1e3),
)
def test_the_unit_of_time_does_not_matter(calls: list[tuple[float, int]], unit: float) -> None:
    """What is found of first calls is a ratio: durations in another unit give the same."""

    def found(scale: float) -> Settling:
        return Settling.of(
            [Sample(512, max(ms * scale, 0.01), "512/1", call_number=n) for ms, n in calls]
        )

    durations_hold = min(ms for ms, _ in calls) * unit >= 0.01
    if durations_hold:
        one, other = found(1.0), found(unit)
        assert other.probability == pytest.approx(one.probability, abs=1e-6)
        assert np.allclose(other.log_extra, one.log_extra, atol=1e-6)
        assert 0 <= one.probability <= 1
        assert (np.linalg.eigvalsh(one.covariance) > -1e-9).all()
