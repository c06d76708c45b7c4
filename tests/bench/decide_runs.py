"""Runs of one way of deciding over many functions, and what came of them."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.bench.decide_world import World
from tests.sweeps import made_function
from tuner.decision.candidates import candidate_sizes
from tuner.decision.evidence import read_evidence
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.decision.problem import build_problem
from tuner.decision.question import Question
from tuner.decision.verdict import judge
from tuner.model.goal import Goal
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.decide_world import Function
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.model.recommendation import Choice

ANSWER_SEED = 0
"""The draws that the policy looks at before it stops."""
PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")
CHEAPEST: Final = Goal(time_weight=0.0, cold_start_share=0.0)


@dataclass(frozen=True)
class Run:
    """One decision about one function."""

    name: str
    source: str
    memory_mb: int
    regret: float
    invocation_count: int
    spent: float
    expected_regret: float = 0.0
    regret_bound: float = 1.0
    holds: tuple[bool, ...] = ()
    """Whether the intervals of duration, cost and saving hold the truth."""


def question_about(
    function: Function,
    goal: Goal = CHEAPEST,
    *,
    current_mb: int = 1024,
    prior: PriorEvidence | None = None,
) -> Question:
    """Which size within the function's recorded range is best."""
    low, high = function.sizes_mb[0], function.sizes_mb[-1]
    config = made_function(min(max(current_mb, low), high), timeout_s=900, runtime=function.runtime)
    sizes = candidate_sizes(low, high, config.memory_mb)
    return Question(goal, config, PRICES, frozenset(sizes), prior)


def adaptive_run(
    function: Function,
    seed: int,
    *,
    slot_count: int = 1,
    tolerance_ratio: float = 0.01,
    **limits: Any,
) -> Run:
    """The tuner's own way, about the plain cheapest."""
    question = question_about(function, replace(CHEAPEST, tolerance_ratio=tolerance_ratio))
    luck = f"{function.name}/{seed}"
    world = swept(function, question, luck, seed=seed, slot_count=slot_count, **limits)
    return conclude(world, question, seed=seed)


def swept(
    function: Function,
    question: Question,
    luck: str,
    *,
    seed: int = 0,
    slot_count: int = 4,
    **limits: Any,
) -> World:
    """Sweep a function as the command does; its noise is drawn by the seed `luck`."""
    policy = AdaptivePolicy(question, {"empty": 1.0}, seed=seed, **limits)
    world = World(function, random.Random(luck))
    world.run(policy, slot_count)
    return world


def conclude(world: World, question: Question, *, seed: int) -> Run:
    """Decide from what was invoked, and compare with the truth."""
    function, current_mb = world.function, question.function.memory_mb
    problem = build_problem(question, read_evidence(world.done, {"empty": 1.0}), seed=seed)
    choice = judge(problem)
    size = choice.memory_mb or choice.best_so_far_mb or current_mb
    return Run(
        name=function.name,
        source=function.source,
        memory_mb=size,
        regret=_regret(function, size),
        invocation_count=len(world.done),
        spent=world.spent,
        expected_regret=choice.expected_regret_ratio or 0.0,
        regret_bound=1.0 if choice.regret_bound_ratio is None else choice.regret_bound_ratio,
        holds=intervals_hold(function, choice, current_mb),
    )


def _regret(function: Function, memory_mb: int) -> float:
    """True cost over the least; 1 for a size that fails."""
    return function.regret(memory_mb) if function.survives(memory_mb) else 1.0


def intervals_hold(function: Function, choice: Choice, current_mb: int) -> tuple[bool, ...]:
    """Whether the intervals of duration, cost and saving hold the truth; () without an answer."""
    size = choice.memory_mb
    if size is None:
        return ()
    cost = function.true_cost_usd(size)
    pairs = [
        (choice.duration_ms, function.truth_ms(size)),
        (choice.cost_usd_per_million, cost * 1e6),
    ]
    if size != current_mb:
        pairs.append((choice.saving_ratio, 1 - cost / function.true_cost_usd(current_mb)))
    return tuple(bool(i.low <= truth <= i.high) for i, truth in pairs if i is not None)


def by_function(runs: Sequence[Run]) -> dict[str, float]:
    """Mean regret of each function over its seeds."""
    groups: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        groups[run.name].append(run.regret)
    return {name: float(np.mean(each)) for name, each in groups.items()}
