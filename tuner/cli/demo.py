"""`tuner demo`: the main job offline, from the installed package alone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from tuner.cli.config import examples_dir
from tuner.cli.values import DEMO

EPILOG = """\
tuner demo

tuner demo io-wait

tuner demo --recorded"""


def demo(
    # Not called `function`: a variable of that name is for functions of one's own.
    example: Annotated[
        str, typer.Argument(metavar="FUNCTION", help="One of the example functions.")
    ] = "mixed",
    *,
    recorded: Annotated[
        bool,
        typer.Option("--recorded", help="Answer from a recorded sweep of mixed: runs nothing."),
    ] = False,
    # Not called `out`: what a setting of that name keeps would be replaced.
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the sweep here, replacing an earlier one."
        ),
    ] = None,
) -> int:
    """Tune a real handler on this machine, without an AWS account.

    It runs `tuner tune FUNCTION --local demo`: a handler that waits, then computes, under Lambda's
    CPU and memory limits. Needs the extra `local`.
    """
    from tuner.cli.app import run

    if recorded:
        return run(["report", str(examples_dir() / "sweeps" / "mixed.jsonl")])
    where = [] if out_file is None else ["--out", str(out_file), "--force"]
    return run(["tune", example, "--local", DEMO, "--yes", *where])
