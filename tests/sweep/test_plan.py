"""Plans: sizes, repetitions, estimates and limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sweeps import made_function
from tuner.api.tuning import request_of
from tuner.errors import InputError
from tuner.model.goal import Goal
from tuner.model.payload import Payload
from tuner.pricing import load_price_book
from tuner.sweep.plan import Basis, new_sweep_id, plan_adaptive, plan_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.plan import SweepPlan

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")


def planned(
    *,
    payloads: Sequence[Payload] = (Payload("empty", b"{}"),),
    timeout_s: int = 30,
    recent_duration_ms: float | None = None,
    repetition_count: int | None = None,
    **options: Any,
) -> SweepPlan:
    """An exhaustive plan; `options` are those of `tuner.tune`."""
    basis = Basis(
        made_function(1024, timeout_s=timeout_s),
        tuple(payloads),
        PRICES,
        "sweep-1",
        recent_duration_ms=recent_duration_ms,
    )
    request = request_of("made", options)  # type: ignore[arg-type]
    return plan_sweep(request, basis, repetition_count=repetition_count)


def test_a_plan_without_options_has_five_warm_samples_a_size() -> None:
    """Nine sizes up to 3,008 MB, one warm-up and five more each."""
    plan = planned(max_memory_mb=3008)
    assert (plan.warmup_count, plan.repetition_count) == (1, 5)
    assert plan.estimated_invocation_count == plan.max_invocations == 54
    assert 1024 in plan.sizes_mb
    assert plan.concurrency == 8


def test_the_whole_range_stays_within_sixty_invocations() -> None:
    """More sizes get fewer repetitions."""
    plan = planned()
    assert plan.sizes_mb[0] == 128
    assert plan.sizes_mb[-1] == 10_240
    assert plan.estimated_invocation_count <= 60
    assert plan.repetition_count >= 3


def test_named_sizes_are_measured_exactly() -> None:
    """The current size, which a saving is told against, is added, and no threshold."""
    plan = planned(memory_sizes_mb=(128, 640, 2000))
    assert plan.sizes_mb == (128, 640, 1024, 2000)


def test_limits_hold_for_named_sizes() -> None:
    """What may not be answered is not planned, so that a report keeps the limits; the current size
    is measured wherever it lies.
    """
    asked: dict[str, Any] = {"memory_sizes_mb": (128, 640, 2000), "max_memory_mb": 700}
    assert planned(**asked).sizes_mb == (128, 640, 1024)
    basis = Basis(made_function(1024), (Payload("empty", b"{}"),), PRICES, "sweep-1")
    request = request_of("made", asked)  # type: ignore[arg-type]
    assert plan_adaptive(request, basis, Goal()).sizes_mb == (128, 640)


@pytest.mark.parametrize("timeout_s", [901, 1800])
def test_the_longest_timeouts_are_planned_and_budgeted(timeout_s: int) -> None:
    """The worst case of an invocation is the whole timeout, also beyond 900 s."""
    assert planned(timeout_s=timeout_s).estimated_invocation_count > 0
    one_usd = 0.125 * timeout_s * 0.0000166667
    options: dict[str, Any] = {"timeout_s": timeout_s, "memory_sizes_mb": (128, 256)}
    assert planned(**options, budget_usd=20 * one_usd).budget_usd == 20 * one_usd
    with pytest.raises(InputError, match=f"its timeout of {timeout_s} s"):
        planned(**options, budget_usd=2 * one_usd)


@given(st.integers(1, 100), st.integers(1, 4))
def test_a_limit_of_invocations_is_kept_or_refused(limit: int, payload_count: int) -> None:
    """Every plan fits its limit and gives every size a warm sample, or there is none."""
    payloads = [Payload(f"p{number}", b"{}") for number in range(payload_count)]
    least = 3 * (1 + payload_count)
    if limit < least:
        with pytest.raises(InputError, match=f"need {least} invocations"):
            planned(payloads=payloads, max_invocations=limit)
        return
    plan = planned(payloads=payloads, max_invocations=limit)
    assert plan.estimated_invocation_count <= plan.max_invocations == limit
    assert plan.repetition_count >= 1
    assert {128, 1024, 10_240} <= set(plan.sizes_mb)


def test_a_limit_reduces_repetitions_before_sizes() -> None:
    """As long as every size can have a warm sample, all sizes stay."""
    everything = planned(max_memory_mb=3008)
    tighter = planned(max_memory_mb=3008, max_invocations=20)
    assert tighter.sizes_mb == everything.sizes_mb
    assert tighter.repetition_count == 1
    assert len(planned(max_memory_mb=3008, max_invocations=10).sizes_mb) == 5


def test_named_sizes_are_never_reduced() -> None:
    """A limit that is too low for them is an error that says what would be needed."""
    with pytest.raises(InputError, match="need 6 invocations, `max_invocations` allows 5"):
        planned(memory_sizes_mb=(128, 256, 1024), max_invocations=5)


def test_a_budget_below_one_invocation_at_worst_is_refused() -> None:
    """The message has the least amount."""
    with pytest.raises(InputError, match=r"need a budget of \$0\.0006"):
        planned(memory_sizes_mb=(128, 1024), budget_usd=0.0001)


def test_a_budget_reduces_what_is_expected_to_cost_too_much() -> None:
    """With a known mean duration, repetitions are cut so that the whole plan fits."""
    expensive = planned(memory_sizes_mb=(1024, 2048), recent_duration_ms=5_000.0)
    budget = expensive.estimated_cost_usd * 0.9 + 0.001
    cut = planned(memory_sizes_mb=(1024, 2048), recent_duration_ms=5_000.0, budget_usd=budget)
    assert cut.repetition_count < expensive.repetition_count
    assert cut.estimated_cost_usd <= budget


def test_estimates_are_upper_bounds_until_a_duration_is_known() -> None:
    """The timeout bounds everything; a recent mean duration gives the expected value."""
    unknown = planned(memory_sizes_mb=(1024,))
    known = planned(memory_sizes_mb=(1024,), recent_duration_ms=100.0)
    assert unknown.basis == "timeout"
    assert unknown.estimated_cost_usd == unknown.max_cost_usd
    assert known.basis == "recent_duration"
    assert known.estimated_cost_usd == pytest.approx(
        6 * PRICES.invocation_cost_usd(1024, 100), rel=1e-9
    )
    assert (
        known.max_cost_usd
        == unknown.max_cost_usd
        == pytest.approx(6 * PRICES.invocation_cost_usd(1024, 40_000), rel=1e-9)
    )
    assert known.estimated_wall_s < unknown.estimated_wall_s == unknown.max_wall_s


def test_a_slow_thread_is_expected_at_small_sizes_only_until_the_timeout() -> None:
    """No invocation is expected to outlast the timeout."""
    slow = planned(memory_sizes_mb=(128,), recent_duration_ms=29_000.0)
    current_usd = PRICES.invocation_cost_usd(1024, 29_000)
    assert slow.estimated_cost_usd == pytest.approx(
        6 * (PRICES.invocation_cost_usd(128, 30_000) + current_usd), rel=1e-9
    )


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"max_invocations": 0},
        {"budget_usd": 0.0},
        {"budget_usd": float("nan")},
        {"repetition_count": 0},
        {"memory_sizes_mb": (100,)},
        {"memory_sizes_mb": (256, 128)},
    ],
)
def test_options_without_sense_are_refused(options: dict[str, Any]) -> None:
    """Each is one clear line."""
    with pytest.raises(InputError):
        planned(**options)


def test_a_plan_knows_digests_and_no_bodies() -> None:
    """A payload is in a plan by name, size and digest."""
    plan = planned(payloads=(Payload("order", b'{"card": "4111"}'),))
    assert "4111" not in repr(plan)
    assert plan.payloads[0].size_bytes == 16


def test_sweep_ids_sort_by_time_and_differ() -> None:
    """An id is safe as a file name and in a version's Description."""
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    one, other = new_sweep_id(now), new_sweep_id(now)
    assert one.startswith("20260102-030405-")
    assert one != other
