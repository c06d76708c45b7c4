"""Payload classes in a sweep: each is tried first, and every size meets the same events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuner.decision.policy import Trial
from tuner.decision.policy.fixed import FixedPolicy
from tuner.errors import PayloadError
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.model.payload import Payload
from tuner.sweep.run import TryFirst
from tuner.sweep.sending import Bodies

COLD = PlatformReport(
    request_id="1",
    duration_ms=1.0,
    billed_duration_ms=100,
    memory_size_mb=512,
    max_memory_used_mb=50,
    init_duration_ms=99.0,
)


class Numbered:
    digest = "0" * 64

    def body(self, index: int) -> bytes:
        return str(index).encode()


def ended(payload: str, outcome: Outcome = Outcome.SUCCESS) -> Invocation:
    return Invocation(
        index=0,
        memory_mb=512,
        version="1",
        payload=payload,
        started_s=0.0,
        client_duration_ms=1.0,
        outcome=outcome,
        cost_usd=0.0,
        error_type=None if outcome is Outcome.SUCCESS else "ValueError",
    )


def strategy() -> TryFirst:
    return TryFirst(FixedPolicy([128], ["a", "b"], 0, 1, 0, 10), ["a", "b"], 512)


def tried(trying: TryFirst, *invocations: Invocation) -> tuple[Trial, ...]:
    """Go through the tries until all of these have ended; return what is chosen then."""
    for count in range(len(invocations)):
        chosen = trying.next_trials(invocations[:count], (), 8)
        assert chosen == (Trial(512, invocations[count].payload),)
        assert trying.next_trials(invocations[:count], chosen, 7) == ()
    return trying.next_trials(invocations, (), 8)


def test_each_class_is_tried_once_before_anything_else() -> None:
    """At the current size, one after the other; then the other strategy chooses."""
    trying = strategy()
    assert trying.planned_count == 2
    after = tried(trying, ended("a"), ended("b"))
    assert sorted(trial.payload for trial in after) == ["a", "b"]
    assert {trial.memory_mb for trial in after} == {128}


def test_a_class_that_answered_cold_is_sent_once_more() -> None:
    """Without a warm sample it would have no curve; a second cold one is left to the strategy."""
    cold = replace(ended("a"), report=COLD)
    assert tried(strategy(), cold, ended("b"), ended("a"))[0].memory_mb == 128
    assert tried(strategy(), cold, ended("b"), cold)[0].memory_mb == 128


def test_a_class_that_fails_twice_stops_the_sweep() -> None:
    """Once may be chance; the message names class, size and error type."""
    failed = ended("b", Outcome.FUNCTION_ERROR)
    with pytest.raises(PayloadError, match=r"payload 'b' at 512 MB \(ValueError\)"):
        tried(strategy(), ended("a"), failed, failed)


def test_an_event_that_fails_when_it_is_sent_again_names_once_each() -> None:
    """It succeeded before: not the payload is wrong, but its repetition."""
    cold = replace(ended("b"), report=COLD)
    failed = ended("b", Outcome.FUNCTION_ERROR)
    with pytest.raises(PayloadError, match="`once_each=True`"):
        tried(strategy(), ended("a"), cold, failed)


@pytest.mark.parametrize("second", [Outcome.SUCCESS, Outcome.LOST_REPLY])
def test_a_class_that_fails_once_is_kept(second: Outcome) -> None:
    """The function fails now and then."""
    failed = ended("b", Outcome.FUNCTION_ERROR)
    assert tried(strategy(), ended("a"), failed, ended("b", second))[0].memory_mb == 128


@pytest.mark.parametrize("outcome", [Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT])
def test_a_size_that_is_too_small_is_not_the_payloads_fault(outcome: Outcome) -> None:
    """That is what a sweep is to find."""
    assert tried(strategy(), ended("a", outcome), ended("b", outcome))[0].memory_mb == 128


def test_every_version_meets_the_same_events_in_the_same_order() -> None:
    """Sizes differ by the size alone."""
    bodies = Bodies([Payload("many", b"0", 1.0, Numbered()), Payload("one", b"{}")])
    asked = [("many", "1"), ("many", "2"), ("many", "1"), ("one", "1"), ("one", "1"), ("many", "2")]
    taken = [(name, bodies.take(name, version)) for name, version in asked]
    got = [bodies.body(name, index) for name, index in taken if index is not None]
    assert got == [b"0", b"0", b"1", b"{}", b"{}", b"1"]
