"""What was counted and estimated, size by size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.decision.estimates import interval, intervals, size_estimates
from tuner.model.breakdown import Breakdown, ColdStartEstimate, PayloadCurve
from tuner.model.invocation import Outcome
from tuner.model.recommendation import CurrentSize, SizeSummary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.latency import Scatter
    from tuner.decision.problem import Problem
    from tuner.model.invocation import Invocation
    from tuner.model.recommendation import SizeEstimate
    from tuner.model.sweep import Sweep


def summarise_sizes(sweep: Sweep, scatters: Sequence[Scatter]) -> Iterator[SizeSummary]:
    """One summary for each size and payload that was invoked: by ascending size, with payloads in
    the plan's order. `scatters` has every payload with a curve.
    """
    estimated = _by_payload(scatters, {invocation.memory_mb for invocation in sweep.invocations})
    groups: dict[tuple[int, str], list[Invocation]] = {}
    for invocation in sweep.invocations:
        groups.setdefault((invocation.memory_mb, invocation.payload), []).append(invocation)
    order = {payload.name: number for number, payload in enumerate(sweep.plan.payloads)}
    for (memory_mb, payload), group in sorted(
        groups.items(), key=lambda item: (item[0][0], order[item[0][1]])
    ):
        yield _summary(sweep, group, estimated.get((memory_mb, payload)))


def _by_payload(
    scatters: Sequence[Scatter], invoked_mb: Collection[int]
) -> dict[tuple[int, str], SizeEstimate]:
    """What each payload's curve says of the sizes that were invoked, by size and payload."""
    found = {}
    for scatter in scatters:
        of = scatter.estimates
        sizes = [size for size in of.sizes_mb if size in invoked_mb]
        columns = of.columns(sizes)
        for payload, durations_ms in of.by_payload_ms.items():
            costs_usd = of.by_payload_usd[payload][:, columns]
            percentiles = scatter.estimate([payload], sizes)
            for each in size_estimates(sizes, durations_ms[:, columns], costs_usd, sizes):
                key = (each.memory_mb, payload)
                found[key] = replace(each, percentiles=percentiles[each.memory_mb])
    return found


def _summary(
    sweep: Sweep, group: Sequence[Invocation], estimate: SizeEstimate | None
) -> SizeSummary:
    """Counts of one size and payload; intervals where it has a warm sample."""
    if not any(invocation.is_warm_sample for invocation in group):
        estimate = None
    payload = next(each for each in sweep.plan.payloads if each.name == group[0].payload)
    outcomes = [invocation.outcome for invocation in group]
    used = [i.report.max_memory_used_mb for i in group if i.report and i.report.max_memory_used_mb]
    return SizeSummary(
        architecture=payload.architecture or sweep.function.architecture,
        memory_mb=group[0].memory_mb,
        payload=payload.class_name,
        invocation_count=len(group),
        environment_count=len({i.environment for i in group if i.environment is not None}),
        cold_start_count=sum(invocation.cold_start for invocation in group),
        error_count=outcomes.count(Outcome.FUNCTION_ERROR),
        timeout_count=outcomes.count(Outcome.TIMEOUT),
        oom_count=outcomes.count(Outcome.OUT_OF_MEMORY),
        throttle_count=sum(invocation.throttle_count for invocation in group),
        duration_ms=None if estimate is None else estimate.duration_ms,
        cost_usd_per_million=None if estimate is None else estimate.cost_usd_per_million,
        max_memory_used_mb=max(used, default=None),
        parameters=payload.parameters,
        percentiles=() if estimate is None else estimate.percentiles,
    )


def curve_estimates(scatter: Scatter) -> tuple[SizeEstimate, ...]:
    """What the curve says of every candidate size."""
    of, measured_mb = scatter.estimates, scatter.evidence.measured_mb
    percentiles = scatter.estimate(tuple(scatter.ratios), of.sizes_mb)
    return tuple(
        replace(each, percentiles=percentiles[each.memory_mb])
        for each in size_estimates(of.sizes_mb, of.duration_ms, of.cost_usd, measured_mb)
    )


def current_size(problem: Problem | None, memory_mb: int) -> CurrentSize:
    """What is known about the function's current size; without a problem, the size alone."""
    if problem is None:
        return CurrentSize(memory_mb, None, None)
    estimates, column = problem.estimates, problem.estimates.column(memory_mb)
    return CurrentSize(
        memory_mb,
        interval(estimates.duration_ms[:, column]),
        interval(estimates.cost_usd[:, column] * 1e6),
    )


def break_down(problem: Problem | None) -> Breakdown:
    """Each payload's curve and what cold starts add, at every size. Empty without a curve."""
    if problem is None:
        return Breakdown((), ())
    evidence, estimates = problem.evidence, problem.estimates
    cold_starts: tuple[ColdStartEstimate, ...] = ()
    if any(cold.billed_extra_ms for cold in evidence.cold_starts):
        cold_starts = tuple(
            map(ColdStartEstimate, estimates.sizes_mb, intervals(estimates.init_ms))
        )
    return Breakdown(tuple(_payload_curves(evidence, estimates)), cold_starts)


def _payload_curves(evidence: Evidence, estimates: Estimates) -> Iterator[PayloadCurve]:
    for name, weight in evidence.weights.items():
        measured = {sample.memory_mb for sample in evidence.samples[name] if not sample.cold}
        durations_ms, costs_usd = estimates.by_payload_ms[name], estimates.by_payload_usd[name]
        curve = size_estimates(estimates.sizes_mb, durations_ms, costs_usd, measured)
        yield PayloadCurve(name, weight, curve)
