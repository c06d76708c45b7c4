"""Answers from saved sweeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuner import decide
from tuner.api.prices import current_price_book
from tuner.api.store import SweepStore, default_state_dir
from tuner.decide.parts import seed_at, sweep_at
from tuner.model.goal import Goal
from tuner.pricing.age import age_finding
from tuner.sweep.file import read_sweep

if TYPE_CHECKING:
    import datetime

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def load_sweep(path_or_name: str | Path, *, state_dir: Path | None = None) -> Sweep:
    """Read a sweep file, or the newest kept sweep of a function.

    What looks like a path (a separator or a suffix in it) or is a file is one. Raises
    SweepFileError.
    """
    path = Path(path_or_name)
    if isinstance(path_or_name, Path) or path.is_file() or len(path.parts) > 1 or path.suffix:
        return read_sweep(path)
    return read_sweep(SweepStore(state_dir or default_state_dir()).newest(str(path_or_name)))


def recommend(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """Answer from a sweep alone: no AWS, no clock, the same again for the same sweep and goal.

    Without `goal` it is the one that the sweep was tuned for. With `today` prices that are over 90
    days old get a warning. Raises PriceError and InputError.
    """
    answer = decide.recommend(
        sweep,
        price_book=price_book or current_price_book(),
        goal=goal or sweep.goal or Goal(),
        seed=sweep.plan.seed,
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
    )
    if today is None or (old := age_finding(answer.prices.as_of, today)) is None:
        return answer
    return replace(answer, findings=(*answer.findings, old))


def sweep_behind(answer: Recommendation, sweep: Sweep) -> Sweep:
    """Return the part of a sweep that the answer's curve is of: where a batch size is chosen with
    the memory size, the invocations with the chosen one.
    """
    for _name, value in answer.choice.parameters:
        sweep = sweep_at(sweep, value)
    return sweep


def seed_behind(answer: Recommendation, sweep: Sweep) -> int:
    """Return the seed of the answer's curves: with it the part of the sweep that they are of gives
    the same curves again.
    """
    if not answer.choice.parameters or sweep.plan.varied is None:
        return sweep.plan.seed
    [(_name, value)] = answer.choice.parameters
    return seed_at(sweep.plan.seed, sweep.plan.varied.values.index(value))
