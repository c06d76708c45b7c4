"""Payload classes in a sweep: each is tried first, and every size meets the same events."""

from __future__ import annotations

import pytest

from tuner.errors import PayloadError
from tuner.explore.fixed import FixedStrategy
from tuner.explore.strategy import Trial
from tuner.model.invocation import Invocation, Outcome
from tuner.model.payload import Payload
from tuner.sweep.bodies import Bodies
from tuner.sweep.try_first import TryFirst


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
    return TryFirst(FixedStrategy([128], ["a", "b"], 0, 1, 0, 10), ["a", "b"], 512)


def test_each_class_is_tried_once_before_anything_else() -> None:
    """At the current size; the other strategy waits until all are back."""
    trying = strategy()
    assert trying.planned_count == 4
    tries = trying.next_trials((), (), 8)
    assert tries == (Trial(512, "a"), Trial(512, "b"))
    assert trying.next_trials([ended("a")], tries[1:], 7) == ()
    after = trying.next_trials([ended("a"), ended("b")], (), 8)
    assert sorted(trial.payload for trial in after) == ["a", "b"]
    assert {trial.memory_mb for trial in after} == {128}


def test_few_slots_try_one_class_after_the_other() -> None:
    """A concurrency of one leaves none out."""
    trying = strategy()
    assert trying.next_trials((), (), 1) == (Trial(512, "a"),)
    assert trying.next_trials([ended("a")], (), 1) == (Trial(512, "b"),)
    assert trying.next_trials([ended("a"), ended("b")], (), 1)[0].memory_mb == 128


def test_a_class_that_fails_twice_stops_the_sweep() -> None:
    """Once may be chance; the message names class, size and error type."""
    trying = strategy()
    trying.next_trials((), (), 8)
    done = [ended("a"), ended("b", Outcome.FUNCTION_ERROR)]
    assert trying.next_trials(done, (), 8) == (Trial(512, "b"),)
    with pytest.raises(PayloadError, match=r"payload 'b' at 512 MB \(ValueError\)"):
        trying.next_trials([*done, ended("b", Outcome.FUNCTION_ERROR)], (), 8)


@pytest.mark.parametrize("second", [Outcome.SUCCESS, Outcome.LOST_REPLY])
def test_a_class_that_fails_once_is_kept(second: Outcome) -> None:
    """The function fails now and then."""
    trying = strategy()
    trying.next_trials((), (), 8)
    done = [ended("a"), ended("b", Outcome.FUNCTION_ERROR)]
    trying.next_trials(done, (), 8)
    assert trying.next_trials([*done, ended("b", second)], (), 8)[0].memory_mb == 128


@pytest.mark.parametrize("outcome", [Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT])
def test_a_size_that_is_too_small_is_not_the_payloads_fault(outcome: Outcome) -> None:
    """That is what a sweep is to find."""
    trying = strategy()
    trying.next_trials((), (), 8)
    assert trying.next_trials([ended("a", outcome), ended("b", outcome)], (), 8) != ()


def test_every_version_meets_the_same_events_in_the_same_order() -> None:
    """Sizes differ by the size alone."""
    bodies = Bodies([Payload("many", b"0", 1.0, Numbered()), Payload("one", b"{}")])
    asked = [("many", "1"), ("many", "2"), ("many", "1"), ("one", "1"), ("one", "1"), ("many", "2")]
    got = [bodies.next(*each) for each in asked]
    assert got == [b"0", b"0", b"1", b"{}", b"{}", b"1"]
