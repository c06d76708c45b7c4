"""Concurrency, money, invocations and waits: what a sweep may take, and what it leaves."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lease.wire_faults import Wire, faulty, refusal
from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import ServedFunction, serve
from tests.sweeps import recommended
from tuner.errors import InputError, ThrottledError
from tuner.sweep.limits import Backoff, ConcurrencyLimits, Ledger, Slots, polite_concurrency

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("limits", "isolation", "asked", "made"),
    [
        ((1000, None), "version", None, 8),
        ((1000, None), "version", 500, 500),
        ((1000, None), "version", 900, 800),
        ((10, None), "version", None, 8),
        ((5, None), "version", None, 4),
        ((1, None), "version", None, 1),
        ((1000, 5), "version", 20, 4),
        ((1000, 5), "clone", 20, 20),
        ((None, None), "version", 20, 20),
    ],
)
def test_a_share_is_left(
    limits: tuple[int | None, int | None], isolation: Any, asked: int | None, made: int
) -> None:
    """Four fifths of the function's reservation, or of what the account has unreserved."""
    count, lowered = polite_concurrency(
        ConcurrencyLimits(*limits), isolation=isolation, asked=asked
    )
    assert count == made
    assert (lowered is not None) == (asked is not None and made < asked)


def test_a_function_that_may_not_run_is_refused() -> None:
    """Reserved concurrency 0 throttles everything: the message names a way."""
    with pytest.raises(InputError, match="`isolation=clone`"):
        polite_concurrency(ConcurrencyLimits(1000, 0), isolation="version", asked=None)
    clone = polite_concurrency(ConcurrencyLimits(1000, 0), isolation="clone", asked=None)
    assert clone == (8, None)


@given(
    st.floats(0.001, 10.0),
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.0, 1.0), st.booleans()), max_size=60),
)
def test_a_ledger_never_lets_more_be_spent_than_the_budget(
    budget_usd: float, calls: list[tuple[float, float, bool]]
) -> None:
    """Whatever costs what share of its worst case, in whatever order calls end."""
    ledger = Ledger(budget_usd=budget_usd, max_invocations=1000)
    spent, flying = 0.0, []
    for worst_usd, share, ends_one in calls:
        if ledger.can_afford(worst_usd):
            ledger.reserve(worst_usd)
            flying.append((worst_usd, worst_usd * share))
        if ends_one and flying:
            worst, cost = flying.pop(0)
            ledger.settle(worst, cost)
            spent += cost
        assert spent + sum(worst for worst, _ in flying) <= budget_usd * (1 + 1e-9)


@given(st.integers(1, 9), st.none() | st.floats(0, 1e9), st.integers())
def test_waits_grow_jitter_and_end(count: int, retry_after_s: float | None, seed: int) -> None:
    """A wait is never over 80 s, at least what was asked (up to a minute), and gives up once."""
    asked_s = ThrottledError("throttled", retry_after_s=retry_after_s).asked_wait_s
    wait_s = Backoff().wait_s(count, asked_s, random.Random(seed))
    assert wait_s is not None
    assert min(retry_after_s or 0.0, 60.0) < wait_s <= 80.0
    assert Backoff().wait_s(10, asked_s, random.Random(seed)) is None


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
    executor = ScriptedExecutor(lambda mb: 200 * 1769 / min(mb, 1769), time_scale=0)
    with serve(tmp_path, executor) as served:
        before = served.snapshot()
        calm = answer(served)
        wire = Throttling()
        with faulty(wire):
            throttled = answer(served)
        assert wire.throttled_count > len(wire.requests) / 5
        assert throttled == calm
        assert served.snapshot() == before


def answer(served: ServedFunction) -> tuple[str, int | None]:
    plan = served.plan(memory_sizes_mb=(128, 512, 1024, 1769, 3008), repetition_count=6)
    sweep = served.run(plan, backoff=Backoff(first_s=0.001, most_s=0.002, attempt_count=30))
    assert sweep.end == "complete"
    for invocation in sweep.invocations:
        assert (invocation.outcome.value, invocation.discarded) == ("success", None)
    found = recommended(sweep)
    return found.choice.verdict, found.choice.memory_mb
