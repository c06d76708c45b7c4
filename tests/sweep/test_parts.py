"""Environments, health, workers and the stop signal, each by itself."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tuner.decision.policy import Trial
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.sweep.guard import Health
from tuner.sweep.io import StopSignal, stop_on_signals
from tuner.sweep.judge import HIDDEN_INIT, VersionEnvironments
from tuner.sweep.sending import Call, Workers

if TYPE_CHECKING:
    from tuner.model.invocation import InvokeReply


def cold(init_ms: float | None = 90.0) -> PlatformReport:
    return PlatformReport("id", 3.0, 4, 128, 64, init_duration_ms=init_ms)


WARM = cold(None)


def one_call(environments: VersionEnvironments, *what: Any) -> tuple[str | None, str | None]:
    environments.start()
    return environments.finish(*what)


def test_calls_one_at_a_time_are_known_to_share_an_environment() -> None:
    """One cold start, then warm ones: all in the first environment."""
    environments = VersionEnvironments("7", is_new=True)
    seen = [one_call(environments, Outcome.SUCCESS, None, line) for line in (cold(), WARM, WARM)]
    assert seen == [("7/1", None)] * 3


def test_warm_calls_after_two_at_once_are_of_no_known_environment() -> None:
    """A cold start is always a new environment; a warm one may be in either."""
    environments = VersionEnvironments("7", is_new=True)
    environments.start()
    environments.start()
    assert environments.finish(Outcome.SUCCESS, None, cold()) == ("7/1", None)
    assert environments.finish(Outcome.SUCCESS, None, cold()) == ("7/2", None)
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == (None, None)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_version_that_is_warm_from_the_start_has_no_known_environment(is_new: bool) -> None:
    """Somebody else's traffic may have started it."""
    environments = VersionEnvironments("7", is_new=is_new)
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == (None, None)


def test_the_first_success_after_a_crash_is_no_sample() -> None:
    """Its duration silently holds a new init; the one after it is fair again."""
    environments = VersionEnvironments("7", is_new=True)
    one_call(environments, Outcome.SUCCESS, None, cold())
    one_call(environments, Outcome.FUNCTION_ERROR, "Runtime.ExitError", WARM)
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == ("7/1", HIDDEN_INIT)
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == ("7/1", None)


def test_a_cold_start_after_a_crash_hides_nothing() -> None:
    """The crashed environment was replaced: the init is told, and no sample is lost."""
    environments = VersionEnvironments("7", is_new=True)
    one_call(environments, Outcome.TIMEOUT, None, cold())
    assert one_call(environments, Outcome.SUCCESS, None, cold()) == ("7/2", None)
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == ("7/2", None)


def test_a_handlers_error_hides_no_init() -> None:
    """The process lives on after an exception."""
    environments = VersionEnvironments("7", is_new=True)
    one_call(environments, Outcome.FUNCTION_ERROR, "KeyError", cold())
    assert one_call(environments, Outcome.SUCCESS, None, WARM) == ("7/1", None)


def ended(outcome: Outcome, memory_mb: int = 128, error_type: str | None = None) -> Invocation:
    return Invocation(0, memory_mb, "1", "empty", 0.0, 1.0, outcome, 0.0, error_type=error_type)


FAILED = ended(Outcome.FUNCTION_ERROR, error_type="KeyError")


def test_kills_and_timeouts_exclude_a_size_at_once() -> None:
    """Neither goes away by repeating."""
    assert "out of memory" in str(Health().count(ended(Outcome.OUT_OF_MEMORY)))
    assert "times out" in str(Health().count(ended(Outcome.TIMEOUT)))


def test_function_errors_exclude_a_size_when_they_are_the_rule() -> None:
    """Three of three, or most of more."""
    health = Health()
    assert [health.count(FAILED) is None for _ in range(3)] == [True, True, False]
    mixed = Health()
    for _ in range(4):
        assert mixed.count(ended(Outcome.SUCCESS)) is None
    assert all(mixed.count(FAILED) is None for _ in range(4))
    assert mixed.count(FAILED) is not None


def test_a_rare_failure_excludes_next_to_nothing() -> None:
    """At one failure in ten, a size of six calls is excluded in less than one case in fifty."""
    rng = random.Random(1)
    excluded = 0
    for _ in range(2000):
        health = Health()
        outcomes = [FAILED if rng.random() < 0.1 else ended(Outcome.SUCCESS) for _ in range(6)]
        excluded += any(health.count(outcome) for outcome in outcomes)
    assert excluded < 40


def test_one_error_everywhere_from_the_start_is_the_functions() -> None:
    """Only when every size was tried, nothing succeeded and the type is one."""
    health = Health()
    for size in (128, 256, 512):
        assert health.common_error((128, 256, 512)) is None
        health.count(ended(Outcome.FUNCTION_ERROR, size, "KeyError"))
    assert health.common_error((128, 256, 512)) == "KeyError"
    health.count(ended(Outcome.SUCCESS, 512))
    assert health.common_error((128, 256, 512)) is None


def test_calls_without_an_answer_in_a_row_are_noticed() -> None:
    """Five in a row; an answer in between begins anew."""
    health = Health()
    for outcome in [Outcome.LOST_REPLY] * 4 + [Outcome.SUCCESS] + [Outcome.SERVICE_ERROR] * 4:
        health.count(ended(outcome))
        assert not health.is_unreachable
    health.count(ended(Outcome.LOST_REPLY))
    assert health.is_unreachable


def test_signals_become_requests_and_the_old_handlers_come_back() -> None:
    """The first is polite, the second urgent; nothing is raised anywhere."""
    stop, before, woken = StopSignal(), signal.getsignal(signal.SIGTERM), []
    stop.notify(lambda: woken.append(1))
    with stop_on_signals(stop):
        assert not stop.is_requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert (stop.is_requested, stop.is_urgent) == (True, False)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_urgent
    assert len(woken) == 2
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("number", "counts"), [(signal.SIGHUP, False), (signal.SIGINT, True), (signal.SIGTERM, True)]
)
def test_nohup_is_heeded_and_the_job_of_a_script_still_ends(
    number: signal.Signals, counts: bool
) -> None:
    """An ignored SIGHUP stays ignored; Ctrl-C counts, though a script's `&` had it ignored."""
    stop, before = StopSignal(), signal.signal(number, signal.SIG_IGN)
    try:
        with stop_on_signals(stop):
            os.kill(os.getpid(), number)
            assert stop.is_requested == counts
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_workers_are_as_many_as_calls_at_once_and_end() -> None:
    """Threads are reused, exceptions come back as results, and all end with the block."""
    names = set()
    gate = threading.Barrier(3)

    def invoke(call: Call) -> InvokeReply:
        names.add(threading.current_thread().name)
        gate.wait(60)
        raise RuntimeError(call.version)

    with Workers(invoke, lambda: 0.0) as workers:
        for _ in range(2):
            for version in ("1", "2", "3"):
                workers.start(Call(Trial(128, "empty"), version, 0.0))
            done = [workers.next_done(60) for _ in range(3)]
            assert sorted(str(one.result) for one in done if one) == ["1", "2", "3"]
        workers.wake()
        assert workers.next_done(None) is None
        assert workers.next_done(0.0) is None
    assert len(names) == 3
    for thread in threading.enumerate():
        if thread.name in names:
            thread.join(60)
            assert not thread.is_alive()
