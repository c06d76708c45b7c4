from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tuner.inference.sample import Sample
from tuner.inference.variance_components import measure_levels


def test_environments_are_weighed_by_both_layers() -> None:
    """Two environments, of four samples and of one, get the weights computed by hand."""
    samples = [Sample(512, 100.0, "a")] * 4 + [Sample(512, 110.0, "b")]
    levels = measure_levels(samples)
    # No scatter within a: 2.5 prior samples at 5% over 2.5 + 3 degrees of freedom.
    within = math.sqrt(2.5 * 0.05**2 / 5.5)
    assert levels.within_ratio == pytest.approx(within)
    precision = [1 / (0.03**2 + within**2 / 4), 1 / (0.03**2 + within**2)]
    expected = (precision[0] * math.log(100) + precision[1] * math.log(110)) / sum(precision)
    seen = levels.observe(0.03)
    assert seen.log_level + levels.log_anchor == pytest.approx(np.array([expected]))
    assert seen.covariance == pytest.approx(np.array([[1 / sum(precision)]]))


def test_scatter_between_environments_makes_large_scatter_likelier() -> None:
    """Environments 10% apart are likelier under a scatter of 8% than under 1%."""
    samples = [Sample(512, 100.0 * (1.1**number), str(number)) for number in range(4)]
    levels = measure_levels([s for s in samples for _ in range(5)])
    typical, lively = (levels.observe(ratio).scatter_log_likelihood for ratio in (0.01, 0.08))
    assert lively > typical


def test_the_scatter_likelihood_is_the_normal_distributions() -> None:
    """Two environments' likelihood, with a flat prior on the level, is that of their difference."""
    levels = measure_levels([Sample(512, 100.0, "a"), Sample(512, 110.0, "b")])

    def expected(between: float) -> float:
        variance = 2 * (between**2 + levels.within_ratio**2)
        return -0.5 * (math.log(variance) + math.log(1.1) ** 2 / variance)

    difference = (
        levels.observe(0.08).scatter_log_likelihood - levels.observe(0.01).scatter_log_likelihood
    )
    assert difference == pytest.approx(expected(0.08) - expected(0.01))


def test_cold_and_warm_of_one_environment_share_its_luck() -> None:
    """The covariance of an environment's warm and cold level is its environments' scatter."""
    levels = measure_levels([Sample(512, 100.0, "a"), Sample(512, 150.0, "a", cold=True)])
    seen = levels.observe(0.05)
    assert list(seen.cold) == [False, True]
    within, cold = levels.within_ratio, levels.cold_ratio
    assert seen.covariance == pytest.approx(
        np.array(
            [
                [0.05**2 + within**2, 0.05**2],
                [0.05**2, 0.05**2 + within**2 + cold**2],
            ]
        )
    )
    assert seen.log_level + levels.log_anchor == pytest.approx(np.log([100.0, 150.0]))


@pytest.mark.parametrize(("own_ratio", "low", "high"), [(0.0, 0.0, 0.03), (0.06, 0.045, 0.075)])
def test_what_single_calls_scatter_is_no_scatter_of_cold_starts(
    own_ratio: float, low: float, high: float
) -> None:
    """Forty environments, calls that scatter by 4%: the cold starts' own scatter is what is left,
    next to none or 6% (much more would be taken for slow calls).
    """
    rng = random.Random(7)
    samples = []
    for number in range(40):
        cold_ms = 130 * rng.lognormvariate(0, own_ratio) * rng.lognormvariate(0, 0.04)
        samples.append(Sample(512, cold_ms, str(number), cold=True))
        samples += [Sample(512, 100 * rng.lognormvariate(0, 0.04), str(number)) for _ in range(3)]
    assert low <= measure_levels(samples).cold_ratio <= high
