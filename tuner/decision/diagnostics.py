"""What single environments show from call to call: leaks, slow starts, two modes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.decision.problem import Problem
    from tuner.model.invocation import Invocation
    from tuner.model.sweep import Sweep

_LEAK_STEPS = 3
_LEAK_RATIO = 0.05
_SLOW_START = 1.5
_LEFT_TO_SETTLE = 0.05
_MODES_APART = 0.25
_MODE_SHARE = 0.2
_MODE_SAMPLES = 10


def environment_findings(sweep: Sweep) -> Iterator[Finding]:
    """Memory that grows from call to call: an environment's peak never falls, but it settles."""
    environments: dict[str, list[Invocation]] = {}
    for invocation in sweep.invocations:
        if invocation.environment is not None:
            environments.setdefault(invocation.environment, []).append(invocation)
    worst: tuple[int, list[int]] = (0, [])
    for calls in environments.values():
        used = [i.report.max_memory_used_mb for i in calls if i.report]
        known = [mb for mb in used if mb is not None]
        growth = [b - a for a, b in pairwise(known)]
        # The last step must grow as well: what has settled is a cache, not a leak.
        if sum(step > 0 for step in growth) >= _LEAK_STEPS and growth[-1] > 0:
            gained = known[-1] - known[0]
            if gained > _LEAK_RATIO * known[0] and gained > worst[0]:
                worst = (gained, known)
    gained, known = worst
    if known:
        yield Finding(
            "memory_grows",
            "warning",
            f"memory grew from {known[0]} to {known[-1]} MB over {len(known)} calls in one "
            f"environment: look for a leak, since a size that fits now may not fit tomorrow",
        )


def distribution_findings(problem: Problem) -> Iterator[Finding]:
    """Cold starts that outweigh the work, slow first calls, and durations in two groups."""
    yield from _cold_starts(problem)
    yield from _first_calls(problem)
    yield from _modes(problem)


def _cold_starts(problem: Problem) -> Iterator[Finding]:
    """INIT compared with the handler, over the observed cold starts."""
    seen = problem.evidence.cold_starts
    if not seen:
        return
    extra_ms = float(np.mean([cold.billed_extra_ms for cold in seen]))
    work_ms = float(
        problem.estimates.duration_ms[:, problem.estimates.column(problem.current_mb)].mean()
    )
    if extra_ms > work_ms:
        yield Finding(
            "cold_start_dominates",
            "info",
            f"a cold start bills {extra_ms:.0f} ms of INIT, more than the {_ms(work_ms)} of work "
            f"at {problem.current_mb} MB: `cold_start_share` matters here; load less at start",
        )
    warm = problem.estimates.duration_ms.mean(axis=0)
    sizes = problem.estimates.sizes_mb
    ratios = [
        cold.duration_ms / warm[sizes.index(cold.memory_mb)]
        for cold in seen
        if cold.memory_mb in sizes
    ]
    slowness = float(np.median(ratios)) if len(ratios) > 1 else 1.0
    if slowness > _SLOW_START:
        yield Finding(
            "first_call_slow",
            "info",
            f"an environment's first call takes {slowness:.1f}× as long as later ones, not "
            f"counting INIT: whoever gets a cold start waits for it",
        )


def _first_calls(problem: Problem) -> Iterator[Finding]:
    """Warm calls that are slower while their environment is young."""
    for name, curve in problem.estimates.curves.items():
        settling = curve.settling
        if not settling.is_likely:
            continue
        last = max(s.call_number or 0 for s in problem.evidence.samples[name])
        left = settling.doubt(last - 1)
        of = "" if len(problem.estimates.curves) == 1 else f" with payload {name}"
        slower = (
            f"an environment's first warm calls are slower{of}: the first by about "
            f"{np.expm1(settling.extra_at(1)):.0%}, call {last} by about "
            f"{np.expm1(settling.extra_at(last)):.0%}"
        )
        settled = left <= _LEFT_TO_SETTLE
        yield Finding(
            "slow_first_calls" if settled else "first_calls_unsettled",
            "info" if settled else "warning",
            f"{slower}; durations and costs here are of later calls"
            if settled
            else f"{slower}; durations and costs here are estimates of later calls, which no "
            f"environment of this sweep reached",
        )


def _modes(problem: Problem) -> Iterator[Finding]:
    """A gap in the middle of the durations, after removing the sizes' medians."""
    residuals: list[float] = []
    for payload, samples in problem.evidence.samples.items():
        for size in problem.measured:
            logs = np.log(
                [
                    max(s.duration_ms, 0.01)
                    for s in problem.estimates.curves[payload].settled(samples)
                    if s.memory_mb == size and not s.cold
                ]
            )
            if len(logs) >= _MODE_SAMPLES:
                residuals += list(logs - np.median(logs))
    if not residuals:
        return
    ordered = np.sort(residuals)
    margin = int(np.ceil(_MODE_SHARE * len(ordered)))
    gaps = np.diff(ordered)[margin - 1 : len(ordered) - margin]
    if len(gaps) and gaps.max() > _MODES_APART:
        place = margin + int(gaps.argmax())
        apart = float(np.exp(ordered[place:].mean() - ordered[:place].mean()))
        yield Finding(
            "two_modes",
            "warning",
            f"durations fall into two groups, {apart:.1f}× apart ({place} and "
            f"{len(ordered) - place} samples), and a mean describes neither: look for a cache or a "
            f"branch, and tune with payloads of one kind",
        )


def _ms(duration_ms: float) -> str:
    return f"{duration_ms:.0f} ms" if duration_ms >= 10 else f"{duration_ms:.2g} ms"
