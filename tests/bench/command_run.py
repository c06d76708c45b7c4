"""Runs the command as a user does, in a process of its own: what it took and printed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class CommandRun(NamedTuple):
    """One run of the command; `cpu_s` and `peak_mb` are its process's."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    printed: str


def run_command(state_dir: Path, *arguments: str) -> CommandRun:
    """Run `tuner` with these arguments. Raises RuntimeError if it ends with another status than 0.

    What it says on standard error is shown as it comes.
    """
    start_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "TUNER_STATE_DIR": str(state_dir), "OMP_NUM_THREADS": "1"},
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        printed = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"tuner {' '.join(arguments[:2])} ended with {process.returncode}")
    return CommandRun(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed)
