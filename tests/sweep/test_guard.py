"""A sweep that runs away stops by itself, and gives back."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import ServedFunction, codes, serve
from tests.sweeps import only_finding
from tuner.api.answers import recommend
from tuner.local import HostLimits, machine_load
from tuner.local.machine_load import HostLoad, MachineClock
from tuner.model.goal import Goal
from tuner.model.invocation import Invocation, InvokeReply, Outcome
from tuner.sweep.file import read_sweep
from tuner.sweep.findings import HOST_BUSY
from tuner.sweep.guard import RunawayGuard, trace_came_back

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.local import Deployment, InvokeRequest, InvokeResult

SIZES = (128, 512, 1769)


@pytest.mark.parametrize(
    ("recent_ms", "budget_usd", "stops"),
    [(20.0, None, True), (1500.0, None, False), (20.0, 1.0, False), (None, None, False)],
)
def test_what_costs_far_more_than_foreseen_is_stopped(
    tmp_path: Path, recent_ms: float | None, budget_usd: float | None, stops: bool
) -> None:
    """Two seconds where 20 ms were foreseen: stopped, unless a budget agrees to it."""
    with serve(tmp_path, ScriptedExecutor(2000.0, time_scale=0)) as served:
        before = served.snapshot()
        plan = served.plan(
            memory_sizes_mb=SIZES,
            repetition_count=5,
            recent_duration_ms=recent_ms,
            budget_usd=budget_usd,
        )
        sweep = served.run(plan)
        assert ("runaway" in codes(sweep)) == stops
        assert sweep.end == ("failed" if stops else "complete")
        assert len(sweep.invocations) < plan.max_invocations if stops else True
        assert served.snapshot() == before


class Unimportable(ScriptedExecutor):
    """Every invocation fails as a function does whose module is missing."""

    def invoke(self, deployment: Deployment, request: InvokeRequest) -> InvokeResult:
        message = "Unable to import module 'app': No module named 'requests'"
        error = {"errorType": "Runtime.ImportModuleError", "errorMessage": message}
        answer = super().invoke(deployment, request)
        return replace(answer, payload=json.dumps(error).encode())


class OnABusyHost(ScriptedExecutor):
    """Answers as one that runs real handlers would."""

    limits = HostLimits(2, 3538, "cgroup-v1")


@pytest.mark.parametrize(
    ("busy_s", "slowed_ms", "told"),
    [
        (1.9, 0.2, ["host_busy"]),
        (0.1, 0.2, []),
        (0.1, 0.26, ["host_speed_changed"]),
        (1.9, 0.26, ["host_busy", "host_speed_changed"]),
    ],
)
def test_a_busy_machine_is_told_whoever_sweeps(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    busy_s: float,
    slowed_ms: float,
    told: list[str],
) -> None:
    """The endpoint says in its replies what others had of its machine, and how fast that was; the
    sweep keeps it, as one finding with what was seen before the sweep and by the one that it goes
    on from.
    """
    loops_ms = itertools.chain([0.2] * 12, itertools.repeat(slowed_ms))
    monkeypatch.setattr(machine_load, "loop_ms", lambda: next(loops_ms))
    clocks = (MachineClock(2.0 * n, busy_s * n, 0.0, 0.0) for n in itertools.count())
    load = HostLoad(lambda: next(clocks), lambda: 0.0)
    monkeypatch.setattr("tuner.local.control_plane.invoke.HostLoad", lambda: load)
    with serve(tmp_path, OnABusyHost(20.0, time_scale=0)) as served:
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=4)
        sweep = served.run(plan)
        seen_before = replace(HOST_BUSY, message="a bare loop got 61 % of a core")
        told_before = served.run(
            served.plan(memory_sizes_mb=SIZES, repetition_count=2), findings=(seen_before,)
        )
        once_more = served.plan(memory_sizes_mb=SIZES, repetition_count=3)
        gone_on = served.run(once_more, findings=(HOST_BUSY,), earlier=told_before)
    assert sorted(codes(sweep)) == told
    for each in (told_before, gone_on):
        assert [found for found in each.findings if found.code == "host_busy"] == [seen_before]


def test_code_that_cannot_be_imported_is_not_blamed_on_the_payload(tmp_path: Path) -> None:
    """With a call in flight at every size it's still one finding."""
    executor = Unimportable(20.0, time_scale=0, failure=lambda _deployment, _request: "error")
    with serve(tmp_path, executor) as served:
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=5, concurrency=len(SIZES))
        sweep = served.run(plan)
    assert len(sweep.invocations) == len(SIZES)
    assert codes(sweep) == ["import_fails"]


def test_code_that_cannot_be_imported_stops_it_at_once(tmp_path: Path) -> None:
    """No size helps: one invocation, and a line with the module, the log and what to do."""
    executor = Unimportable(20.0, time_scale=0, failure=lambda _deployment, _request: "error")
    with serve(tmp_path, executor) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=5, concurrency=1)
        sweep = served.run(plan)
        assert served.snapshot() == before
    assert sweep.end == "failed"
    assert len(sweep.invocations) == 1
    [finding] = sweep.findings
    assert finding.code == "import_fails"
    assert "the module requests that its code imports is missing" in finding.message
    assert "`build`" in finding.message
    assert "its log group" in finding.message


def replied(trace_header: str | None = None, log_tail: str = "", **more: Any) -> InvokeReply:
    return InvokeReply(200, None, b"", log_tail, "1", 1.0, "own-request", trace_header, **more)


ROOT = "1-5759e988-bd862e3fe1be46a994272793"
OTHER = (
    "REPORT RequestId: other-request\tDuration: 3 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB"
)


@pytest.mark.parametrize(
    ("reply", "is_loop"),
    [
        (replied(f"Root={ROOT};Sampled=0;Lineage=1:a87bd80c:0"), False),
        (replied(f"Root={ROOT};Sampled=0;Lineage=a87bd80c:1|68fd508a:1"), False),
        (replied(f"Root={ROOT};Sampled=0;Lineage=a87bd80c:1|68fd508a:5"), True),
        (replied(f"Root={ROOT};Sampled=0", f"{OTHER}\nXRAY TraceId: {ROOT}\n"), True),
        (replied(f"Root={ROOT};Sampled=0", f"{OTHER}\nXRAY TraceId: 1-0-0\n"), False),
        (replied("Lineage=::::9999999999999999999999|=;;"), True),
        (replied(None), False),
    ],
)
def test_a_trace_that_comes_back_is_noticed(reply: InvokeReply, is_loop: bool) -> None:
    """By its count of passes, or by a report of another request with the same trace id."""
    assert (trace_came_back(reply) is not None) == is_loop


def invocation(memory_mb: int, *, failed: bool = False, error_type: str = "Broken") -> Invocation:
    return Invocation(
        0, memory_mb, "1", "empty", 0.0, 1.0,
        Outcome.FUNCTION_ERROR if failed else Outcome.SUCCESS, 1e-6,
        error_type=error_type if failed else None,
    )  # fmt: skip


def alarms(served: ServedFunction, *invocations: Invocation, **options: Any) -> list[str | None]:
    guard = RunawayGuard(served.plan(memory_sizes_mb=SIZES), **options)
    found = [guard.alarm(each, float(second)) for second, each in enumerate(invocations)]
    return [finding and finding.code for finding in found]


def test_errors_that_begin_at_sizes_that_had_succeeded_stop_it(tmp_path: Path) -> None:
    """Five of the last eight, at two sizes: what the function calls is failing."""
    with serve(tmp_path) as served:
        good = [invocation(128), invocation(512), invocation(1769)]
        bad = [invocation(size, failed=True) for size in (128, 512, 128, 512, 1769)]
        assert alarms(served, *good, *bad)[-2:] == [None, "downstream_errors"]
        same = [invocation(128, failed=True)] * 8
        assert "downstream_errors" not in alarms(served, *good, *same)
        never_good = [invocation(size, failed=True) for size in (192, 256) * 6]
        assert "downstream_errors" not in alarms(served, *good, *never_good)


def test_errors_of_a_repeated_event_stop_it_after_a_handful(tmp_path: Path) -> None:
    """What succeeded once and fails with one type whatever the size is the event's repetition."""
    with serve(tmp_path) as served:
        bad = [invocation(size, failed=True) for size in (512, 768, 1769, 512, 768)]
        expected = [None] * 5 + ["repeated_event_fails"]
        assert alarms(served, invocation(512), *bad) == expected
        # What memory may explain, other types, and a success between them are none of it.
        smaller = [invocation(size, failed=True) for size in (128, 192, 256) * 3]
        assert not any(alarms(served, invocation(512), *smaller))
        types = [
            invocation(size, failed=True, error_type=f"E{number}")
            for number, size in enumerate((512, 768, 1769, 512, 768))
        ]
        assert not any(alarms(served, invocation(512), *types))
        assert not any(alarms(served, invocation(512), *bad[:4], invocation(1024), *bad[:4]))
        # An event that was sent again with success does not fail for that.
        again = [invocation(512), invocation(512)]
        larger = [invocation(size, failed=True) for size in (768, 1024, 1769, 768, 1024)]
        assert alarms(served, *again, *larger)[-1] == "downstream_errors"


def test_a_function_that_takes_an_event_once_is_not_tried_at_every_size(tmp_path: Path) -> None:
    """Over the wire, 33 sizes: it ends after a handful, names --once-each and gives back."""
    seen: list[bytes] = []

    def once(_deployment: Any, request: Any) -> Any:
        seen.append(request.payload)
        return "error" if seen.count(request.payload) > 1 else None

    executor = ScriptedExecutor(5.0, time_scale=0, failure=once)
    with serve(tmp_path, executor) as served:
        before = served.snapshot()
        sizes = tuple(range(512, 512 + 33 * 64, 64))
        sweep = served.run(served.plan(memory_sizes_mb=sizes, concurrency=1))
        assert sweep.end == "failed"
        assert len(sweep.invocations) <= 8
        finding = only_finding(sweep.findings, "repeated_event_fails")
        assert "`once_each=True`" in finding.message
        assert served.snapshot() == before


def answered(memory_mb: int, kind: str, **changes: Any) -> Invocation:
    return replace(invocation(memory_mb), reply_class=kind, **changes)


def test_a_row_of_error_replies_stops_it_where_memory_cannot_be_why(tmp_path: Path) -> None:
    """Five of one payload at three sizes up to the current one, and never a good reply."""
    with serve(tmp_path) as served:
        sizes = (128, 512, 1769, 512, 128)
        bad = [answered(size, "http_5xx" if size > 128 else "http_4xx") for size in sizes]
        assert alarms(served, *bad, current_mb=512) == [None] * 4 + ["only_error_replies"]
        # Agreed to, below the current size only, one good reply, too few sizes, two payloads.
        assert not any(alarms(served, *bad, current_mb=512, takes_error_replies=True))
        assert not any(alarms(served, *bad[:2] * 5, current_mb=1024))
        assert not any(alarms(served, answered(128, "3fa9c2d1/9"), *bad * 2, current_mb=512))
        assert not any(alarms(served, *bad[:2] * 5, current_mb=512))
        turns = [replace(each, payload=f"p{n % 2}") for n, each in enumerate(bad + bad[:3])]
        assert not any(alarms(served, *turns, current_mb=512))


def test_good_replies_of_an_earlier_run_are_replies(tmp_path: Path) -> None:
    """What goes on from them is not stopped for having had errors alone; its own errors count."""
    failing: list[bool] = []
    executor = ScriptedExecutor(
        5.0,
        time_scale=0,
        response=lambda *_: b'{"statusCode": 503}' if failing else b'{"statusCode": 200}',
    )
    with serve(tmp_path, executor) as served:
        asked: dict[str, Any] = {"memory_sizes_mb": SIZES, "concurrency": 1}
        plan = served.plan(**asked, repetition_count=2)
        served.run(plan)
        earlier = read_sweep(served.file(plan))
        failing.append(True)
        again = served.plan(**asked, repetition_count=5)
        sweep = served.run(again, earlier=earlier)
        assert len(sweep.invocations) > len(earlier.invocations) + 5
        assert (sweep.end, "only_error_replies" in codes(sweep)) == ("complete", False)


@pytest.mark.parametrize("is_agreed", [False, True])
def test_a_function_that_answers_errors_is_not_tried_at_every_size(
    tmp_path: Path, is_agreed: bool
) -> None:
    """Over the wire, 33 sizes: a handful of replies, the refusal of a whole sweep, all given back;
    where the operator takes such replies for work every size is measured.
    """
    goal = Goal(allow_different_replies=is_agreed)
    executor = ScriptedExecutor(5.0, time_scale=0, response=lambda *_: b'{"statusCode": 503}')
    with serve(tmp_path, executor) as served:
        before = served.snapshot()
        sizes = tuple(range(512, 512 + 33 * 64, 64))
        plan = served.plan(memory_sizes_mb=sizes, concurrency=1)
        sweep = served.run(plan, goal=goal)
        assert served.snapshot() == before
    assert (sweep.end, "only_error_replies" in codes(sweep)) == (
        ("complete", False) if is_agreed else ("failed", True)
    )
    found = recommend(sweep, goal)
    if is_agreed:
        assert {each.memory_mb for each in sweep.invocations} == set(sizes)
        assert "are errors" not in (found.choice.reason or "")
    else:
        assert len(sweep.invocations) <= 8
        assert found.choice.verdict == "inconclusive"
        assert "at the current 512 MB are errors (HTTP status 5xx" in found.choice.reason


def test_recursion_is_told_by_lambda(tmp_path: Path) -> None:
    """Its own error, or once a minute its metric, stops the sweep at once."""
    with serve(tmp_path) as served:
        loop = invocation(128, failed=True, error_type="RecursiveInvocationException")
        assert alarms(served, invocation(128), loop) == [None, "recursion"]
        asked: list[int] = []

        def dropped() -> int:
            asked.append(len(asked))
            return len(asked) - 1

        calls = [invocation(128)] * 121
        assert alarms(served, *calls, count_dropped=dropped) == [None] * 120 + ["recursion"]
        assert asked == [0, 1]


def test_a_loop_ends_the_sweep_and_gives_back(tmp_path: Path) -> None:
    """Over the wire: Lambda's refusal of a recursive call is what the handler fails with."""
    executor = ScriptedExecutor(5.0, time_scale=0, failure=lambda *_: "error")
    executor._payload = lambda *_: (
        b'{"errorType": "RecursiveInvocationException", "errorMessage": "loop"}', "Unhandled",
    )  # fmt: skip
    with serve(tmp_path, executor) as served:
        before = served.snapshot()
        sweep = served.run(served.plan(memory_sizes_mb=SIZES, concurrency=1))
        assert (sweep.end, len(sweep.invocations)) == ("failed", 1)
        assert "recursion" in codes(sweep)
        assert served.snapshot() == before
