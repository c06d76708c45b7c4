from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binom

from tuner.decision.percentile import measured_interval, samples_needed, upper_bound_ms


@pytest.mark.parametrize(("percentile", "count"), [(50, 5), (90, 22), (95, 45), (99, 230)])
def test_samples_needed(percentile: float, count: int) -> None:
    """n samples measure a percentile once 1 - p^n reaches 0.9, if the other side is held too."""
    assert samples_needed(percentile) == count
    durations = [float(number) for number in range(count)]
    assert upper_bound_ms(durations, percentile) == count - 1
    found = measured_interval(durations, percentile)
    assert found is not None
    assert found.low < found.estimate <= found.high == count - 1
    assert measured_interval(durations[1:], percentile) is None


@pytest.mark.parametrize("percentile", [0.5, 1.0, 2.0, 10.0, 33.3, 50.0, 66.6, 90.0, 99.0])
def test_so_many_have_an_interval_and_no_fewer(percentile: float) -> None:
    """It's the count from which a size's samples alone have an interval."""
    needed = samples_needed(percentile)
    assert measured_interval([1.0] * needed, percentile) is not None
    assert measured_interval([1.0] * (needed - 1), percentile) is None


@pytest.mark.parametrize("percentile", [5e-324, 1e-6, 0.01, 99.99, 99.999999, 99.99999999999999])
def test_rare_percentiles_are_counted_at_once(percentile: float) -> None:
    """Millions of samples are named without a list of as many."""
    began = time.perf_counter()
    assert samples_needed(percentile) > 20_000
    assert time.perf_counter() - began < 1.0


def test_more_samples_bound_by_a_lower_rank() -> None:
    """With 77 samples the second largest bounds p95: P(Binomial(77, .95) < 76) is over 0.9."""
    durations = [float(number) for number in range(77)]
    assert upper_bound_ms(durations, 95) == 75


@pytest.mark.parametrize("percentile", [50, 90, 95, 99])
@pytest.mark.parametrize("count", [5, 22, 45, 60, 77, 120, 230, 1000])
def test_the_bound_is_the_least_that_holds_nine_times_in_ten(percentile: float, count: int) -> None:
    """By SciPy's binomial distribution: the rank's own probability, and one less is too little."""
    bound = upper_bound_ms([float(number) for number in range(1, count + 1)], percentile)
    ranks = np.arange(1, count + 1)
    sure = binom.cdf(ranks - 1, count, percentile / 100)  # that so many at most lie below
    assert bound == next(
        (rank for rank, each in zip(ranks, sure, strict=True) if each >= 0.9), None
    )


@pytest.mark.parametrize(
    ("percentile", "count"), [(50, 5), (50, 60), (95, 45), (95, 120), (99, 230)]
)
def test_the_interval_holds_nine_times_in_ten(percentile: float, count: int) -> None:
    """By SciPy's binomial distribution, whatever that of durations: not with a rank less."""
    found = measured_interval([float(number) for number in range(1, count + 1)], percentile)
    assert found is not None
    assert held(found.low, found.high, count, percentile) >= 0.9
    assert held(found.low + 1, found.high, count, percentile) < 0.9
    assert held(found.low, found.high - 1, count, percentile) < 0.9


def held(low: float, high: float, count: int, percentile: float) -> float:
    """P(the percentile lies between the samples of two ranks)."""
    return float(np.diff(binom.cdf([low - 1, high - 1], count, percentile / 100))[0])


def test_thousands_of_samples_do_not_overflow() -> None:
    """Five thousand samples give a bound just above the sample percentile."""
    durations = [float(number) for number in range(5000)]
    bound = upper_bound_ms(durations, 95)
    assert bound is not None
    assert 4750 < bound < 4790
