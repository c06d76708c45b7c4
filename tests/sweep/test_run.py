"""Whole sweeps over the wire: real gateway, real API, scripted execution."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sweep.running import Events, ServedFunction, Watched, codes, serve
from tuner.api.answers import recommend
from tuner.decision.policy import Trial
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.errors import AccessDeniedError, LeftChangedError, MemoryCapError, SweepFileError
from tuner.lease.recover import find_unfinished
from tuner.local import ScriptedExecutor
from tuner.logs import format_report, parse_report
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.invocation import Outcome
from tuner.model.payload import Payload, Variant
from tuner.model.progress import (
    CleanedUp,
    InvocationFinished,
    SizeExcluded,
    ThrottleMet,
    VersionDeleted,
    VersionPublished,
    WindowClosed,
    WindowOpened,
)
from tuner.pricing import load_price_book
from tuner.sweep.file import read_sweep
from tuner.sweep.io import StopSignal
from tuner.sweep.limits import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.model.invocation import InvokeReply

SIZES = (128, 512, 1769)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedFunction]:
    """A function that answers at once and says that it took 20 ms."""
    with serve(tmp_path_factory.mktemp("sweeps")) as served:
        yield served


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
        self.excluded: list[tuple[int, str]] = []

    def next_trials(self, _done: Any, _in_flight: Any, slot_count: int) -> Any:
        chosen, self._trials = self._trials[:slot_count], self._trials[slot_count:]
        return tuple(chosen)

    def sizes_worth_publishing(self, trials: Any) -> tuple[int, ...]:
        return tuple({trial.memory_mb for trial in trials})

    def exclude(self, memory_mb: int, reason: str, payload: str | None = None) -> None:
        self.excluded.append((memory_mb, reason))
        self._trials = [trial for trial in self._trials if trial.memory_mb != memory_mb]


def failing(rule: Any) -> ScriptedExecutor:
    """An executor whose failures a rule of (memory_mb) decides."""
    return ScriptedExecutor(
        20.0,
        init_duration_ms=50.0,
        time_scale=0,
        failure=lambda deployment, _request: rule(deployment.memory_mb),
    )


def test_sizes_that_fail_are_excluded_and_the_others_measured(tmp_path: Path) -> None:
    """A memory kill and a timeout exclude their size at once, errors after three."""
    rules = {128: "out-of-memory", 256: "timeout", 512: "error"}
    events = Events()
    with serve(tmp_path, failing(rules.get)) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=(128, 256, 512, 1769), repetition_count=5)
        sweep = served.run(plan, on_progress=events)
        assert served.snapshot() == before
    assert sweep.end == "complete"
    outcomes = {
        size: [one.outcome for one in sweep.invocations if one.memory_mb == size]
        for size in plan.sizes_mb
    }
    assert outcomes[128] == [Outcome.OUT_OF_MEMORY]
    assert outcomes[256] == [Outcome.TIMEOUT]
    assert outcomes[512] == [Outcome.FUNCTION_ERROR] * 3
    assert outcomes[1769] == [Outcome.SUCCESS] * 6
    assert {event.memory_mb for event in events.of(SizeExcluded)} == {128, 256, 512}
    assert codes(sweep) == ["size_failed"] * 3


def test_a_size_that_fails_with_one_value_is_measured_with_the_others(tmp_path: Path) -> None:
    """What a large batch needs, a small one may not."""
    payloads = tuple(
        Payload(f"batch n={n}", b"%d" % n, variant=Variant("batch", "n", str(n))) for n in (1, 10)
    )
    executor = ScriptedExecutor(
        20.0,
        init_duration_ms=50.0,
        time_scale=0,
        failure=lambda deployment, request: (
            "out-of-memory" if request.payload == b"10" and deployment.memory_mb == 128 else None
        ),
    )
    with serve(tmp_path, executor) as served:
        plan = served.plan(
            memory_sizes_mb=(128, 512), repetition_count=4, payloads=payloads, concurrency=1
        )
        sweep = served.run(plan, payloads=payloads)
    outcomes = Counter((i.memory_mb, i.payload, i.outcome) for i in sweep.invocations)
    assert outcomes[128, "batch n=10", Outcome.OUT_OF_MEMORY] == 1
    assert outcomes[128, "batch n=1", Outcome.SUCCESS] >= 4
    assert outcomes[512, "batch n=10", Outcome.SUCCESS] == 4
    [finding] = sweep.findings
    assert finding.message.startswith("At 128 MB with n=10 the function runs out of memory")


def test_a_function_that_fails_everywhere_stops_the_sweep_early(tmp_path: Path) -> None:
    """One failing call a size is enough; the error's type is told and its message is not."""
    with serve(tmp_path, failing(lambda _size: "error")) as served:
        before = served.snapshot()
        sweep = served.run(served.plan(memory_sizes_mb=SIZES, repetition_count=5, concurrency=1))
        assert served.snapshot() == before
    assert sweep.end == "failed"
    assert len(sweep.invocations) == 3
    [finding] = sweep.findings
    assert finding.code == "function_fails"
    assert "ValueError" in finding.message
    assert "scripted failure" not in finding.message


def test_a_failure_now_and_then_excludes_nothing(tmp_path: Path) -> None:
    """One call in ten fails at random: every size keeps its samples."""
    rng = random.Random(3)
    with serve(tmp_path, failing(lambda _size: "error" if rng.random() < 0.1 else None)) as served:
        sweep = served.run(served.plan(memory_sizes_mb=SIZES, repetition_count=8))
    assert sweep.end == "complete"
    assert any(one.outcome is Outcome.FUNCTION_ERROR for one in sweep.invocations)
    assert codes(sweep) == []


def test_throttled_calls_are_sent_again_and_counted(tmp_path: Path) -> None:
    """A function that may run twice at once is swept at four: nothing is lost."""
    events = Events()
    with serve(tmp_path, ScriptedExecutor(10.0), concurrent_executions=2) as served:
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1, concurrency=4)
        sweep = served.run(
            plan, on_progress=events, backoff=Backoff(first_s=0.01, attempt_count=200)
        )
    assert sweep.end == "complete"
    assert len(sweep.invocations) == 6
    assert all(one.outcome is Outcome.SUCCESS for one in sweep.invocations)
    assert sweep.throttle_count > 0
    assert sweep.throttle_count == sum(one.throttle_count for one in sweep.invocations)
    assert len(events.of(ThrottleMet)) == sweep.throttle_count
    assert codes(sweep) == ["throttled"]


def test_a_call_that_is_throttled_for_good_ends_the_sweep(tmp_path: Path) -> None:
    """Attempts are bounded; the function is given back."""
    with serve(tmp_path) as served:
        client: Any = served.gateway._control.client
        client.put_function_concurrency(
            FunctionName=served.function, ReservedConcurrentExecutions=0
        )
        before = served.snapshot()
        sweep = served.run(backoff=Backoff(first_s=0.01, attempt_count=2))
        assert served.snapshot() == before
    assert sweep.end == "failed"
    assert sweep.invocations == ()
    assert sweep.throttle_count >= 2
    assert "throttled_out" in codes(sweep)


def test_lost_replies_count_as_spent_at_their_worst(tmp_path: Path) -> None:
    """A connection that breaks after the call: worst case, told, and never sent twice."""
    lost = iter([True, False, False] + [False] * 100)
    executor = failing(lambda size: "no-reply" if size == 512 and next(lost) else None)
    with serve(tmp_path, executor) as served:
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=2)
        sweep = served.run(plan)
    [one] = [one for one in sweep.invocations if one.outcome is Outcome.LOST_REPLY]
    timed_out_usd = 512 / 1024 * 3 * 1.66667e-5
    assert one.cost_usd > timed_out_usd
    assert one.report is None
    assert len(executor.invocations) == len(sweep.invocations) == plan.estimated_invocation_count
    assert "reply_lost" in codes(sweep)


def test_an_endpoint_that_loses_everything_is_given_up(tmp_path: Path) -> None:
    """Five calls in a row without an answer end the sweep."""
    with serve(tmp_path, failing(lambda _size: "no-reply")) as served:
        sweep = served.run(served.plan(memory_sizes_mb=SIZES, repetition_count=9, concurrency=1))
    assert sweep.end == "failed"
    assert len(sweep.invocations) == 5
    assert "unreachable" in codes(sweep)


class Chatty:
    """A function whose JSON logs push the REPORT line out of the tail."""

    def __init__(self, gateway: Any, *, has_logs: bool) -> None:
        self.gateway = gateway
        self.has_logs = has_logs
        self.logs: dict[str | None, str] = {}

    def invoke(self, *arguments: Any, **options: Any) -> InvokeReply:
        reply = self.gateway.invoke(*arguments, **options)
        self.logs[reply.request_id] = reply.log_tail
        return dataclasses.replace(reply, log_tail='{"message": "chat"}\n')

    def find_log(self, function: str, request_id: str) -> str | None:
        return self.logs[request_id] if self.has_logs else None


def test_a_report_that_is_not_in_the_tail_comes_from_the_log(tmp_path: Path) -> None:
    """CloudWatch Logs has what the tail of 4 KB lost."""
    with serve(tmp_path) as served:
        sweep = served.run(gateway=Chatty(served.gateway, has_logs=True))
    assert all(one.report is not None for one in sweep.invocations)
    assert codes(sweep) == []


def test_a_tail_without_a_report_is_no_sample(tmp_path: Path) -> None:
    """Where the log cannot be read either: no duration, and the worst case's cost."""
    with serve(tmp_path) as served:
        sweep = served.run(gateway=Chatty(served.gateway, has_logs=False))
    assert all(one.outcome is Outcome.SUCCESS for one in sweep.invocations)
    assert not any(one.is_warm_sample for one in sweep.invocations)
    assert all(one.cost_usd > 1e-6 for one in sweep.invocations)
    assert codes(sweep) == ["report_cut_off", "unmeasurable"]


UNTRUE = {
    "unreadable": {"duration_ms": 1e15, "billed_duration_ms": 10**15},
    "duration": {"duration_ms": 9e8, "billed_duration_ms": 9 * 10**8},
    "longer than the timeout": {"duration_ms": 60_000.0, "billed_duration_ms": 60_000},
    "no time": {"duration_ms": 0.0, "billed_duration_ms": 0},
    "too little billed": {"billed_duration_ms": 1},
    "another request": {"request_id": "11111111-2222-3333-4444-555555555555"},
    "another memory": {"memory_size_mb": 3008},
    "no report": None,
}


@pytest.mark.parametrize("untrue", UNTRUE.values(), ids=UNTRUE.keys())
def test_the_third_reply_that_cannot_be_measured_ends_the_sweep(
    tmp_path: Path, untrue: dict[str, Any] | None
) -> None:
    """A report that cannot be true is no sample; the function is given back, and it is said why."""

    class Lying:
        def invoke(self, *arguments: Any, **options: Any) -> InvokeReply:
            reply: InvokeReply = served.gateway.invoke(*arguments, **options)
            if untrue is None:
                return dataclasses.replace(reply, log_tail="")
            report = dataclasses.replace(parse_report(reply.log_tail), **untrue)
            return dataclasses.replace(reply, log_tail=format_report(report))

        def find_log(self, *_arguments: Any) -> None:
            return None

        def count_dropped_as_recursive(self, *_arguments: Any) -> None:
            return None

    with serve(tmp_path) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=9, concurrency=1)
        sweep = served.run(plan, gateway=Lying())
        assert served.snapshot() == before
    assert (sweep.end, len(sweep.invocations)) == ("failed", 3)
    assert not any(one.is_warm_sample or one.cold_start for one in sweep.invocations)
    [said] = [each.message for each in sweep.findings if each.code == "unmeasurable"]
    is_read = untrue is not None and untrue is not UNTRUE["unreadable"]
    assert ("check `endpoint_url`" if is_read else "SystemLogLevel INFO (aws lambda upd") in said
    assert all(one.cost_usd < 1e-3 for one in sweep.invocations)
    assert "unmeasurable" in codes(sweep)
    assert "none could be measured" in recommend(sweep).choice.reason


def test_a_reply_that_cannot_be_measured_now_and_then_ends_nothing(tmp_path: Path) -> None:
    """Two in a row may be bad luck: the others are samples."""
    numbers = itertools.count(1)

    class Careless:
        def __getattr__(self, name: str) -> Any:
            return getattr(served.gateway, name)

        def find_log(self, *_arguments: Any) -> None:
            return None

        def invoke(self, *arguments: Any, **options: Any) -> InvokeReply:
            reply: InvokeReply = served.gateway.invoke(*arguments, **options)
            lost = next(numbers) % 3 > 0
            return dataclasses.replace(reply, log_tail="") if lost else reply

    with serve(tmp_path) as served:
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=9, concurrency=1)
        sweep = served.run(plan, gateway=Careless())
    assert sweep.end == "complete"
    assert codes(sweep) == ["report_cut_off"]


def test_another_version_than_asked_is_no_sample(tmp_path: Path) -> None:
    """An endpoint that ignores the version number is found out by its own report."""

    class Forgetful:
        def __init__(self, gateway: Any) -> None:
            self.gateway = gateway

        def invoke(
            self, function: str, _version: str, payload: bytes, *, timeout_s: int
        ) -> InvokeReply:
            reply: InvokeReply = self.gateway.invoke(
                function, "$LATEST", payload, timeout_s=timeout_s
            )
            return reply

    with serve(tmp_path) as served:
        sweep = served.run(gateway=Forgetful(served.gateway))
    assert not any(one.is_warm_sample for one in sweep.invocations)
    assert "other_version_ran" in codes(sweep)


def test_a_denied_invocation_ends_the_sweep_and_gives_back(tmp_path: Path) -> None:
    """Nothing that follows could succeed: the error goes up, nothing is left."""

    class Denied:
        def invoke(self, *_arguments: Any, **_options: Any) -> InvokeReply:
            raise AccessDeniedError("lambda:InvokeFunction is not allowed")

    with serve(tmp_path) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES)
        with pytest.raises(AccessDeniedError):
            served.run(plan, gateway=Denied())
        assert served.snapshot() == before
    assert read_sweep(served.file(plan)).end == "failed"


def test_a_full_disk_ends_the_sweep_and_gives_back(
    served: ServedFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured is answered from, no more is invoked; the function is as before."""
    before = served.snapshot()
    plan = served.plan(memory_sizes_mb=SIZES)
    write, lines = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"invocation"'):
            lines.append(data)
            if len(lines) == 4:
                write(descriptor, data[:30])
                raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    sweep = served.run(plan)
    monkeypatch.undo()
    assert served.snapshot() == before
    assert len(sweep.invocations) >= 4
    assert sweep.end == "failed"
    [finding] = sweep.findings
    assert finding.code == "not_saved"
    assert "cannot be written (No space left on device)" in finding.message
    saved = read_sweep(served.file(plan))
    assert (len(saved.invocations), saved.end) == (3, None)


def test_a_disk_that_is_full_before_the_first_invocation_ends_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is measured yet, so nothing is invoked whose result could not be kept."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"finding"'):
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with serve(tmp_path) as served:
        watched = Watched(served.gateway)
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SweepFileError, match="No space left"):
            served.run(gateway=watched, findings=[Finding("known_before", "info", "a host")])
    assert not any(each.startswith("invoke") for each in watched.log)


def test_a_sweep_that_cannot_give_back_keeps_what_it_measured(tmp_path: Path) -> None:
    """Exit code 4 goes up, and the file holds every invocation and the reason."""
    with serve(tmp_path) as served:

        class Sticky:
            def __getattr__(self, name: str) -> Any:
                return getattr(served.gateway, name)

            def delete_version(self, _function: str, _version: str) -> None:
                raise AccessDeniedError("lambda:DeleteFunction is not allowed")

        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1)
        with pytest.raises(LeftChangedError, match="tuner recover"):
            served.run(plan, gateway=Sticky())
        saved = read_sweep(served.file(plan))
        assert len(saved.invocations) == 6
        assert [finding.code for finding in saved.findings] == ["left_changed"]
        assert len(find_unfinished(served.folder)) == 1


def test_a_stop_while_invoking_gives_back_and_reports_what_there_is(tmp_path: Path) -> None:
    """No call starts after the request; those in flight are waited for."""
    stop = StopSignal()
    events = Events()

    def take(event: Any) -> None:
        events(event)
        if isinstance(event, InvocationFinished) and event.finished_count == 5:
            stop.request()

    with serve(tmp_path, ScriptedExecutor(10.0)) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=20, concurrency=3)
        sweep = served.run(plan, on_progress=take, stop=stop)
        assert served.snapshot() == before
    assert sweep.end == "interrupted"
    assert 5 <= len(sweep.invocations) <= 7
    assert all(one.outcome is Outcome.SUCCESS for one in sweep.invocations)
    assert read_sweep(served.file(plan)).end == "interrupted"
    assert len(events.of(VersionDeleted)) == 3


def test_a_second_stop_abandons_what_is_in_flight(tmp_path: Path) -> None:
    """Calls that hang are left behind at once and count as spent; the function is given back."""
    stop, release, started = StopSignal(), threading.Event(), threading.Semaphore(0)

    def hang(_seconds: float) -> None:
        started.release()
        release.wait(30)

    def press() -> None:
        for _ in range(3):
            started.acquire(timeout=30)
        stop.request()
        stop.request()

    with serve(tmp_path, ScriptedExecutor(10.0, sleep=hang)) as served:
        before = served.snapshot()
        pressing = threading.Thread(target=press)
        pressing.start()
        sweep = served.run(served.plan(memory_sizes_mb=SIZES), stop=stop)
        pressing.join()
        assert served.snapshot() == before
        release.set()
    assert sweep.end == "interrupted"
    assert [one.outcome for one in sweep.invocations] == [Outcome.LOST_REPLY] * 3
    assert sweep.cost_usd > 0


def test_a_stop_while_publishing_ends_before_the_first_invocation(served: ServedFunction) -> None:
    """The window is shut, what it published is deleted, the sweep is empty."""
    before, stop = served.snapshot(), StopSignal()

    def take(event: Any) -> None:
        if isinstance(event, VersionPublished):
            stop.request()

    sweep = served.run(stop=stop, on_progress=take)
    assert (sweep.end, sweep.invocations) == ("interrupted", ())
    assert served.snapshot() == before


def test_a_ctrl_c_without_handlers_gives_back_as_well(served: ServedFunction) -> None:
    """In a notebook nobody installs handlers: KeyboardInterrupt ends the sweep politely."""
    before = served.snapshot()

    def take(event: Any) -> None:
        if isinstance(event, InvocationFinished) and event.finished_count == 2:
            raise KeyboardInterrupt

    sweep = served.run(on_progress=take)
    assert sweep.end == "interrupted"
    assert 2 <= len(sweep.invocations) <= 5
    assert served.snapshot() == before


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
            sizes,
            {"empty": 1.0},
            function=config,
            goal=Goal(name=goal),
            prices=prices,
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
