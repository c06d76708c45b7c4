from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from tests.decision.test_ranking import SIZES, ranking
from tuner.decision.move import weigh_move
from tuner.decision.ranking import Staying
from tuner.inference.sample import Sample
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from tuner.decision.move import Move
    from tuner.decision.problem import Problem

PLAIN = Goal(time_weight=0.0)


def moved(
    cost: list[list[float]],
    duration: list[list[float]],
    *,
    goal: Goal = PLAIN,
    now: tuple[float, float] | None = None,
    measured: tuple[int, ...] = SIZES,
) -> Move:
    """Weigh made draws; warm samples are at `measured`, and 1,024 MB is the current size.

    `now`: cost and duration of what stays, where that has another value of a varied parameter.
    """
    found = ranking(cost, duration, goal)
    if now is not None:
        paid, took = (np.full(len(cost), each) for each in now)
        found = replace(found, staying=Staying(paid * took**goal.weight, took, paid))
    estimates = SimpleNamespace(
        sizes_mb=SIZES, cost_usd=np.array(cost), duration_ms=np.array(duration)
    )
    problem = SimpleNamespace(
        ranking=found,
        estimates=estimates,
        goal=goal,
        measured=measured,
        evidence=SimpleNamespace(
            samples={"empty": [Sample(size, 1.0) for size in measured]},
            sampled_mb={*measured},
        ),
        current_mb=SIZES[-1],
        now=now,
    )
    return weigh_move(cast("Problem", problem))


def test_a_sure_gain_is_enough_though_two_sizes_tie() -> None:
    """Two sizes take turns at being 10% better than the other: which one is open, and moving to
    either is right.
    """
    draws = [[50, 55, 200, 100], [55, 50, 200, 100]] * 10
    move = moved(draws, [[1, 1, 1, 1]] * 20)
    assert (move.verdict, move.confidence) == ("resize", 1.0)


@pytest.mark.parametrize(("better", "verdict"), [(18, "resize"), (17, "inconclusive")])
def test_a_move_is_right_at_nine_in_ten(better: int, verdict: str) -> None:
    """Of twenty draws eighteen must show a gain of more than the tolerance."""
    draws = [[80, 200, 200, 100]] * better + [[101, 200, 200, 100]] * (20 - better)
    move = moved(draws, [[1, 1, 1, 1]] * 20)
    assert move.verdict == verdict
    assert move.confidence == pytest.approx(better / 20)


def test_a_slower_size_must_surely_be_cheaper() -> None:
    """A saving that eighteen draws of twenty show moves to a size as fast, but to no slower one."""
    draws = [[90, 200, 200, 100]] * 18 + [[101, 200, 200, 100]] * 2
    assert moved(draws, [[1, 1, 1, 1]] * 20).verdict == "resize"
    assert moved(draws, [[2, 1, 1, 1]] * 20).verdict == "inconclusive"


def test_what_others_may_bring_is_too_little() -> None:
    """Where the current size is within the tolerance of the best in expectation, it stays."""
    move = moved([[99.5, 200, 200, 100]] * 20, [[1, 1, 1, 1]] * 20)
    assert (move.verdict, move.confidence) == ("keep", 1.0)


def test_a_small_gain_that_is_unlikely_is_not_worth_a_change() -> None:
    """A coin's throw between 5% better and 1% worse leaves the function as it is."""
    draws = [[95, 200, 200, 100], [101, 200, 200, 100]] * 10
    move = moved(draws, [[1, 1, 1, 1]] * 20)
    assert (move.verdict, move.confidence) == ("keep", 0.5)


def test_another_value_at_the_current_size_is_a_move() -> None:
    """A batch size is judged against what is set now, not against itself at the current size: that
    is where the best of its sizes may lie.
    """
    move = moved([[200, 200, 200, 100]] * 20, [[1, 1, 1, 1]] * 20, now=(120, 1))
    assert (move.verdict, move.answer, move.confidence) == ("resize", 3, 1.0)


def test_another_value_that_gains_nothing_is_no_move() -> None:
    """However bad that value is at the current size."""
    move = moved([[100, 200, 200, 500]] * 20, [[1, 1, 1, 1]] * 20, now=(100.5, 1))
    assert (move.verdict, move.confidence) == ("keep", 1.0)


def test_another_value_is_slower_than_what_is_set_now() -> None:
    """A saving that eighteen draws of twenty show is not sure enough for a slower one, though it is
    as fast as the same value at the current size.
    """
    draws = [[90, 200, 200, 300]] * 18 + [[101, 200, 200, 300]] * 2
    assert moved(draws, [[2, 2, 2, 2]] * 20, now=(100, 2)).verdict == "resize"
    assert moved(draws, [[2, 2, 2, 2]] * 20, now=(100, 1)).verdict == "inconclusive"


@pytest.mark.parametrize(("cost", "answer"), [(79.5, 1), (79.0, 0)])
def test_a_size_that_lacks_its_samples_must_be_better_by_their_price(
    cost: float, answer: int
) -> None:
    """Two invocations of 0.4 tolerances each: an unmeasured size answers in a measured one's place
    where it is better by more than 0.8%.
    """
    draws = [[cost, 80, 200, 100]] * 20
    assert moved(draws, [[1, 1, 1, 1]] * 20, measured=SIZES[1:]).answer == answer


def test_another_value_at_the_current_size_lacks_its_samples_too() -> None:
    """What may be kept without a sample is the current size with the current value alone."""
    draws = [[200, 80, 200, 79.5]] * 20
    even = [[1, 1, 1, 1]] * 20
    measured = SIZES[:-1]
    assert moved(draws, even, measured=measured).answer == 3
    assert moved(draws, even, measured=measured, now=(120, 1)).answer == 1
