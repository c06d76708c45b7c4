"""Environments are reused, grown, queued for, reaped and ended."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tests.repeating import first_that
from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.host import can_hide_tmp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_exec.conftest import Bench

pytestmark = pytest.mark.slow


def eventually(holds: Callable[[], bool], limit_s: float = 60.0) -> bool:
    end = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """Whether it runs or could: a zombie that its new parent has not waited for is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


def left_groups(work_dir: Path) -> list[str]:
    names = [path.name for path in work_dir.glob("run-*")]
    tops = choose_control().group_dirs
    return [str(path) for top in tops for name in names for path in top.glob(f"tuner-{name}-*")]


def test_concurrency_grows_environments_and_reuses_them(any_bench: Bench) -> None:
    """Calls side by side get an environment each; later ones find them warm."""
    deployment = any_bench.deployment("sleep", 128)
    with ThreadPoolExecutor(3) as pool:
        pids = set(pool.map(lambda _: any_bench.call(deployment, {"s": 0.8}).value, range(3)))
    assert len(pids) >= 2
    again = {any_bench.call(deployment, {"s": 0}).value for _ in range(5)}
    assert len(again) == 1
    assert again <= pids


def test_the_most_recently_used_environment_comes_first(any_bench: Bench) -> None:
    """Of two idle environments the one that ended last is taken."""
    deployment = any_bench.deployment("sleep", 128)
    with ThreadPoolExecutor(2) as pool:
        longer = pool.submit(any_bench.call, deployment, {"s": 1.2})
        pool.submit(any_bench.call, deployment, {"s": 0.4}).result()
        last = longer.result().value
    assert any_bench.call(deployment, {"s": 0}).value == last


def test_environments_queue_for_cores(any_bench: Bench) -> None:
    """Sizes that fill the host never run side by side, and waiting is not in their durations."""
    largest = any_bench.executor.limits.max_memory_mb
    deployment = any_bench.deployment("sleep", largest)
    any_bench.call(deployment, {"s": 0})

    def longest_ms(_number: int) -> float:
        with ThreadPoolExecutor(3) as pool:
            calls = list(pool.map(lambda _: any_bench.call(deployment, {"s": 0.3}), range(3)))
        assert {call.value for call in calls} == {calls[0].value}
        return max(call.report.duration_ms for call in calls)

    first_that(lambda found_ms: found_ms < 590, longest_ms)


def test_a_nested_call_does_not_wait_for_its_caller(bench: Bench) -> None:
    """A function that fills the host and calls another one, cold and as large, gets its answer."""
    largest = bench.executor.limits.max_memory_mb
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        port = server.getsockname()[1]
        outer = pool.submit(bench.call, "ask", {"port": port}, largest, timeout_s=15)
        connection, _ = server.accept()
        with connection, connection.makefile() as lines:
            trace = lines.readline().strip()
            inner = bench.call("echo", {"n": 1}, largest, trace=trace)
            connection.sendall(b'"answered"\n')
            assert outer.result().value == "answered"
    assert inner.value["event"] == {"n": 1}


def test_an_asynchronous_call_waits_its_turn(any_bench: Bench) -> None:
    """What the caller does not wait for does not borrow its cores."""
    from tuner.local import InvokeRequest
    from tuner.local.execution.call_chain import CallChain

    lineage = CallChain()
    with lineage.entered(InvokeRequest("a", b"", "arn")) as outer:
        inner = InvokeRequest("b", b"", "arn", trace_header=outer.header, asynchronous=True)
        with lineage.entered(inner) as trace:
            assert not trace.nested
            assert trace.root == outer.root


def test_idle_environments_are_reaped(tmp_path: Path) -> None:
    """After the idle time nothing is left of an environment."""
    bench = open_bench(tmp_path, None, idle_s=0.2)
    try:
        pid = bench.call("sleep", {"s": 0}).value
        assert eventually(lambda: bench.environment_counts == (0, 0))
        assert eventually(lambda: not is_alive(pid))
        assert eventually(lambda: not left_groups(tmp_path))
        assert bench.call("sleep", {"s": 0}).report.init_duration_ms is not None
    finally:
        bench.executor.close()


def test_the_longest_idle_environment_makes_room(tmp_path: Path) -> None:
    """Above the limit of environments the one that was idle longest ends."""
    bench = open_bench(tmp_path, None, max_environments=2)
    try:
        pids = [bench.call("sleep", {"s": 0}, memory_mb).value for memory_mb in (128, 256, 512)]
        assert [is_alive(pid) for pid in pids] == [False, True, True]
    finally:
        bench.executor.close()


def test_retire_ends_idle_environments_soon_and_busy_ones_later(bench: Bench) -> None:
    """A retired deployment's idle environment ends soon, its busy one after its invocation."""
    deployment = bench.deployment("sleep", 512, deployment_id="old")
    idle = bench.call(deployment, {"s": 0}).value
    bench.executor.retire("old")
    assert eventually(lambda: not is_alive(idle))
    other = bench.deployment("sleep", 512, deployment_id="older")
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(bench.call, other, {"s": 0.6})
        assert eventually(lambda: bench.environment_counts[1] == 1)
        bench.executor.retire("older")
        result = busy.result()
    assert result.function_error is None
    assert eventually(lambda: not is_alive(result.value))


def test_close_ends_all_that_runs(bench: Bench) -> None:
    """Closing kills a busy tree, answers its caller with an error, and leaves no trace."""
    family = bench.call("brood").value
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(bench.call, "sleep", {"s": 60}, 512)
        assert eventually(lambda: bench.environment_counts == (1, 1))
        time.sleep(0.1)
        bench.executor.close()
        with pytest.raises(LocalError, match="shut"):
            busy.result()
    assert eventually(lambda: not any(is_alive(pid) for pid in family))
    assert not list(bench.work_dir.iterdir())
    assert not left_groups(bench.work_dir)
    with pytest.raises(LocalError, match="shut"):
        bench.call("echo")


def test_a_family_ends_with_its_environment(bench: Bench) -> None:
    """Children and orphans that an invocation left behind end when the environment does."""
    family = bench.call("brood", deployment_id="gone").value
    assert all(is_alive(pid) for pid in family)
    bench.executor.retire("gone")
    assert eventually(lambda: not any(is_alive(pid) for pid in family))


def test_sizes_above_the_host_are_refused(any_bench: Bench) -> None:
    """A size that needs more cores than there are is refused, with the largest one that works."""
    limits = any_bench.executor.limits
    with pytest.raises(LocalError, match=f"at most {limits.max_memory_mb} MB"):
        any_bench.call("echo", {}, limits.max_memory_mb + 1)


def test_an_environment_that_dies_at_rest_is_replaced(any_bench: Bench) -> None:
    """An idle environment that somebody kills is started anew for the next invocation."""
    pid = any_bench.call("sleep", {"s": 0}).value
    os.kill(pid, 9)
    for group in (path for top in choose_control().group_dirs for path in top.glob("tuner-run-*")):
        if pid in group_files.members(str(group)):
            group_files.thaw(str(group))
    assert eventually(lambda: not is_alive(pid))
    again = any_bench.call("sleep", {"s": 0})
    assert again.function_error is None
    assert again.value != pid


def test_threads_do_not_outlive_the_executor(tmp_path: Path) -> None:
    """Closing joins what the executor started, and closing again is no error."""
    before = threading.active_count()
    bench = open_bench(tmp_path, None)
    bench.call("echo")
    bench.executor.close()
    bench.executor.close()
    assert threading.active_count() == before


def test_work_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A work folder below a file is refused with one line that names it."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(LocalError, match="can't write to"):
        open_bench(blocked / "work", None)


@pytest.mark.skipif(not can_hide_tmp(), reason="no mount namespace can be had here")
def test_the_home_folder_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in ~/.aws are not there for a handler, nor is anything else of ~ but what it runs by."""
    home = Path("/var/tmp", f"tuner-test-home-{os.getpid()}")
    (home / ".aws").mkdir(parents=True)
    (home / "code").mkdir()
    try:
        (home / ".aws" / "credentials").write_text("operators-own")
        source = "import os\ndef see(event, _):\n    return sorted(os.listdir(event))\n"
        (home / "code" / "app.py").write_text(source)
        monkeypatch.setenv("HOME", str(home))
        bench = open_bench(tmp_path, None)
        try:
            deployment = bench.deployment("see", code_dir=home / "code")
            assert bench.call(deployment, str(home)).value == []
            assert bench.call(deployment, "/var/task").value == ["app.py"]
        finally:
            bench.executor.close()
        assert (home / ".aws" / "credentials").read_text() == "operators-own"
    finally:
        shutil.rmtree(home)
