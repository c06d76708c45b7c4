"""Executions: durations and costs that can be worked out by hand, and an independent simulator."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.workflow.functions import definition, exact, task
from tests.workflow.simulator import Simulator
from tests.workflow.worlds import choice_of, draw_world
from tuner.decision.workflow.answer import answer_workflow
from tuner.decision.workflow.executions import sample_executions
from tuner.decision.workflow.latency import Latency
from tuner.decision.workflow.search import SizeSearch
from tuner.errors import InputError
from tuner.iac.asl import read_machine
from tuner.model.goal import Goal
from tuner.model.workflow import Behavior, Machine, Retrier, Task, Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.decision.workflow.executions import Runs
    from tuner.decision.workflow.function_times import FunctionTimes


def run(
    text: str, functions: Sequence[FunctionTimes], behavior: Behavior | None = None
) -> tuple[Runs, Latency]:
    machine = read_machine(Path("m.asl.json"), text=text)
    runs = sample_executions(machine, behavior or Behavior(), seed=3)
    return runs, Latency(runs, functions, [each.typical for each in functions])


def durations(
    text: str, *functions: FunctionTimes, behavior: Behavior | None = None
) -> NDArray[np.float64]:
    return run(text, functions, behavior)[1].durations_ms([0] * len(functions))


A, B = exact("a", [100, 50], [1.0, 3.0]), exact("b", [30, 20], [2.0, 2.5])


def mapped(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    inner = {"StartAt": "each", "States": {"each": body}}
    return {"Type": "Map", "ItemProcessor": inner, "End": True, **more}


def test_states_one_after_the_other_add_up() -> None:
    """Two calls, a wait and what each transition takes."""
    text = definition(
        "A", A=task("a", Next="W"), W={"Type": "Wait", "Seconds": 2, "Next": "B"}, B=task("b")
    )
    found = durations(text, A, B, behavior=Behavior(overhead_ms=5.0))
    assert np.allclose(found, 100 + 2000 + 30 + 3 * 5)


def test_branches_wait_for_the_longest() -> None:
    """A Parallel takes as long as its longest branch, and costs all of them."""
    branches = [{"StartAt": n, "States": {n: task(n)}} for n in ("a", "b")]
    text = definition("P", P={"Type": "Parallel", "Branches": branches, "End": True})
    runs, latency = run(text, (A, B))
    assert np.allclose(latency.durations_ms([0, 0]), 100)
    assert latency.cost_usd([1, 1]) == pytest.approx(3.0 + 2.5)
    assert runs.transition_count.mean() == pytest.approx(3)


@pytest.mark.parametrize(
    ("items", "concurrency", "wanted_ms"),
    [
        (7, 0, 30),
        (7, 1, 210),
        (7, 3, 90),
        (500, 1, 15000),
        (500, 10, 1500),
        (500, 600, 390),
        (45, 40, 60),
        (60, 25, 90),
    ],
)
def test_a_map_starts_items_as_workers_are_free(
    items: int, concurrency: int, wanted_ms: float
) -> None:
    """Seven items of 30 ms at three at once take 90 ms; more are a pool's, and take as long. (An
    inline map has at most 40 at once: 500 take 13 rounds.)
    """
    text = definition("M", M=mapped(task("b"), MaxConcurrency=concurrency))
    runs, latency = run(text, (B,), Behavior(items={"M": (items,)}))
    assert np.median(latency.durations_ms([0])) == pytest.approx(wanted_ms, rel=0.04)
    assert latency.call_counts[0] == pytest.approx(items)
    assert runs.transition_count.mean() == pytest.approx(1 + items)


def test_a_map_within_a_map() -> None:
    """Three times four items of 30 ms, one after the other inside: 120 ms each."""
    inner = mapped(task("b"), MaxConcurrency=1)
    body = {"StartAt": "inner", "States": {"inner": inner}}
    text = definition("M", M={"Type": "Map", "ItemProcessor": body, "MaxConcurrency": 3,
                              "End": True})  # fmt: skip
    for outer in (3, 60):
        behavior = Behavior(items={"M": (outer,), "inner": (4,)})
        _, latency = run(text, (B,), behavior)
        assert np.median(latency.durations_ms([0])) == pytest.approx(outer / 3 * 120, rel=0.03)
        assert latency.call_counts[0] == pytest.approx(4 * outer)


def test_a_map_without_items_takes_nothing() -> None:
    """Half of the executions have none."""
    text = definition("M", M=mapped(task("b")))
    found = durations(text, B, behavior=Behavior(items={"M": (0, 4)}))
    assert sorted({*np.round(found)}) == [0, 30]
    assert found.mean() == pytest.approx(15, rel=0.01)


def test_branches_of_a_choice_are_taken_by_their_shares() -> None:
    """Exactly as often as said, so that costs have no luck in them."""
    text = definition("C", C=choice_of("A", "B"), A=task("a"), B=task("b"))
    behavior = Behavior(choices={"C": {"A": 9, "B": 1}})
    runs, latency = run(text, (A, B), behavior)
    assert latency.call_counts == pytest.approx([0.9, 0.1], abs=1e-3)
    assert runs.call_counts["a"].sum() + runs.call_counts["b"].sum() == runs.count


def test_a_loop_goes_on_by_its_share() -> None:
    """With a share of 3/4 a loop is gone through four times on average."""
    text = definition("A", A=task("a", Next="C"), C=choice_of("A", "E"),
                      E={"Type": "Succeed"})  # fmt: skip
    runs, latency = run(text, (A,), Behavior(choices={"C": {"A": 3, "E": 1}}))
    assert latency.call_counts[0] == pytest.approx(4, rel=0.05)
    assert not runs.was_cut


def test_a_loop_that_never_ends_is_an_error() -> None:
    """It says what to give."""
    text = definition("A", A=task("a", Next="C"), C=choice_of("A", "E"),
                      E={"Type": "Succeed"})  # fmt: skip
    with pytest.raises(InputError, match=r"no execution ends .*`choice`"):
        run(text, (A,), Behavior(choices={"C": {"A": 1, "E": 0}}))


def test_a_failure_is_retried_and_then_caught() -> None:
    """Of 1,000 attempts 200 fail: 1 s later again, then 2 s; a twenty-fifth's twice, 1 in 125 ends
    in the Catch. Failed attempts are paid for.
    """
    rule = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    text = definition("A", A=task("a", Retry=[rule], Catch=caught), B=task("b"))
    behavior = Behavior(errors={"A": {"": 0.2}})
    runs, latency = run(text, (A, B), behavior)
    found = latency.durations_ms([0, 0])
    shares = {ms: float(np.mean(np.isclose(found, ms))) for ms in (100, 1200, 3300, 3330)}
    assert shares == pytest.approx({100: 0.8, 1200: 0.16, 3300: 0.032, 3330: 0.008}, abs=2e-3)
    assert latency.call_counts == pytest.approx([1.24, 0.008], abs=2e-3)
    assert not runs.failed.any()


def test_executions_that_fail_are_no_latency() -> None:
    """They are counted, and the percentiles are of the others."""
    text = definition("A", A=task("a", Next="B"), B=task("b"))
    runs, latency = run(text, (A, B), Behavior(errors={"B": {"": 0.25}}))
    assert runs.failed.mean() == pytest.approx(0.25, abs=1e-3)
    assert np.allclose(latency.durations_ms([0, 0]), 130)


@pytest.mark.parametrize("items", [30, 3000])
def test_a_map_tolerates_failures(items: int) -> None:
    """A tenth of the items fails: more than 5% may, and not more than 20%."""
    behavior = Behavior(items={"M": (items,)}, errors={"each": {"": 0.1}})
    for most, failed in ((5, 1.0), (20, 0.0)):
        state = mapped(task("b"), ToleratedFailurePercentage=most)
        runs, _ = run(definition("M", M=state), (B,), behavior)
        assert runs.failed.mean() == pytest.approx(failed, abs=0.25 if items == 30 else 0.01)


def test_named_errors_find_their_retrier() -> None:
    """An error that no rule names is not retried; one of another name is."""
    rule = {"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 9}
    text = definition("A", A=task("a", Retry=[rule]))
    runs, _ = run(text, (A,), Behavior(errors={"A": {"Busy": 0.2, "Broken": 0.1}}))
    # Of every ten, seven end at once and one breaks; two are tried again: 1/8 break in the end.
    assert runs.failed.mean() == pytest.approx(0.125, abs=5e-3)


def test_cold_starts_add_their_init() -> None:
    """At a share of 10%, a tenth of the calls waits for INIT."""
    function = exact("a", [100], [1.0], cold_share=0.1, init_ms=400)
    found = durations(definition("A", A=task("a")), function)
    assert np.mean(found > 200) == pytest.approx(0.1, abs=1e-3)
    assert found[found > 200].mean() == pytest.approx(500, rel=0.03)


@pytest.mark.parametrize("seed", [31, 32])
def test_drawn_machines_take_as_long_as_simulated_ones(seed: int) -> None:
    """The median and the number of calls are those of a simulator that shares no code; `make
    bench-workflow` has more of them, and p95.
    """
    world = draw_world(seed, 4)
    machine = read_machine(Path("m.asl.json"), text=json.dumps(world.machine))
    functions = [exact(name, [100.0 + 40 * number], [1.0], spread=0.5)
                 for number, name in enumerate(machine.functions)]  # fmt: skip
    runs = sample_executions(machine, world.behavior(), seed=1)
    latency = Latency(runs, functions, [each.typical for each in functions])
    rng = random.Random(seed)
    usual = {each.name: float(each.duration_ms[0]) for each in functions}
    simulator = Simulator(
        rng, lambda name: usual[name] * rng.uniform(0.5, 1.5),
        world.choices, world.items, world.error_rates,
    )  # fmt: skip
    ran = [simulator.execution(world.machine) for _ in range(1000)]
    simulated = np.array([took for took, ok in ran if ok])
    found = latency.durations_ms([0] * len(functions))
    assert np.mean(found) == pytest.approx(simulated.mean(), rel=0.05)
    assert latency.call_counts.sum() == pytest.approx(simulator.calls / len(ran), rel=0.05)


@pytest.mark.parametrize("seed", [41, 42])
def test_the_search_finds_what_exhaustive_search_finds(seed: int) -> None:
    """The cheapest of all combinations within a latency, and within 1% the fastest for a cost."""
    world = draw_world(seed, 3)
    machine = read_machine(Path("m.asl.json"), text=json.dumps(world.machine))
    functions = [world.functions[name].truth() for name in machine.functions]
    runs = sample_executions(machine, world.behavior(), seed=0)
    latency = Latency(runs, functions, [each.typical for each in functions])
    search = SizeSearch(functions, latency, 95)
    places = [*product(*(range(len(each)) for each in search.options))]
    durations_ms = np.array([search.duration_ms(each) for each in places])
    costs = np.array([search.cost_usd(each) for each in places])
    limit = float(np.quantile(durations_ms, 0.4))
    found = search.cheapest(limit)
    assert found is not None
    assert search.cost_usd(found) == pytest.approx(costs[durations_ms <= limit].min())
    most = float(np.quantile(costs, 0.5))
    fastest = search.fastest_within(most)
    assert fastest is not None
    assert search.cost_usd(fastest) <= most
    assert search.duration_ms(fastest) <= durations_ms[costs <= most].min() * 1.01
    weighted = np.log(costs) + 0.5 * np.log(durations_ms)
    best = search.best(0.5)
    loss = np.log(search.cost_usd(best)) + 0.5 * np.log(search.duration_ms(best))
    assert loss <= weighted.min() + 0.01


def test_the_sensitivity_is_what_a_faster_size_costs() -> None:
    """By hand: b's 10 ms cost 0.5, a's 50 ms cost 2, so a's are cheaper."""
    machine = read_machine(
        Path("m.asl.json"), text=definition("A", A=task("a", Next="B"), B=task("b"))
    )
    found = answer_workflow(Workflow("m", machine), (A, B), Goal(max_duration_ms=1000))
    first, second = found.sensitivity
    assert (first.name, first.faster_mb, second.name) == ("a", 256, "b")
    assert first.gained_ms == pytest.approx(50)
    assert first.usd_per_million_per_ms == pytest.approx(2e6 / 50)
    assert second.usd_per_million_per_ms == pytest.approx(0.5e6 / 10)
    assert [each.memory_mb for each in found.functions] == [128, 128]
    assert found.then.duration_ms.estimate == pytest.approx(130)


def test_a_function_that_no_execution_calls_keeps_its_size() -> None:
    """A branch that is never taken costs nothing at any size, so nothing tells which is better."""
    text = definition("Q", Q=choice_of("A", "B"), A=task("a"), B=task("b"))
    machine = read_machine(Path("m.asl.json"), text=text)
    behavior = Behavior(choices={"Q": {"A": 1.0, "B": 0.0}})
    dear = exact("b", [30, 20], [1.0, 9.0])
    for goal in (Goal(), Goal(max_duration_ms=200), Goal(max_cost_usd_per_million=9e6)):
        found = answer_workflow(Workflow("m", machine, behavior), [A, dear], goal)
        kept = next(each for each in found.functions if each.name == "b")
        assert (kept.memory_mb, kept.was_mb, kept.call_count) == (128, 128, 0.0)
        codes = [each.code for each in found.findings]
        assert "workflow_function_uncalled" in codes
        assert "workflow_size_fixed" not in codes


def test_what_nobody_said_is_a_finding() -> None:
    """Shares of a Choice, items of a Map and times of other services, each by its state."""
    other = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Next": "M"}
    text = definition("C", C=choice_of("D", "M"), D=other, M=mapped(task("a")))
    machine = read_machine(Path("m.asl.json"), text=text)
    found = answer_workflow(Workflow("m", machine), (A,), Goal(max_duration_ms=1000))
    codes = {each.code: each.message for each in found.findings}
    assert codes.keys() == {"choice_shares_assumed", "map_items_assumed", "state_time_unknown"}
    known = Behavior({"C": {"D": 1, "M": 2}}, {"M": (3,)}, {}, {"D": (10.0,)})
    assert not answer_workflow(Workflow("m", machine, known), (A,), Goal()).findings


@pytest.mark.parametrize("interval_s", [0.0, 60.0])
def test_no_retry_waits_longer_than_an_execution_may_last(interval_s: float) -> None:
    """Hundreds of retries, each ten times as late as the last, end within as many years."""
    rule = Retrier(("States.ALL",), interval_s=interval_s, max_attempts=900, backoff_rate=10.0)
    machine = Machine("A", (Task("A", function="a", retriers=(rule,)),))
    runs = sample_executions(machine, Behavior(errors={"A": {"": 1.0}}), seed=1)
    assert runs.failed.all()
    assert runs.fixed_ms.max() <= 900 * 366 * 86_400_000


def test_retries_without_an_end_are_cut() -> None:
    """A task that always fails and is retried ever again fails at last, and the cut is known."""
    again = Retrier(("States.ALL",), max_attempts=99_999_999, interval_s=0.0)
    machine = Machine("A", (Task("A", function="a", retriers=(again,)),))
    runs = sample_executions(machine, Behavior(errors={"A": {"": 1.0}}), seed=1)
    assert runs.failed.all()
    assert runs.was_cut
    assert set(runs.call_counts["a"]) == {1000.0}
