"""Which sizes may be recommended at all, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.decision.latency import learn_scatter
from tuner.decision.percentile import samples_needed, upper_bound_ms
from tuner.decision.replies import differing_mb, next_to_differing
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.question import Question
    from tuner.model.arrays import Flags
    from tuner.model.prior_evidence import PriorEvidence

HEADROOM_USE_RATIO: Final = 0.8
"""A size must leave 20% of its memory unused, because some day needs more than a few calls show."""
_SURE_QUANTILE = 0.9
_ENOUGH_FOR_MOST: Final = 1000
"""Invocations after which the largest use that was seen is about the largest there is."""

Bar = Literal[
    "out of range", "fails", "untried", "headroom", "other replies", "timeout", "too slow",
    "too dear",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Latency:
    """The latency that a limit is checked against, at one size: the worst payload's."""

    memory_mb: int
    bound_ms: float
    """One-sided 90% upper bound."""
    measured: bool
    """Whether it rests on samples alone (a percentile: distribution-free) and not on the curve."""
    samples_missing: int


@dataclass(frozen=True, slots=True)
class Constraints:
    """For every candidate: None, or what bars it."""

    bars: Mapping[int, Bar | None]
    latencies: Mapping[int, Latency]
    """By size; empty without a latency limit."""

    def allowed(self, sizes_mb: tuple[int, ...]) -> Flags:
        """One truth value for each size."""
        return np.array([self.bars[size] is None for size in sizes_mb])


def apply_constraints(question: Question, evidence: Evidence, estimates: Estimates) -> Constraints:
    """Judge every size of the estimates; one that isn't a candidate is out of range."""
    goal, timeout_s = question.goal, question.function.timeout_s
    different = frozenset[int]()
    if not goal.allow_different_replies:
        different = differing_mb(evidence, question.function.memory_mb)
    latencies = (
        {} if goal.max_duration_ms is None else _latencies(evidence, estimates, goal.percentile)
    )
    cost = estimates.cost_usd.mean(axis=0) * 1e6
    slowest = estimates.worst_ms.mean(axis=0)
    bars: dict[int, Bar | None] = {}
    for column, size in enumerate(estimates.sizes_mb):
        bar: Bar | None = "out of range" if size not in question.candidates else None
        bar = bar or platform_bar(evidence, size) or production_bar(question, size)
        if bar is None and next_to_differing(evidence, size, different):
            bar = "other replies"
        succeeded = evidence.success_counts.get(size, 0)
        if bar is None and not succeeded and slowest[column] > timeout_s * 1000:
            bar = "timeout"
        if bar is None and latencies and latencies[size].bound_ms > (goal.max_duration_ms or 0):
            bar = "too slow"
        limit = goal.max_cost_usd_per_million
        if bar is None and limit is not None and cost[column] > limit:
            bar = "too dear"
        bars[size] = bar
    return Constraints(bars, latencies)


def platform_bar(evidence: Evidence, memory_mb: int) -> Bar | None:
    """Whether a size fails or is short of memory, as far as the invocations show."""
    for size, counts in evidence.failures.items():
        if size == memory_mb:
            return "fails"
        slow = counts[Outcome.TIMEOUT] and not succeeds_below(evidence, size)
        floor = counts[Outcome.OUT_OF_MEMORY] or slow
        if floor and memory_mb < size:
            return "fails"
    gap = floor_gap_mb(evidence)
    if gap is not None and gap[0] < memory_mb < gap[1]:
        return "untried"
    used = expected_use_mb(evidence, memory_mb)
    return "headroom" if used is not None and used > HEADROOM_USE_RATIO * memory_mb else None


def succeeds_below(evidence: Evidence, memory_mb: int) -> bool:
    """Whether a smaller size succeeded: then it's not for its size that one takes too long."""
    return any(n and m < memory_mb for m, n in evidence.success_counts.items())


def fails_at_random(evidence: Evidence, memory_mb: int) -> bool:
    """Whether a size fails now and then for reasons other than memory: it has succeeded too, wasn't
    killed for memory, and where it timed out, a smaller one succeeded.
    """
    counts = evidence.failures.get(memory_mb)
    if counts is None or counts[Outcome.OUT_OF_MEMORY] or memory_mb not in evidence.measured_mb:
        return False
    return not counts[Outcome.TIMEOUT] or succeeds_below(evidence, memory_mb)


def production_bar(question: Question, memory_mb: int) -> Bar | None:
    """Whether production was killed at a size or leaves too little of it free, as far as an
    observation shows. What production runs at without a kill may stay.
    """
    prior = question.prior
    if prior is None or prior.source != "observation":
        return None
    if prior.killed_mb is not None and memory_mb <= prior.killed_mb:
        return "fails"
    if memory_mb == question.function.memory_mb:
        return None
    used = _use_near(_production_use_mb(prior), memory_mb)
    return "headroom" if used is not None and used > HEADROOM_USE_RATIO * memory_mb else None


def _production_use_mb(prior: PriorEvidence) -> dict[int, int]:
    """The largest use at each size that ran often enough to show it; else of the one where it was
    the largest.
    """
    known = {
        each.memory_mb: (each.max_memory_used_mb, each.invocation_count)
        for each in prior.production
        if each.max_memory_used_mb is not None
    }
    most = max(known.values(), default=(0, 0))[0]
    return {
        size: used
        for size, (used, count) in known.items()
        if used == most or count >= _ENOUGH_FOR_MOST
    }


def floor_gap_mb(evidence: Evidence) -> tuple[int, int] | None:
    """(largest size killed for memory, smallest larger one that succeeded): the memory floor is in
    between. None without a kill, or if nothing above it succeeded.
    """
    killed = [m for m, counts in evidence.failures.items() if counts[Outcome.OUT_OF_MEMORY]]
    floor = max(killed, default=None)
    if floor is None:
        return None
    alive = [m for m, n in evidence.success_counts.items() if n and m > floor]
    return (floor, min(alive)) if alive else None


def expected_use_mb(evidence: Evidence, memory_mb: int) -> int | None:
    """Largest observed use at the size; else at the next larger one, because runtimes with a
    garbage collector use more if there is more; else at the next smaller. None if nothing was seen.
    """
    return _use_near(evidence.memory_used_mb, memory_mb)


def _use_near(used_mb: Mapping[int, int], memory_mb: int) -> int | None:
    seen = sorted(used_mb)
    if not seen:
        return None
    return used_mb[next((size for size in seen if size >= memory_mb), seen[-1])]


def _latencies(
    evidence: Evidence, estimates: Estimates, percentile: float | None
) -> dict[int, Latency]:
    """Bound the mean by the curve, a percentile by a size's samples if there are enough."""
    if percentile is None:
        means = np.quantile(estimates.worst_ms, _SURE_QUANTILE, axis=0)
        return {
            size: Latency(size, float(bound), measured=True, samples_missing=0)
            for size, bound in zip(estimates.sizes_mb, means, strict=True)
        }
    needed = samples_needed(percentile)
    worst_ms = learn_scatter(evidence, estimates, [percentile]).worst_ms(
        evidence.samples, slice(None)
    )[0]
    modelled = np.quantile(worst_ms, _SURE_QUANTILE, axis=0)
    latencies = {}
    for size, bound in zip(estimates.sizes_mb, modelled, strict=True):
        durations = [evidence.warm_ms(payload, size) for payload in evidence.samples]
        missing = sum(max(needed - len(each), 0) for each in durations)
        known = [upper_bound_ms(each, percentile) or 0.0 for each in durations if not missing]
        latencies[size] = Latency(
            size, max(known, default=float(bound)), measured=not missing, samples_missing=missing
        )
    return latencies
