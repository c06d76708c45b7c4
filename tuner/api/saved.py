"""Answers from saved sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner import decision
from tuner.errors import SweepFileError
from tuner.model.goal import Goal
from tuner.pricing.renewal import current_price_book
from tuner.sweep.file import holds_sweep, read_sweep
from tuner.sweep.store import SweepStore, default_state_dir

if TYPE_CHECKING:
    import datetime

    from tuner.decision import Analysis
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


_LISTED: Final = 20


def load_sweep(path_or_name: str | Path, *, state_dir: Path | None = None) -> Sweep:
    """Read a sweep file, or the newest kept sweep of a function.

    What looks like a path (a separator or a suffix in it) or is a file is one. Raises
    SweepFileError.
    """
    path = Path(path_or_name)
    if path.is_dir() and (isinstance(path_or_name, Path) or len(path.parts) > 1):
        raise _not_a_folder(path)
    if isinstance(path_or_name, Path) or path.is_file() or len(path.parts) > 1 or path.suffix:
        return read_sweep(path)
    store = SweepStore(state_dir or default_state_dir())
    if path.is_dir() and str(path_or_name) not in store.names():
        raise _not_a_folder(path)
    return read_sweep(store.newest(str(path_or_name)))


def _not_a_folder(folder: Path) -> SweepFileError:
    """A folder is no sweep: say which ones lie in it."""
    found = sorted(each for each in folder.rglob("*.jsonl") if each.is_file() and holds_sweep(each))
    if not found:
        return SweepFileError(f"{folder} is a folder without sweeps: give a sweep file")
    names = ", ".join(str(each) for each in found[:_LISTED])
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return SweepFileError(f"{folder} is a folder: give one of its sweeps, {names}{more}")


def analyse(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    draw_count: int = 200,
) -> Analysis:
    """Analyse a sweep alone: no AWS, no clock, the same again for the same sweep and goal.

    Without `goal` it is the one that the sweep was tuned for. Raises PriceError and InputError.
    """
    return decision.analyse(
        sweep,
        goal or sweep.goal or Goal(),
        price_book=price_book or current_price_book(),
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        draw_count=draw_count,
    )


def recommend(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """Answer from a sweep alone, as `analyse` reads it.

    With `today` prices that are over 90 days old get a warning. Raises PriceError and InputError.
    """
    analysis = analyse(
        sweep,
        goal,
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        price_book=price_book,
    )
    return decision.recommend(analysis, today=today)
