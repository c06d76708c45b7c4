from __future__ import annotations

import numpy as np
import pytest

from tuner.decide.percentile import samples_needed, upper_bound_ms


@pytest.mark.parametrize(("percentile", "count"), [(50, 4), (90, 22), (95, 45), (99, 230)])
def test_samples_needed(percentile: float, count: int) -> None:
    """The largest of n samples bounds the percentile with 90 % once 1 - p^n reaches 0.9."""
    assert samples_needed(percentile) == count
    durations = [float(number) for number in range(count)]
    assert upper_bound_ms(durations, percentile) == count - 1
    assert upper_bound_ms(durations[1:], percentile) is None


def test_more_samples_bound_by_a_lower_rank() -> None:
    """With 77 samples the second largest bounds p95: P(Binomial(77, .95) < 76) is over 0.9."""
    durations = [float(number) for number in range(77)]
    assert upper_bound_ms(durations, 95) == 75


def test_the_bound_holds_nine_times_in_ten() -> None:
    """Over 400 sets of 60 heavy-tailed samples the p90 bound holds in 88 to 97 %."""
    rng = np.random.default_rng(3)
    truth = float(np.exp(1.2816))
    held = [
        (upper_bound_ms(list(np.exp(rng.standard_normal(60))), 90) or 0) >= truth
        for _ in range(400)
    ]
    assert 0.88 <= np.mean(held) <= 0.97


def test_thousands_of_samples_do_not_overflow() -> None:
    """Five thousand samples give a bound just above the sample percentile."""
    durations = [float(number) for number in range(5000)]
    bound = upper_bound_ms(durations, 95)
    assert bound is not None
    assert 4750 < bound < 4790
