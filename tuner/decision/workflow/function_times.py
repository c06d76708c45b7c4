"""How long a function takes at every size, and what it costs: of single calls, cold ones too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.estimates import billed_extra_ms, slowness
from tuner.decision.latency import learn_scatter
from tuner.errors import InputError
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.decision.analysis import Analysis
    from tuner.decision.evidence import ColdStart
    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats
    from tuner.model.sweep import Sweep

PERCENTILES: Final = (
    0.05, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90,
    92, 94, 95, 96, 97, 97.5, 98, 98.25, 98.5, 98.75, 99, 99.2, 99.4, 99.6, 99.8, 99.9, 99.95,
    99.98, 99.99, 99.999,
)  # fmt: skip
"""Where the distribution of single calls is known; linear in between. Dense at its end, which the
slowest of many calls at once comes from."""
_INIT_SCATTER: Final = 0.15
"""Single INITs scatter by some 15%."""
_SEED: Final = 1769


@dataclass(frozen=True, slots=True)
class Draw:
    """One state of knowledge of a function: the typical one, or a draw of the posterior.

    A warm call of a payload takes its mean at the size times a ratio; a cold one takes
    `slowness` times as long, and INIT before.
    """

    mean_ms: Floats
    """(payloads, sizes)."""
    ratios: Floats
    """At `PERCENTILES`: (payloads, percentiles)."""
    init_ms: Floats
    """(sizes,)."""
    cost_usd: Floats
    """Of one invocation: (sizes,)."""


@dataclass(frozen=True, slots=True)
class FunctionTimes:
    """A function of a workflow; sizes ascend, and are those that it may have and the current."""

    name: str
    sizes_mb: tuple[int, ...]
    allowed: tuple[bool, ...]
    """Not so for a current size that fails or is short of memory."""
    measured: tuple[bool, ...]
    current_mb: int
    payload_weights: tuple[float, ...]
    slowness: tuple[float, ...]
    """By payload."""
    cold_share: float
    typical: Draw
    draws: tuple[Draw, ...]

    def column(self, memory_mb: int) -> int:
        """The column of a size."""
        return self.sizes_mb.index(memory_mb)

    @property
    def duration_ms(self) -> Floats:
        """The payload mix's mean warm duration: (sizes,)."""
        return np.asarray(np.array(self.payload_weights) @ self.typical.mean_ms)


def function_times(name: str, analysis: Analysis) -> FunctionTimes:
    """Read them from a sweep's analysis. Raises InputError if its samples are too few."""
    problem = analysis.problem
    if problem is None:
        raise InputError(
            f"the sweep of {name} has too few warm samples for a curve: run tuner tune {name}"
        )
    estimates, current_mb = problem.estimates, problem.current_mb
    bars = problem.constraints.bars
    columns = [
        column
        for column, size in enumerate(estimates.sizes_mb)
        if bars[size] is None or size == current_mb
    ]
    sizes = tuple(estimates.sizes_mb[column] for column in columns)
    if not any(bars[size] is None for size in sizes):
        raise InputError(f"{name} may have none of its sweep's sizes: run tuner report {name}")
    draws = [*_draws(problem, analysis.sweep, columns)]
    cold, curves = problem.evidence.cold_starts, estimates.curves
    measured = set(problem.evidence.measured_mb)
    return FunctionTimes(
        name=name,
        sizes_mb=sizes,
        allowed=tuple(bars[size] is None for size in sizes),
        measured=tuple(size in measured for size in sizes),
        current_mb=current_mb,
        payload_weights=tuple(problem.evidence.weights[each] for each in estimates.by_payload_ms),
        slowness=tuple(slowness(cold, curves[each], each) for each in estimates.by_payload_ms),
        cold_share=problem.question.goal.cold_share,
        typical=_typical(draws),
        draws=tuple(draws),
    )


def _draws(problem: Problem, sweep: Sweep, columns: list[int]) -> Iterator[Draw]:
    estimates = problem.estimates
    scatter = learn_scatter(problem.evidence, estimates, PERCENTILES)
    payloads = list(estimates.by_payload_ms)
    mean_ms = np.array([estimates.by_payload_ms[each][:, columns] for each in payloads])
    ratios = np.array([scatter.ratios[each] for each in payloads])
    count = mean_ms.shape[1]
    sizes = [estimates.sizes_mb[column] for column in columns]
    init_ms = billed_extra_ms(_inits(problem, sweep), sizes, count, np.random.default_rng(_SEED))
    cost = estimates.cost_usd[:, columns]
    for number in range(count):
        yield Draw(mean_ms[:, number], ratios[:, number], init_ms[number], cost[number])


def _inits(problem: Problem, sweep: Sweep) -> list[ColdStart]:
    """Cold starts with all of INIT or restore, billed or not: a caller waits for it."""
    waits = [
        report.init_duration_ms or report.restore_duration_ms or 0.0
        for each in sweep.invocations
        if each.outcome is Outcome.SUCCESS and each.cold_start and each.discarded is None
        if (report := each.report) is not None
    ]
    cold = problem.evidence.cold_starts
    if len(waits) != len(cold):  # of one value of a varied parameter: what was billed
        return list(cold)
    return [replace(each, billed_extra_ms=ms) for each, ms in zip(cold, waits, strict=True)]


def _typical(draws: list[Draw]) -> Draw:
    """The median of the draws, and of cost the mean: bills are means, and rare slow calls that
    nobody has seen have no upper limit.
    """
    return Draw(
        np.median([each.mean_ms for each in draws], axis=0),
        np.median([each.ratios for each in draws], axis=0),
        np.median([each.init_ms for each in draws], axis=0),
        np.mean([each.cost_usd for each in draws], axis=0),
    )


def init_factor(deviation: Floats) -> Floats:
    """How a single INIT deviates from the usual one."""
    return np.asarray(np.exp(_INIT_SCATTER * deviation - _INIT_SCATTER**2 / 2))
