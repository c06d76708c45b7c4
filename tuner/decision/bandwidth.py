"""A duration that falls with memory in a way that CPU doesn't explain: bandwidth, perhaps.

Waiting, work on one thread or several, and pressure at small sizes are sums of powers of memory
that fall, each up to some size (`tuner.inference.prior`). The logarithm of such a sum is convex
over the logarithm of memory (log-sum-exp; Boyd and Vandenberghe, Convex Optimization, 3.1.5): each
doubling gains no more than the last one did. Bandwidth that begins to grow at 2,048 MB is a bend
the other way. It's tested on the samples alone, because the curve's prior has no such shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import figure
from tuner.model.lambda_limits import MB_PER_VCPU, QUOTA_WINDOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.problem import Problem

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: network bandwidth grows
# with memory from here on, in accounts that opted in.
BANDWIDTH_FROM_MB: Final = 2048
_BETWEEN_RATIO: Final = 0.03
"""Assumed scatter between environments, as in the value of information."""
_SURE: Final = 3.5
"""In standard errors: one false alarm by chance in 4,000 sweeps."""
_LEAST_GAIN: Final = math.log(1.05)
"""Of the largest size over every size up to 2,048 MB, and of the bend there."""
_FROM_MB: Final = MB_PER_VCPU // 2
"""Below, other reasons bend the curve."""
_LEAST_SAMPLES: Final = 2
_LEAST_WINDOWS: Final = 10.0
"""Shorter runs follow the CPU quota's windows, in steps that bend either way."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The mean duration at a size, as a logarithm with its standard error."""

    memory_mb: int
    log_ms: float
    error: float

    @property
    def said(self) -> str:
        """In words."""
        return f"{figure(math.exp(self.log_ms))} ms at {self.memory_mb} MB"


def bandwidth_findings(problem: Problem) -> Iterator[Finding]:
    """Say where more memory above 2,048 MB gains more than CPU does."""
    found = [_bend(_levels(problem, payload)) for payload in problem.evidence.samples]
    sure = [bend for bend in found if bend is not None and bend[0] >= _SURE]
    if not sure:
        return
    _, levels = max(sure, key=lambda bend: bend[0])
    low, high = levels[0], levels[-1]
    middle = max(
        (each for each in levels[1:] if each.memory_mb <= BANDWIDTH_FROM_MB),
        key=lambda each: each.memory_mb,
    )
    yield Finding(
        "faster_than_cpu_explains",
        "info",
        f"gains more from memory above {BANDWIDTH_FROM_MB} MB than below: {low.said}, "
        f"{middle.said}, {high.said}. CPU doesn't do that, however many cores are used; network "
        f"bandwidth may, which grows with memory from {BANDWIDTH_FROM_MB} MB in accounts that "
        "opted in, or data that fits into memory only there. Sizes not measured may be off: "
        "measure those above with `memory_sizes_mb`",
    )


def _levels(problem: Problem, payload: str) -> list[_Level]:
    """What is known of one payload, size by size, ascending."""
    samples = problem.estimates.curves[payload].settled(problem.evidence.samples[payload])
    within = problem.estimates.curves[payload].within_ratio
    levels = []
    for size in problem.measured:
        warm = [each for each in samples if each.memory_mb == size and not each.cold]
        if len(warm) < _LEAST_SAMPLES:
            continue
        durations = np.array([max(each.duration_ms, 0.01) for each in warm])
        seen = float(durations.std(ddof=1) / durations.mean())
        environments = len({each.environment for each in warm})
        variance = max(within, seen) ** 2 / len(warm) + _BETWEEN_RATIO**2 / environments
        levels.append(_Level(size, math.log(durations.mean()), math.sqrt(variance)))
    return levels


def _bend(levels: Sequence[_Level]) -> tuple[float, list[_Level]] | None:
    """How much more each doubling gains above 2,048 MB, in standard errors, and the levels from
    half a vCPU on; None without enough sizes, for short runs, and unless the largest size is faster
    than every one up to there.
    """
    known = [each for each in levels if each.memory_mb >= _FROM_MB]
    below = [each for each in known if each.memory_mb <= BANDWIDTH_FROM_MB]
    if len(below) < 2 or len(known) == len(below):
        return None
    fastest = min(each.log_ms for each in below)
    if math.exp(fastest) < _LEAST_WINDOWS * QUOTA_WINDOW_MS:
        return None
    if fastest - known[-1].log_ms < _LEAST_GAIN:
        return None
    octaves = np.log2([each.memory_mb / BANDWIDTH_FROM_MB for each in known])
    basis = np.column_stack(
        [np.ones_like(octaves), np.minimum(octaves, 0.0), np.maximum(octaves, 0.0)]
    )
    weights = 1 / np.array([each.error for each in known])
    weighted, seen = basis * weights[:, None], np.array([each.log_ms for each in known]) * weights
    fitted = np.linalg.lstsq(weighted, seen, rcond=None)[0]
    covariance = np.linalg.inv(weighted.T @ weighted)
    freedom = len(known) - 3
    residual = float(((seen - weighted @ fitted) ** 2).sum())
    scatter = max(residual / freedom, 1.0) if freedom else 1.0
    contrast = np.array([0.0, 1.0, -1.0])
    bend, variance = float(contrast @ fitted), float(contrast @ covariance @ contrast)
    if bend * float(octaves[-1]) < _LEAST_GAIN:
        return None
    return bend / math.sqrt(variance * scatter), known
