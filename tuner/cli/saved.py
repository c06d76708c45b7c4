"""Saved sweeps: how commands name them, and their answers."""

from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

if TYPE_CHECKING:
    from tuner.breakeven.terms import Terms
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


class Limits(TypedDict):
    """The range of sizes to choose from (None: the sweep's)."""

    min_memory_mb: int | None
    max_memory_mb: int | None


def kept_names(incomplete: str) -> list[str]:
    """Functions with kept sweeps, for shell completion."""
    from tuner.cli.config import state_dir
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
    """A file's sweep, a function's newest, or the one of an id. Raises SweepFileError."""
    from tuner.cli.config import state_dir
    from tuner.sweep.store import load_sweep

    return load_sweep(name, state_dir=state_dir())


def last_two(name: str) -> tuple[str, str]:
    """The files of a function's last two sweeps. Raises SweepFileError for fewer."""
    from tuner.cli.config import state_dir  # noqa: PLC0415 - not needed for --help
    from tuner.sweep.store import SweepStore  # noqa: PLC0415 - as above

    older, newer = SweepStore(state_dir()).newest_two(name)
    return str(older), str(newer)


def limits_of(min_memory: int | None, max_memory: int | None) -> Limits:
    """The range that the options give."""
    return {"min_memory_mb": min_memory, "max_memory_mb": max_memory}


def answer_of(sweep: "Sweep", goal: "Goal", terms: "Terms", limits: Limits) -> "Recommendation":
    """The answer of one sweep, and where else it could run; with a rate, what it saves a month."""
    from tuner import session
    from tuner.cli.config import today

    analysis = session.analyse(sweep, goal, **limits)
    return session.recommend(analysis, terms, today=today())
