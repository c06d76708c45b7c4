"""Memory buys CPU: for the whole tree, over as many cores as the share needs, and only then.

Upper bounds are tight, for a quota is never exceeded; lower ones are wide, for the machine may be
busy with something else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.repeating import first_that
from tuner.local.execution.cpu.process_tree import LinuxTree
from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from tests.local_exec.conftest import Bench


@pytest.mark.parametrize(("memory_mb", "cpu_s"), [(256, 0.1), (1024, 0.3)])
def test_share_of_a_core(bench: Bench, memory_mb: int, cpu_s: float) -> None:
    """CPU time over wall time is memory/1769: never more, and no less where the core is free."""

    def share(_number: int) -> float:
        got = float(bench.call("burn", {"cpu_s": cpu_s}, memory_mb).value)
        assert got < 1.15 * vcpu_share(memory_mb)
        return got

    first_that(lambda got: got > 0.5 * vcpu_share(memory_mb), share, attempts=6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "event", [{"kind": "double-fork", "cpu_s": 0.1}, {"kind": "short", "count": 8, "cpu_s": 0.16}]
)
def test_share_holds_for_children(bench: Bench, event: dict[str, object]) -> None:
    """Short children and an orphan in a session of its own count like the function itself."""
    memory_mb = 354

    def share(_number: int) -> float:
        got = float(bench.call("burn_in_children", event, memory_mb).value)
        assert got < 1.25 * vcpu_share(memory_mb)
        return got

    first_that(lambda got: got > 0.4 * vcpu_share(memory_mb), share)


@pytest.mark.slow
def test_a_large_share_goes_over_two_cores(bench: Bench) -> None:
    """Two threads use more than one core where the share is above one."""
    if bench.executor.limits.core_count < 2:
        pytest.skip("one core can't show it")
    event = {"threads": 2, "blocks": 150}
    best = 0.0
    for _ in range(8):
        got = bench.call("burn_in_threads_of_c", event, 3538).value
        best = max(best, got["cpu_s"] / got["wall_s"])
        if best > 1.2:
            break
    else:
        pytest.skip("the second core was busy all the time")
    assert best < 2.1


@pytest.mark.slow
def test_init_has_full_cores_whatever_the_memory(bench: Bench) -> None:
    """An init at 128 MB is far faster than its share: it has up to two cores."""
    bench.call("leave", {"code": 1}, 128)

    def gain(number: int) -> float:
        cold = bench.call("echo", {}, 128, deployment_id=f"cold-{number}")
        slow = bench.call("leave", {"code": 1}, 128)
        assert cold.report.init_duration_ms is not None
        return slow.report.duration_ms / cold.report.init_duration_ms

    first_that(lambda found: found > 3, gain)


def test_an_idle_environment_uses_no_cpu(bench: Bench) -> None:
    """A thread that an invocation leaves behind stands still until the next one."""
    bench.call("spin_on", deployment_id="one")
    pid = bench.call("spin_on", deployment_id="one").value
    tree = LinuxTree(os.getpid())
    tree.pids = (pid,)
    before = tree.cpu_s()
    bench.call("burn", {"cpu_s": 0.1}, 512)
    assert tree.cpu_s() - before < 0.02
