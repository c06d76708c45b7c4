"""What is sent, when, and what its answers add up to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.load.scripted import ScriptedFunction, reply, send
from tests.sweeps import made_function
from tuner.errors import AccessDeniedError, EndpointError, LostReplyError, ThrottledError
from tuner.load.phases import parse_phases
from tuner.load.plan import LoadPlan
from tuner.model.payload import Payload
from tuner.pricing import load_price_book
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from tuner.model.invocation import InvokeReply


def takes(seconds: float) -> ScriptedFunction:
    return ScriptedFunction(lambda now_s, _: (now_s + seconds, reply(seconds * 1000)))


def codes(result: object) -> set[str]:
    return {each.code for each in result.findings}  # type: ignore[attr-defined]


def test_a_stall_delays_all_that_came_during_it() -> None:
    """A function of 20 ms at 50/s answers nothing from 1 s to 3 s. The 100 of 200 requests that are
    due meanwhile (at 1.01, 1.03, …) are answered at 3.02, after 2.01, 1.99, …, 0.03 s. So p50 is
    still 20 ms, p95 the 11th longest, p99 the 3rd; one user in a closed loop would have met the
    stall once, and shown 20 ms at p99.
    """
    function = ScriptedFunction(lambda now_s, _: (3.02 if 1 < now_s < 3 else now_s + 0.02, reply()))
    result = send(function, "4s:50/s")
    assert result.planned_count == len(result.answers) == 200
    assert result.late_count == 0
    latency = result.latency_ms
    assert latency is not None
    assert latency.p50 == pytest.approx(20)
    assert latency.p95 == pytest.approx(2010 - 10 * 20)
    assert latency.p99 == pytest.approx(2010 - 2 * 20)
    assert latency.max == pytest.approx(2010)
    assert latency.mean == pytest.approx((100 * 20 + 100 * (2010 + 30) / 2) / 200)
    assert result.max_concurrency == 101


def test_what_is_in_flight_follows_littles_law() -> None:
    """Answers that take 0.5 s at 20/s keep ten requests in flight."""
    result = send(takes(0.5), "5s:20/s")
    assert result.max_concurrency == 10
    assert result.throughput_per_s == pytest.approx(100 / 5.475, rel=1e-6)


def test_throttles_are_counted_with_their_reason_and_not_sent_again() -> None:
    """Each arrival is sent once; a throttle costs nothing and is no latency."""
    throttle = ThrottledError("slow", reason="ReservedFunctionConcurrentInvocationLimitExceeded")
    function = ScriptedFunction(
        lambda now_s, _: (now_s + 0.01, throttle if now_s > 3 else reply(10))
    )
    result = send(function, "4s:10/s")
    assert len(function.bodies) == 40
    assert len(result.invocations) == 30
    assert result.throttle_reasons == Counter({throttle.reason or "": 10})
    assert result.latency_ms is not None
    assert result.latency_ms.max == pytest.approx(10)
    assert "load_throttled" in codes(result)
    assert [(each.invocation_count, each.throttle_count) for each in result.by_phase()] == [
        (30, 10)
    ]


def test_failures_count_in_latency_and_are_named() -> None:
    """Function errors and lost replies are errors with their time; only the known is billed."""
    answers: dict[bool, InvokeReply | Exception] = {
        True: reply(40, error="Boom"),
        False: LostReplyError("gone"),
    }
    function = ScriptedFunction(
        lambda now_s, _: (now_s + 0.04, answers[now_s < 2] if now_s > 1 else reply(40, init_ms=100))
    )
    result = send(function, "3s:10/s")
    assert result.errors == Counter({"Boom": 10, "lost_reply": 10})
    assert len(result.invocations) == 30
    assert result.latency_ms is not None
    assert result.latency_ms.p50 == pytest.approx(40)
    assert result.cold_start_share == pytest.approx(0.5)
    assert {"load_errors", "reply_lost"} <= codes(result)


def test_an_endpoint_that_is_gone_is_no_matter_for_the_functions_log() -> None:
    """Where no request reached the function, what to look at is the endpoint."""
    gone = ScriptedFunction(lambda now_s, _: (now_s + 0.01, EndpointError("nothing answers")))
    [said] = [each for each in send(gone, "1s:10/s").findings if each.code == "load_errors"]
    assert said.message.endswith("see whether the endpoint is up")
    failing = ScriptedFunction(lambda now_s, _: (now_s + 0.01, reply(10, error="Boom")))
    [said] = [each for each in send(failing, "1s:10/s").findings if each.code == "load_errors"]
    assert said.message.endswith("see the function's log")


def test_late_requests_are_marked_and_their_latency_counts_from_when_they_were_due() -> None:
    """While this machine can't send for 0.3 s, those due are late by over 20 ms, and say so."""
    function = takes(0.01)

    def freeze(now_s: float) -> None:
        if now_s == pytest.approx(1.05):
            function.now_s += 0.3

    function.at_each = freeze
    result = send(function, "2s:10/s")
    assert len(result.answers) == 20
    assert result.late_count == 3  # the one that was cut short, and those due at 1.15 and 1.25
    assert result.latency_ms is not None
    assert result.latency_ms.max == pytest.approx(310)
    assert "arrivals_late" in codes(result)


def test_arrivals_beyond_the_limit_are_counted_as_not_sent() -> None:
    """With two in flight at most and answers of 1 s, 4/s can't all be sent."""
    function = takes(1.0)
    result = send(function, "5s:4/s", most_in_flight=2)
    assert result.max_concurrency == 2
    assert len(result.answers) == len(function.bodies) < 20
    assert result.not_sent_count == 20 - len(function.bodies)
    assert "arrivals_not_sent" in codes(result)


def test_a_budget_is_never_overrun_whatever_is_in_flight() -> None:
    """It ends where the next request might time out for more than is left."""
    result = send(takes(29.0), "60s:10/s", budget_usd=0.02)
    assert result.end == "budget"
    assert 0 < len(result.answers) < 600
    assert result.cost_usd <= 0.02
    assert {"budget_reached", "arrivals_not_sent"} <= codes(result)


def test_a_stop_ends_the_load_with_what_was_sent() -> None:
    """Nothing more is sent, what is in flight has a moment, and the rest counts as lost."""
    stop, function = StopSignal(), takes(20.0)
    function.at_each = lambda now_s: stop.request() if now_s > 1 else None
    result = send(function, "10s:10/s", stop=stop)
    assert result.end == "interrupted"
    assert len(result.answers) == 11
    assert result.errors == Counter({"lost_reply": 11})
    assert function.now_s == pytest.approx(100 + 1.05 + 5)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(20, error="Boom"), "load_stopped"),
        (EndpointError("refused"), "load_stopped"),
        (reply(20, error="RecursiveInvocationException"), "recursion"),
        (reply(20, error="Runtime.ImportModuleError"), "import_fails"),
        (reply(900), "runaway"),
    ],
)
def test_what_can_show_nothing_more_is_stopped(answer: InvokeReply | Exception, code: str) -> None:
    """A function that never succeeds, invokes itself, or costs many times what was expected."""
    function = ScriptedFunction(lambda now_s, _: (now_s + 0.02, answer))
    result = send(function, "60s:10/s", recent_ms=20.0)
    assert result.end == "failed"
    assert code in codes(result)
    assert len(function.bodies) <= 50


def test_what_lambda_dropped_as_recursive_ends_the_load() -> None:
    """It's asked once a minute; what is denied or unknown ends nothing."""
    asked: list[int] = []

    def dropped() -> int | None:
        asked.append(1)
        if len(asked) == 1:
            raise AccessDeniedError("may not")
        return 3 if len(asked) == 3 else None

    result = send(takes(0.02), "10min:1/s", count_dropped=dropped)
    assert result.end == "failed"
    assert "recursion" in codes(result)
    assert len(asked) == 3
    assert len(result.answers) == pytest.approx(180, abs=2)


def test_cold_starts_alone_are_no_runaway() -> None:
    """A ramp begins with INITs that cost many times a warm invocation."""
    function = ScriptedFunction(lambda now_s, _: (now_s + 0.5, reply(20, init_ms=480)))
    assert send(function, "2s:10/s", recent_ms=20.0).end == "complete"


def test_a_refusal_before_any_answer_is_an_error() -> None:
    """Without a permission there is nothing to show but that."""
    function = ScriptedFunction(lambda now_s, _: (now_s + 0.01, AccessDeniedError("may not")))
    with pytest.raises(AccessDeniedError, match="may not"):
        send(function, "60s:10/s")


def test_events_come_by_their_weights() -> None:
    """Of 40 requests, 30 are of the class with weight 3, spread evenly."""
    function = takes(0.01)
    classes = (Payload("often", b"often", 3.0), Payload("seldom", b"seldom", 1.0))
    send(function, "4s:10/s", payloads=classes)
    assert Counter(function.bodies) == {b"often": 30, b"seldom": 10}
    assert all(b"seldom" in function.bodies[k : k + 4] for k in range(0, 40, 4))


def test_what_it_needs_is_known_before_it_is_sent() -> None:
    """Little's law: 200/s at 500 ms need 100; an account with 90 is warned about."""
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    plan = LoadPlan(
        parse_phases(["10s:1/s..200/s"]),
        (1024,),
        Pricing(made_function(), prices, 500.0),
        available_concurrency=90,
    )
    assert plan.needed_concurrency == pytest.approx(100)
    assert [each.code for each in plan.findings()] == ["concurrency_short"]
    assert plan.planned_count == 1005
    assert plan.expected_cost_usd == pytest.approx(1005 * prices.invocation_cost_usd(1024, 500))
    assert plan.max_cost_usd == pytest.approx(1005 * prices.invocation_cost_usd(1024, 40_000))
