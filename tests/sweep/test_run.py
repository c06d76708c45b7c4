"""Whole sweeps over the wire: real gateway, real API, scripted execution."""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import SIZES, Events, ServedFunction, Watched, codes, serve
from tuner.api.answers import recommend
from tuner.decision.policy import Trial
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.decision.question import Question
from tuner.errors import MemoryCapError
from tuner.lease.journal import find_unfinished
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.progress import (
    CleanedUp,
    InvocationFinished,
    VersionDeleted,
    VersionPublished,
    WindowClosed,
    WindowOpened,
)
from tuner.pricing import load_price_book
from tuner.sweep.file import read_sweep

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sweep_measures_every_size_and_leaves_nothing(served: ServedFunction) -> None:
    """One cold start and the warm samples at each size; the function is as before."""
    before = served.snapshot()
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=3)
    sweep = served.run(plan)
    assert sweep.end == "complete"
    assert len(sweep.invocations) == 12
    for size in SIZES:
        calls = [one for one in sweep.invocations if one.memory_mb == size]
        assert sum(one.cold_start for one in calls) == 1
        assert sum(one.is_warm_sample for one in calls) == 3
        assert {one.environment for one in calls} == {f"{calls[0].version}/1"}
        assert {one.report.memory_size_mb for one in calls if one.report} == {size}
    assert served.snapshot() == before
    assert find_unfinished(served.folder) == ()


def test_the_file_holds_all_of_the_sweep_and_no_secret(served: ServedFunction) -> None:
    """What is read from the file equals what was returned, account id aside."""
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1)
    sweep = served.run(plan, findings=(Finding("host", "info", "cgroup-v1"),))
    saved = read_sweep(served.file(plan))
    for name in ("plan", "invocations", "findings", "end", "wall_s", "throttle_count", "file"):
        assert getattr(saved, name) == getattr(sweep, name)
    text = served.file(plan).read_text()
    assert "s3cret" not in text
    assert "123456789012" not in text


def test_events_tell_the_whole_story_in_order(served: ServedFunction) -> None:
    """Window, versions, invocations with their count, deletions, the end."""
    events = Events()
    served.run(served.plan(memory_sizes_mb=(128, 512), repetition_count=1), on_progress=events)
    kinds = [kind for kind, _ in itertools.groupby(type(event) for event in events.events)]
    assert kinds == [
        WindowOpened,
        VersionPublished,
        WindowClosed,
        InvocationFinished,
        VersionDeleted,
        CleanedUp,
    ]
    finished = events.of(InvocationFinished)
    assert [event.finished_count for event in finished] == [1, 2, 3, 4]
    assert {event.planned_count for event in finished} == {4}


def test_no_invocation_starts_in_a_window_at_twenty_at_once(tmp_path: Path) -> None:
    """Windows and starts never overlap, however many calls are in flight."""
    with serve(tmp_path, ScriptedExecutor(15.0)) as served:
        watched: Any = Watched(served.gateway)
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=20, concurrency=20)
        config = served.gateway.read_function(served.function)
        strategy = OneSizeAfterAnother(SIZES, 20)
        sweep = served.run(plan, function=config, gateway=watched, strategy=strategy)
    assert sweep.end == "complete"
    assert len(sweep.invocations) == 60
    assert 10 < watched.most_in_flight <= 20
    assert watched.log.count("publish_version") == 3
    changing = 0
    for what in watched.log:
        if what in ("update_memory", "publish_version"):
            changing += 1
        elif what in ("update_memory done", "publish_version done"):
            changing -= 1
        elif what.startswith("invoke"):
            assert changing == 0
    opened = [index for index, what in enumerate(watched.log) if what == "publish_version"]
    for start in opened[1:]:
        end = watched.log.index("read_function done", start)
        assert not any(what.startswith("invoke") for what in watched.log[start:end])


class OneSizeAfterAnother:
    """A strategy that wants a further size while calls of the one before are in flight."""

    def __init__(self, sizes: tuple[int, ...], count: int) -> None:
        self._trials = [Trial(size, "empty") for size in sizes for _ in range(count)]
        self.planned_count = len(self._trials)
        self.excluded: list[int] = []

    def next_trials(self, _done: Any, _in_flight: Any, slot_count: int) -> Any:
        chosen, self._trials = self._trials[:slot_count], self._trials[slot_count:]
        return tuple(chosen)

    def sizes_worth_publishing(self, trials: Any) -> tuple[int, ...]:
        return tuple({trial.memory_mb for trial in trials})

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        self.excluded.append(memory_mb)
        self._trials = [trial for trial in self._trials if trial.memory_mb != memory_mb]


def test_sizes_that_the_account_refuses_are_left_out(tmp_path: Path) -> None:
    """The others are measured, and the refusal is a finding."""
    with serve(tmp_path) as served:

        class Capped:
            def __getattr__(self, name: str) -> Any:
                return getattr(served.gateway, name)

            def update_memory(self, function: str, memory_mb: int, revision: str | None) -> Any:
                if memory_mb > 3008:
                    raise MemoryCapError("at most 3008 MB", max_memory_mb=3008)
                return served.gateway.update_memory(function, memory_mb, revision)

        plan = served.plan(memory_sizes_mb=(512, 3008, 3009, 5307), repetition_count=1)
        sweep = served.run(plan, gateway=Capped())
    assert sweep.end == "complete"
    assert {one.memory_mb for one in sweep.invocations} == {512, 3008}
    assert codes(sweep) == ["size_refused"]
    assert sweep.memory_cap_mb == read_sweep(served.file(plan)).memory_cap_mb == 3008


@pytest.mark.parametrize("goal", ["cost", "speed", "balanced"])
def test_the_accounts_cap_is_learnt_once_and_no_size_above_it_named(
    tmp_path: Path, goal: Any
) -> None:
    """One size is refused, whatever the strategy hopes of larger ones; no word names one."""
    asked = []

    class Watching:
        def __getattr__(self, name: str) -> Any:
            return getattr(served.gateway, name)

        def update_memory(self, function: str, memory_mb: int, revision: str | None) -> Any:
            asked.append(memory_mb)
            return served.gateway.update_memory(function, memory_mb, revision)

    executor = ScriptedExecutor(lambda mb: 300 * 1769 / mb, time_scale=0, max_memory_mb=1024)
    with serve(tmp_path, executor) as served:
        config = served.gateway.read_function(served.function)
        prices = load_price_book().lambda_prices(config.region, config.architecture)
        sizes = tuple(range(128, 10241, 64))
        plan = dataclasses.replace(served.plan(memory_sizes_mb=sizes[:2]), sizes_mb=sizes)
        strategy = AdaptivePolicy(
            Question(Goal(name=goal), config, prices, frozenset(sizes)),
            {"empty": 1.0},
            seed=1,
            max_invocations=20,
        )
        sweep = served.run(plan, gateway=Watching(), strategy=strategy)
    assert len({size for size in asked if size > 1024}) == 1
    answer = recommend(sweep, Goal(name=goal))
    said = [answer.choice.reason, *(finding.message for finding in answer.findings)]
    named = {int(size) for text in said for size in re.findall(r"(\d+) MB", text)}
    assert max(named | {answer.choice.memory_mb or 0}) <= 1024


def test_a_limit_of_invocations_holds_against_any_strategy(served: ServedFunction) -> None:
    """The plan's limit is kept even if the strategy wants more."""
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1, max_invocations=7)
    sweep = served.run(plan, strategy=OneSizeAfterAnother(SIZES, 50))
    assert len(sweep.invocations) == 7


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    budget_usd=st.floats(2e-4, 2e-3),
    concurrency=st.integers(1, 12),
    durations_ms=st.lists(st.floats(1, 2_900), min_size=1, max_size=10),
    failures=st.lists(st.sampled_from([None, None, None, "error", "no-reply"]), min_size=1),
)
def test_a_budget_is_never_overrun(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    budget_usd: float,
    concurrency: int,
    durations_ms: list[float],
    failures: list[Any],
) -> None:
    """Whatever invocations last, fail or lose their replies, at any concurrency."""
    duration, failure = itertools.cycle(durations_ms), itertools.cycle(failures)
    lock = threading.Lock()

    def next_of(source: Any) -> Any:
        with lock:
            return next(source)

    executor = ScriptedExecutor(
        lambda _size: next_of(duration),
        init_duration_ms=900.0,
        time_scale=0,
        failure=lambda _deployment, _request: next_of(failure),
    )
    with serve(tmp_path_factory.mktemp("budget"), executor) as served:
        plan = served.plan(
            memory_sizes_mb=(128, 512),
            repetition_count=30,
            concurrency=concurrency,
            budget_usd=budget_usd,
        )
        sweep = served.run(plan)
    assert sweep.cost_usd <= budget_usd
    if sweep.end == "budget":
        assert "budget_reached" in codes(sweep)
