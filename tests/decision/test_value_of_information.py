"""What knowing a duration is worth to the decision."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.decision.policy.value_of_information import Explained

DRAWS = np.random.default_rng(1).standard_normal(4000)
"""Log duration of something, over the posterior."""
REGRETS = np.column_stack([0.1 + 0.05 * DRAWS, 0.1 - 0.05 * DRAWS])
"""Two answers; which is the better one hangs on that duration alone."""


def test_what_the_answers_hang_on_is_worth_the_difference_that_it_makes() -> None:
    """Known whole, the better of two answers at 0.1 ± 0.05 z has 0.1 - 0.05 E|z| = 0.1 - 0.0399
    on average; known to a quarter of its variance, half of that is won.
    """
    explained = Explained.of(REGRETS, DRAWS)
    won = 0.05 * np.sqrt(2 / np.pi)
    assert 0.1 - explained.least_after(1.0) == pytest.approx(won, rel=0.05)
    assert 0.1 - explained.least_after(0.25) == pytest.approx(won / 2, rel=0.05)
    assert explained.least_after(0.0) == pytest.approx(0.1, abs=1e-3)


def test_what_no_answer_hangs_on_is_worth_nothing_however_unsure_it_is() -> None:
    """Few draws do not make it look as if it told which of them is the true one."""
    rng = np.random.default_rng(2)
    regrets = 0.1 + 0.05 * rng.standard_normal((200, 30))
    unrelated = 3.0 * rng.standard_normal(200)
    best = regrets.mean(axis=0).min()
    told = best - regrets.min(axis=1).mean()
    assert best - Explained.of(regrets, unrelated).least_after(1.0) < 0.15 * told


def test_a_bend_is_seen_too() -> None:
    """An answer that is bad at both ends and one that is never very good part where it bends."""
    regrets = np.column_stack([0.04 * DRAWS**2, np.full(len(DRAWS), 0.05)])
    perfect = regrets.min(axis=1).mean()
    assert Explained.of(regrets, DRAWS).least_after(1.0) == pytest.approx(perfect, rel=0.1)


def test_a_quantity_that_is_known_already_is_worth_nothing() -> None:
    """Draws that do not differ divide nothing by zero."""
    known = Explained.of(REGRETS, np.full(len(DRAWS), 5.0))
    assert known.least_after(1.0) == pytest.approx(REGRETS.mean(axis=0).min(), abs=1e-3)


def test_an_answer_that_lacks_invocations_must_be_so_much_better() -> None:
    """A penalty of 0.03 on one of two even answers leaves less to win: only where it is better by
    more than that, it is taken.
    """
    explained = Explained.of(REGRETS, DRAWS)
    difference = 0.1 * np.abs(DRAWS[DRAWS < 0]) - 0.03
    won = float(np.maximum(difference, 0).sum()) / len(DRAWS)
    after = explained.least_after(1.0, np.array([0.03, 0.0]))
    assert float(REGRETS[:, 1].mean()) - after == pytest.approx(won, rel=0.05)
