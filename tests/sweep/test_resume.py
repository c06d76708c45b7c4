"""A sweep goes on from an earlier one; no event is sent twice where that is asked for."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import Events, ServedFunction, codes, serve
from tuner.decision.policy.fixed import FixedPolicy
from tuner.errors import SweepFileError
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.model.payload import Payload
from tuner.model.progress import InvocationFinished
from tuner.sweep.file import read_payloads, read_sweep
from tuner.sweep.io import StopSignal
from tuner.sweep.limits import Ledger
from tuner.sweep.sending import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIZES = (128, 512, 1769)
WARM = PlatformReport("id", 3.0, 3, 128)


class Numbered:
    """Events that were recorded."""

    digest = "d" * 64

    def __init__(self, event_count: int | None) -> None:
        self.event_count = event_count

    def body(self, index: int) -> bytes:
        return json.dumps({"n": index}).encode()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedFunction]:
    executor = ScriptedExecutor(20.0, init_duration_ms=50.0, time_scale=0)
    with serve(tmp_path, executor) as served:
        yield served


def sent(served: ServedFunction) -> list[bytes]:
    return [each.payload for each in served.server._executor.invocations]


def stopping_after(count: int, stop: StopSignal) -> Any:
    events = Events()

    def take(event: Any) -> None:
        events(event)
        if len(events.of(InvocationFinished)) >= count:
            stop.request()

    return take


def test_what_was_measured_and_spent_counts(served: ServedFunction) -> None:
    """The second run makes what the first had left; money, time and findings add up."""
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=4, concurrency=1)
    stop = StopSignal()
    first = served.run(plan, stop=stop, on_progress=stopping_after(8, stop))
    assert (first.end, len(first.invocations)) == ("interrupted", 8)
    earlier = read_sweep(served.file(plan))
    again = served.plan(
        memory_sizes_mb=SIZES, repetition_count=4, concurrency=1, max_invocations=18
    )
    before = served.snapshot()
    second = served.run(again, earlier=earlier)
    warm = [each for each in second.invocations if each.is_warm_sample]
    assert second.end == "complete"
    assert [each.index for each in second.invocations] == list(range(len(second.invocations)))
    assert {size: sum(w.memory_mb == size for w in warm) for size in SIZES} == dict.fromkeys(
        SIZES, 4
    )
    assert second.invocations[:8] != first.invocations  # environments are told apart
    environments = [each.environment for each in second.invocations]
    assert not {*environments[:8]} & {*environments[8:]}
    assert second.cost_usd > first.cost_usd
    assert second.wall_s >= first.wall_s
    assert second.invocations[8].started_s >= first.wall_s
    assert read_sweep(served.file(again)).invocations == second.invocations
    assert served.snapshot() == before


def test_what_was_spent_is_not_spent_again() -> None:
    """A budget and a number of invocations are the sweep's, over all its runs."""
    ledger = Ledger(budget_usd=1.0, max_invocations=3)
    ledger.add_spent(0.7)
    assert ledger.remaining_invocations == 2
    assert ledger.can_afford(0.3)
    assert not ledger.can_afford(0.31)


def test_sizes_that_failed_stay_excluded(served: ServedFunction) -> None:
    """A size that ran out of memory is not tried again."""
    served.server._executor._failure = lambda deployment, _request: (
        "out-of-memory" if deployment.memory_mb == 128 else None
    )
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1)
    served.run(plan)
    earlier = read_sweep(served.file(plan))
    second = served.run(served.plan(memory_sizes_mb=SIZES, repetition_count=3), earlier=earlier)
    assert not any(each.memory_mb == 128 for each in second.invocations[len(earlier.invocations) :])
    assert codes(second).count("size_failed") == 1


def test_no_event_is_sent_twice(served: ServedFunction) -> None:
    """Sizes share the events; when each was sent, the sweep ends and says so."""
    payloads = (Payload("many", b"0", 1.0, Numbered(7)),)
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=5, payloads=payloads)
    plan = _once(plan)
    sweep = served.run(plan, payloads=payloads)
    assert sorted(sent(served)) == sorted(Numbered(7).body(index) for index in range(7))
    assert codes(sweep) == ["corpus_spent"]
    assert sorted(each.event_index for each in sweep.invocations) == list(range(7))


@pytest.mark.slow
def test_a_throttled_event_is_sent_again_and_a_lost_one_is_not(tmp_path: Path) -> None:
    """A throttle ran nothing; a reply that was lost may have run."""
    executor = ScriptedExecutor(
        5.0,
        time_scale=0,
        failure=lambda _, request: "no-reply" if b"3" in request.payload else None,
    )
    payloads = (Payload("many", b"0", 1.0, Numbered(6)),)
    with serve(tmp_path, executor) as served:
        plan = served.plan(
            memory_sizes_mb=SIZES, repetition_count=4, payloads=payloads, concurrency=1
        )
        sweep = served.run(_once(plan), payloads=payloads)
        assert [body for body in sent(served) if b"3" in body] == [Numbered(6).body(3)]
        assert [each.event_index for each in sweep.invocations] == list(range(6))


def test_events_that_may_have_been_on_their_way_are_not_sent_either(served: ServedFunction) -> None:
    """A sweep that was cut off had up to `concurrency` more in flight than its file knows."""
    payloads = (Payload("many", b"0", 1.0, Numbered(40)),)
    plan = _once(
        served.plan(memory_sizes_mb=SIZES, repetition_count=3, payloads=payloads, concurrency=3)
    )
    served.run(plan, payloads=payloads)
    file = served.file(plan)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:6]))  # a header and five invocations
    earlier = read_sweep(file)
    assert earlier.end is None
    highest = max(each.event_index or 0 for each in earlier.invocations)
    again = _once(
        served.plan(memory_sizes_mb=SIZES, repetition_count=3, payloads=payloads, concurrency=3)
    )
    second = served.run(again, payloads=payloads, earlier=earlier)
    new = [each.event_index or 0 for each in second.invocations[5:]]
    assert min(new) == highest + 1 + 3


def test_payloads_are_kept_only_where_that_is_asked(served: ServedFunction) -> None:
    """Each event once, whatever its bytes; without the wish the file has digests alone."""
    payloads = (Payload("raw", b"\x00\xff sentinel"), Payload("many", b"0", 1.0, Numbered(2)))
    plan = served.plan(memory_sizes_mb=SIZES, repetition_count=2, payloads=payloads)
    served.run(plan, payloads=payloads)
    assert b"sentinel" not in served.file(plan).read_bytes()
    assert read_payloads(served.file(plan)) == {}
    kept = _keeping(served.plan(memory_sizes_mb=SIZES, repetition_count=2, payloads=payloads))
    sweep = served.run(kept, payloads=payloads)
    found = read_payloads(served.file(kept))
    assert found["raw", 0] == payloads[0].body
    assert {index for name, index in found if name == "many"} <= {0, 1, 2, 3}
    assert read_sweep(served.file(kept)).invocations == sweep.invocations
    assert served.file(kept).stat().st_mode & 0o777 == 0o600
    damaged = served.file(kept).read_bytes().replace(b'"base64":"', '"base64":"é'.encode(), 1)
    served.file(kept).write_bytes(damaged)
    with pytest.raises(SweepFileError, match="line "):
        read_payloads(served.file(kept))


@given(
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(1, 5), min_size=1),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=60),
    st.integers(0, 4),
)
def test_once_each_never_repeats(
    classes: dict[str, int | None], asked: Sequence[tuple[str, str]], first: int
) -> None:
    """Whatever is asked for at whichever version, an index comes once, from the first on."""
    payloads = [Payload(name, b"0", 1.0, Numbered(count)) for name, count in classes.items()]
    bodies = Bodies(payloads, once_each=True, first_index=dict.fromkeys(classes, first))
    taken = [(name, bodies.take(name, version)) for name, version in asked if name in classes]
    given_out = [(name, index) for name, index in taken if index is not None]
    assert len(set(given_out)) == len(given_out)
    for name, index in given_out:
        assert index >= first
        assert classes[name] is None or index < (classes[name] or 0)


def test_a_fixed_order_leaves_out_what_has_its_sample() -> None:
    """Warm samples count for their size and class; a size that has all of its own is left."""
    strategy = FixedPolicy((128, 256), ("a", "b"), 1, 2, 1, 10)
    done = [
        Invocation(0, size, "1", name, 0.0, 1.0, Outcome.SUCCESS, 0.0, report=WARM)
        for size, name in ((128, "a"), (128, "b"), (128, "a"), (128, "b"), (256, "a"))
    ]
    strategy.account_for(done)
    trials = strategy.next_trials((), (), 99)
    assert [each.memory_mb for each in trials] == [256] * 4
    assert [each.payload for each in trials[1:]].count("a") == 1
    assert strategy.planned_count == 9


def _once(plan: Any) -> Any:
    return dataclasses.replace(plan, once_each=True)


def _keeping(plan: Any) -> Any:
    return dataclasses.replace(plan, keep_payloads=True)
