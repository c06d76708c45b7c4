"""Which architecture is answered on generated pairs with a known truth (see the bench)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.architectures import BOOK, Pair, decide, generated_pairs, swept
from tests.bench.decide_world import generated_functions
from tests.sweeps import made_sweep
from tuner.decision.analysis import analyse
from tuner.decision.matched_comparison import match_sweeps
from tuner.decision.recommendation import recommend
from tuner.decision.strata import sweep_at
from tuner.model.goal import Goal
from tuner.model.payload import Payload
from tuner.sweep.earlier import prior_evidence
from tuner.sweep.plan import payload_classes

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


def test_after_a_move_the_sweep_informs_the_next_one_by_its_own_part() -> None:
    """As `prior`, a sweep of both counts for the architecture that the function has: its samples
    alone, with their level where nothing else has changed. `compare` takes the same part.
    """
    sweep = swept(pair(0.8), GOAL)
    classes = payload_classes([Payload("empty", b"{}")])
    for architecture, named in (("x86_64", "empty"), ("arm64", "empty on arm64")):
        function = replace(sweep.function, architecture=architecture)
        prior = prior_evidence(sweep, function, classes, sweep.environment)
        assert prior.tells_level("empty")
        told = sum(len(each.durations_ms) for each in prior.environments)
        own = [i for i in sweep.invocations if i.payload == named and i.outcome.value == "success"]
        assert told == len(own) > 0
    other = replace(made_sweep(), function=replace(sweep.function, architecture="arm64"))
    matched = match_sweeps(sweep, other, ("both", "arm"))
    assert matched is not None
    assert [*matched.pairs] == ["arm64"]
    assert matched.pairs["arm64"][0].function.architecture == "arm64"


@pytest.mark.slow
def test_generated_pairs_of_the_bench_are_decided_well() -> None:
    """A few of the bench's pairs: at most one wrong pick, and little regret on average."""
    picked = [decide(each, GOAL) for each in generated_pairs(3, most=1.6)]
    assert sum(each.right for each in picked) >= 2
    assert sum(each.regret for each in picked) / len(picked) < 0.08
