"""Rollouts in simulated worlds: what goes back in time, and what goes back in vain.

100 seeds each, of their own; the constants of `tuner/rollout/` were chosen by none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.rollout.worlds import World, roll
from tuner.rollout.needed import needed_for
from tuner.rollout.steps import Step, parse_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS: Final = range(20261130, 20261230)
STEPS: Final = parse_steps("10%:10m,50%:10m")
_RISEN: Final = (
    ("errors rise from 1% to 21% at 10%", 0.1, World(rise=0.2)),
    ("the same, ten invocations a minute", 0.1, World(rise=0.2, per_minute=10)),
    ("the same at 2%", 0.02, World(rise=0.2, per_minute=200)),
    ("errors rise from 5% to 25% at 25%", 0.25, World(error_ratio=0.05, rise=0.2)),
)
_DEARER: Final = World(per_minute=100, duration_ratio=1.5)
_AS_FORECAST: Final = (
    ("no worse", World(per_minute=100)),
    ("no worse, CV 1", World(per_minute=200, cv=1.0)),
    ("no worse, bursts of errors and outliers", World(100, burst_share=0.1, outlier_share=0.01)),
    ("a tenth dearer and slower: the limit itself", World(100, duration_ratio=1.1)),
)


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held)."""
    for what, weight, world in _RISEN:
        step = Step(weight, 600)
        stated = needed_for(step, error_ratio=world.error_ratio, cv=world.cv).for_errors
        rolled = [roll(world, seed, steps=(step,), most_minutes=1000) for seed in SEEDS]
        counts = sorted(each.invocation_count for each in rolled if each.worse is not None)
        held = sum(count <= stated for count in counts)
        yield (
            what,
            f"back within {stated:,} invocations, 99 of 100",
            f"{held}; median {counts[len(counts) // 2]:,}, most {counts[-1]:,}",
            held >= 99,
        )
    rolled = [roll(_DEARER, seed, steps=STEPS, most_minutes=1000) for seed in SEEDS]
    counts = sorted(each.invocation_count for each in rolled if each.worse is not None)
    yield (
        "half again as dear and slow",
        "back before 100%, 99 of 100",
        f"{len(counts)}; median {counts[len(counts) // 2]:,} invocations, most {counts[-1]:,}",
        len(counts) >= 99,
    )
    for what, world in _AS_FORECAST:
        rolled = [roll(world, seed, steps=STEPS, most_minutes=120) for seed in SEEDS]
        false = sum(each.worse is not None for each in rolled)
        settled = sum(each.worse is None and each.is_settled for each in rolled)
        measured = f"{false} returned in vain, {settled} settled in two hours a step"
        yield what, "at most 5 of 100 in vain", measured, false <= 5
