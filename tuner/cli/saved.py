"""Saved sweeps: finding them by name, and analysing them."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli.config import state_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.cli.groups import GoalOptions
    from tuner.decision.analysis import Analysis
    from tuner.model.sweep import Sweep


def kept_names(incomplete: str) -> list[str]:
    """Functions with kept sweeps, for shell completion."""
    from tuner.sweep.store import SweepStore

    return [name for name in SweepStore(state_dir()).names() if name.startswith(incomplete)]


Sweeps = Annotated[
    list[str],
    typer.Argument(
        metavar="SWEEP...",
        help="Sweep files, or functions' names for their newest sweeps.",
        autocompletion=kept_names,
    ),
]


def load(name: str) -> "Sweep":
    """The sweep in a file, a function's newest, or the one with an id. Raises SweepFileError."""
    from tuner.sweep.store import load_sweep

    return load_sweep(name, state_dir=state_dir())


def analyse(
    names: "Sequence[str]", goal: "GoalOptions", min_memory: int | None, max_memory: int | None
) -> "list[Analysis]":
    """Analyse saved sweeps, each for the wanted goal or its own. Raises InputError."""
    from tuner import session

    analyse_within = partial(session.analyse, min_memory_mb=min_memory, max_memory_mb=max_memory)
    loaded = [load(name) for name in names]
    return [analyse_within(sweep, goal.wanted(sweep.goal)) for sweep in loaded]
