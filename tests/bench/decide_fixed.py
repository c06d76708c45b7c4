"""Decisions from fixed plans: how true the curve's statements are, apart from where it samples.

A sweep takes minutes for what these tell in seconds: what the regret was said to be and what it
is, and how often the intervals hold the truth, for every function.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.table import Table

from tests.bench.decide_runs import ANSWER_SEED, conclude, question_about
from tests.bench.decide_world import World
from tuner.decision.policy import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.decide_runs import Run
    from tests.bench.decide_world import Function

_ROUNDING: Final = 1e-9

DESIGNS: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "12 sizes x 2": tuple(
        (m, 2) for m in (128, 192, 256, 320, 448, 576, 704, 896, 1152, 1472, 1792, 2560)
    ),
    "9 sizes x 3": tuple((m, 3) for m in (128, 192, 256, 384, 512, 704, 1024, 1472, 2048)),
    "6 sizes x 2": tuple((m, 2) for m in (128, 256, 512, 1024, 1728, 2560)),
}
"""Sizes and invocations at each, the first of which is a cold start."""


def fixed_run(function: Function, seed: int, *, design: str) -> Run:
    """Invoke every size of a design within the function's range, then decide."""
    world = World(function, random.Random(f"{function.name}/{seed}"))
    for memory_mb, count in DESIGNS[design]:
        if max(function.floor_mb, function.sizes_mb[0]) <= memory_mb <= function.sizes_mb[-1]:
            for _ in range(count):
                world.invoke(Trial(memory_mb, "empty"))
    return conclude(world, question_about(function), seed=ANSWER_SEED)


def statements(title: str, groups: dict[str, Sequence[Run]]) -> Table:
    """One row for each group of runs: what was said beside what is true."""
    table = Table(title=title)
    for column in ("", "regret: said", "true", "95% bound holds", "intervals that hold"):
        table.add_column(column)
    for name, runs in groups.items():
        table.add_row(
            name,
            f"{np.mean([run.expected_regret for run in runs]):.2%}",
            f"{np.mean([run.regret for run in runs]):.2%}",
            f"{np.mean([run.regret <= run.regret_bound + _ROUNDING for run in runs]):.0%}",
            " / ".join(_holding(runs, number) for number in range(3)),
        )
    return table


def _holding(runs: Sequence[Run], number: int) -> str:
    """Share of one kind of interval that holds the truth, where there is an answer."""
    held = [run.holds[number] for run in runs if len(run.holds) > number]
    return f"{np.mean(held):.0%}" if held else "-"


def by_name(runs: Sequence[Run]) -> dict[str, Sequence[Run]]:
    """Runs of each function, the one with the largest true regret first."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.name].append(run)
    regrets = {name: np.mean([run.regret for run in each]) for name, each in groups.items()}
    return {name: groups[name] for name in sorted(groups, key=lambda n: -regrets[n])}
