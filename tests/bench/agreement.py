"""`python -m tests.bench.agreement`: a few chosen invocations against the whole grid, by example.

Every example is tuned on the local Lambda as a user would, and swept again over a grid of sizes
(`--exhaustive`) that has the answered one and the current one. The answer is judged by the grid's
own draws, in the objective of the default goal: its regret against the grid's best size, and what
it gains over the current one. Other work on the machine falls on both.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.end_to_end.running import TEMPLATE, tune_example
from tuner import load_sweep
from tuner.iac import read_template
from tuner.session import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.arrays import Floats

EXAMPLES: Final = tuple(function.name for function in read_template(TEMPLATE).functions)
_GRID_MB: Final = (128, 256, 512, 768, 1024, 1769, 3008, 3009, 3538)
_WORSE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two answers to one question, and the first one's worth by the second one's draws."""

    few: dict[str, Any]
    grid: dict[str, Any]
    regrets: Floats
    """Of the adaptive answer (or the best so far) among the grid's sizes: (draws,)."""
    gains: Floats
    """Of the adaptive answer over the current size: (draws,)."""

    @property
    def harmful_probability(self) -> float:
        """How sure the grid is that a resize made the objective worse by over 1%."""
        is_resize = self.few["recommendation"]["verdict"] == "resize"
        return float(np.mean(self.gains < -_WORSE)) if is_resize else 0.0

    @property
    def holds(self) -> bool:
        """Whether the grid doesn't contradict the answer."""
        return self.harmful_probability < 0.5


def compare(name: str, state_dir: Path) -> Agreement | None:
    """Sweep an example both ways; None where no size was named."""
    few = tune_example(name, state_dir=state_dir)
    answered, current = _answered_mb(few), few["current"]["memory_mb"]
    if answered is None:
        return None
    sizes = sorted({*_GRID_MB, answered, current})
    listed = ",".join(map(str, sizes))
    grid = tune_example(name, "--exhaustive", "--memory-sizes", listed, state_dir=state_dir)
    problem = analyse(load_sweep(Path(grid["sweep"]["file"])), draw_count=2000).problem
    if problem is None:
        return None
    objective = {
        size["memory_mb"]: problem.ranking.objective[:, problem.estimates.column(size["memory_mb"])]
        for size in grid["sizes"]
        if not size["oom_count"]
    }
    best = np.min(list(objective.values()), axis=0)
    return Agreement(
        few, grid, objective[answered] / best - 1, 1 - objective[answered] / objective[current]
    )


def main(names: Sequence[str]) -> int:
    """Print the table; 1 if the grid contradicts an answer."""
    table = Table(title="A few invocations against the grid, on the local Lambda")
    for column in ("example", "answer", "invocations", "grid's answer", "invocations"):
        table.add_column(column)
    table.add_column("regret by the grid (90% interval)")
    table.add_column("gain over the current size")
    console, missed = Console(width=170), 0
    for name in names or EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = compare(name, Path(folder))
            except AssertionError as error:  # the command failed: its last line says why
                table.add_row(name, str(error).rstrip().rpartition("\n")[2])
                missed += 1
                continue
        if found is None:
            table.add_row(name, "no size is named")
            continue
        missed += not found.holds
        table.add_row(
            name,
            _answer(found.few),
            str(found.few["sweep"]["invocation_count"]),
            _answer(found.grid),
            str(found.grid["sweep"]["invocation_count"]),
            _interval(found.regrets),
            _interval(found.gains),
        )
        console.print(f"{name} is swept")
    console.print(table)
    return 1 if missed else 0


def _interval(draws: Floats) -> str:
    low, high = np.quantile(draws, (0.05, 0.95))
    return f"{draws.mean():.1%} ({low:.1%} to {high:.1%})"


def _answered_mb(answer: dict[str, Any]) -> int | None:
    choice = answer["recommendation"]
    size: int | None = choice["memory_mb"] or choice["best_so_far_mb"]
    return size


def _answer(answer: dict[str, Any]) -> str:
    choice = answer["recommendation"]
    return f"{choice['verdict']} {answer['current']['memory_mb']} -> {_answered_mb(answer)} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
