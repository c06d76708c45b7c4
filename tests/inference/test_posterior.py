"""Certified answers: the fit against brute force from the model's definition, and by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import gamma, kv, logsumexp, ndtr

from tests.inference.made import made_samples, one_thread_ms
from tests.inference.reference import ENVIRONMENTS, INVOCATION_SCALES, SLOW_OCTAVES, posterior
from tuner.inference.curve import fit_curve
from tuner.inference.kernel import discrepancy_kernels
from tuner.inference.posterior import _DISCREPANCY_RATIOS, BETWEEN_RATIOS
from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

DRAW_COUNT = 4000


def many_seconds(memory_mb: int) -> float:
    """4 s of CPU on one thread."""
    return 4000 * 1769 / memory_mb


def few_windows(memory_mb: int) -> float:
    """30 ms of CPU, as long as one and a half of the quota's windows."""
    return 30 * 1769 / memory_mb


@pytest.mark.parametrize(
    ("duration_ms", "measured_mb", "asked_mb"),
    [
        (many_seconds, (128, 512, 1024), 512),
        (many_seconds, (128, 512, 1024), 768),
        (few_windows, (256, 512, 1024), 256),
        (few_windows, (256, 512, 1024), 768),
        (one_thread_ms, (256, 1024), 1024),
    ],
)
def test_the_posterior_is_that_of_the_definition(
    duration_ms: Callable[[int], float], measured_mb: tuple[int, ...], asked_mb: int
) -> None:
    """At sizes that were measured and that were not, the mean is within 0.3% of brute force, and
    brute force gives the ends of the 90% interval probabilities within 2.5 points of 5 and 95%:
    so much the fit gives up for speed, with few of the prior's shapes and draws that never rise.
    """
    samples = made_samples(duration_ms, measured_mb, seed=4)
    curve = fit_curve(samples, sizes_mb=(*measured_mb, asked_mb), draw_count=DRAW_COUNT)
    draws = curve.draws_ms((asked_mb,))[:, 0]
    expected = posterior(samples, asked_mb)
    low, high = np.quantile(draws, (0.05, 0.95))
    assert draws.mean() == pytest.approx(expected.mean_ms(), rel=0.003)
    assert expected.share_below(low) == pytest.approx(0.05, abs=0.025)
    assert expected.share_below(high) == pytest.approx(0.95, abs=0.025)


def test_a_single_size_is_the_conjugate_case() -> None:
    """One size, an environment each: with a flat scale the shape says nothing, and the log level is
    a mixture of normals around the samples' mean, of variances (between² + within²) / n that are
    weighed by hand: by their priors, and by the samples' scatter.
    """
    logs = np.log(5000) + np.array([-0.06, -0.02, 0.0, 0.03, 0.05])
    samples = [Sample(512, math.exp(log), str(number)) for number, log in enumerate(logs)]
    curve = fit_curve(samples, sizes_mb=(512,), draw_count=DRAW_COUNT)
    calm = np.log(curve.draws_ms((512,))[:, 0]) - curve.slow_log_at((512,))[:, 0]
    count, squares = len(logs), float(np.sum((logs - logs.mean()) ** 2))
    points = [  # no environment was seen twice: within it the prior is all, 2.5 samples at 5%
        (
            math.log(weight) - 2.5 * (math.log(scale) + scale**-2 / 2),
            between**2 + (0.05 * scale) ** 2,
        )
        for between, weight in ENVIRONMENTS
        for scale in INVOCATION_SCALES
    ]
    log_weight = np.array(
        [log - (count - 1) / 2 * math.log(v) - squares / (2 * v) for log, v in points]
    )
    weight = np.exp(log_weight - logsumexp(log_weight))
    deviation = np.sqrt([variance / count for _, variance in points])
    assert calm.mean() == pytest.approx(logs.mean(), abs=0.003)
    assert calm.std() == pytest.approx(math.sqrt(weight @ deviation**2), rel=0.05)
    for share, quantile in zip((0.05, 0.95), np.quantile(calm, (0.05, 0.95)), strict=True):
        below = weight @ ndtr((quantile - logs.mean()) / deviation)
        assert below == pytest.approx(share, abs=0.015)


def test_the_slow_discrepancy_is_a_matern_process() -> None:
    """Its covariance is the general form with nu = 3/2 (Rasmussen and Williams, 2006, eq. 4.14)."""
    sizes = np.array([128, 200, 512, 1769, 10_240])
    apart = np.abs(np.log2(sizes)[:, None] - np.log2(sizes)[None, :]) + 1e-12
    scaled = math.sqrt(3) * apart / SLOW_OCTAVES
    expected = 2**-0.5 / gamma(1.5) * scaled**1.5 * kv(1.5, scaled)
    found, _ = discrepancy_kernels(sizes, sizes)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_prior_weights_are_probabilities() -> None:
    """Those of the scatter between environments and those of the discrepancy sum to one."""
    for ratios in (BETWEEN_RATIOS, _DISCREPANCY_RATIOS):
        assert sum(each[-1] for each in ratios) == pytest.approx(1)
