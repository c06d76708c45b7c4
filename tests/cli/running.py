"""Runs the command in a process of its own, as a shell would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    *arguments: str, cwd: Path = ROOT, timeout_s: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `tuner` without AWS settings, without a terminal and without colours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TUNER_", "XDG_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failure says on stderr; stdout stays empty."""
    assert ran.stdout == ""
    [line] = ran.stderr.splitlines()
    assert line.startswith("tuner: ")
    assert "Traceback" not in line
    return line
