"""The table of reports: what counts once, and what the questions answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.observe.made import ObservedReport, store_of
from tuner.model.observation import Origin, Window

T0 = datetime(2026, 11, 20, 10, tzinfo=UTC)
A, B = Origin("a.log"), Origin("b.log", function="f", version="3", account="1" * 12)


def report(
    request_id: str = "r", after_s: float | None = 0.0, duration_ms: float = 12.5, **changes: Any
) -> ObservedReport:
    """A report of 512 MB, so many seconds after T0 (None: without a time)."""
    at = None if after_s is None else T0 + timedelta(seconds=after_s)
    fields = {"billed_duration_ms": 13, "memory_mb": 512, "max_memory_used_mb": 70, **changes}
    return ObservedReport(request_id, at, duration_ms, **fields)


def attempts(*reports: tuple[Origin, ObservedReport]) -> list[tuple[str, int, float | None]]:
    """(request, attempt, seconds after T0) of what counts."""
    with store_of(*reports) as store:
        rows = store.connection.execute(
            "SELECT request_id, attempt, epoch_us(logged_at) FROM reports ORDER BY ALL"
        ).fetchall()
    begin = int(T0.timestamp()) * 1_000_000
    return [
        (request, attempt, None if at is None else (at - begin) / 1e6)
        for request, attempt, at in rows
    ]


def test_the_same_line_from_two_sources_counts_once() -> None:
    """With times alike to the second, with one, and with none."""
    assert attempts((A, report()), (B, report())) == [("r", 1, 0.0)]
    assert attempts((A, report(after_s=0.7)), (B, report())) == [("r", 1, 0.0)]
    assert attempts((A, report(after_s=None)), (B, report(after_s=5))) == [("r", 1, 5.0)]
    assert attempts((A, report(after_s=None)), (B, report(after_s=None))) == [("r", 1, None)]


@pytest.mark.parametrize("copy_count", [2, 3])
def test_copies_of_many_lines_count_once(copy_count: int) -> None:
    """However many there are, and in whatever order the engine takes copies of the same time."""
    sources = [Origin(f"{number}.log", function="f") for number in range(copy_count)]
    lines = [(each, report(f"r{n}", 60.0 * n)) for each in sources for n in range(300)]
    assert len(attempts(*lines)) == 300


def test_a_retry_is_another_attempt() -> None:
    """By what it took, or by its time a minute later, in one source or in two."""
    other = report(after_s=60, duration_ms=14.0, billed_duration_ms=14)
    assert attempts((A, report()), (A, other)) == [("r", 1, 0.0), ("r", 2, 60.0)]
    assert attempts((B, report(after_s=60)), (A, report())) == [("r", 1, 0.0), ("r", 2, 60.0)]
    assert attempts((A, report()), (A, report(after_s=0.3))) == [("r", 1, 0.0), ("r", 2, 0.3)]


def test_three_attempts_in_three_sources_are_three() -> None:
    """Timeouts take the same each; copies of all of them, in whatever form, add nothing."""
    taken = {"duration_ms": 3000.0, "billed_duration_ms": 3000, "outcome": "timeout"}
    untimed = [(origin, report(after_s=None, **taken)) for origin in (A, B) for _ in range(3)]
    timed = [(Origin("c"), report(after_s=seconds, **taken)) for seconds in (0, 60, 180)]
    assert len(attempts(*untimed)) == 3
    assert attempts(*untimed, *timed) == [("r", 1, 0.0), ("r", 2, 60.0), ("r", 3, 180.0)]
    assert len(attempts(*untimed, *timed[1:])) == 3


def test_a_success_without_times_is_not_run_again() -> None:
    """A file that was written twice over has it twice; only failures are retried."""
    assert len(attempts((A, report(after_s=None)), (A, report(after_s=None)))) == 1


def test_what_one_source_lacks_another_has() -> None:
    """Function, version, account and time are of the source that names them."""
    with store_of((A, report(after_s=None)), (B, report(after_s=1))) as store:
        row = store.connection.execute(
            "SELECT function, version, account, source, logged_at FROM reports"
        ).fetchall()
    moment = (T0 + timedelta(seconds=1)).replace(tzinfo=None)
    assert row == [("f", "3", "1" * 12, "a.log", moment)]


def test_functions_share_no_requests() -> None:
    """Made logs may number requests from one in each function."""
    of_f, of_g = Origin("a", function="f"), Origin("b", function="g")
    with store_of((of_f, report()), (of_g, report())) as store:
        assert [each.function for each in store.functions()] == ["f", "g"]
        assert store.count_others("f") == 1


def test_usage_is_what_the_reports_say() -> None:
    """Counts of all, durations of successes, memory, INIT and times, by size and version."""
    rows = [
        (B, report("1", 0, 100.0, billed_duration_ms=601, init_duration_ms=500.5)),
        (B, report("2", 60, 200.0, billed_duration_ms=200, max_memory_used_mb=80)),
        (B, report("3", 120, 3000.0, billed_duration_ms=3000, outcome="timeout")),
        (B, report("4", 180, 5.0, billed_duration_ms=5, outcome="error", error_signature="E")),
        (B, report("5", 240, 5.0, billed_duration_ms=5, outcome="oom")),
        (B, report("6", 300, 50.0, billed_duration_ms=50, memory_mb=1024, restore_duration_ms=9.0)),
    ]
    with store_of(*rows) as store:
        small, large = store.usage("f")
        total = store.total("f")
    assert (small.memory_mb, small.version, large.memory_mb) == (512, "3", 1024)
    assert small.usage.invocation_count == 5
    assert small.usage.billed_mb_ms == 512 * (601 + 200 + 3000 + 5 + 5)
    assert small.usage.durations is not None
    assert (small.usage.durations.count, small.usage.durations.mean_ms) == (2, 150.0)
    assert (small.usage.cold_start_count, small.usage.mean_init_ms) == (1, 500.5)
    counts = (small.usage.error_count, small.usage.timeout_count, small.usage.oom_count)
    assert counts == (1, 1, 1)
    assert (small.usage.p50_memory_used_mb, small.usage.max_memory_used_mb) == (70.0, 80)
    assert large.usage.cold_start_count == 1
    assert total is not None
    assert (total.first, total.last) == (T0, T0 + timedelta(seconds=300))


def test_a_window_takes_in_both_its_ends() -> None:
    """And nothing without a time; without ends, all."""
    rows = [(A, report(str(number), number * 60)) for number in range(5)]
    rows.append((A, report("untimed", None)))
    with store_of(*rows) as store:
        window = Window(T0 + timedelta(seconds=60), T0 + timedelta(seconds=180))
        some, all_of_it = store.total("f", window), store.total("f")
        assert some is not None
        assert all_of_it is not None
        assert (some.invocation_count, all_of_it.invocation_count) == (3, 6)
        assert store.total("f", Window(T0 + timedelta(days=9), None)) is None


def test_concurrency_is_of_what_overlaps() -> None:
    """Three that run at once, one that begins when another ends, one later."""
    spans = [(0, 100), (50, 150), (90, 120), (150, 160), (300, 310)]
    rows = [
        (A, report(str(number), end / 1000, float(end - begin), billed_duration_ms=end - begin))
        for number, (begin, end) in enumerate(spans)
    ]
    with store_of(*rows) as store:
        assert store.max_concurrency("f") == 3


amounts = st.tuples(st.integers(128, 10_240), st.integers(1, 900_000))


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(amounts, min_size=1, max_size=40), st.integers(2, 4))
def test_whatever_is_read_how_often_counts_once_and_exactly(
    sizes: list[tuple[int, int]], copies: int
) -> None:
    """Sums of whole numbers are exact, in any order and from any number of copies."""
    rows = [
        (
            Origin(f"{copy}.log"),
            ObservedReport(f"r{n}", T0 + timedelta(seconds=n), float(billed), billed, memory),
        )
        for copy in range(copies)
        for n, (memory, billed) in enumerate(sizes)
    ]
    with store_of(*rows) as store:
        found = store.total("f")
    assert found is not None
    assert found.invocation_count == len(sizes)
    exact = sum(Fraction(memory * billed, 1024 * 1000) for memory, billed in sizes)
    assert Fraction(found.billed_gb_seconds) == exact
