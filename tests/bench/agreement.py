"""`python -m tests.bench.agreement`: a few chosen invocations against the whole grid, by example.

Every example is tuned on the local Lambda as a user would, and swept again over a grid of sizes
(`--exhaustive`). An answer is judged by the grid's own figures: what it costs there over the
cheapest size that may be answered. Other work on the machine falls on both.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from tests.end_to_end.running import TEMPLATE, tune_example
from tuner import Goal, load_sweep, recommend
from tuner.iac import read_template

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES: Final = tuple(function.name for function in read_template(TEMPLATE).functions)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two answers to one question."""

    few: dict[str, Any]
    grid: dict[str, Any]
    cost_over_best: float | None
    """Of the adaptive answer (or the best so far), by the grid; None where it named no size."""

    @property
    def holds(self) -> bool:
        """Within a quarter of the grid's best, or without a recommendation."""
        decided = self.few["recommendation"]["memory_mb"] is not None
        return not decided or self.cost_over_best is None or self.cost_over_best <= 1.25


def compare(name: str, state_dir: Path) -> Agreement:
    """Sweep an example both ways."""
    few = tune_example(name, state_dir=state_dir)
    grid = tune_example(name, "--exhaustive", state_dir=state_dir)
    answered = _answered_mb(few)
    if answered is None:
        return Agreement(few, grid, None)
    judged = recommend(load_sweep(Path(grid["sweep"]["file"])), Goal(tolerance_ratio=0.5))
    cost = {each.memory_mb: each.cost_usd_per_million.estimate for each in judged.curve}
    allowed = {size["memory_mb"] for size in grid["sizes"] if not size["oom_count"]}
    best = min(cost[size] for size in allowed if size in cost)
    return Agreement(few, grid, cost[answered] / best if answered in cost else None)


def main(names: Sequence[str]) -> int:
    """Print the table; 1 if an answer is not within a quarter of the grid's best."""
    table = Table(title="A few invocations against the grid, on the local Lambda")
    for column in ("example", "answer", "invocations", "grid's answer", "invocations"):
        table.add_column(column)
    table.add_column("cost over the grid's best, by the grid")
    console, missed = Console(width=150), 0
    for name in names or EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = compare(name, Path(folder))
            except AssertionError as error:  # the command failed: its last line says why
                table.add_row(name, str(error).rstrip().rpartition("\n")[2])
                missed += 1
                continue
        missed += not found.holds
        ratio = found.cost_over_best
        table.add_row(
            name,
            _answer(found.few),
            str(found.few["sweep"]["invocation_count"]),
            _answer(found.grid),
            str(found.grid["sweep"]["invocation_count"]),
            "-" if ratio is None else f"{ratio - 1:+.1%}",
        )
        console.print(f"{name} is swept")
    console.print(table)
    return 1 if missed else 0


def _answered_mb(answer: dict[str, Any]) -> int | None:
    choice = answer["recommendation"]
    size: int | None = choice["memory_mb"] or choice["best_so_far_mb"]
    return size


def _answer(answer: dict[str, Any]) -> str:
    choice = answer["recommendation"]
    return f"{choice['verdict']} {answer['current']['memory_mb']} -> {_answered_mb(answer)} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
