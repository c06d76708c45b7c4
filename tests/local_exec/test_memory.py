"""Memory is capped, its true peak is reported, and page cache is none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.local.execution.memory import BYTES_PER_MB, MemoryPeak, MemorySample, megabytes

if TYPE_CHECKING:
    from tests.local_exec.conftest import Bench


def test_peak_is_reported(bench: Bench) -> None:
    """What was used for a moment is in the report, and stays there: it is the environment's."""
    before = bench.call("eat", {"mb": 1}, 1769).report.max_memory_used_mb or 0
    after = bench.call("eat", {"mb": 200}, 1769).report.max_memory_used_mb or 0
    assert 195 <= after - before <= 210
    assert bench.call("eat", {"mb": 1}, 1769).report.max_memory_used_mb == after


def test_excess_is_killed_at_the_limit(bench: Bench) -> None:
    """Below the limit an allocation passes, above it the environment is killed."""
    assert bench.call("eat", {"mb": 100}, 177).value == "eaten"
    killed = bench.call("eat", {"mb": 200}, 177)
    said = f"RequestId: {killed.report.request_id} Error: Runtime exited with error: signal: killed"
    assert killed.value == {"errorType": "Runtime.ExitError", "errorMessage": said}
    assert (killed.report.status, killed.report.error_type) == ("error", "Runtime.OutOfMemory")
    assert 165 <= (killed.report.max_memory_used_mb or 0) <= 177


def test_excess_in_a_child_ends_the_environment(bench: Bench) -> None:
    """A child that exceeds the limit takes the environment with it, though its parent lives."""
    event = {"mb": 200, "in_child": True, "then_s": 10}
    killed = bench.call("eat", event, 177)
    assert killed.report.error_type == "Runtime.OutOfMemory"
    assert killed.report.duration_ms < 9_000


def test_page_cache_is_not_memory(bench: Bench) -> None:
    """A large file that is read is not in the peak."""
    call = bench.call("read_file", {"mb": 150})
    assert call.value == 150 * BYTES_PER_MB
    assert (call.report.max_memory_used_mb or 0) < 60


def test_megabytes_are_rounded_up() -> None:
    """A byte above a megabyte is the next one."""
    assert [megabytes(size) for size in (0, 1, BYTES_PER_MB, BYTES_PER_MB + 1)] == [0, 1, 1, 2]


def test_a_spike_between_samples_is_seen() -> None:
    """The kernel's mark less the cache tells of a spike that no sample met."""
    peak = MemoryPeak()
    peak.take(MemorySample(usage_bytes=50, working_bytes=30), 50)
    assert peak.take(MemorySample(usage_bytes=52, working_bytes=31), 120) == 120 - 21


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1),
)
def test_growing_cache_is_never_taken_for_memory(rows: list[tuple[int, int]]) -> None:
    """As long as cache only grows, the peak is the highest working memory."""
    peak, cache, high = MemoryPeak(), 0, 0
    for working, grown in rows:
        cache += grown
        high = max(high, working)
        sample = MemorySample(working + cache, working)
        assert peak.take(sample, working + cache) == high


@pytest.mark.parametrize("mark", [None, 0])
def test_peak_needs_no_mark(mark: int | None) -> None:
    """Without the kernel's mark the samples alone count."""
    peak = MemoryPeak()
    peak.take(MemorySample(10, 7), mark)
    assert peak.take(MemorySample(10, 5), mark) == 7
