"""`make bench`: every speed, memory and fidelity target with its measured figure, in one run.

Each module of `MODULES` has `rows()`: (what, target, measured, held). Ratios compare two things
measured in turn in this run; absolute figures are medians. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from typing import Final

from rich.console import Console
from rich.table import Table

MODULES: Final = (
    "startup",
    "analysis",
    "report_page",
    "sweep_overhead",
    "lease_overhead",
    "local_exec",
    "endpoint",
    "payloads",
    "whole_run",
)


def main(names: list[str]) -> int:
    """Run the named modules (all by default) and print their rows as one table."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does
    console = Console(width=150)
    table = Table(
        title=f"{platform.python_implementation()} {platform.python_version()}, {_host()}"
    )
    for column in ("what", "target", "measured", ""):
        table.add_column(column)
    missed = 0
    for name in names or MODULES:
        console.print(f"[dim]… {name}[/dim]")
        for what, target, measured, held in importlib.import_module(f"tests.bench.{name}").rows():
            missed += not held
            table.add_row(what, target, measured, "ok" if held else "MISSED")
    console.print(table)
    return 1 if missed else 0


def _host() -> str:
    load = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
