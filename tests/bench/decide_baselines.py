"""What others do: a fixed grid with trimmed means, and an exponential fit."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from tests.bench.decide_runs import Run
from tests.bench.decide_world import World, cost_usd
from tuner.decision.policy import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.decide_world import Function

GRID_MB = (128, 256, 512, 1024, 1536, 3008)


def grid_run(function: Function, seed: int) -> Run:
    """Ten invocations at each size of the grid, trimmed means (a fifth off either end), the
    cheapest wins. Sizes that fail are left out.
    """
    world = World(function, random.Random(f"{function.name}/{seed}"))
    means = {}
    for size in GRID_MB:
        if size < function.sizes_mb[0]:
            continue
        durations = sorted(_durations(world, size, 10))
        if durations and function.survives(size):
            means[size] = float(np.mean(durations[2:-2] if len(durations) > 4 else durations))
    best = min(means, key=lambda size: cost_usd(size, means[size]))
    return _run(function, world, best)


def exponential_run(function: Function, seed: int) -> Run:
    """Eight invocations at each of six sizes, then a + b exp(-m / c) by least squares, and the
    cheapest multiple of 64 MB.
    """
    world = World(function, random.Random(f"{function.name}/{seed}"))
    sizes, durations = [], []
    for size in (128, 512, 1024, 1536, 2048, 3008):
        if size < function.sizes_mb[0]:
            continue
        taken = _durations(world, size, 8)
        if taken and function.survives(size):
            sizes.append(size)
            durations.append(float(np.mean(taken)))
    curve = fit_exponential(sizes, durations)
    answers = [m for m in range(128, 3009, 64) if m >= sizes[0]]
    best = min(answers, key=lambda size: cost_usd(size, float(curve([size])[0])))
    return _run(function, world, best)


def fit_exponential(
    sizes_mb: Sequence[int], durations_ms: Sequence[float]
) -> Callable[[Sequence[int]], np.ndarray]:
    """Non-negative a and b for the best of sixty scales c, by relative errors."""
    sizes, durations = np.asarray(sizes_mb, float), np.asarray(durations_ms)
    fits = []
    for scale in np.geomspace(30, 3000, 60):
        basis = np.column_stack([np.ones_like(sizes), np.exp(-sizes / scale)])
        weights, residual = nnls(basis / durations[:, None], np.ones(len(durations)))
        fits.append((residual, scale, weights))
    _, scale, (level, drop) = min(fits, key=lambda fit: fit[0])
    return lambda wanted: level + drop * np.exp(-np.asarray(wanted, float) / scale)


def fit_powers(
    sizes_mb: Sequence[int], durations_ms: Sequence[float]
) -> Callable[[Sequence[int]], np.ndarray]:
    """The plain form: non-negative least squares over powers of capped CPU share."""
    durations = np.asarray(durations_ms)
    weights, _ = nnls(_powers(sizes_mb) / durations[:, None], np.ones(len(durations)))
    return lambda wanted: _powers(wanted) @ weights


def _powers(sizes_mb: Sequence[int]) -> np.ndarray:
    vcpu = np.asarray(sizes_mb, float) / 1769
    columns = [np.minimum(vcpu, cap) ** -k for k in (1, 1.3, 2) for cap in (1, 2, 4, 6)]
    return np.column_stack([np.ones_like(vcpu), *columns])


def _durations(world: World, size: int, count: int) -> list[float]:
    """Durations of all invocations that succeed, the cold one's handler among them."""
    done = [world.invoke(Trial(size, "empty")) for _ in range(count)]
    return [i.report.duration_ms for i in done if i.outcome.value == "success" and i.report]


def _run(function: Function, world: World, memory_mb: int) -> Run:
    regret = function.regret(memory_mb) if function.survives(memory_mb) else 1.0
    return Run(function.name, function.source, memory_mb, regret, len(world.done), world.spent)
