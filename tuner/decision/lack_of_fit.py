"""Where a size's own warm samples and the curve disagree beyond noise.

The curve's forms fall with memory, or stay. A duration that rises with it, or has its least in the
middle, comes out flat; then what was measured at a size is truer of it than the curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.estimates import rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.question import Question

_LEAST_SAMPLES: Final = 2
_LEAST_LOG_RATIO: Final = math.log(1.1)
_SURE_DEVIATIONS: Final = 4.0
_LIKELY_DEVIATIONS: Final = 2.0
"""Once one size is surely apart the curve's form is wrong, and others need less to be so."""
_ENVIRONMENT_RATIO: Final = 0.05
"""How much environments of one size may differ, with one of them seen or several."""
_SEED: Final = 3008
"""A random stream of its own, independent of the curve's draws."""


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """One payload at one size: what a typical call took, by its samples and by the curve."""

    payload: str
    memory_mb: int
    sample_ms: float
    curve_ms: float
    deviation_ratio: float
    """Of the samples' middle, as far as noise goes."""


def find_lack_of_fit(evidence: Evidence, estimates: Estimates) -> tuple[LackOfFit, ...]:
    """Payloads and sizes where both differ by more than noise, sizes ascending."""
    return tuple(
        each
        for payload in estimates.by_payload_ms
        if _apart(payload, evidence, estimates, _SURE_DEVIATIONS)
        for each in _apart(payload, evidence, estimates, _LIKELY_DEVIATIONS)
    )


def _apart(
    payload: str, evidence: Evidence, estimates: Estimates, deviation_count: float
) -> list[LackOfFit]:
    """Sizes of one payload that are apart by so many standard deviations."""
    draws, found = estimates.by_payload_ms[payload], []
    typical = np.log(draws) - np.reshape(estimates.curves[payload].slow_log_ratio, (-1, 1))
    sampled = {each.memory_mb for each in evidence.samples[payload] if not each.cold}
    for size in sorted(sampled & set(estimates.sizes_mb)):
        column, samples = estimates.column(size), evidence.warm_ms(payload, size)
        if len(samples) < _LEAST_SAMPLES or min(samples) <= 0:
            continue
        logs = [math.log(each) for each in samples]
        middle, curve = median(logs), float(typical[:, column].mean())
        spread = 1.48 * median(abs(each - middle) for each in logs)
        within = max(spread, estimates.curves[payload].within_ratio)
        deviation = math.hypot(1.25 * within / math.sqrt(len(logs)), _ENVIRONMENT_RATIO)
        room = deviation_count * math.hypot(deviation, float(typical[:, column].std()))
        # A millisecond more or less is no matter of memory.
        if abs(middle - curve) > max(room, _LEAST_LOG_RATIO, 1 / math.exp(middle)):
            found.append(LackOfFit(payload, size, math.exp(middle), math.exp(curve), deviation))
    return found


def with_sample_levels(
    estimates: Estimates, found: Sequence[LackOfFit], question: Question, evidence: Evidence
) -> Estimates:
    """Return the estimates with the samples' level in the curve's place where they differ."""
    if not found:
        return estimates
    durations = {name: draws.copy() for name, draws in estimates.by_payload_ms.items()}
    costs = {name: draws.copy() for name, draws in estimates.by_payload_usd.items()}
    _, ms_usd = rates(question, estimates.sizes_mb)
    rng = np.random.default_rng(_SEED)
    for each in found:
        column, draws = estimates.column(each.memory_mb), durations[each.payload]
        noise = each.deviation_ratio * rng.standard_normal(len(draws))
        level = each.sample_ms * np.exp(noise + estimates.curves[each.payload].slow_log_ratio)
        costs[each.payload][:, column] += ms_usd[column] * (level - draws[:, column])
        draws[:, column] = level
    weights = evidence.weights
    return replace(
        estimates,
        duration_ms=np.asarray(sum(weights[name] * draws for name, draws in durations.items())),
        worst_ms=np.max(list(durations.values()), axis=0),
        cost_usd=np.asarray(sum(weights[name] * cost for name, cost in costs.items())),
        by_payload_ms=durations,
        by_payload_usd=costs,
    )
