"""Realized savings against known truths: how often the 90% intervals hold, and false savings.

Worlds of `tests/observe/saving_worlds.py`, each with parameters of its own drawn at random. The
scenarios of `SEEN` were looked at while the model was made, those of `HELD_BACK` never: they have
other mechanisms besides (regimes, nightly batches, another distribution). TUNER_BENCH_ARRIVALS may
name a file of recorded invocations (columns func, end_timestamp, duration in seconds), which are
replayed as a third group. `python -m tests.bench.verify 400` prints more worlds of each.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.observe.saving_worlds import NEW_MB, OLD_MB, World, make
from tests.observe.split_worlds import split_rows
from tuner.model.observation import Window
from tuner.observe.realized import Realized, Reports, realize
from tuner.observe.split import fit_split
from tuner.observe.use_hours import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tuner.model.interval import Interval

COVERAGE: Final = (0.85, 0.95)
MOST_FALSE: Final = 0.05


def plain(rng: np.random.Generator) -> World:
    """Ten days to three weeks on each side, and a saving or a loss."""
    return World(
        days_before=int(rng.integers(6, 21)),
        days_after=int(rng.integers(6, 21)),
        change_hour=int(rng.integers(24)),
        per_day=float(10 ** rng.uniform(2.5, 4.5)),
        cv=float(rng.uniform(0.3, 1.0)),
        ratio=float(rng.uniform(0.55, 1.1)),
        cost_by_hour=float(rng.uniform(0.0, 0.2)),
        weekend_cost=float(rng.normal(0, 0.05)),
        weekend_traffic=float(rng.uniform(0.2, 1.0)),
        day_deviation=float(rng.uniform(0.002, 0.03)),
        day_persistence=float(rng.uniform(0.0, 0.7)),
        hour_deviation=float(rng.uniform(0.005, 0.05)),
        hour_persistence=float(rng.uniform(0.0, 0.9)),
    )


def _with(**changes: Callable[[np.random.Generator], object]) -> Callable[..., World]:
    """A plain world with some parameters drawn otherwise."""

    def draw(rng: np.random.Generator) -> World:
        world = plain(rng)
        return replace(world, **{name: each(rng) for name, each in changes.items()})  # type: ignore[arg-type] # fields by name

    return draw


def _uniform(low: float, high: float) -> Callable[[np.random.Generator], float]:
    return lambda rng: float(rng.uniform(low, high))


def _deployments(rng: np.random.Generator) -> tuple[tuple[int, float], ...]:
    days = sorted(rng.choice([-4, -3, -2, 1, 2, 3, 4], size=2, replace=False).tolist())
    return tuple((int(day), float(rng.normal(0, 0.1))) for day in days)


SEEN: Final[Mapping[str, Callable[[np.random.Generator], World]]] = {
    "seasons": plain,
    "few days": _with(days_before=lambda r: int(r.integers(3, 7)),
                      days_after=lambda r: int(r.integers(2, 5))),
    "few invocations": _with(per_day=_uniform(8, 60)),
    "trend": _with(cost_drift_per_week=_uniform(-0.03, 0.03)),
    "mix drifts": _with(waiting_ratio=_uniform(1.0, 1.6),
                        share_drift_per_week=_uniform(-0.03, 0.03),
                        share_by_hour=_uniform(0, 0.1)),
    "growth": _with(traffic_growth_per_week=_uniform(-0.2, 0.4)),
    "deployments": _with(deployments=_deployments),
    "cold starts": _with(cold_share=_uniform(0.02, 0.3), cold_times=_uniform(2, 8),
                         per_day=_uniform(50, 2000)),
    "bursts": _with(burst_share=_uniform(0.005, 0.03), slow_share=_uniform(0.002, 0.01)),
}  # fmt: skip
HELD_BACK: Final[Mapping[str, Callable[[np.random.Generator], World]]] = {
    "gamma, strong weeks": _with(gamma=lambda _: True, weekend_cost=_uniform(-0.3, 0.3),
                                 weekend_traffic=_uniform(0.05, 0.4)),
    "regimes": _with(regime_share=_uniform(0.05, 0.25), regime_deviation=_uniform(0.01, 0.05)),
    "nightly batches": _with(nightly_share=_uniform(0.5, 0.95), cost_by_hour=_uniform(0.1, 0.3)),
    "wanders": _with(walk_deviation=_uniform(0.002, 0.012)),
    "mix by hour, growth": _with(waiting_ratio=_uniform(0.9, 1.5),
                                 share_by_hour=_uniform(0.05, 0.2),
                                 traffic_growth_per_week=_uniform(-0.3, 0.5),
                                 waiting_share=_uniform(0.2, 0.6)),
    "all at once": _with(cost_drift_per_week=_uniform(-0.02, 0.02), deployments=_deployments,
                         burst_share=_uniform(0, 0.02), traffic_growth_per_week=_uniform(-0.1, 0.3),
                         share_drift_per_week=_uniform(-0.02, 0.02)),
}  # fmt: skip


def null(draw: Callable[[np.random.Generator], World]) -> Callable[..., World]:
    """The same where memory changes nothing."""
    return lambda rng: replace(draw(rng), ratio=1.0, waiting_ratio=1.0)


def compared(world: World, rng: np.random.Generator) -> tuple[Interval | None, float]:
    """The realized saving, as `verify` has it, and the truth; None where it says it can't."""
    made = make(world, rng)
    hours = made.rows
    window = Window(moment(int(hours.slot.min())), moment(int(hours.slot.max()) + 1))
    reports = Reports(hours, lambda _window, _slot_s: hours, window)
    found = realize(reports, from_mb=OLD_MB, to_mb=NEW_MB, since=moment(0))
    return (
        found.saved.saving_ratio if isinstance(found, Realized) else None, made.saving_ratio
    )  # fmt: skip


def shares(
    draw: Callable[[np.random.Generator], World], count: int, key: int
) -> tuple[float, float, float]:
    """The share that held, the share with a saving that's sure, and the median half-width."""
    held, above, widths = [], [], []
    for seed in range(count):
        rng = np.random.default_rng([seed, key])
        interval, truth = compared(draw(rng), rng)
        if interval is None:
            continue
        held.append(interval.low <= truth <= interval.high)
        above.append(interval.low > 0)
        widths.append((interval.high - interval.low) / 2)
    return float(np.mean(held)), float(np.mean(above)), float(np.median(widths))


def split_shares(ratio: float, count: int) -> tuple[float, float, float]:
    """The same for versions side by side, over weights and numbers of environments."""
    held, above, widths = 0, 0, []
    for seed in range(count):
        rng = np.random.default_rng([seed, 5])
        rows = split_rows(
            ratio, seed=seed, environments=int(rng.integers(3, 40)), weight=rng.uniform(0.1, 0.5)
        )
        draws = fit_split(rows, NEW_MB)
        assert draws is not None
        low, high = np.quantile(1 - np.exp(draws), [0.05, 0.95])
        held += low <= 1 - ratio <= high
        above += low > 0
        widths.append((high - low) / 2)
    return held / count, above / count, float(np.median(widths))


def recorded(path: Path) -> dict[str, Callable[[np.random.Generator], World]]:
    """Worlds of recorded arrivals and durations: functions with twenty invocations and more."""
    by_function: dict[str, list[tuple[float, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            at = (float(row["end_timestamp"]), float(row["duration"]))
            by_function.setdefault(row["func"], []).append(at)
    known = [each for each in by_function.values() if len(each) >= 20]

    def draw(rng: np.random.Generator) -> World:
        ends, durations = np.array(known[int(rng.integers(len(known)))]).T
        slots = np.bincount((ends // 10).astype(int), minlength=24) + 0.05
        ratios = np.maximum(durations, 0.001) / max(durations.mean(), 0.001)
        return replace(
            plain(rng), arrivals=tuple(slots.tolist()), times=tuple(ratios.tolist()),
            slow_share=0.0, hour_deviation=0.02, per_day=float(rng.uniform(100, 3000)),
        )  # fmt: skip

    return {"recorded arrivals": draw}


def groups() -> Iterator[tuple[str, str, Callable[[np.random.Generator], World]]]:
    """Group, name and worlds."""
    for name, draw in SEEN.items():
        yield "seen", name, draw
    for name, draw in HELD_BACK.items():
        yield "held back", name, draw
    given = os.environ.get("TUNER_BENCH_ARRIVALS")
    if given and Path(given).is_file():
        for name, draw in recorded(Path(given)).items():
            yield "recorded", name, draw


def table(count: int, only: str = "") -> Iterator[tuple[str, str, float, float, float]]:
    """Group, name, the share that held, the false savings of null runs, the half-width."""
    for key, (group, name, draw) in enumerate(groups()):
        if only and group != only:
            continue
        held, _, width = shares(draw, count, key)
        null_held, false, _ = shares(null(draw), count, 1000 + key)
        yield group, name, (held + null_held) / 2, false, width
    if not only:
        held, _, width = split_shares(0.7, count)
        null_held, false, _ = split_shares(1.0, count)
        yield "split", "versions side by side", (held + null_held) / 2, false, width


def rows(count: int = 100) -> Iterator[tuple[str, str, str, bool]]:
    """What `make bench-verify` shows: each scenario, and each group over its scenarios."""
    by_group: dict[str, list[tuple[float, float]]] = {}
    for group, name, held, false, width in table(count):
        by_group.setdefault(group, []).append((held, false))
        figures = f"{held:.0%} held, {false:.1%} false, ± {width:.1%} of the cost"
        yield f"{group}: {name}", "", figures, True
    for group, found in by_group.items():
        held, false = (float(np.mean([each[at] for each in found])) for at in (0, 1))
        low, high = COVERAGE
        yield (
            f"{group}: 90% intervals that held",
            f"{low:.0%}–{high:.0%}",
            f"{held:.1%}",
            (low <= held <= high),
        )
        yield (
            f"{group}: false savings in null runs",
            f"at most {MOST_FALSE:.0%}",
            f"{false:.1%}",
            (false <= MOST_FALSE),
        )


def main(count: int, only: str = "") -> None:
    """Print the table."""
    print(f"{'group':10} {'worlds':24} {'held':>6} {'false':>6} {'± cost':>7}")
    for group, name, held, false, width in table(count, only):
        print(f"{group:10} {name:24} {held:6.1%} {false:6.1%} {width:7.1%}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100, *sys.argv[2:3])
