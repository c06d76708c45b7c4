from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from tuner.decision.estimates import Estimates
from tuner.decision.ranking import Ranking, rank
from tuner.model.goal import Goal, GoalName

SIZES = (128, 256, 512, 1024)


def ranking(
    cost: list[list[float]],
    duration: list[list[float]],
    goal: Goal,
    *,
    current_mb: int = 1024,
    allowed: tuple[bool, ...] = (True, True, True, True),
) -> Ranking:
    durations = np.array(duration, dtype=float)
    estimates = Estimates(
        sizes_mb=SIZES,
        duration_ms=durations,
        worst_ms=durations,
        cost_usd=np.array(cost, dtype=float),
        by_payload_ms=MappingProxyType({}),
        by_payload_usd=MappingProxyType({}),
        curves=MappingProxyType({}),
        init_ms=np.zeros_like(durations),
    )
    return rank(estimates, goal, np.array(allowed), current_mb)


def picked(found: Ranking) -> int:
    column = found.pick()
    assert column is not None
    return SIZES[column]


COST, DURATION = [[100, 101, 101.9, 103]], [[80, 40, 20, 10]]
PLAIN = Goal(time_weight=0.0)


def test_twice_as_fast_may_cost_seven_per_cent_more() -> None:
    """With cost first, half of the duration is worth 7% of the cost, and not 7.5%."""
    for dearer, expected in ((1.07, 256), (1.075, 128)):
        found = ranking([[100, 100 * dearer, 900, 900]], [[10, 5, 5, 5]], Goal("cost"))
        assert picked(found) == expected


def test_a_weight_of_nothing_asks_for_the_cheapest() -> None:
    """At a time weight of 0 the cheapest wins, however slow."""
    assert picked(ranking(COST, DURATION, PLAIN)) == 128
    assert picked(ranking(COST, DURATION, Goal("cost"))) == 1024


@pytest.mark.parametrize(("name", "exponent"), [("balanced", 1.0), ("speed", 0.1)])
def test_the_larger_weight_is_one(name: GoalName, exponent: float) -> None:
    """Ten percent more time is a loss of ten percent where time counts as much as cost or more;
    ten percent more cost is one to the power of what cost counts of it.
    """
    found = ranking([[1, 1, 1.1, 9]], [[10, 11, 10, 90]], Goal(name))
    assert found.regret_table()[0, :3] == pytest.approx([0.0, 0.1, 1.1**exponent - 1])


def test_what_is_not_allowed_is_neither_picked_nor_the_best() -> None:
    """Barring the cheapest size makes the next one the measure of loss."""
    found = ranking(COST, DURATION, PLAIN, allowed=(False, True, True, True))
    assert picked(found) == 256
    assert found.regrets(3) == pytest.approx(np.array([103 / 101 - 1]))


def test_nothing_allowed_picks_nothing() -> None:
    """Without an allowed size there is no pick."""
    assert ranking(COST, DURATION, Goal(), allowed=(False,) * 4).pick() is None


def test_regret_is_measured_draw_by_draw() -> None:
    """Regret is the objective over the draw's own best."""
    found = ranking(
        [[100, 110, 200, 200], [100, 80, 200, 200]],
        [[4, 3, 2, 1], [4, 3, 2, 1]],
        PLAIN,
    )
    assert found.regrets(0) == pytest.approx(np.array([0.0, 0.25]))
    assert found.regrets(1) == pytest.approx(np.array([0.1, 0.0]))
    assert picked(found) == 256  # 95 on average, against 100


def test_among_measured_sizes_the_best_stays_that_of_all() -> None:
    """Narrowed to some sizes, the pick is the one of least expected regret to the best of all."""
    found = ranking(COST, DURATION, PLAIN)
    column = found.pick(np.array([False, False, True, True]))
    assert column is not None
    assert SIZES[column] == 512
