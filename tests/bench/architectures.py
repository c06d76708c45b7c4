"""How often the right architecture is picked, and what a wrong pick costs, on generated pairs.

x86_64 is a generated function of `decide_world`. arm64 is the same one, slower or faster by a ratio
drawn from 0.8 to 1.2 (in a second round to 1.6, where it isn't always the cheaper one), with a
slope of its own over memory, at its own price. Every pair is decided about with its own luck, from
one current size after the other; a pick is right if the best answer of the other architecture isn't
better by more than the tolerance. The pairs are of fixed seeds, by which nothing was chosen.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.decide_world import World, generated_functions
from tests.sweeps import made_function, made_sweep
from tuner.decision.analysis import analyse
from tuner.decision.candidates import candidate_sizes
from tuner.decision.policy.stratified import StratifiedPolicy
from tuner.decision.question import Question
from tuner.model.goal import Goal
from tuner.model.payload import Payload, on_architectures
from tuner.pricing import load_price_book
from tuner.sweep.plan import payload_classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.decide_world import Function
    from tuner.model.function import Architecture
    from tuner.model.goal import GoalName
    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices

BOOK: Final = load_price_book()
PRICES: Final = {
    "x86_64": BOOK.lambda_prices("us-east-1", "x86_64"),
    "arm64": BOOK.lambda_prices("us-east-1", "arm64"),
}
CURRENT_MB: Final = (128, 512, 1769, 3008)
MAX_INVOCATIONS: Final = 46
"""As the plan allows for two payloads."""
_SLOPE: Final = 0.03
"""Of log duration's difference between the architectures over an octave of memory."""
_SEED: Final = 20261201


@dataclass(frozen=True, slots=True)
class Pair:
    """One function on both architectures, and the size that it has on x86_64."""

    functions: dict[str, Function]
    current_mb: int
    seed: int

    def objective(self, goal: Goal, architecture: str, memory_mb: int) -> float:
        """The goal's objective in truth."""
        took_ms = self.functions[architecture].truth_ms(memory_mb)
        billed_ms = took_ms + 0.5 if took_ms > 1 else 1.0
        usd = cost_usd(PRICES[architecture], memory_mb, billed_ms)
        by_cost, by_time = goal.exponents
        return float(usd**by_cost * took_ms**by_time)

    def best(self, goal: Goal, architecture: str) -> float:
        """The least objective among the sizes that survive."""
        function = self.functions[architecture]
        sizes = candidate_sizes(function.sizes_mb[0], function.sizes_mb[-1], self.current_mb)
        alive = [size for size in sizes if function.survives(size)]
        return min(self.objective(goal, architecture, size) for size in alive)


@dataclass(frozen=True, slots=True)
class Picked:
    """One answer about a pair."""

    choice: Choice
    right: bool
    """Whether the architecture that is answered, or leaned toward, is right."""
    arm_right: bool
    """Whether arm64, which has the lower price, would be right."""
    regret: float
    """Of the answer, or of what it leans to, over the best of both."""
    invocation_count: int


def cost_usd(prices: LambdaPrices, memory_mb: int, billed_ms: float) -> float:
    """An invocation's cost at a duration that needn't be whole."""
    low = prices.invocation_cost_usd(memory_mb, 0)
    return low + billed_ms * prices.price_usd_per_ms(memory_mb)


def generated_pairs(count: int, *, most: float = 1.2) -> Iterator[Pair]:
    """Pairs with a ratio of arm64's duration from 0.8 to `most`."""
    functions = generated_functions()
    for number in range(count):
        rng = random.Random(f"{_SEED}/{most}/{number}")
        function = rng.choice(functions)
        ratio, slope = rng.uniform(0.8, most), rng.gauss(0, _SLOPE)
        other = _scaled(function, ratio, slope)
        pair = {"x86_64": function, "arm64": other}
        yield Pair(pair, CURRENT_MB[number % len(CURRENT_MB)], number)


def _scaled(function: Function, ratio: float, slope: float) -> Function:
    def factor(memory_mb: int) -> float:
        return ratio * math.exp(slope * math.log2(memory_mb / 1024))

    return replace(
        function,
        truth_ms=lambda memory_mb: function.truth_ms(memory_mb) * factor(memory_mb),
        draw_ms=lambda memory_mb, rng: function.draw_ms(memory_mb, rng) * factor(memory_mb),
    )


def swept(pair: Pair, goal: Goal, *, max_invocations: int = MAX_INVOCATIONS) -> Sweep:
    """A sweep of both, as the command makes it."""
    function = pair.functions["x86_64"]
    low, high = function.sizes_mb[0], function.sizes_mb[-1]
    current_mb = min(max(pair.current_mb, low), high)
    sizes = candidate_sizes(low, high, current_mb)
    both = on_architectures([Payload("empty", b"{}")], "x86_64", ["arm64"])
    classes = payload_classes(tuple(both))
    base = made_sweep(sizes_mb=sizes, warm_count=0, current_mb=current_mb)
    config = made_function(current_mb, timeout_s=900)
    plan = replace(base.plan, payloads=classes, method="adaptive", seed=pair.seed)
    assert plan.varied is not None
    policy = StratifiedPolicy(
        Question(goal, config, PRICES["x86_64"], frozenset(sizes), other_prices=PRICES["arm64"]),
        classes,
        plan.varied,
        seed=pair.seed,
        max_invocations=max_invocations,
    )
    world = World(function, random.Random(f"x86_64/{pair.seed}"))
    other = World(pair.functions["arm64"], random.Random(f"arm64/{pair.seed}"), done=world.done)
    by_payload = {each.name: other if each.architecture == "arm64" else world for each in classes}
    while trials := policy.next_trials(tuple(world.done), (), 4):
        busy: dict[tuple[str, int], int] = defaultdict(int)
        for trial in trials:
            busy[trial.payload, trial.memory_mb] += 1
            count = busy[trial.payload, trial.memory_mb]
            ended = by_payload[trial.payload].invoke(trial, count)
            if ended.outcome.value == "out_of_memory":
                policy.exclude(trial.memory_mb, trial.payload)
    return replace(base, plan=plan, function=config, invocations=tuple(world.done))


def decide(pair: Pair, goal: Goal, *, max_invocations: int = MAX_INVOCATIONS) -> Picked:
    """Sweep, answer, and compare with the truth."""
    sweep = swept(pair, goal, max_invocations=max_invocations)
    choice = analyse(sweep, goal, price_book=BOOK).choice
    architecture: Architecture = choice.architecture or "x86_64"
    size = choice.memory_mb or choice.best_so_far_mb or sweep.function.memory_mb
    best = {each: pair.best(goal, each) for each in PRICES}
    least = min(best.values())
    return Picked(
        choice,
        right=best[architecture] <= least * (1 + goal.tolerance_ratio),
        arm_right=best["arm64"] <= least * (1 + goal.tolerance_ratio),
        regret=pair.objective(goal, architecture, size) / least - 1,
        invocation_count=len(sweep.invocations),
    )


def figures(picked: Sequence[Picked]) -> str:
    """In one line."""
    firm = [each for each in picked if each.choice.verdict != "inconclusive"]
    regrets = np.array([each.regret for each in picked])
    right, firm_right = (sum(e.right for e in some) / max(len(some), 1) for some in (picked, firm))
    return (
        f"right {right:.0%} (of {len(firm)} firm: {firm_right:.0%}), regret mean "
        f"{regrets.mean():.1%}, p95 {np.quantile(regrets, 0.95):.1%}, invocations "
        f"{np.mean([each.invocation_count for each in picked]):.0f}; arm64 always: right "
        f"{np.mean([each.arm_right for each in picked]):.0%}"
    )


def rows(count: int = 60) -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held)."""
    rounds: tuple[tuple[GoalName, float], ...] = (
        ("cost", 1.2),
        ("cost", 1.6),
        ("balanced", 1.2),
        ("speed", 1.2),
    )
    for name, most in rounds:
        goal = Goal(name, cold_start_share=0.0)
        picked = [decide(pair, goal) for pair in generated_pairs(count, most=most)]
        right = sum(each.right for each in picked) / len(picked)
        mean = float(np.mean([each.regret for each in picked]))
        yield (
            f"{name}, arm64 takes 0.8 to {most:g} times as long",
            "right at least 90%, mean regret at most 3%",
            figures(picked),
            right >= 0.90 and mean <= 0.03,
        )
