"""How single invocations scatter, drawn from few and from many samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from tests.inference.made import made_samples, one_thread_ms
from tuner.inference.predictive import _normal_share_below, draw_ratio_quantiles
from tuner.inference.sample import Sample
from tuner.inference.variance_components import measure_levels

SIZES_MB = (128, 256, 512, 1024, 2048)
PERCENTILES = (50, 95, 99)


def drawn(
    samples: list[Sample], mean_ratio: float = 1.0
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    means = [mean_ratio * one_thread_ms(sample.memory_mb) for sample in samples]
    return draw_ratio_quantiles(
        samples,
        measure_levels(samples),
        means,
        percentiles=PERCENTILES,
        draw_count=200,
        rng=np.random.default_rng(1),
    )


@pytest.mark.parametrize("within_ratio", [0.03, 0.1, 0.2])
def test_many_samples_tell_the_percentiles(within_ratio: float) -> None:
    """With 200 samples each middle draw is within 8% of the lognormal's own ratio."""
    samples = made_samples(one_thread_ms, SIZES_MB, sample_count=20, within_ratio=within_ratio)
    spread = float(np.hypot(within_ratio, 0.03))
    truth = np.exp(np.array([0, 1.645, 2.326]) * spread - spread**2 / 2)
    assert np.median(drawn(samples), axis=0) == pytest.approx(truth, rel=0.08)


def test_few_samples_leave_the_tail_open() -> None:
    """Ten typical samples cannot rule out that one call in fifty takes twice as long."""
    samples = made_samples(one_thread_ms, SIZES_MB, environment_count=1, sample_count=2)
    low, high = np.quantile(drawn(samples)[:, 2], (0.05, 0.95))
    assert low < 1.2
    assert high > 1.5


def test_slow_calls_that_were_seen_are_in_the_tail_only() -> None:
    """One call in ten that takes three times as long is in p95, and leaves the median alone."""
    samples = [
        Sample(s.memory_mb, s.duration_ms * (3 if number % 10 == 5 else 1), s.environment)
        for number, s in enumerate(made_samples(one_thread_ms, SIZES_MB, sample_count=10))
    ]
    middle = np.median(drawn(samples, mean_ratio=1.2), axis=0) * 1.2
    assert middle[0] == pytest.approx(1.0, rel=0.05)
    assert middle[1] == pytest.approx(3.0, rel=0.15)


def test_cold_samples_alone_still_give_an_answer() -> None:
    """Before the first warm sample the assumed scatter is all there is."""
    samples = [
        Sample(s.memory_mb, s.duration_ms, s.environment, cold=True)
        for s in made_samples(one_thread_ms, SIZES_MB)
    ]
    assert np.isfinite(drawn(samples)).all()


def test_the_normal_table_is_scipys_to_six_digits() -> None:
    """Between its points too, and far outside."""
    deviations = np.random.default_rng(2).uniform(-9, 9, 5000)
    np.testing.assert_allclose(_normal_share_below(deviations), ndtr(deviations), atol=1e-6)
