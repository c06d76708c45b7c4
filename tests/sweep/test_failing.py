"""Sweeps of a function that fails, is throttled or does not answer."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import SIZES, Events, codes, serve
from tuner.model.invocation import Outcome
from tuner.model.payload import Payload, Variant
from tuner.model.progress import SizeExcluded, ThrottleMet
from tuner.sweep.findings import function_fails
from tuner.sweep.limits import Backoff

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    ("error_type", "said"),
    [
        ("Runtime.HandlerNotFound", "Correct the Handler"),
        ("Runtime.MalformedHandlerName", "Correct it, such as app.handler"),
        ("Runtime.UserCodeSyntaxError", "a syntax error"),
        ("Runtime.ExitError", "ends before it answers"),
        ("Runtime.MarshalError", "can't be written as JSON"),
        ("Function.ResponseSizeTooLarge", "larger than Lambda passes on (6 MB)"),
    ],
)
def test_an_error_that_no_event_causes_does_not_blame_the_event(error_type: str, said: str) -> None:
    """What Lambda's own error types name is what to correct."""
    message = function_fails(error_type).message
    assert error_type in message
    assert said in message
    assert "function accepts" not in message


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
