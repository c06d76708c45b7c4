"""Sizes that are out of the question: they fail, have too little headroom, or answer otherwise."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import SIZES_MB, changed, cpu_bound_ms, made_sweep, mixed_ms, only_finding
from tests.sweeps import finding_codes as codes
from tests.sweeps import recommended as decide
from tuner.decision.analysis import analyse
from tuner.model.goal import Goal
from tuner.model.invocation import Invocation, Outcome
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.sweep import Sweep


def failing(sweep: Sweep, outcome: Outcome, *sizes_mb: int) -> Sweep:
    def fail(invocation: Invocation) -> Invocation:
        bad = invocation.memory_mb in sizes_mb
        return dataclasses.replace(invocation, outcome=outcome) if bad else invocation

    return changed(sweep, fail)


def using(sweep: Sweep, used_mb: int) -> Sweep:
    def use(invocation: Invocation) -> Invocation:
        assert invocation.report is not None
        report = dataclasses.replace(invocation.report, max_memory_used_mb=used_mb)
        return dataclasses.replace(invocation, report=report)

    return changed(sweep, use)


def test_under_a_fifth_of_headroom_is_never_recommended() -> None:
    """With 110 MB in use 128 MB are out of the question; 192 MB are not."""
    found = decide(using(made_sweep(lambda _: 500.0), 110))
    assert found.choice.memory_mb == 192
    assert "memory_headroom" in codes(found)


def test_sizes_up_to_an_out_of_memory_kill_are_ruled_out() -> None:
    """A kill at 256 MB rules out 128 and 192 MB too, although those were not killed."""
    found = decide(failing(made_sweep(lambda _: 500.0), Outcome.OUT_OF_MEMORY, 256))
    assert found.choice.memory_mb is not None
    assert found.choice.memory_mb > 256
    assert "out_of_memory" in codes(found)


def test_a_size_that_times_out_is_ruled_out() -> None:
    """A timeout at the smallest size leaves the others."""
    found = decide(failing(made_sweep(lambda _: 500.0), Outcome.TIMEOUT, 128))
    assert found.choice.memory_mb == 192
    assert "timeout" in codes(found)


def test_leaving_a_failing_size_needs_no_comparison() -> None:
    """If the current size is killed for memory, another is recommended without a saving."""
    sweep = failing(made_sweep(lambda _: 500.0, current_mb=128), Outcome.OUT_OF_MEMORY, 128)
    found = decide(sweep)
    assert found.choice.verdict == "resize"
    assert found.choice.saving_ratio is None
    assert "fail" in found.choice.reason


def test_a_function_that_always_fails_is_inconclusive() -> None:
    """Nothing but failures: no size, no interval, and the log as the next step."""
    sweep = made_sweep()
    found = decide(failing(sweep, Outcome.FUNCTION_ERROR, *sweep.plan.sizes_mb))
    assert (found.choice.verdict, found.choice.memory_mb) == ("inconclusive", None)
    assert "log" in found.choice.reason
    assert found.curve == ()
    assert all(size.duration_ms is None for size in found.sizes)


def test_errors_at_random_are_inconclusive() -> None:
    """Errors here and there beside successes say that no size is safe."""

    def fail(invocation: Invocation) -> Invocation:
        outcome = Outcome.FUNCTION_ERROR if invocation.index % 9 == 4 else invocation.outcome
        return dataclasses.replace(invocation, outcome=outcome)

    found = decide(changed(made_sweep(), fail))
    assert found.choice.verdict == "inconclusive"
    assert "errors_at_random" in codes(found)


def test_one_failure_at_each_of_several_sizes_is_random_where_smaller_ones_succeed() -> None:
    """Two sizes that fail among others that succeed are not short of memory; one alone is told as
    what it is, and two below all that succeed may want memory.
    """
    sweep = made_sweep()
    found = decide(failing(sweep, Outcome.FUNCTION_ERROR, 256, 768))
    assert found.choice.verdict == "inconclusive"
    assert "errors_at_random" in codes(found)
    plain = made_sweep(mixed_ms)
    alone = decide(failing(plain, Outcome.FUNCTION_ERROR, 768))
    assert alone.choice.verdict != "inconclusive"
    told = only_finding(alone.findings, "function_error").message
    assert "6 of 60 invocations" in told
    assert "smaller sizes succeed" in told
    below = decide(failing(sweep, Outcome.FUNCTION_ERROR, 128, 192))
    assert "errors_at_random" not in codes(below)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Outcome.TIMEOUT, "raise the timeout"), (Outcome.OUT_OF_MEMORY, "`max_memory_mb`")],
)
def test_what_ends_every_invocation_is_named(outcome: Outcome, words: str) -> None:
    """Timeouts and kills have their own advice, and the payload is not blamed besides."""
    found = decide(failing(made_sweep(), outcome, *SIZES_MB))
    assert found.choice.verdict == "inconclusive"
    assert words in found.choice.reason
    assert "payload_without_sample" not in codes(found)


def test_a_size_that_fails_has_no_percentile() -> None:
    """What was killed for memory is not as slow as anything."""
    found = decide(failing(made_sweep(), Outcome.OUT_OF_MEMORY, 128))
    assert found.percentile(128, 95) is None
    assert found.percentile(256, 95) is not None


def answering(sweep: Sweep, answer: Callable[[int], str]) -> Sweep:
    return changed(sweep, lambda i: dataclasses.replace(i, reply_class=answer(i.memory_mb)))


def test_errors_in_replies_are_no_work() -> None:
    """A function that answers 500 at every size is not told to shrink, unless that is its work."""
    sweep = answering(made_sweep(lambda _: 5.0), lambda _: "http_5xx")
    found = decide(sweep)
    assert (found.choice.verdict, found.choice.best_so_far_mb) == ("inconclusive", None)
    assert "errors" in found.choice.reason
    assert "http_error_replies" in codes(found)
    allowed = decide(sweep, Goal(allow_different_replies=True))
    assert (allowed.choice.verdict, allowed.choice.memory_mb) == ("resize", 128)


@pytest.mark.parametrize("other", ["http_5xx", "batch_failures", "3fa9c2d1/12", "0badcafe/9"])
def test_a_size_that_answers_otherwise_is_not_recommended(other: str) -> None:
    """502 below 512 MB, or a reply of another shape or size, is other work: 512 MB is the least."""
    sweep = made_sweep(lambda _: 500.0)
    mixed = answering(sweep, lambda mb: other if mb < 512 else "3fa9c2d1/9")
    found = decide(mixed)
    assert (found.choice.verdict, found.choice.memory_mb) == ("resize", 512)
    assert "replies_differ" in codes(found)
    assert ("http_error_replies" in codes(found)) is (other in ("http_5xx", "batch_failures"))
    allowed = decide(mixed, Goal(allow_different_replies=True))
    assert allowed.choice.memory_mb == 128


def test_replies_that_differ_anyhow_tell_nothing_of_a_size() -> None:
    """Shapes that come and go at one size, and sizes one step apart, are the function's way."""
    sweep = made_sweep(lambda _: 500.0)
    invocations = tuple(
        dataclasses.replace(each, reply_class=f"{each.index:08x}/{9 + each.index % 2}")
        for each in sweep.invocations
    )
    found = decide(dataclasses.replace(sweep, invocations=invocations))
    assert found.choice.memory_mb == 128
    assert "replies_differ" not in codes(found)


def failing_once(sweep: Sweep, outcome: Outcome, memory_mb: int) -> Sweep:
    """The last invocation of a size fails."""
    last = max(each.index for each in sweep.invocations if each.memory_mb == memory_mb)
    return changed(
        sweep,
        lambda each: dataclasses.replace(each, outcome=outcome) if each.index == last else each,
    )


@pytest.mark.parametrize("outcome", [Outcome.FUNCTION_ERROR, Outcome.TIMEOUT])
def test_a_failure_that_memory_cannot_explain_is_no_reason_to_leave(outcome: Outcome) -> None:
    """The best size fails once, smaller ones succeed: it is kept, with a finding. A size that
    surely beats it is still recommended, with its saving.
    """
    kept = decide(failing_once(made_sweep(cpu_bound_ms, current_mb=1769), outcome, 1769))
    assert (kept.choice.verdict, kept.choice.memory_mb) == ("keep", 1769)
    assert codes(kept) & {"function_error", "timeout"}
    left = decide(failing_once(made_sweep(lambda _: 500.0, current_mb=1024), outcome, 1024))
    assert (left.choice.verdict, left.choice.memory_mb) == ("resize", 128)
    assert left.choice.confidence_of == "move"
    assert left.choice.saving_ratio is not None


def test_a_size_that_runs_out_of_time_sometimes_is_left_where_smaller_ones_always_do() -> None:
    """Between timeouts a size has succeeded: it's too small all the same if none below it has."""
    sweep = failing_once(made_sweep(cpu_bound_ms, current_mb=128), Outcome.TIMEOUT, 128)
    assert decide(sweep).choice.verdict == "resize"
    assert decide(sweep).choice.reason.startswith("invocations fail at the current 128 MB")


def test_a_timeout_above_a_size_that_succeeds_rules_out_that_size_alone() -> None:
    """Sizes between 128 MB, which succeeds, and the one that timed out are still to be had."""
    sweep = failing_once(made_sweep(lambda _: 500.0), Outcome.TIMEOUT, 512)
    found = analyse(sweep, Goal(), price_book=load_price_book(), seed=0)
    assert found.problem is not None
    bars = found.problem.constraints.bars
    assert (bars[512], bars[320], bars[128]) == ("fails", None, None)
