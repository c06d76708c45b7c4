"""The target table: answers at the default goal, at the plain cheapest, and with 60 to spend.

Every function is decided about from four current sizes (`decide_goal`). `recorded` and `generated`
are all functions of a kind; `held out` those of both that nothing was chosen by. Below each figure
stands the former rule's, of ten seeds (`decide_former`). A bin of stated confidence with few runs
is shown and not judged; its runs are of a few functions, whose luck is shared, so each bin shows
the standard error that this leaves.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.table import Table

from tests.bench.decide_former import FORMER
from tests.bench.decide_goal import (
    BINS,
    CURRENT_MB,
    DEFAULT,
    PLAIN,
    SPENDING,
    all_functions,
    goal_run,
    is_held_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from tests.bench.decide_goal import GoalRun, Setting
    from tests.bench.decide_world import Function

    Groups = Mapping[str, Sequence[GoalRun]]
    Limits = tuple[float, ...]

_GROUPS: Final = ("recorded", "generated", "held out")
_PER_CENT: Final = 100.0
_JUDGED_COUNT: Final = 50
_SPENDING_SEEDS: Final = 3


def print_targets(console: Console, pool: Any, seeds: range) -> int:
    """Print the table; return how many cells miss their target."""
    functions = list(all_functions())
    default, plain = (_grouped(pool, functions, seeds, each) for each in (DEFAULT, PLAIN))
    spending = _grouped(pool, functions, seeds[:_SPENDING_SEEDS], SPENDING)
    current = ", ".join(f"{size:,}" for size in CURRENT_MB)
    table = Table(title=f"{len(functions)} functions, {len(seeds)} seeds, now {current} MB in turn")
    for column in ("what", "target", *(group for group in _GROUPS if group in default)):
        table.add_column(column)
    missed = 0
    for what, runs, figure, targets in _rows(default, plain, spending):
        cells = []
        for group in _GROUPS:
            if group not in runs:
                continue
            values, limits = figure(runs[group]), targets.get(group, targets["all"])
            held = all(value <= limit for value, limit in zip(values, limits, strict=True))
            missed += not held
            cells.append(_written(values) + ("" if held else " MISSED") + _former(what, group))
        own = f"; recorded {_written(targets['recorded'])}" if "recorded" in targets else ""
        table.add_row(what, f"at most {_written(targets['all'])}{own}", *cells)
    for what, low, high, shares in _held_rows():
        cells = []
        for group in (group for group in _GROUPS if group in default):
            values = shares(default[group])
            held = all(low <= value <= high for value in values)
            missed += not held
            cells.append(_written(values) + ("" if held else " MISSED") + _former(what, group))
        table.add_row(what, f"{low:g}-{high:g}", *cells)
    console.print(table)
    return missed + _print_confidence(console, default)


def _rows(
    default: Groups, plain: Groups, spending: Groups
) -> list[tuple[str, Groups, Callable[[Sequence[GoalRun]], Limits], dict[str, Limits]]]:
    """What is shown, of which runs, how, and the most that it may be: of all, or of a kind."""
    return [
        (
            "default goal: inconclusive, %",
            default,
            _inconclusive,
            {"all": (5.0,), "recorded": (3.0,)},
        ),
        (
            "resizes that make the objective worse by over 1%, %",
            default,
            lambda runs: (_share([r.harmful for r in runs if r.verdict == "resize"]),),
            {"all": (1.0,)},
        ),
        (
            "moves to 1.3 x the duration or more for under 2%, %",
            default,
            lambda runs: (_share([r.slower_for_nothing for r in runs]),),
            {"all": (0.0,)},
        ),
        ("invocations, mean", default, _invocations, {"all": (10.0,), "recorded": (8.0,)}),
        (
            "regret in the objective: mean / p90 / worst function, %",
            default,
            lambda runs: _regrets(runs, with_p90=True),
            {"all": (0.8, 2.0, 5.0)},
        ),
        ("time weight 0: regret, mean / worst, %", plain, _regrets, {"all": (0.7, 4.0)}),
        ("time weight 0: invocations, mean", plain, _invocations, {"all": (10.0,)}),
        (
            "time weight 0: inconclusive, %",
            plain,
            _inconclusive,
            {"all": (12.0,), "recorded": (8.0,)},
        ),
        ("time weight 0, 60 to spend: regret, %", spending, _regrets, {"all": (0.4, 3.0)}),
        (
            "CPU time to decide, ms per invocation",
            default,
            lambda runs: (float(np.mean([run.cpu_ms for run in runs])),),
            {"all": (10.0,)},
        ),
    ]


def _held_rows() -> list[tuple[str, float, float, Callable[[Sequence[GoalRun]], Limits]]]:
    """What must be true as often as it is said: the least and the most of it."""
    return [
        ("90% intervals that hold: duration / cost / saving, %", 87.0, 93.0, _intervals),
        (
            "95% bounds on regret that hold, %",
            93.0,
            97.0,
            lambda runs: (_share([r.bound_held for r in runs if r.bound_held is not None]),),
        ),
    ]


def _print_confidence(console: Console, groups: Groups) -> int:
    """Stated confidence beside the truth, bin by bin."""
    table = Table(title="Confidence: said / true ± its error (runs of functions), within 3 points")
    shown = [group for group in _GROUPS if group in groups]
    for column in ("said", *shown):
        table.add_column(column)
    missed = 0
    for low, high in itertools.pairwise(BINS):
        cells = []
        for group in shown:
            runs = [run for run in groups[group] if low <= run.confidence < high]
            if not runs:
                cells.append("-")
                continue
            said = _PER_CENT * float(np.mean([run.confidence for run in runs]))
            true = _share([run.right for run in runs])
            apart = abs(said - true) > 3 and len(runs) >= _JUDGED_COUNT
            missed += apart
            sign = " MISSED" if apart else ""
            error = _PER_CENT * _standard_error(runs)
            count = len({run.name for run in runs})
            cells.append(f"{said:.0f} / {true:.0f} ± {error:.0f}% ({len(runs)} of {count}){sign}")
        table.add_row(f"{low:.0%} to {min(high, 1):.0%}", *cells)
    console.print(table)
    return missed


def _standard_error(runs: Sequence[GoalRun]) -> float:
    """Of what is said less what is true: a function's runs are right or wrong together, so their
    sums are what scatters (Liang and Zeger, 1986).
    """
    sums: dict[str, float] = {}
    for run in runs:
        sums[run.name] = sums.get(run.name, 0.0) + run.confidence - run.right
    apart = np.array(list(sums.values()))
    freedom = len(apart) / max(len(apart) - 1, 1)
    return float(np.sqrt(freedom * np.sum(apart**2))) / len(runs)


def _grouped(
    pool: Any, functions: Sequence[Function], seeds: range, setting: Setting
) -> dict[str, list[GoalRun]]:
    """Every function from every current size with every seed, by group."""
    jobs = [
        (function.name, current_mb, seed, setting)
        for function in functions
        for current_mb in CURRENT_MB
        for seed in seeds
    ]
    kinds = {f.name: "generated" if f.source == "generated" else "recorded" for f in functions}
    held_out = {function.name for function in functions if is_held_out(function)}
    groups: dict[str, list[GoalRun]] = {}
    for run in pool.map(_job, jobs, chunksize=8):
        groups.setdefault(kinds[run.name], []).append(run)
        if run.name in held_out:
            groups.setdefault("held out", []).append(run)
    return groups


def _job(job: tuple[str, int, int, Setting]) -> GoalRun:
    name, current_mb, seed, setting = job
    return goal_run(_by_name()[name], current_mb, seed, setting)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Function]:
    """Functions hold closures: workers make them anew."""
    return {function.name: function for function in all_functions()}


def _inconclusive(runs: Sequence[GoalRun]) -> Limits:
    return (_share([run.verdict == "inconclusive" for run in runs]),)


def _invocations(runs: Sequence[GoalRun]) -> Limits:
    return (float(np.mean([run.invocation_count for run in runs])),)


def _regrets(runs: Sequence[GoalRun], *, with_p90: bool = False) -> Limits:
    """Mean over runs, 90th percentile and largest of the functions' means, in percent."""
    by_name: dict[str, list[float]] = {}
    for run in runs:
        by_name.setdefault(run.name, []).append(_PER_CENT * run.regret)
    means = [float(np.mean(each)) for each in by_name.values()]
    mean = float(np.mean([_PER_CENT * run.regret for run in runs]))
    p90 = (float(np.quantile(means, 0.9)),) if with_p90 else ()
    return (mean, *p90, max(means))


def _intervals(runs: Sequence[GoalRun]) -> Limits:
    return tuple(
        _share([run.holds[number] for run in runs if len(run.holds) > number])
        for number in range(3)
    )


def _share(held: Sequence[bool]) -> float:
    """In percent; 0 of nothing."""
    return _PER_CENT * float(np.mean(held)) if held else 0.0


def _former(what: str, group: str) -> str:
    """The former rule's figure of a cell, on a line of its own; nothing where it has none."""
    former = FORMER[what]
    return "" if former is None else f"\n(former {_written(former[_GROUPS.index(group)])})"


def _written(values: Limits) -> str:
    return " / ".join(f"{value:.3g}" for value in values)
