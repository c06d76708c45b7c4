"""Replies whose REPORT line is missing, is found in the log, or cannot be true."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.sweep.running import SIZES, codes, serve
from tests.sweeps import only_finding
from tuner.api.answers import recommend
from tuner.logs import format_report, parse_report
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.invocation import InvokeReply


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
    said = only_finding(sweep.findings, "unmeasurable").message
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
