"""Student's t, held against scipy's."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from tuner.observe.student_t import t_quantile


@pytest.mark.parametrize("probability", [0.9, 0.95, 0.975, 0.995])
def test_a_quantile_is_scipy_s_to_four_digits(probability: float) -> None:
    """From one degree of freedom on, whole or not; without a limit it's the normal's."""
    for freedom in (1, 2, 2.5, 3, 4.9, 5, 7.3, 12, 100, 1e4):
        expected = student_t.ppf(probability, freedom)
        assert t_quantile(probability, freedom) == pytest.approx(expected, rel=1e-4)
    for freedom in (1.2, 1.7):
        expected = student_t.ppf(probability, freedom)
        assert expected <= t_quantile(probability, freedom) <= 1.06 * expected
    assert t_quantile(probability, math.inf) == pytest.approx(norm.ppf(probability))
