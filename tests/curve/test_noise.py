from __future__ import annotations

import math

import numpy as np
import pytest

from tuner.curve import Sample
from tuner.curve.noise import measure_levels


def test_environments_are_weighed_by_both_layers() -> None:
    """Two environments, of four samples and of one, get the weights computed by hand."""
    samples = [Sample(512, 100.0, "a")] * 4 + [Sample(512, 110.0, "b")]
    levels = measure_levels(samples)
    # No scatter within a: 4 prior samples at 4 % over 4 + 3 degrees of freedom.
    within = math.sqrt(4 * 0.04**2 / 7)
    assert levels.within_ratio == pytest.approx(within)
    precision = [1 / (0.03**2 + within**2 / 4), 1 / (0.03**2 + within**2)]
    expected = (precision[0] * math.log(100) + precision[1] * math.log(110)) / sum(precision)
    level, variance, _ = levels.at_sizes(0.03)
    assert level == pytest.approx(np.array([expected]))
    assert variance == pytest.approx(np.array([1 / sum(precision)]))


def test_scatter_between_environments_makes_large_scatter_likelier() -> None:
    """Environments 10 % apart are likelier under a scatter of 8 % than under 1 %."""
    samples = [Sample(512, 100.0 * (1.1**number), str(number)) for number in range(4)]
    levels = measure_levels([s for s in samples for _ in range(5)])
    assert levels.at_sizes(0.08)[2] > levels.at_sizes(0.01)[2]
