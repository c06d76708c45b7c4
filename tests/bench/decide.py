"""`python -m tests.bench.decide`: how good the decisions are, against what is known to be true.

Prints the target table first (`decide_targets`), the former rule's figures beside it: recorded
functions (where the recordings are at hand) and generated ones, each from four current sizes. Then
the plain cheapest of recorded functions beside the baselines on a fixed grid, which know no other
goal, and the curve's error at a left-out size; each file of recordings with the priors' constants
chosen without it (`decide_priors`); and what is said beside what is true on fixed plans
(`decide_fixed`).
`--quick` takes one seed (0) instead of ten, `--fixed` only the fixed plans, function by function,
`--priors` only the files left out in turn.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from multiprocessing import Pool
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench.decide_baselines import exponential_run, fit_exponential, fit_powers, grid_run
from tests.bench.decide_fixed import DESIGNS, by_name, fixed_run, statements
from tests.bench.decide_priors import FACTORS, PRIORS, chosen_without, scaled
from tests.bench.decide_runs import adaptive_run, by_function
from tests.bench.decide_targets import print_targets
from tests.bench.decide_world import CURVES, generated_functions, recorded_functions
from tuner.inference.curve import fit_curve
from tuner.inference.sample import Sample
from tuner.model.plan import MOST_INVOCATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.decide_runs import Run
    from tests.bench.decide_world import Function

DEFAULTS = {"slot_count": 4, "max_invocations": MOST_INVOCATIONS}
SPENDING = {
    "slot_count": 4,
    "max_invocations": 60,
    "tolerance_ratio": 0.001,
    "spends_all": True,
}


def main(arguments: Sequence[str]) -> int:
    """Print the tables. Missed targets are said, and make the exit status 1."""
    seeds = range(1 if "--quick" in arguments else 10)
    console = Console(width=150)
    recorded = recorded_functions() if CURVES.is_dir() else []
    generated = generated_functions()
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        missed = 0
        if not recorded:
            console.print(
                f"No recordings in {CURVES} (TUNER_BENCH_CURVES names another folder): "
                "only generated functions are measured."
            )
        whole = [function for function in recorded if function.sizes_mb[0] == 128]
        if "--fixed" in arguments:
            return _fixed(console, pool, [*whole, *generated], each=True)
        if "--priors" in arguments:
            return _left_out(console, pool, whole, seeds)
        missed += print_targets(console, pool, seeds)
        if recorded:
            missed += _recorded(console, pool, whole, seeds)
            _left_out(console, pool, whole, seeds)
        _fixed(console, pool, [*whole, *generated], each=False)
    return 1 if missed else 0


def _fixed(console: Console, pool: Any, functions: list[Function], *, each: bool) -> int:
    """Fixed plans: what is said beside what is true, by plan and kind (and by function)."""
    runs: dict[str, list[Run]] = {}
    for design in DESIGNS:
        run = partial(fixed_run, design=design)
        for kind in ("recorded", "generated"):
            these = [f for f in functions if (f.source == "generated") == (kind == "generated")]
            if these:
                runs[f"{design}, {kind}"] = _run_all(pool, run, these, range(3))
    console.print(statements("Fixed plans, 3 seeds: said and true", runs))
    if each:
        every = [run for group in runs.values() for run in group]
        console.print(statements("The same by function, all plans", by_name(every)))
    return 0


def _left_out(console: Console, pool: Any, functions: list[Function], seeds: range) -> int:
    """Each file decided about with constants that were chosen without it."""
    files = sorted({function.source for function in functions})
    regrets = _regrets_by_file(pool, functions)
    adaptive = partial(adaptive_run, **DEFAULTS)
    table = Table(title="Each file left out in turn: constants chosen by the others alone")
    for column in ("file", "as they are: mean / worst", "chosen without it", "changed"):
        table.add_column(column)
    for file in files:
        own = [function for function in functions if function.source == file]
        changed = {p: f for p, f in chosen_without(file, regrets).items() if f != 1.0}
        usual, chosen = (
            _run_all(pool, partial(_scaled_run, factors, adaptive), own, seeds)
            for factors in ({}, changed)
        )
        names = ", ".join(f"{p.rpartition('.')[2]} x {f}" for p, f in changed.items())
        table.add_row(file, _regrets(usual), _regrets(chosen), names or "nothing")
    console.print(table)
    moves = Table(title="Mean regret on fixed plans, by constant x 0.7 / x 1 / x 1.3")
    moves.add_column("constant")
    for file in files:
        moves.add_column(file)
    for prior in PRIORS:
        cells = [
            " / ".join(f"{regrets[prior, factor][file]:.2%}" for factor in sorted(FACTORS))
            for file in files
        ]
        moves.add_row(prior, *cells)
    console.print(moves)
    return 0


def _regrets_by_file(
    pool: Any, functions: list[Function]
) -> dict[tuple[str, float], dict[str, float]]:
    """Mean regret of each file on fixed plans, by constant and factor."""
    found: dict[tuple[str, float], dict[str, float]] = {}
    for prior in PRIORS:
        for factor in FACTORS:
            if factor == 1.0 and found:
                found[prior, factor] = found[PRIORS[0], 1.0]
                continue
            factors = {} if factor == 1.0 else {prior: factor}
            runs = [
                run
                for design in DESIGNS
                for run in _run_all(
                    pool,
                    partial(_scaled_run, factors, partial(fixed_run, design=design)),
                    functions,
                    range(2),
                )
            ]
            found[prior, factor] = {
                file: float(np.mean([run.regret for run in runs if run.source == file]))
                for file in {run.source for run in runs}
            }
    return found


def _scaled_run(
    factors: dict[str, float], run: Callable[..., Run], function: Function, seed: int
) -> Run:
    with scaled(factors):
        return run(function, seed)


def _recorded(console: Console, pool: Any, functions: list[Function], seeds: range) -> int:
    """Recorded functions at time weight 0: regret at both settings, baselines, the curve alone."""
    ours = _run_all(pool, partial(adaptive_run, **DEFAULTS), functions, seeds)
    rich = _run_all(
        pool, partial(adaptive_run, **SPENDING), functions, seeds[: max(2, len(seeds) // 3)]
    )
    grid = _run_all(pool, grid_run, functions, seeds)
    exponential = _run_all(pool, exponential_run, functions, seeds)

    table = _table(f"{len(functions)} recorded functions, {len(seeds)} seeds, time weight 0")
    rows = [
        _regret_row(
            "regret, defaults, mean / worst function", (ours, grid, exponential), (1.0, 5.0)
        ),
        _regret_row(
            "regret, 60 to spend, mean / worst function", (rich, grid, exponential), (0.5, 3.0)
        ),
        _count_row(ours, grid, exponential),
        _spent_row(ours, grid, exponential),
        _curve_row(pool, functions),
    ]
    return _print(console, table, rows)


def _run_all(
    pool: Any, run: Callable[..., Run], functions: Sequence[Function], seeds: range
) -> list[Run]:
    """Every function with every seed. Functions hold closures: workers rebuild them by index."""
    source = "generated" if functions[0].source == "generated" else "recorded"
    jobs = [(run, source, function.name, seed) for function in functions for seed in seeds]
    return list(pool.map(_job, jobs, chunksize=4))


def _job(job: tuple[Callable[..., Run], str, str, int]) -> Run:
    run, source, name, seed = job
    if source not in _CACHE:
        made = generated_functions() if source == "generated" else recorded_functions()
        _CACHE[source] = {function.name: function for function in made}
    return run(_CACHE[source][name], seed)


_CACHE: dict[str, dict[str, Function]] = {}


def _regret_row(
    what: str, runs: tuple[list[Run], list[Run], list[Run]], target: tuple[float, float]
) -> tuple[str, str, str, str, str, bool]:
    (ours, grid, exponential), (mean, worst) = runs, target
    held = (
        np.mean([run.regret for run in ours]) <= mean / 100
        and max(by_function(ours).values()) <= worst / 100
    )
    limits = f"<= {mean} / {worst}%"
    return (what, limits, _regrets(ours), _regrets(grid), _regrets(exponential), bool(held))


def _count_row(
    ours: list[Run], grid: list[Run], exponential: list[Run]
) -> tuple[str, str, str, str, str, bool]:
    counts = [_count(runs) for runs in (ours, grid, exponential)]
    shown = [f"{count:.1f}" for count in counts]
    return ("invocations, mean", "<= 12", shown[0], shown[1], shown[2], counts[0] <= 12)


def _spent_row(
    ours: list[Run], grid: list[Run], exponential: list[Run]
) -> tuple[str, str, str, str, str, bool]:
    spent = [float(np.median([r.spent for r in runs])) for runs in (ours, grid, exponential)]
    shown = [f"{each:.0f}" for each in spent]
    what = "exploration cost, in invocations at the optimum, median"
    return (what, "<= 25", shown[0], shown[1], shown[2], spent[0] <= 25)


def _curve_row(pool: Any, functions: list[Function]) -> tuple[str, str, str, str, str, bool]:
    """Error at a left-out interior size, averaged by function; the plain forms beside it."""
    names = [function.name for function in functions]
    errors = np.array(pool.map(_left_out_errors, names, chunksize=2))
    mean, median = errors.mean(axis=0), np.median(errors, axis=0)
    shown = [f"{a:.1%} / {b:.1%}" for a, b in zip(mean, median, strict=True)]
    held = bool(mean[0] <= 0.026 and median[0] <= 0.015)
    what = "error at a left-out size, mean / median (beside: powers, exponential)"
    return (what, "<= 2.6 / 1.5%", shown[0], shown[1], shown[2], held)


def _left_out_errors(name: str) -> tuple[float, float, float]:
    function = next(f for f in recorded_functions() if f.name == name)
    errors = []
    for left_out in function.sizes_mb[1:-1]:
        sizes = [size for size in function.sizes_mb if size != left_out]
        durations = [function.truth_ms(size) for size in sizes]
        curve = fit_curve(
            [sample for size in sizes for sample in _recorded_samples(function, size)]
        )
        guesses = (
            float(np.exp(np.log(curve.draws_ms([left_out])).mean())),
            float(fit_powers(sizes, durations)([left_out])[0]),
            float(fit_exponential(sizes, durations)([left_out])[0]),
        )
        errors.append([abs(guess / function.truth_ms(left_out) - 1) for guess in guesses])
    a, b, c = np.mean(errors, axis=0)
    return float(a), float(b), float(c)


def _recorded_samples(function: Function, memory_mb: int) -> list[Sample]:
    """What was recorded at a size; a mean, where the source gives no more, counts ten times."""
    recorded = function.recorded_ms[memory_mb]
    durations = recorded if len(recorded) > 1 else [*recorded] * 10
    return [Sample(memory_mb, d, f"{memory_mb}/{e}") for e, d in enumerate(durations)]


def _regrets(runs: list[Run]) -> str:
    mean = np.mean([run.regret for run in runs])
    return f"{mean:.2%} / {max(by_function(runs).values()):.2%}"


def _count(runs: list[Run]) -> float:
    return float(np.mean([run.invocation_count for run in runs]))


def _table(title: str) -> Table:
    table = Table(title=title)
    for column in ("what", "target", "measured", "grid 6 x 10", "exponential 6 x 8", ""):
        table.add_column(column)
    return table


def _print(
    console: Console, table: Table, rows: Sequence[tuple[str, str, str, str, str, bool]]
) -> int:
    for *cells, held in rows:
        table.add_row(*cells, "ok" if held else "MISSED")
    console.print(table)
    return sum(not row[-1] for row in rows)


if __name__ == "__main__":
    started_s = time.monotonic()
    status = main(sys.argv[1:])
    Console().print(f"{time.monotonic() - started_s:.0f} s")
    sys.exit(status)
