"""Drift against known truth: how often an unchanged function's recommendation is called stale, and
how soon a changed one's is.

Functions of lognormal durations with a Pareto tail, cheaper weekends and days that differ and keep
half of that (`tests/watch/drift_worlds.py`), with and without logs from before the sweep; payloads
that never were like production's where there are. Each is asked on every day after its sweep for
five weeks, as an operator would who looks daily.

`python -m tests.bench.observe_drift` prints the table.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.watch.drift_worlds import PRICES, World, made_days, swept
from tuner.watch.drift import Deployed, drift_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WEEKS: Final = 5
UNCHANGED: Final = (
    World(),
    World(per_day=100, cv=1.0),
    World(per_day=20000, cv=0.3, day_deviation=0.03),
    World(per_day=500, cv=1.5, slow_share=0.01),
    World(per_day=3000, weekend_ratio=1.15),
    World(per_day=1000, payload_ratio=1.6),
    World(days_before=0),
    World(days_before=0, per_day=100, cv=1.0),
    World(days_before=0, per_day=5000, day_deviation=0.03, weekend_ratio=0.9),
)
NEAR_MARGIN: Final = "duration +10%"
"""Told, without a target: twice the margin below which nothing is said."""
CHANGED: Final = (
    (NEAR_MARGIN, World(ratio=1.1, changed_day=8)),
    ("duration +20%", World(ratio=1.2, changed_day=8)),
    ("duration −20%", World(ratio=0.8, changed_day=8)),
    ("duration +20%, no logs before", World(ratio=1.2, days_before=0, changed_day=8)),
    ("duration +50%, 100 a day", World(ratio=1.5, per_day=100, cv=1.0, changed_day=8)),
    ("memory used +50%", World(memory_ratio=1.5, changed_day=8)),
    ("memory used +50%, no logs before", World(memory_ratio=1.5, days_before=0, changed_day=8)),
    ("cold starts 1% → 60%", World(cold_share_then=0.6, changed_day=8)),
    ("CV 0.5 → 1.2", World(cv_then=1.2, changed_day=8)),
)


def first_stale_day(world: World, seed: int, *, weeks: int = WEEKS) -> int | None:
    """The first day after the sweep on which it's called stale; None: on none of these weeks."""
    sweep, answer = swept(seed % 20 + 1)
    days = made_days(replace(world, days_after=7 * weeks), seed)
    then = [each for each in days if each.day < sweep.started_at[:10]]
    later = [each for each in days if each.day > sweep.started_at[:10]]
    told = Deployed(code_sha256=sweep.function.code_sha256, memory_mb=answer.current.memory_mb)
    for count in range(1, len(later) + 1):
        seen = [*then, *later[:count]]
        if drift_of(sweep, answer, days=seen, deployed=told, prices=PRICES).is_stale:
            return count
    return None


def false_count(worlds: Sequence[World], functions: int) -> tuple[int, int]:
    """Unchanged functions that are called stale on any day, and function-weeks in all."""
    found = sum(
        first_stale_day(world, 1000 * number + seed) is not None
        for number, world in enumerate(worlds)
        for seed in range(functions)
    )
    return found, functions * len(worlds) * WEEKS


def days_to_tell(world: World, functions: int) -> list[int | None]:
    """After how many days of the change each function is called stale; None: within no time."""
    found = [first_stale_day(world, seed) for seed in range(functions)]
    return [None if each is None else each - world.changed_day + 1 for each in found]


def rows(functions: int = 40) -> Iterator[tuple[str, str, str, bool]]:
    """For `make bench-observe`."""
    false, weeks = false_count(UNCHANGED, functions)
    yield (
        "unchanged functions called stale, asked daily",
        "≤ 1 in 100 function-weeks",
        f"{false} in {weeks:,}",
        false <= weeks / 100,
    )
    for what, world in CHANGED:
        told = days_to_tell(world, functions)
        right = [each for each in told if each is not None and each > 0]
        share = len(right) / len(told)
        middle = sorted(right)[len(right) // 2] if right else "–"
        target = 0.0 if what == NEAR_MARGIN else 0.95
        yield (
            f"{what}: called stale within four weeks",
            f"≥ {target:.0%}" if target else "–",
            f"{share:.0%}, half within {middle} days",
            share >= target,
        )


def main() -> int:
    """Print the table, and which worlds have false ones."""
    for world in UNCHANGED:
        false, weeks = false_count([world], 40)
        sys.stdout.write(f"{false:3} in {weeks} function-weeks  {world}\n")
    for row in rows():
        sys.stdout.write(f"{row}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
