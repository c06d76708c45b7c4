"""How long the command takes to say what it is, against what nobody can do without."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Final

RUNS: Final = 15
ALLOWED_RATIO: Final = 1.3
BARE_APP: Final = '''\
import typer

app = typer.Typer()


@app.command()
def one(name: str) -> None:
    """The first command."""


@app.command()
def two(name: str) -> None:
    """The second command."""


app()
'''


def rows() -> list[tuple[str, str, str, bool]]:
    """`--help` against a bare app's, `--version` against importing typer: medians, interleaved."""
    tuner = str(Path(sysconfig.get_path("scripts")) / "tuner")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE_APP)
        return [
            _row(
                "tuner --help / a bare app's --help",
                [tuner, "--help"],
                [_python(), str(bare), "--help"],
            ),
            _row(
                "tuner --version / python -c 'import typer'",
                [tuner, "--version"],
                [_python(), "-c", "import typer"],
            ),
        ]


def _row(what: str, ours: list[str], theirs: list[str]) -> tuple[str, str, str, bool]:
    times: tuple[list[float], list[float]] = ([], [])
    for command in (ours, theirs):
        _seconds(command)  # bytecode, file cache
    for _ in range(RUNS):
        for command, taken in zip((ours, theirs), times, strict=True):
            taken.append(_seconds(command))
    mine_s, theirs_s = (statistics.median(taken) for taken in times)
    ratio = mine_s / theirs_s
    measured = f"{ratio:.2f} × ({mine_s * 1000:.0f} / {theirs_s * 1000:.0f} ms)"
    return what, f"≤ {ALLOWED_RATIO} ×", measured, ratio <= ALLOWED_RATIO


def _seconds(command: list[str]) -> float:
    start_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "COLUMNS": "100"})
    return time.perf_counter() - start_s


def _python() -> str:
    return sys.executable
