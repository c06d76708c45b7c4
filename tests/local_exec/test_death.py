"""Nothing is left behind, however the endpoint ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tests.local_exec.test_environments import eventually, is_alive
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.run_folder import RunFolder, clean_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_exec.conftest import Bench
    from tuner.local import CpuControl

ENDPOINT = """
import sys, threading, time
from pathlib import Path
from tests.local_exec.conftest import open_bench
bench = open_bench(Path(sys.argv[1]), sys.argv[2])
print(*bench.call("brood").value, flush=True)
threading.Thread(target=bench.call, args=("sleep", {"s": 60}, 512), daemon=True).start()
while bench.environment_counts != (1, 1):
    time.sleep(0.01)
print("ready", flush=True)
time.sleep(60)
"""


@dataclass
class Started:
    """An endpoint with an idle environment, which left a family behind, and a busy one."""

    process: subprocess.Popen[str]
    family: list[int]
    supervisors: list[int]
    runs: list[str]


@pytest.fixture
def started(control: CpuControl, tmp_path: Path) -> Iterator[Started]:
    command = [sys.executable, "-c", ENDPOINT, str(tmp_path), control]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        family = [int(word) for word in process.stdout.readline().split()]
        assert process.stdout.readline() == "ready\n"
        assert eventually(lambda: len(supervisors_of(process.pid)) == 2)
        runs = [path.name for path in tmp_path.glob("run-*")]
        assert len(runs) == 1
        yield Started(process, family, supervisors_of(process.pid), runs)
    finally:
        process.kill()
        process.communicate()


def supervisors_of(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(word) for text in lists for word in text.split()]


def groups_of(run_names: list[str]) -> list[str]:
    tops = choose_control().group_dirs
    return [path.name for top in tops for run in run_names for path in top.glob(f"tuner-{run}-*")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_death_of_the_endpoint_leaves_nothing(
    started: Started, tmp_path: Path, number: signal.Signals
) -> None:
    """Killed without warning, the endpoint leaves no process, no control group and no folder."""
    started.process.send_signal(number)
    started.process.wait()
    assert eventually(lambda: not any(map(is_alive, (*started.family, *started.supervisors))))
    assert eventually(lambda: not groups_of(started.runs))
    assert eventually(lambda: not list(tmp_path.iterdir()))


def test_next_start_cleans_what_supervisors_could_not(
    started: Started, control: CpuControl, tmp_path: Path
) -> None:
    """If the supervisors are killed too, the next run in the same folder ends what was left."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (*started.supervisors, started.process.pid):
            os.kill(pid, number)
    started.process.wait()
    assert any(map(is_alive, started.family))
    open_bench(tmp_path, control).executor.close()
    assert eventually(lambda: not any(map(is_alive, started.family)))
    assert not groups_of(started.runs)
    assert not list(tmp_path.iterdir())


def test_a_living_run_is_not_cleaned(tmp_path: Path) -> None:
    """A second start in the same folder leaves the first one alone."""
    first = RunFolder(tmp_path, "run")
    assert clean_leftovers(tmp_path, "run") == 0
    assert first.path.is_dir()
    first.close()
    assert not list(tmp_path.iterdir())


def test_death_of_a_supervisor_ends_its_environment(bench: Bench) -> None:
    """If a supervisor is killed, its environment's tree ends and the next call gets another."""
    family = bench.call("brood").value
    fields = Path(f"/proc/{family[0]}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    supervisor = int(fields[1])
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: not is_alive(supervisor))
    assert bench.call("brood").function_error is None
    assert eventually(lambda: not any(map(is_alive, family)))
