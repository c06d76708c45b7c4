"""How often intervals hold the truth of functions that are drawn from the model's own prior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tests.inference.drawn_functions import draw_function
from tuner.inference.curve import fit_curve

SIZES_MB = (128, 192, 320, 512, 768, 1536, 3008)
FEW, MANY = ((128, 768, 3008), 1, 1), ((128, 320, 768, 1536, 3008), 2, 3)
"""Measured sizes, environments of each, samples of each."""
DRAW_COUNT = 200
OF_DRAWS = 0.9 * (DRAW_COUNT - 1) / (DRAW_COUNT + 1)
"""What lies between the 5% and the 95% quantile of so many draws: 89.1% of what is drawn."""
DESIGNS = pytest.mark.parametrize("design", [FEW, MANY], ids=["few", "many"])
RUNS = pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.slow)])


def held_count(design: tuple[tuple[int, ...], int, int], count: int, *, slow_calls: bool) -> int:
    """In how many functions the interval holds the truth at one size, measured or not."""
    measured_mb, environment_count, sample_count = design
    held = 0
    for number in range(count):
        rng = np.random.default_rng((1729, number))
        size = int(rng.choice(SIZES_MB))
        made = draw_function(
            SIZES_MB,
            measured_mb,
            rng,
            environment_count=environment_count,
            sample_count=sample_count,
            slow_calls=slow_calls,
        )
        curve = fit_curve(
            made.samples,
            sizes_mb=(size,),
            seed=number,
            slow_calls_seed=number,
            draw_count=DRAW_COUNT,
        )
        draws, truth = curve.draws_ms((size,))[:, 0], made.mean_ms[size]
        if not slow_calls:
            draws, truth = draws / np.exp(curve.slow_log_at((size,))[:, 0]), made.calm_ms[size]
        low, high = np.quantile(draws, (0.05, 0.95))
        held += bool(low <= truth <= high)
    return held


@DESIGNS
@RUNS
def test_calm_durations_are_held_nine_times_in_ten(
    design: tuple[tuple[int, ...], int, int], count: int
) -> None:
    """Without slow calls, as often as draws of the truth itself would, but for chance."""
    low, high = binom.ppf((0.001, 0.999), count, OF_DRAWS)
    assert low <= held_count(design, count, slow_calls=False) <= high


@pytest.mark.slow
@DESIGNS
@RUNS
def test_means_are_held_less_often_where_slow_calls_are_not_told(
    design: tuple[tuple[int, ...], int, int], count: int
) -> None:
    """In 85 to 89%: the fit takes every sample either for a slow call or for none, and a slow one
    that is taken for a calm one lifts its size's level.
    """
    low, high = binom.ppf(0.001, count, 0.85), binom.ppf(0.999, count, OF_DRAWS)
    assert low <= held_count(design, count, slow_calls=True) <= high
