"""How long sampled executions take, and what they cost, at any sizes of the functions.

For every run of a machine, the time in a function is its mean duration at the size times a number
that doesn't depend on the size. `Latency` has those numbers as a matrix for each machine, so that
sizes only pick its factors: a percentile of the whole takes less than a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.workflow.function_times import PERCENTILES, init_factor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.decision.workflow.executions import Calls, Join, Runs
    from tuner.decision.workflow.function_times import Draw, FunctionTimes
    from tuner.model.arrays import Floats, Indices

    Sizes = Sequence[int]

_SHARES = np.array(PERCENTILES) / 100


class Latency:
    """Executions under one state of knowledge of their functions.

    `columns` in the methods has the column of each function's size, in the functions' order.
    """

    def __init__(
        self, runs: Runs, functions: Sequence[FunctionTimes], draws: Sequence[Draw]
    ) -> None:
        starts = np.cumsum([0, *(len(each.payload_weights) + 1 for each in functions)])
        self._draws = draws
        known = {
            each.name: (int(start), each, draw)
            for start, each, draw in zip(starts, functions, draws, strict=False)
        }
        self._machine = _Machine.of(runs, known)
        self._ended = ~runs.failed if not runs.failed.all() else np.ones(runs.count, dtype=bool)
        self._call_counts = np.array(
            [runs.call_counts[each.name].mean() if each.name in runs.call_counts else 0.0
             for each in functions]
        )  # fmt: skip

    @property
    def call_counts(self) -> Floats:
        """Invocations of each function in an execution, on average."""
        return self._call_counts

    def durations_ms(self, columns: Sizes) -> Floats:
        """Of every execution that succeeds (of all, if none does)."""
        parts = [
            np.append(draw.mean_ms[:, column], draw.init_ms[column])
            for draw, column in zip(self._draws, columns, strict=True)
        ]
        return self._machine.durations_ms(np.concatenate(parts) if parts else np.zeros(0))[
            self._ended
        ]

    def percentile_ms(self, columns: Sizes, percentile: float) -> float:
        """A percentile (0 to 100) of them."""
        durations = self.durations_ms(columns)
        place = (len(durations) - 1) * percentile / 100
        low = int(place)
        high = min(low + 1, len(durations) - 1)
        ordered = np.partition(durations, (low, high))
        return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))

    def cost_usd(self, columns: Sizes) -> float:
        """The expected cost of one execution's invocations."""
        return sum(
            float(count * draw.cost_usd[column])
            for count, draw, column in zip(self._call_counts, self._draws, columns, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Machine:
    """A machine's runs: their times are `fixed_ms` and `weights` times the functions' numbers."""

    fixed_ms: Floats
    columns: Indices
    weights: Floats
    """(runs, columns)."""
    joins: tuple[tuple[Join, tuple[_Machine, ...]], ...]

    @classmethod
    def of(cls, runs: Runs, known: Mapping[str, tuple[int, FunctionTimes, Draw]]) -> _Machine:
        found: dict[int, Floats] = {}
        for calls in runs.calls:
            if calls.awaited:
                for column, run, ratios in _ratios(calls, *known[calls.function]):
                    weights = found.setdefault(column, np.zeros(runs.count))
                    weights += np.bincount(run, ratios, minlength=runs.count)
        return cls(
            runs.fixed_ms,
            np.array(sorted(found), dtype=np.intp),
            np.column_stack([found[each] for each in sorted(found)])
            if found
            else np.zeros((runs.count, 0)),
            tuple(
                (join, tuple(cls.of(within, known) for within in join.within))
                for join in runs.joins
            ),
        )

    def durations_ms(self, numbers: Floats) -> Floats:
        total = np.asarray(self.fixed_ms + self.weights @ numbers[self.columns])
        for join, machines in self.joins:
            within = [machine.durations_ms(numbers) for machine in machines]
            total[join.run] += _waited_ms(join, within)
        return total


def _ratios(
    calls: Calls, start: int, function: FunctionTimes, draw: Draw
) -> list[tuple[int, Indices, Floats]]:
    """(column, run of each call, what it adds of that column's number)."""
    edges = np.cumsum(function.payload_weights)[:-1]
    payload = np.searchsorted(edges, calls.payload, side="right")
    is_cold = calls.cold < function.cold_share
    found = []
    for number, slowness in enumerate(function.slowness):
        of = np.flatnonzero(payload == number)
        ratio = np.interp(calls.luck[of], _SHARES, draw.ratios[number])
        ratio *= np.where(is_cold[of], slowness, 1.0)
        found.append((start + number, calls.run[of], ratio))
    cold = np.flatnonzero(is_cold)
    init = (start + len(function.slowness), calls.run[cold], init_factor(calls.init[cold]))
    return [*found, init]


def _waited_ms(join: Join, within: Sequence[Floats]) -> Floats:
    """How long each visit waits for the runs within."""
    if join.counts is None:
        return np.asarray(np.max(within, axis=0))
    if join.is_pool:
        return _pooled_ms(join, np.sort(within[0]))
    first = np.concatenate([[0], np.cumsum(join.counts)[:-1]])
    most = int(join.counts.max())
    workers = join.max_concurrency or most
    if workers >= most:
        return np.asarray(np.maximum.reduceat(within[0], first))
    if workers == 1:
        return np.asarray(np.add.reduceat(within[0], first))
    items = np.full((len(first), most), -1)
    for item in range(most):
        items[:, item] = np.where(item < join.counts, first + item, -1)
    return _scheduled_ms(items, within[0], workers)


def _scheduled_ms(items: Indices, took_ms: Floats, workers: int) -> Floats:
    """When the last item ends: they start in their order, each where a worker is free first.

    `items` are indices into `took_ms`, −1 where there is none: (visits, items).
    """
    free = np.zeros((len(items), workers))
    for item in items.T:
        here = np.flatnonzero(item >= 0)
        worker = np.argmin(free[here], axis=1)
        free[here, worker] += took_ms[item[here]]
    return np.asarray(free.max(axis=1))


def _pooled_ms(join: Join, pool: Floats) -> Floats:
    """The same for many items, each like a run of an ascending pool.

    All at once: the largest of n, whose place is uniform to the power of 1/n. With fewer workers:
    all of them work until the items run out, and then each has left what is left of a run at a
    random moment (renewal theory: of density (1 − F(t)) / mean), of which the last one counts.
    """
    assert join.counts is not None
    assert join.luck is not None
    if join.picked is not None:
        assert join.max_concurrency is not None
        return _scheduled_ms(join.picked, pool, join.max_concurrency)[join.stands_in]
    counts, last = join.counts, len(pool) - 1
    largest = pool[np.rint(join.luck[0] ** (1 / counts) * last).astype(int)]
    workers = join.max_concurrency
    if workers is None or workers >= counts.max():
        return np.asarray(largest)
    mean = float(pool.mean())
    # A normal sum: its deviation by the same luck, of two uniform numbers (Box and Muller).
    normal = np.sqrt(-2 * np.log(np.maximum(join.luck[0], 1e-12))) * np.cos(
        2 * np.pi * join.luck[1]
    )
    total = counts * mean + np.sqrt(counts) * float(pool.std()) * normal
    if mean <= 0:
        return np.asarray(largest)
    steps = np.diff(np.concatenate([[0.0], pool])) * (1 - np.arange(len(pool)) / len(pool))
    share = np.cumsum(steps) / steps.sum()
    left_mean = float((pool**2).mean()) / (2 * mean)
    longest = np.interp(join.luck[1] ** (1 / workers), share, pool) if workers > 1 else 0.0
    if workers == 1:
        return np.asarray(np.maximum(total, largest))
    waited = (total - workers * left_mean) / workers + longest
    return np.asarray(np.where(counts > workers, np.maximum(waited, largest), largest))
