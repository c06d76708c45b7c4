"""Throttles lower concurrency, and a sweep that meets many of them answers the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.lease.wire_faults import Wire, faulty, refusal
from tests.sweep.running import Place, serve
from tests.sweeps import recommended
from tuner.local import ScriptedExecutor
from tuner.sweep.limits import Backoff, Slots

if TYPE_CHECKING:
    from pathlib import Path


def test_a_throttle_takes_a_slot_and_replies_give_it_back() -> None:
    """Never below one, never above the plan's."""
    slots = Slots(3)
    for _ in range(5):
        slots.throttled()
    assert slots.count == 1
    for _ in range(15):
        slots.replied()
    assert slots.count == 2
    for _ in range(100):
        slots.replied()
    assert slots.count == 3


class Throttling(Wire):
    """Throttles three in ten of all requests, of both planes."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = random.Random(7)
        self.throttled_count = 0

    def send(self, real: Any, session: Any, request: Any) -> Any:
        self.requests.append(request.url)
        if self.rng.random() < 0.3:
            self.throttled_count += 1
            return refusal(request, 429, "TooManyRequestsException")
        return real(session, request)


def test_with_three_in_ten_calls_throttled_the_answer_is_the_same(tmp_path: Path) -> None:
    """Same verdict and size as without a throttle, nothing failed, nothing left."""
    executor = ScriptedExecutor(lambda mb: 2000 * 1769 / min(mb, 1769), time_scale=0)
    with serve(tmp_path, executor) as place:
        before = place.snapshot()
        calm = answer(place)
        wire = Throttling()
        with faulty(wire):
            throttled = answer(place)
        assert wire.throttled_count > len(wire.requests) / 5
        assert throttled == calm
        assert place.snapshot() == before


def answer(place: Place) -> tuple[str, int | None]:
    plan = place.plan(memory_sizes_mb=(128, 512, 1024, 1769, 3008), repetition_count=6)
    sweep = place.run(plan, backoff=Backoff(first_s=0.001, most_s=0.002, attempt_count=30))
    assert sweep.end == "complete"
    assert all(invocation.outcome.value == "success" for invocation in sweep.invocations)
    found = recommended(sweep)
    return found.choice.verdict, found.choice.memory_mb
