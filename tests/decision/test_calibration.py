"""What is said of an answer is as often true, where functions are as the model thinks. They have no
slow calls: those the fit knows roughly, as `tests.inference.test_coverage` says.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import binom

from tests.bench.decide_drawn import drawn_runs

if TYPE_CHECKING:
    from tests.bench.decide_goal import GoalRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COUNT = 150
BOUND = 0.95


@lru_cache(maxsize=1)
def runs() -> list[GoalRun]:
    """Decisions about functions of the prior: a quarter of a minute of work."""
    return drawn_runs(COUNT, slow_calls=False)


def test_the_expected_regret_is_the_regret() -> None:
    """On average, within three of its standard errors."""
    apart = np.array([run.regret - run.expected_regret for run in runs()])
    assert abs(apart.mean()) < 3 * apart.std() / np.sqrt(len(apart))


def test_a_bound_is_broken_once_in_twenty() -> None:
    """But for chance, and for the rule that ends a sweep where things look well: two points."""
    held = [run.bound_held for run in runs() if run.bound_held is not None]
    low, high = binom.ppf(0.001, len(held), BOUND - 0.02), binom.ppf(0.999, len(held), BOUND + 0.02)
    assert low <= sum(held) <= high


def test_a_confidence_is_how_often_it_is_right() -> None:
    """In all and for resizes alone, within three standard errors."""
    for verdicts in (("resize",), ("keep", "resize", "inconclusive")):
        of = [run for run in runs() if run.verdict in verdicts]
        said = np.array([run.confidence for run in of])
        right = np.array([run.right for run in of])
        error = np.sqrt(np.sum(said * (1 - said))) / len(of)
        assert abs(said.mean() - right.mean()) < 3 * error
