"""Invocations over sizes and batch sizes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import recommended
from tests.varied_sweeps import (
    CURRENT_MB,
    PRICES,
    BatchWorld,
    batch_sweep,
    batches,
    record_usd_per_million,
)
from tuner.decision.candidates import candidate_sizes
from tuner.decision.policy import Trial
from tuner.decision.policy.stratified import StratifiedPolicy
from tuner.decision.question import Question
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


def decided(sweep: Sweep, goal: Goal | None = None) -> Recommendation:
    return recommended(sweep, goal)


def value_of(name: str) -> str:
    return name.partition("=")[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_best_pair_is_found_with_few_invocations(seed: int) -> None:
    """Six payloads, each with a curve of its own: fewer than one adaptive sweep for each value."""
    sweep = batch_sweep(BatchWorld(batches(), seed=seed))
    assert len(sweep.invocations) <= 36
    choice = decided(sweep).choice
    assert choice.parameters == (("batch_size", "10"),)
    assert choice.memory_mb is not None
    best = min(record_usd_per_million(10, size) for size in range(128, 3009, 64))
    assert record_usd_per_million(10, choice.memory_mb) <= best * 1.05


def test_every_payload_is_measured_enough_for_its_own_curve() -> None:
    """At three sizes, all of them shared: versions and environments are few."""
    sweep = batch_sweep()
    sizes = {
        payload.name: {i.memory_mb for i in sweep.invocations if i.payload == payload.name}
        for payload in sweep.plan.payloads
    }
    assert all(len(each) >= 3 for each in sizes.values())
    assert len(set().union(*sizes.values())) <= 6


def test_a_value_that_is_beaten_gets_no_more_than_its_curve() -> None:
    """What is spent beyond that goes where it decides."""
    spent = Counter(value_of(i.payload) for i in batch_sweep(goal=Goal()).invocations)
    assert (spent["1"], spent["5"]) == (8, 8)
    assert spent["10"] > 8


def test_little_more_is_spent_once_a_move_to_a_value_is_sure() -> None:
    """It goes to the size that goes best with that value, and the move finds it."""
    sweep = batch_sweep(goal=Goal(time_weight=0.0))
    beyond = sweep.invocations[3 * 8 :]
    assert len(beyond) <= 4
    assert {value_of(i.payload) for i in beyond} <= {"10"}
    choice = decided(sweep, Goal(time_weight=0.0)).choice
    assert choice.parameters == (("batch_size", "10"),)
    assert choice.memory_mb is not None
    best = min(record_usd_per_million(10, size) for size in range(128, 3009, 64))
    assert record_usd_per_million(10, choice.memory_mb) <= best * 1.05


def test_a_size_that_fails_with_one_value_stays_open_to_the_others() -> None:
    """Batches of ten do not fit below 1024 MB, single records fit anywhere."""
    world = BatchWorld(batches(), floor_mb=lambda count: 1024 if count == 10 else 0)
    found = decided(batch_sweep(world))
    killed = {(i.memory_mb, value_of(i.payload)) for i in world.done if i.outcome != "success"}
    assert killed
    assert {value for _, value in killed} == {"10"}
    assert found.choice.memory_mb is None or (
        dict(found.choice.parameters)["batch_size"] != "10" or found.choice.memory_mb >= 1024
    )
    told = [f.message for f in found.findings if f.code == "out_of_memory"]
    assert len(told) == 1
    assert told[0].startswith("with batch_size=10: ran out of memory at")
    tried = {i.memory_mb for i in world.done if value_of(i.payload) == "5"}
    assert tried & {size for size, _ in killed}


def test_the_limit_holds_and_it_waits_for_what_is_in_flight() -> None:
    """As for one value."""
    sizes = candidate_sizes(128, 3008, CURRENT_MB)
    plan = replace(batch_sweep().plan, payloads=batches())
    assert plan.varied is not None
    function = batch_sweep().function
    question = Question(Goal(), function, PRICES, frozenset(sizes))
    policy = StratifiedPolicy(question, plan.payloads, plan.varied, seed=1, max_invocations=11)
    assert policy.next_trials((), (Trial(512, plan.payloads[0].name),), 4) == ()
    world = BatchWorld(plan.payloads)
    world.run(policy)
    assert len(world.done) == 11
    assert policy.planned_count == 11


def test_a_value_that_fails_everywhere_is_given_up() -> None:
    """At the price of a few invocations; the others have their answer."""
    world = BatchWorld(batches(), floor_mb=lambda count: 99_999 if count == 10 else 0)
    found = decided(batch_sweep(world))
    assert sum(value_of(i.payload) == "10" for i in world.done) <= 10
    assert found.choice.verdict != "inconclusive"
    assert found.choice.parameters == (("batch_size", "5"),)


def test_limits_that_no_pair_meets_are_made_sure_of() -> None:
    """A few samples at the size that comes nearest, for each value; then it ends."""
    goal = Goal(max_duration_ms=10)
    sweep = batch_sweep(goal=goal)
    found = decided(sweep, goal)
    assert found.choice.verdict == "inconclusive"
    assert "no size meets the limit:" in found.choice.reason
    assert len(sweep.invocations) < 54


def test_the_same_seed_makes_the_same_choices() -> None:
    """Replaying gives the same trials."""
    first, second = batch_sweep(), batch_sweep()
    assert [(i.memory_mb, i.payload) for i in first.invocations] == [
        (i.memory_mb, i.payload) for i in second.invocations
    ]
