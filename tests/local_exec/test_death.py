"""Nothing is left behind, however the endpoint ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tests.local_exec.test_environments import eventually, is_alive
from tuner.local.cpu.choose import choose_control
from tuner.local.run_dir import RunDir, clean_leftovers

if TYPE_CHECKING:
    from tuner.local.deployment import CpuControl

ENDPOINT = """
import sys, threading, time
from pathlib import Path
from tests.local_exec.conftest import open_bench
bench = open_bench(Path(sys.argv[1]), sys.argv[2])
print(*bench.call("brood").value, flush=True)
threading.Thread(target=bench.call, args=("sleep", {"s": 60}, 512), daemon=True).start()
while bench.executor.environment_counts != (1, 1):
    time.sleep(0.01)
print("ready", flush=True)
time.sleep(60)
"""


def start_endpoint(work_dir: Path, control: CpuControl) -> tuple[subprocess.Popen[str], list[int]]:
    command = [sys.executable, "-c", ENDPOINT, str(work_dir), control]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    assert process.stdout.readline() == "ready\n"
    return process, pids


def wardens_of(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(word) for text in lists for word in text.split()]


def groups_of(run_names: list[str]) -> list[str]:
    tops = choose_control().group_dirs
    return [path.name for top in tops for run in run_names for path in top.glob(f"tuner-{run}-*")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_death_of_the_endpoint_leaves_nothing(
    control: CpuControl, tmp_path: Path, number: signal.Signals
) -> None:
    """Killed without warning, the endpoint leaves no process, no control group and no folder."""
    process, family = start_endpoint(tmp_path, control)
    runs = [path.name for path in tmp_path.glob("run-*")]
    wardens = wardens_of(process.pid)
    assert len(runs) == 1
    assert len(wardens) >= 2
    process.send_signal(number)
    process.communicate()
    assert eventually(lambda: not any(map(is_alive, (*family, *wardens))))
    assert eventually(lambda: not groups_of(runs))
    assert eventually(lambda: not list(tmp_path.iterdir()))


def test_next_start_cleans_what_wardens_could_not(control: CpuControl, tmp_path: Path) -> None:
    """If the wardens are killed too, the next run in the same folder ends what was left."""
    process, family = start_endpoint(tmp_path, control)
    runs = [path.name for path in tmp_path.glob("run-*")]
    wardens = wardens_of(process.pid)
    for pid in (*wardens, process.pid):
        os.kill(pid, signal.SIGSTOP)
    for pid in (*wardens, process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert any(map(is_alive, family))
    open_bench(tmp_path, control).executor.close()
    assert eventually(lambda: not any(map(is_alive, family)))
    assert not groups_of(runs)
    assert not list(tmp_path.iterdir())


def test_a_living_run_is_not_cleaned(tmp_path: Path) -> None:
    """A second start in the same folder leaves the first one alone."""
    first = RunDir(tmp_path)
    assert clean_leftovers(tmp_path, ()) == 0
    assert first.path.is_dir()
    first.close()
    assert not list(tmp_path.iterdir())
