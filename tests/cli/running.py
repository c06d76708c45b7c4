"""Runs the command in a process of its own, as a shell would, and saves sweeps for it."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.docs import json_schema
from tests.sweeps import made_sweep, mixed_ms, save_sweep
from tuner.cli import main
from tuner.cli.app import build

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

ROOT = Path(__file__).parents[2]
# No prices that the machine's owner has refreshed.
NOTHING_KEPT = {"AWS_EC2_METADATA_DISABLED": "true", "XDG_DATA_HOME": "/nonexistent"}
NOTHING_KEPT["XDG_CONFIG_HOME"] = "/nonexistent"  # nor a configuration of the owner's


def run(
    *arguments: str, cwd: Path = ROOT, timeout_s: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `tuner` without AWS settings, without a terminal and without colors; JSON that it prints
    is held against the schema.
    """
    ran = subprocess.run(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=cwd,
        env=variables_for(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    json_schema.check(ran.stdout)
    return ran


def run_here(
    *arguments: str, cwd: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """The same in this process: quicker, where signals and loaded modules do not matter."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", io.StringIO())
        patch.chdir(cwd)
        for name in os.environ:
            if name.startswith(("AWS_", "TUNER_", "XDG_")):
                patch.delenv(name)
        for name, given in {**NOTHING_KEPT, **variables}.items():
            patch.setenv(name, given)
        code = main.run(list(arguments))
    printed = _written(out)
    json_schema.check(printed)
    return subprocess.CompletedProcess(arguments, code, printed, _written(err))


def take_command(line: str) -> None:
    """Have a command line parsed as it is shown, and nothing run. Raises what usage errors are."""
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    command: Any = build()
    context = typer.Context(command, info_name="tuner")
    while hasattr(command, "list_commands"):
        context = typer.Context(command, info_name=words[0], parent=context)
        name, command, words = command.resolve_command(context, words)
    command.make_context(name, words, parent=context)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def variables_for(**variables: str) -> dict[str, str]:
    """The caller's environment without settings of AWS or of the tuner, and with these."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TUNER_", "XDG_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), **NOTHING_KEPT, **variables}


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failure says on stderr; stdout stays empty."""
    assert ran.stdout == ""
    [line] = ran.stderr.splitlines()
    assert line.startswith("tuner: ")
    assert "Traceback" not in line
    return line


def save(path: Path, sweep: Sweep | None = None, **changes: Any) -> str:
    """Save a sweep that recommends less memory, changed as told; return its path."""
    return save_sweep(path, replace(sweep or made_sweep(mixed_ms, current_mb=3008), **changes))
