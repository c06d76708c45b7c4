"""Which architecture is answered on generated pairs with a known truth (see the bench)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.architectures import BOOK, Pair, decide, generated_pairs, swept
from tests.bench.decide_world import generated_functions
from tuner.decision import analyse, recommend
from tuner.decision.strata import sweep_at
from tuner.model.goal import Goal

GOAL = Goal(cold_start_share=0.0)


def pair(ratio: float, *, current_mb: int = 1769, name: str = "one-thread-0.02") -> Pair:
    [found] = [each for each in generated_functions() if each.name == name]
    function = replace(found, between_ratio=0.02)
    other = replace(
        function,
        truth_ms=lambda mb: ratio * function.truth_ms(mb),
        draw_ms=lambda mb, rng: ratio * function.draw_ms(mb, rng),
    )
    return Pair({"x86_64": function, "arm64": other}, current_mb, 7)


@pytest.mark.parametrize(("ratio", "best"), [(0.8, "arm64"), (1.6, "x86_64")])
def test_the_cheaper_architecture_is_found(ratio: float, best: str) -> None:
    """With arm64 a fifth faster or 1.6 times as slow, at its price, and little regret."""
    picked = decide(pair(ratio), GOAL)
    assert picked.right
    assert picked.choice.architecture == best
    assert picked.choice.verdict != "inconclusive"
    assert picked.regret < 0.03


def test_another_architecture_at_the_same_size_is_a_move() -> None:
    """The verdict says resize, what it saves is against the function as it is, and a part of the
    sweep has the architecture and the prices of its value.
    """
    sweep = swept(pair(1.0, current_mb=128, name="waiting-0.02"), GOAL)
    analysis = analyse(sweep, GOAL, price_book=BOOK)
    answer = recommend(analysis)
    assert (answer.verdict, answer.memory_mb, answer.moves_to) == ("resize", 128, "arm64")
    assert answer.saving is not None
    assert answer.saving.low > 0.1
    assert answer.saving_usd_per_million is not None
    assert analysis.answered.function.architecture == "arm64"
    assert {i.payload for i in analysis.answered.invocations} == {"empty on arm64"}
    assert sweep_at(sweep, "x86_64").function == sweep.function
    assert {each.architecture for each in answer.by_architecture} == {"x86_64", "arm64"}
    assert "switch_architecture" in {each.code for each in answer.findings}
    own, other = (each.curve[0].cost_usd_per_million.estimate for each in answer.by_architecture)
    assert 0.7 < other / own < 0.9


@pytest.mark.slow
def test_generated_pairs_of_the_bench_are_decided_well() -> None:
    """A few of the bench's pairs: at most one wrong pick, and little regret on average."""
    picked = [decide(each, GOAL) for each in generated_pairs(3, most=1.6)]
    assert sum(each.right for each in picked) >= 2
    assert sum(each.regret for each in picked) / len(picked) < 0.08
