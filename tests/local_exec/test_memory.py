"""Memory is capped, its true peak is reported, and page cache is none of it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.end_to_end.running import ROOT
from tuner.local.execution.cpu.control_groups import (
    BYTES_PER_MB,
    MemoryPeak,
    MemorySample,
    ResidentBound,
)
from tuner.local.execution.invocation_outcome import megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_exec.conftest import Bench

pytestmark = pytest.mark.slow


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


def test_files_that_come_and_go_are_not_memory(bench: Bench) -> None:
    """Cache that was dropped before anybody looked is not taken for a spike of memory."""
    before = bench.call("write_and_drop", {"times": 1, "mb": 1}).report.max_memory_used_mb or 0
    after = bench.call("write_and_drop", {"times": 8, "mb": 60}).report.max_memory_used_mb or 0
    assert after - before < 5


def test_a_short_child_s_memory_is_seen(bench: Bench) -> None:
    """What a child held that ended between two looks is in the peak, where the kernel tells it."""
    if bench.executor.limits.cpu_control != "cgroup-v1":
        pytest.skip("only version 1 has a mark that can be reset")
    before = bench.call("eat_in_a_short_child", {"mb": 1}).report.max_memory_used_mb or 0
    after = bench.call("eat_in_a_short_child", {"mb": 60}).report.max_memory_used_mb or 0
    assert 50 <= after - before <= 75


def test_a_bound_holds_a_spike_down() -> None:
    """Less than the mark can have been held: the mark counted files that are gone."""
    peak = MemoryPeak()
    peak.take(MemorySample(usage_bytes=50, working_bytes=30), 50, 40)
    assert peak.take(MemorySample(usage_bytes=52, working_bytes=31), 120, 45) == 45
    assert peak.take(MemorySample(usage_bytes=52, working_bytes=50), 120, 45) == 50


_ALONE: Final = """
import os, subprocess
from tuner.local.execution.cpu.control_groups import ResidentBound

bound, own = ResidentBound(), os.getpid()
bound.look((own,))
"""
"""A process with no child but those of the case: pytest's own may have others."""


def run_alone(case: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _ALONE + textwrap.dedent(case)],
        check=False,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def test_a_bound_needs_every_process() -> None:
    """Of a tree from which a process is missing, nothing is known; of one that stands, its mark."""
    run_alone(
        """
        held = bound.look((own,))
        assert held is not None and held > 5 * 2**20
        assert bound.look((own, 2**30)) is None
        assert bound.look((own,)) is not None
        subprocess.run(["true"], check=True)
        assert bound.look((own,)) is None  # a child ended, whose mark nobody read
        assert bound.look((own,)) is not None
        assert bound.look(()) is None
        """
    )


@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "not listed"])
def test_a_bound_knows_of_a_child_that_was_not_waited_for(is_listed: bool) -> None:
    """A child that has just ended held what it held, though its mark is gone and none waited."""
    run_alone(
        f"""
        child = subprocess.Popen(["true"])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        members = (own, child.pid) if {is_listed} else (own,)
        assert bound.look(members) is None
        if not {is_listed}:
            assert bound.look(members) is not None  # it was told of, and takes no more
        child.wait()
        assert bound.look((own,)) is None
        """
    )


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[str]]:
    """A Python that writes a line whenever it has done a step, and goes on when it is sent one."""
    command = [sys.executable, "-I", "-S", "-u", "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.stdin.close()


def step(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()


def test_a_bound_knows_of_an_exec() -> None:
    """What a process held before it became another program is not known afterwards."""
    become = (
        "import os, sys; print(); input(); os.execv(sys.executable, [sys.executable, '-c', {!r}])"
    )
    with running(become.format("print(); input()")) as process:
        bound = ResidentBound()
        bound.look((process.pid,))
        assert bound.look((process.pid,)) is not None
        step(process)
        assert bound.look((process.pid,)) is None
        assert bound.look((process.pid,)) is not None


def test_a_bound_knows_of_children_that_nobody_waits_for() -> None:
    """Where SIGCHLD is ignored a child leaves no trace, so nothing is known."""
    code = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); print(); input()"
    with running(code) as process:
        bound = ResidentBound()
        bound.look((process.pid,))
        assert bound.look((process.pid,)) is None


def test_files_mapped_after_a_spike_take_nothing_from_it() -> None:
    """Memory that was given back stays in the bound, however much of files is mapped later."""
    code = f"""
import mmap, os, tempfile
print(); input()
held = b"x" * {60 * BYTES_PER_MB}
del held
file = tempfile.TemporaryFile()
file.write(bytes({80 * BYTES_PER_MB}))
file.flush()
mapped = mmap.mmap(file.fileno(), 0)
sum(mapped[::4096])
print(); input()
"""
    with running(code) as process:
        bound = ResidentBound()
        bound.look((process.pid,))
        step(process)
        held = bound.look((process.pid,))
        assert held is not None
        assert held > 60 * BYTES_PER_MB


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
