from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inference.made import made_samples, one_thread_ms
from tuner.errors import InputError
from tuner.inference.curve import fit_curve
from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (128, 192, 320, 512, 1024, 1769, 1770, 3008, 3009, 5308, 10_240)
samples_lists = st.lists(
    st.builds(
        Sample,
        memory_mb=st.integers(128, 10_240),
        duration_ms=st.floats(0.01, 900_000),
        environment=st.sampled_from([None, "a", "b"]),
    ),
    min_size=1,
    max_size=12,
)


@given(samples_lists)
@settings(max_examples=25, deadline=None)
def test_every_draw_is_finite_and_positive(samples: list[Sample]) -> None:
    """Whatever was measured, every draw is a duration."""
    draws = fit_curve(samples, draw_count=50).draws_ms(SIZES)
    assert draws.shape == (50, len(SIZES))
    assert np.isfinite(draws).all()
    assert (draws > 0).all()


def test_a_curve_that_fits_what_falls_hardly_ever_rises() -> None:
    """Where no sample contradicts it, typical calls rise with memory in at most one draw in ten,
    and the mean, which slow calls lift, by at most 3% in expectation."""
    samples = made_samples(one_thread_ms, (128, 512, 1024, 2048))
    curve = fit_curve(samples)
    typical = np.log(curve.draws_ms(SIZES)) - curve.slow_log_at(SIZES)
    assert (np.diff(typical, axis=1) > 1e-9).any(axis=1).mean() <= 0.1
    mean = curve.mean_ms(SIZES)
    assert (mean / np.minimum.accumulate(mean)).max() < 1.03


@pytest.mark.parametrize(
    "truth",
    [
        lambda m: 300 + 0.05 * m,
        lambda m: 100 * 1769 / m + 0.15 * m,
        lambda m: 250 * (9 if m < 384 else 1),
        lambda m: (100 + 200 * 1769 / min(m, 1769)) * (1.1 if 448 <= m < 1024 else 1),
    ],
)
def test_with_samples_a_sizes_own_mean_wins(truth: Callable[[int], float]) -> None:
    """Whatever the shape, after ten environments a size is within 3% of its own samples' mean."""
    sizes = (128, 256, 384, 512, 1024, 1769, 3008)
    samples = made_samples(truth, sizes, environment_count=10, sample_count=2)
    means = [np.mean([s.duration_ms for s in samples if s.memory_mb == m]) for m in sizes]
    assert fit_curve(samples).mean_ms(sizes) == pytest.approx(means, rel=0.03)


@given(
    st.dictionaries(
        st.sampled_from((128, 256, 384, 512, 768, 1024, 1769, 3008)),
        st.floats(50, 2000),
        min_size=2,
    ),
    st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_with_samples_a_size_comes_to_its_own_mean(levels: dict[int, float], seed: int) -> None:
    """Whatever the levels of the sizes are, the curve comes to each size's own samples: within 8%
    of their mean after ten environments, and 2% after sixty."""
    for environment_count, most in ((10, 0.08), (60, 0.02)):
        samples = made_samples(
            levels.__getitem__,
            sorted(levels),
            environment_count=environment_count,
            sample_count=2,
            seed=seed,
        )
        own = [np.mean([s.duration_ms for s in samples if s.memory_mb == m]) for m in levels]
        assert fit_curve(samples).mean_ms(tuple(levels)) == pytest.approx(own, rel=most)


@given(samples_lists, st.floats(0.5, 100))
@settings(max_examples=15, deadline=None)
def test_scales_with_the_durations(samples: list[Sample], factor: float) -> None:
    """A function that takes twice as long at every size has a curve of twice the height, where
    runs are far longer than the quota's windows."""
    scaled = [
        Sample(s.memory_mb, (s.duration_ms + 1) * 1e4 * factor, s.environment) for s in samples
    ]
    plain = [Sample(s.memory_mb, (s.duration_ms + 1) * 1e4, s.environment) for s in samples]
    np.testing.assert_allclose(
        fit_curve(scaled, draw_count=20).draws_ms(SIZES),
        fit_curve(plain, draw_count=20).draws_ms(SIZES) * factor,
        rtol=1e-6,
    )


@given(samples_lists, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_order_does_not_matter(samples: list[Sample], random: st.DataObject) -> None:
    """The same samples in another order give the same curve, to the last digit."""
    shuffled = list(samples)
    random.shuffle(shuffled)
    np.testing.assert_array_equal(
        fit_curve(samples, draw_count=20).draws_ms(SIZES),
        fit_curve(shuffled, draw_count=20).draws_ms(SIZES),
    )


def test_many_typical_samples_give_the_truth() -> None:
    """With next to no noise, the curve passes within 1% of every measured size."""
    sizes = (128, 256, 512, 1024, 1769, 3008)
    samples = made_samples(
        one_thread_ms, sizes, environment_count=6, between_ratio=0.001, within_ratio=0.001
    )
    truth = [one_thread_ms(size) for size in sizes]
    np.testing.assert_allclose(fit_curve(samples).mean_ms(sizes), truth, rtol=0.01)


def test_outside_the_measured_range_it_is_less_sure() -> None:
    """An interval far outside the measured sizes is wider than one among them."""
    samples = made_samples(one_thread_ms, (1024, 1769, 3008))
    draws = np.log(fit_curve(samples).draws_ms((128, 1769)))
    assert draws[:, 0].std() > 3 * draws[:, 1].std()


def test_one_size_says_little_of_the_others() -> None:
    """From samples at 1024 MB alone, the duration at 128 MB may be anything from 1 × to 8 ×."""
    draws = fit_curve(made_samples(one_thread_ms, (1024,))).draws_ms((128, 1024))
    low, high = np.quantile(draws[:, 0] / draws[:, 1], (0.05, 0.95))
    assert low < 1.5
    assert high > 7.5


def test_ten_samples_of_one_environment_are_not_ten_environments() -> None:
    """The same number of samples is worth more from many environments than from one."""
    sizes = (128, 256, 384, 512, 768, 1024, 1536, 2048)
    one = made_samples(one_thread_ms, sizes, environment_count=1, sample_count=10)
    ten = made_samples(one_thread_ms, sizes, environment_count=10, sample_count=1)
    width = [np.log(fit_curve(s).draws_ms((1024,))).std() for s in (one, ten)]
    assert width[0] > 1.3 * width[1]


def test_tails_are_in_the_level() -> None:
    """A mean that tails lift by a tenth at every size is lifted so in the curve as well."""
    sizes = (128, 256, 512, 1024, 2048)
    samples = [
        Sample(size, one_thread_ms(size) * (2.0 if number % 10 == 0 else 1.0), f"{size}/{number}")
        for size in sizes
        for number in range(20)
    ]
    lifted = fit_curve(samples).mean_ms(sizes) / [one_thread_ms(size) for size in sizes]
    assert lifted == pytest.approx(np.full(len(sizes), 1.1), rel=0.03)


def test_one_outlier_does_not_bend_the_shape() -> None:
    """One sample of five times its size's duration leaves the ratio of two sizes within 5%."""
    sizes = (128, 256, 512, 1024, 2048)
    samples = made_samples(one_thread_ms, sizes, environment_count=4, sample_count=2)
    worst = Sample(512, one_thread_ms(512) * 5, "512/0")
    curve = fit_curve([*samples[1:], worst])
    ratio = curve.mean_ms((512,))[0] / curve.mean_ms((128,))[0]
    assert ratio == pytest.approx(one_thread_ms(512) / one_thread_ms(128), rel=0.05)


def test_no_sample_is_an_error() -> None:
    """Without a warm sample there is no curve, and the message says what to do."""
    with pytest.raises(InputError, match="allow more invocations"):
        fit_curve([])


def test_a_duration_that_is_none_is_refused() -> None:
    """NaN and negative durations are refused where they enter."""
    for bad in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="finite duration"):
            Sample(128, bad)


def test_cold_samples_tell_of_the_shape_alone() -> None:
    """Cold handlers that take 1.5 × as long leave the warm level where warm samples put it, and
    make the curve between surer.
    """
    sizes = (128, 256, 512, 1024, 1769, 3008)
    warm = made_samples(one_thread_ms, (128, 3008), environment_count=1)
    cold = [Sample(size, 1.5 * one_thread_ms(size), f"{size}/0", cold=True) for size in sizes]
    curves = [fit_curve(s) for s in (warm, warm + cold)]
    without, with_cold = (
        np.log(c.draws_ms((512, 3008))) - c.slow_log_at((512, 3008)) for c in curves
    )
    assert with_cold[:, 0].std() < 0.6 * without[:, 0].std()
    truth = np.log([one_thread_ms(512), one_thread_ms(3008)])
    assert with_cold.mean(axis=0) == pytest.approx(truth, abs=0.06)
