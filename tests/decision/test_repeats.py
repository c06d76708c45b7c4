"""Functions whose calls scatter widely: a move's sizes are called again before it's answered."""

from __future__ import annotations

import random

import pytest

from tests.bench.decide_world import Function, World
from tests.sweeps import made_function, made_sweep, recommended
from tuner.decision.candidates import candidate_sizes
from tuner.decision.evidence import read_evidence
from tuner.decision.move import weigh_move
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.decision.problem import Problem, build_problem
from tuner.decision.question import Question
from tuner.decision.repeats import NOISE_RATIO, calls_needed, scatter_of
from tuner.decision.verdict import judge
from tuner.inference.sample import Sample
from tuner.model.goal import Goal
from tuner.pricing import load_price_book

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")
WEIGHTS = {"empty": 1.0}


def test_scatter_is_of_warm_calls_and_of_cold_ones_beside_them() -> None:
    """Warm calls that agree don't hide that cold ones come out 0.4 above and below; too few show
    nothing, and what cold calls take longer everywhere is no scatter.
    """
    agree = [Sample(128, 100.0, "a"), Sample(128, 100.0, "a")]
    assert scatter_of(agree) == 0.0
    cold = [
        Sample(size, 100.0 * ratio, str(size), cold=True)
        for size, ratio in ((128, 1.5), (256, 0.67), (512, 1.0))
    ]
    warm = [Sample(size, 100.0, str(size)) for size in (256, 512)]
    assert scatter_of([*agree, *cold, *warm]) > 0.15
    slower = [Sample(size, 300.0, str(size), cold=True) for size in (128, 256, 512)]
    assert scatter_of([*agree, *slower, *warm]) == pytest.approx(0.0)


def noisy_problem(seed: int) -> tuple[Problem, int]:
    """A sweep of up to 40 calls that scatter by half of their duration, and how many it took."""

    def truth_ms(memory_mb: int) -> float:
        return 150 + 150 * 1769 / min(memory_mb, 1769)

    sizes = tuple(range(128, 3009, 64))
    made = Function(
        "made", "noisy", sizes, truth_ms, lambda m, rng: truth_ms(m) * rng.lognormvariate(0, 0.5)
    )
    question = Question(
        Goal(), made_function(3008), PRICES, frozenset(candidate_sizes(128, 3008, 3008))
    )
    policy = AdaptivePolicy(question, WEIGHTS, seed=seed, max_invocations=40)
    world = World(made, random.Random(seed))
    world.run(policy, 4)
    problem = build_problem(question, read_evidence(world.done, WEIGHTS), seed=seed)
    return problem, len(world.done)


@pytest.mark.parametrize("seed", [6, 9])
def test_a_move_between_noisy_sizes_rests_on_calls_of_both(seed: int) -> None:
    """Calls scatter by half of their duration: a resize before the last invocation has as many warm
    calls of both sizes as telling them apart takes.
    """
    problem, count = noisy_problem(seed)
    choice = judge(problem)
    assert count < 40
    assert scatter_of(problem.evidence.samples["empty"]) > NOISE_RATIO
    assert choice.verdict == "resize"
    assert choice.memory_mb is not None
    needed = calls_needed(problem, problem.estimates.column(choice.memory_mb))
    assert needed > 1
    for memory_mb in (choice.memory_mb, 3008):
        assert len(problem.evidence.warm_ms("empty", memory_mb)) >= needed


def test_a_size_that_the_last_call_made_look_best_carries_no_move() -> None:
    """The 40th call of 40 makes a size look best that was called once, where others were called up
    to five times and calls scatter by half: it's named, but no resize.
    """
    problem, count = noisy_problem(5)
    choice = judge(problem)
    assert count == 40
    assert weigh_move(problem).verdict == "resize"
    assert choice.verdict == "inconclusive"
    assert choice.best_so_far_mb is not None
    assert len(problem.evidence.warm_ms("empty", choice.best_so_far_mb)) == 1
    assert "max_invocations" in choice.reason


def test_a_plan_that_calls_all_sizes_alike_may_carry_a_move_with_few_calls() -> None:
    """Two calls of every size whose calls scatter by half show a gain of nine tenths."""
    sweep = made_sweep(
        lambda memory_mb: 1000.0, warm_count=2, noise_ratio=0.5, current_mb=3008, seed=3
    )
    assert recommended(sweep).verdict == "resize"
