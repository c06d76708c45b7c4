"""What an earlier sweep changes in a decision: fewer invocations, and no worse answers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.bench.decide_goal import DEFAULT, goal_run
from tests.bench.decide_prior import CASES, earlier_sweep
from tests.bench.decide_runs import question_about, swept
from tests.bench.decide_world import generated_functions
from tests.sweeps import cpu_bound_ms, finding_codes, made_sweep, recommended
from tuner.model.goal import Goal
from tuner.sweep.earlier import prior_evidence

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

FUNCTIONS = {each.name: each for each in generated_functions()}
CURRENT_MB = 3008
LEAST_COUNT = 5


@pytest.mark.slow
@pytest.mark.parametrize("case", ["unchanged", "10% slower"])
def test_functions_are_decided_about_again_with_fewer_invocations(case: str) -> None:
    """The same functions, drifted or not, take a quarter less of what is not needed for any answer
    (three sizes, two of them warm), and are answered as well.
    """
    same_code, change = CASES[case]
    counts, regrets = Counter[str](), Counter[str]()
    for name in ("mixed-0.02", "mixed-0.06", "one-thread-0.02", "waiting-0.06", "pressure-0.02"):
        function = FUNCTIONS[name]
        prior = earlier_sweep(function, CURRENT_MB, same_code=same_code)
        for how, known in (("without", None), ("with", prior)):
            found = goal_run(change(function, function), CURRENT_MB, 0, DEFAULT, prior=known)
            assert found.verdict == "resize"
            assert not found.harmful
            counts[how] += found.invocation_count
            regrets[how] += found.regret / 5
    least = 5 * LEAST_COUNT
    assert counts["with"] - least <= 0.75 * (counts["without"] - least)
    assert regrets["with"] <= regrets["without"] + 0.01


@pytest.mark.parametrize("case", ["waits more", "falls less", "other code, another curve"])
def test_what_changed_is_not_answered_by_what_was(case: str) -> None:
    """Where the earlier sweep is wrong, by its digest or in spite of it, no answer does harm."""
    function, other = FUNCTIONS["one-thread-0.06"], FUNCTIONS["waiting-0.02"]
    same_code, change = CASES[case]
    prior = earlier_sweep(function, CURRENT_MB, same_code=same_code)
    found = goal_run(change(function, other), CURRENT_MB, 0, DEFAULT, prior=prior)
    assert not found.harmful
    assert found.bound_held
    assert found.regret <= 0.05


def informed(now: Sweep, earlier: Sweep) -> Sweep:
    prior = prior_evidence(earlier, now.function, now.plan.payloads, now.environment)
    return dataclasses.replace(now, prior=prior)


def test_a_contradiction_is_said() -> None:
    """Code and events are the same and the samples are not: a finding says that something is."""
    waiting = made_sweep(lambda _memory_mb: 900.0, sizes_mb=(128, 1024), seed=2)
    assert "prior_contradicted" in finding_codes(recommended(informed(waiting, made_sweep())))
    agreeing = recommended(informed(made_sweep(sizes_mb=(128, 1024), seed=2), made_sweep()))
    assert "prior_contradicted" not in finding_codes(agreeing)
    assert "prior_used" in finding_codes(agreeing)


def test_a_payload_that_was_not_there_is_named() -> None:
    """Of a payload that the earlier sweep had not, it tells nothing, and that is said."""
    now = made_sweep()
    [payload] = now.plan.payloads
    more = (payload, dataclasses.replace(payload, name="large", sha256="1" * 64))
    now = dataclasses.replace(now, plan=dataclasses.replace(now.plan, payloads=more))
    found = recommended(informed(now, made_sweep(seed=2)))
    assert "prior_without_payload" in finding_codes(found)


def test_a_size_that_was_killed_for_memory_is_not_tried_again() -> None:
    """With the same code a kill needs no second invocation; with other code it may be over."""
    killed = FUNCTIONS["floor-900"]
    prior = earlier_sweep(killed, CURRENT_MB, same_code=True)
    assert prior.killed_mb is not None
    question = question_about(killed, DEFAULT.goal, current_mb=CURRENT_MB, prior=prior)
    world = swept(killed, question, "again", **DEFAULT.limits)
    assert min(each.memory_mb for each in world.done) > prior.killed_mb
    assert earlier_sweep(killed, CURRENT_MB, same_code=False).killed_mb is None


def test_a_sweep_is_paid_back_after_what_it_cost_over_what_is_saved() -> None:
    """A resize that surely saves says when; the interval is that of the saving, turned over."""
    found = recommended(made_sweep(cpu_bound_ms, current_mb=3008), Goal(time_weight=0.0))
    after = found.sweep.pays_back_after_invocations
    assert (found.choice.verdict, found.choice.saving_ratio is not None) == ("resize", True)
    assert after is not None
    assert found.current.cost_usd_per_million is not None
    assert found.choice.cost_usd_per_million is not None
    now, then = (
        each.estimate / 1e6
        for each in (found.current.cost_usd_per_million, found.choice.cost_usd_per_million)
    )
    assert after.estimate == pytest.approx(found.sweep.cost_usd / (now - then))
    assert after.low < after.estimate < after.high


def test_without_a_sure_saving_nothing_is_paid_back() -> None:
    """Of a keep, of a resize that costs more, and on this machine there is no such number."""
    kept = recommended(made_sweep(current_mb=1769), Goal(name="balanced"))
    dearer = recommended(made_sweep(lambda m: 500e3 / m, current_mb=128), Goal(name="speed"))
    here = dataclasses.replace(made_sweep(current_mb=3008), environment="local")
    assert dearer.choice.verdict == "resize"
    for found in (kept, dearer, recommended(here, Goal(time_weight=0.0))):
        assert found.sweep.pays_back_after_invocations is None
