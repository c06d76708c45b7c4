"""Every example is tuned for real, on the local Lambda, and does what its line promises.

Orders and wide margins only: the machine may be busy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.running import tune_example

if TYPE_CHECKING:
    from pathlib import Path

# One sweep at a time: two at once would take each other's cores.
pytestmark = pytest.mark.xdist_group("cores")


def mean_ms(answer: dict[str, Any], memory_mb: int) -> float:
    """The measured warm mean at a size."""
    [size] = [size for size in answer["sizes"] if size["memory_mb"] == memory_mb]
    return float(size["duration_ms"]["estimate"])


def test_cpu_bound_work_gets_faster_in_proportion_to_its_memory(tmp_path: Path) -> None:
    """One busy thread gains from memory up to a core: the goal speed leaves 128 MB behind."""
    answer = tune_example(
        "cpu-bound", "--memory-sizes", "128,512,1769,2048", "--goal", "speed", state_dir=tmp_path
    )
    assert mean_ms(answer, 128) > 2.5 * mean_ms(answer, 512) > 4 * mean_ms(answer, 1769)
    assert answer["recommendation"]["verdict"] == "resize"
    assert answer["recommendation"]["memory_mb"] >= 1024
    assert answer["environment"] == "local"


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores to show two cores")
def test_parallel_work_gains_from_a_second_core(tmp_path: Path) -> None:
    """Work for two cores is faster at two cores' worth of memory than at one's."""
    answer = tune_example(
        "two-cores", "--memory-sizes", "884,1769,3538", "--goal", "speed", state_dir=tmp_path
    )
    assert mean_ms(answer, 1769) > 1.2 * mean_ms(answer, 3538)
    assert answer["recommendation"]["memory_mb"] > 1769


def test_waiting_gains_nothing_from_memory(tmp_path: Path) -> None:
    """A handler that waits belongs at the smallest size that holds it."""
    answer = tune_example("io-wait", "--memory-sizes", "128,512,1769,3008", state_dir=tmp_path)
    assert answer["recommendation"]["verdict"] == "resize"
    assert answer["recommendation"]["memory_mb"] <= 256
    assert answer["recommendation"]["saving_ratio"]["low"] > 0.5


def test_mixed_work_is_cheaper_below_a_core_than_above(tmp_path: Path) -> None:
    """Half waiting, half computing: memory beyond one core is money for nothing."""
    answer = tune_example(
        "mixed", "--memory-sizes", "128,256,512,1024,1769,3008", state_dir=tmp_path
    )
    assert answer["recommendation"]["memory_mb"] is None or (
        answer["recommendation"]["memory_mb"] <= 1769
    )
    assert mean_ms(answer, 128) > 1.5 * mean_ms(answer, 1769)


def test_sizes_below_the_memory_floor_are_excluded_and_the_sweep_goes_on(tmp_path: Path) -> None:
    """A handler that dies for want of memory is never given a size that kills it."""
    answer = tune_example(
        "memory-hungry", "--memory-sizes", "128,256,1024,1769,2048", state_dir=tmp_path
    )
    killed = {size["memory_mb"] for size in answer["sizes"] if size["oom_count"]}
    assert killed == {128, 256}
    used = max(size["max_memory_used_mb"] or 0 for size in answer["sizes"])
    assert used > 256
    assert answer["recommendation"]["memory_mb"] is None or (
        answer["recommendation"]["memory_mb"] * 0.8 >= used
    )


def test_a_heavy_import_shows_as_a_cold_start(tmp_path: Path) -> None:
    """The import's time is kept apart from the warm samples."""
    answer = tune_example("heavy-import", "--memory-sizes", "512,1769", state_dir=tmp_path)
    for size in answer["sizes"]:
        assert size["cold_start_count"] >= 1
        assert size["duration_ms"]["estimate"] < 300


def test_a_handler_reads_from_and_writes_to_the_endpoints_own_s3(tmp_path: Path) -> None:
    """The neighbours behind the endpoint's port serve the handler while it is tuned."""
    answer = tune_example("s3-roundtrip", "--memory-sizes", "256,1024,1769", state_dir=tmp_path)
    assert all(size["error_count"] == 0 for size in answer["sizes"])
    assert mean_ms(answer, 256) > mean_ms(answer, 1769)
