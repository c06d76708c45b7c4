"""Every example is tuned for real, on the local Lambda, and does what its line promises.

Orders and wide margins only, of fastest samples, and a few attempts: the machine may be busy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.end_to_end.running import TEMPLATE, fastest_ms, tune_example, tune_until
from tests.repeating import first_that
from tuner import Goal, load_sweep, recommend
from tuner.iac import read_template

# One sweep at a time: two at once would take each other's cores. Each up to three times.
pytestmark = [pytest.mark.xdist_group("cores"), pytest.mark.timeout(360)]
THREE_RUNTIMES: Final = TEMPLATE.parent / "three-runtimes" / "template.yaml"
EXAMPLES: Final = [function.name for function in read_template(TEMPLATE).functions]


@pytest.mark.slow
def test_cpu_bound_work_gets_faster_in_proportion_to_its_memory(tmp_path: Path) -> None:
    """One busy thread gains from memory up to a core: the goal speed leaves 128 MB behind."""
    answer = tune_until(
        lambda found: (
            fastest_ms(found, 128) > 2 * fastest_ms(found, 512)
            and fastest_ms(found, 512) > 1.2 * fastest_ms(found, 1769)
        ),
        "cpu-bound",
        "--memory-sizes",
        "128,512,1769",
        "--exhaustive",
        "--goal",
        "speed",
        state_dir=tmp_path,
        right=lambda size_mb: size_mb == 1769,
    )
    assert answer["recommendation"]["verdict"] == "resize"
    assert answer["environment"] == "local"


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores to show two cores")
def test_parallel_work_gains_from_a_second_core(tmp_path: Path) -> None:
    """Work for two cores is faster at two cores' worth of memory, as far as two cores are free."""

    def gains(number: int) -> tuple[float, float]:
        free_before = parallel_gain()
        answer = tune_example(
            "two-cores",
            "--memory-sizes",
            "1769,3538",
            "--exhaustive",
            "--goal",
            "speed",
            state_dir=tmp_path / str(number),
        )
        free = min(free_before, parallel_gain())
        return fastest_ms(answer, 1769) / fastest_ms(answer, 3538), free

    first_that(lambda found: found[0] > 1 + 0.3 * (found[1] - 1), gains)


def parallel_gain() -> float:
    """How much sooner two processes end side by side than one after the other, right now."""
    burn = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.3: pass"

    def wall_s(at_once: int) -> float:
        start_s = time.monotonic()
        for _ in range(2 // at_once):
            burning = [subprocess.Popen([sys.executable, "-Sc", burn]) for _ in range(at_once)]
            for process in burning:
                process.wait(60)
        return time.monotonic() - start_s

    return max(1.0, wall_s(1) / wall_s(2))


@pytest.mark.slow
def test_waiting_gains_nothing_from_memory(tmp_path: Path) -> None:
    """A handler that waits belongs at the smallest size that holds it."""
    answer = tune_until(
        lambda found: (found["recommendation"]["saving_ratio"] or {"low": 0})["low"] > 0.5,
        "io-wait",
        "--max-memory",
        "3008",
        state_dir=tmp_path,
        right=lambda size_mb: size_mb <= 256,
    )
    assert answer["recommendation"]["verdict"] == "resize"


@pytest.mark.slow  # `make test` tunes it where the README does
def test_mixed_work_is_cheaper_below_a_core_than_above(tmp_path: Path) -> None:
    """Half waiting, half computing: memory beyond one core is money for nothing."""
    answer = tune_until(
        lambda found: fastest_ms(found, 128) > 1.5 * fastest_ms(found, 1769),
        "mixed",
        "--memory-sizes",
        "128,512,1769,3008",
        "--exhaustive",
        state_dir=tmp_path,
        right=lambda size_mb: size_mb <= 512,
    )
    assert answer["recommendation"]["verdict"] == "resize"


@pytest.mark.slow
def test_sizes_below_the_memory_floor_are_excluded_and_the_sweep_goes_on(tmp_path: Path) -> None:
    """A handler that dies for lack of memory is never given a size that kills it."""
    answer = tune_example(
        "memory-hungry", "--memory-sizes", "128,1024,2048", "--exhaustive", state_dir=tmp_path
    )
    killed = {size["memory_mb"] for size in answer["sizes"] if size["oom_count"]}
    assert killed == {128}
    used = max(size["max_memory_used_mb"] or 0 for size in answer["sizes"])
    assert used > 256
    assert answer["recommendation"]["memory_mb"] is None or (
        answer["recommendation"]["memory_mb"] * 0.8 >= used
    )


@pytest.mark.slow
def test_a_heavy_import_shows_as_a_cold_start(tmp_path: Path) -> None:
    """The import's time is kept apart from the warm samples."""

    def is_apart(answer: dict[str, Any]) -> bool:
        sweep = load_sweep(Path(answer["sweep"]["file"]))
        cold = [each.report for each in sweep.invocations if each.cold_start and each.report]
        warm = [each.report for each in sweep.invocations if each.is_warm_sample and each.report]
        assert {report.memory_size_mb for report in cold} == {512, 1769}
        slowest_warm_ms = max(report.duration_ms for report in warm)
        return min(report.init_duration_ms or 0.0 for report in cold) > slowest_warm_ms

    tune_until(
        is_apart,
        "heavy-import",
        "--memory-sizes",
        "512,1769",
        "--exhaustive",
        state_dir=tmp_path,
    )


@pytest.mark.slow
def test_a_handler_reads_from_and_writes_to_the_endpoints_own_s3(tmp_path: Path) -> None:
    """The emulated services behind the endpoint's port serve the handler while it is tuned."""
    answer = tune_until(
        lambda found: fastest_ms(found, 256) > fastest_ms(found, 1024),
        "s3-roundtrip",
        "--memory-sizes",
        "256,1024",
        "--exhaustive",
        state_dir=tmp_path,
    )
    assert all(size["error_count"] == 0 for size in answer["sizes"])


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("primes-node", "node"),
        ("primes-native", "rustc"),
    ],
)
@pytest.mark.slow
def test_other_runtimes_are_tuned_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, needs: str
) -> None:
    """Node.js and a compiled bootstrap gain from memory up to a core, as Python does."""
    if shutil.which(needs) is None:
        pytest.skip(f"no {needs} on PATH")
    # The run has another HOME, where rustup's rustc would find no toolchain.
    monkeypatch.setenv("RUSTUP_HOME", os.environ.get("RUSTUP_HOME", f"{Path.home()}/.rustup"))
    answer = tune_until(
        lambda found: fastest_ms(found, 128) > 2.5 * fastest_ms(found, 1769),
        name,
        "--memory-sizes",
        "128,1769",
        "--exhaustive",
        "--goal",
        "speed",
        "--build",
        state_dir=tmp_path,
        right=lambda size_mb: size_mb == 1769,
        template=THREE_RUNTIMES,
        payload='{"limit": 700000}',
    )
    assert answer["function"]["runtime"] in ("nodejs20.x", "provided.al2023")
    assert not any(size["error_count"] for size in answer["sizes"])


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_few_invocations_agree_with_the_whole_grid(name: str, tmp_path: Path) -> None:
    """What an adaptive sweep recommends costs, by the grid's own figures, little more than the
    grid's cheapest size. Other work on the machine may fall on one of the two: then both again.
    """
    first_that(
        lambda ratio: ratio <= 1.25,
        lambda number: _cost_over_the_grids_best(name, tmp_path / str(number)),
    )


def _cost_over_the_grids_best(name: str, state_dir: Path) -> float:
    """Sweep both ways; 1 where the adaptive one says that it does not know."""
    few = tune_example(name, state_dir=state_dir, timeout_s=400)
    grid = tune_example(name, "--exhaustive", state_dir=state_dir, timeout_s=400)
    assert few["sweep"]["invocation_count"] < grid["sweep"]["invocation_count"]
    if few["recommendation"]["memory_mb"] is None:
        return 1.0
    sweep = load_sweep(Path(grid["sweep"]["file"]))
    judged = recommend(sweep, Goal(tolerance_ratio=0.5))
    cost = {each.memory_mb: each.cost_usd_per_million.estimate for each in judged.curve}
    allowed = {size["memory_mb"] for size in grid["sizes"] if not size["oom_count"]}
    best = min(cost[size] for size in allowed)
    return float(cost[few["recommendation"]["memory_mb"]] / best)
