"""What to say about an earlier sweep, or production, that informed an answer: do they agree?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.constraints import platform_bar, production_bar
from tuner.decision.estimates import slowness
from tuner.model.finding import Finding
from tuner.model.interval import counted, figure, percent
from tuner.model.recommendation import PriorUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats
    from tuner.model.plan import PayloadClass
    from tuner.model.prior_evidence import PriorEvidence, ProductionSize

_BELIEVED: Final = 0.5
"""Below this, the earlier sweep is reported as contradicted; before any sample it is 0.8."""
_LEVELS_APART: Final = 1.5
_SPREADS_APART: Final = 1.5
_LEAST_SPREAD: Final = 1.3
"""A p95 this close to the p50 is no matter, however steady the sweep's events are."""
_P95_DEVIATIONS: Final = 1.645
_FEWEST_SAMPLES: Final = 4
_DOUBT: Final = 0.05
_NAMES: Final = {
    "code_sha256": "the code",
    "environment": "where it ran (this machine or AWS)",
    "host_busy": "how busy this machine was",
    "name": "the function's name",
}


def prior_use(prior: PriorEvidence, problem: Problem | None) -> PriorUse:
    """What an earlier sweep had to do with an answer."""
    whole = prior.source == "sweep" and all(map(prior.tells_level, prior.payloads))
    return PriorUse(
        sweep_id=prior.source_id,
        started_at=prior.started_at,
        code_sha256=prior.code_sha256,
        tells="level_and_shape" if whole else "shape",
        differs=(*prior.differs, *(["payloads"] if prior.other_events else [])),
        sample_count=prior.sample_count,
        weight=None if problem is None else _weight(prior, problem),
    )


def _weight(prior: PriorEvidence, problem: Problem) -> float | None:
    """The smallest over the payloads whose level it informs; over all if it informs none."""
    weights = {
        name: curve.prior_weight
        for name, curve in problem.estimates.curves.items()
        if curve.prior_weight is not None
    }
    whole = [weight for name, weight in weights.items() if prior.tells_level(name)]
    return min(whole or weights.values(), default=None)


def prior_findings(
    prior: PriorEvidence, payloads: Sequence[PayloadClass], problem: Problem | None
) -> Iterator[Finding]:
    """Which earlier sweep informed one with `payloads`, how much, and whether they agree."""
    if prior.source == "observation":
        yield _observation_used(prior)
        if problem is not None:
            yield from _unlike_production(prior, problem)
        return
    use = prior_use(prior, problem)
    samples = f"{use.sample_count} samples at {len(prior.sizes_mb)} sizes"
    which = f"the sweep {use.sweep_id} of {use.started_at[:10]} ({samples}, code"
    if use.tells == "level_and_shape":
        yield Finding(
            "prior_used",
            "info",
            f"{which} {use.code_sha256[:7]}, the same as now) counts as evidence, less what days "
            "and hosts change: `prior=none` leaves it out",
        )
    else:
        other = ", ".join(_NAMES.get(each, each) for each in use.differs)
        yield Finding(
            "prior_shape_only",
            "info",
            f"{which} {use.code_sha256[:7]}) informs only the shape of the curve, and weakly, "
            f"because these have changed: {other}",
        )
    unknown = sorted({each.name for each in payloads} - set(prior.payloads))
    if unknown:
        yield Finding(
            "prior_without_payload",
            "info",
            f"the sweep {use.sweep_id} had no payload {', '.join(unknown)}, so it says nothing "
            "about that",
        )
    if use.tells == "level_and_shape" and use.weight is not None and use.weight < _BELIEVED:
        yield Finding(
            "prior_contradicted",
            "warning",
            f"the samples contradict the sweep {use.sweep_id}, so it hardly counts: look at what "
            "changed besides the code (data, dependencies, what it calls)",
        )


def _observation_used(prior: PriorEvidence) -> Finding:
    told = []
    if prior.rate_per_s is not None:
        told.append(f"{figure(prior.rate_per_s)} requests/s")
    if prior.cold_start_share is not None:
        told.append(f"{percent(prior.cold_start_share, 1)} cold starts")
    if prior.environments:
        sizes = " and ".join(map(str, prior.sizes_mb))
        told.append(f"the curve's shape by {sizes} MB, weakly")
    return Finding(
        "observation_used",
        "info",
        f"from {prior.source_id}: {', '.join(told) or 'nothing'}; `prior=none` leaves it out",
    )


def assumed_of(prior: PriorEvidence) -> str:
    """What an answer assumes about the earlier sweep."""
    if prior.source == "observation":
        return f"traffic is as in {prior.source_id}"
    if prior_use(prior, None).tells == "level_and_shape":
        return (
            f"the function is as {prior.source_id} measured it, except where samples contradict it"
        )
    return f"the curve has about the shape that {prior.source_id} measured"


# Where production, as an observation shows it, is unlike the sweep's events


def _unlike_production(prior: PriorEvidence, problem: Problem) -> Iterator[Finding]:
    """Memory that production used and the sweep's events didn't; durations that are others."""
    yield from _memory(prior, problem)
    yield from _events(prior, problem.of_current)


def _memory(prior: PriorEvidence, problem: Problem) -> Iterator[Finding]:
    told = []
    killed = [each for each in prior.production if each.oom_count]
    if killed:
        largest = killed[-1]
        times = counted(largest.oom_count, "time")
        told.append(f"production was killed for memory {times} at {largest.memory_mb} MB")
    barred = [
        size
        for size in sorted(problem.question.candidates)
        if production_bar(problem.question, size) is not None
        and platform_bar(problem.evidence, size) is None
    ]
    known = [each for each in prior.production if each.max_memory_used_mb is not None]
    most = max(known, key=lambda each: each.max_memory_used_mb or 0, default=None)
    if most is not None and barred and (not killed or barred[-1] > killed[-1].memory_mb):
        told.append(f"production used up to {most.max_memory_used_mb} MB at {most.memory_mb} MB")
    if told:
        out = f": {barred[-1]} MB and below are ruled out" if barred else ""
        yield Finding("production_memory", "warning", f"{' and '.join(told)}{out}")


def _events(prior: PriorEvidence, problem: Problem) -> Iterator[Finding]:
    """Calls that take another time than production's, or vary much less."""
    seen = _nearest(prior, problem.current_mb)
    if seen is None or seen.mean_ms is None:
        return
    own = _Durations(problem, seen.memory_mb, prior.cold_start_share or 0.0)
    ratios = seen.mean_ms / own.mean_draws_ms
    low, high = np.quantile(ratios, (_DOUBT, 1 - _DOUBT))
    is_apart = low > _LEVELS_APART or high < 1 / _LEVELS_APART
    if not is_apart and not own.vary_less_than(seen):
        return
    yield Finding(
        "events_unlike_production",
        "warning",
        f"in production an invocation at {seen.memory_mb} MB takes "
        f"{_said(seen.mean_ms, seen.p50_ms, seen.p95_ms)}, with this sweep's events "
        f"{_said(float(own.mean_draws_ms.mean()), *own.p50_p95_ms())}: what was measured may be "
        "other work. Give events like production's, weighted by how often they come "
        "(`payloads`), or observe again if the code has changed",
    )


def _nearest(prior: PriorEvidence, memory_mb: int) -> ProductionSize | None:
    known = [each for each in prior.production if each.mean_ms is not None]
    return min(known, key=lambda each: abs(math.log(each.memory_mb / memory_mb)), default=None)


class _Durations:
    """What the sweep's calls would take at a size, each by its own deviation from the curve."""

    def __init__(self, problem: Problem, memory_mb: int, cold_share: float) -> None:
        evidence = problem.evidence
        sizes = sorted({memory_mb, *evidence.sampled_mb})
        fitted = problem.fitted_at(sizes)
        column = fitted.column(memory_mb)
        mean_ms: Floats = np.zeros(len(fitted.duration_ms))
        durations, weights = [], []
        for name, samples in evidence.samples.items():
            curve, weight = fitted.by_payload_ms[name], evidence.weights[name]
            slower = slowness(evidence.cold_starts, fitted.curves[name], name)
            mean_ms = mean_ms + weight * curve[:, column] * (1 + cold_share * (slower - 1))
            means = curve.mean(axis=0)
            warm = [sample for sample in samples if not sample.cold]
            durations += [
                s.duration_ms / means[fitted.column(s.memory_mb)] * means[column] for s in warm
            ]
            weights += [weight / len(warm)] * len(warm)
        order = np.argsort(durations)
        self.mean_draws_ms = mean_ms
        self._durations = np.array(durations)[order]
        self._weights = np.array(weights)[order] / np.sum(weights)

    def p50_p95_ms(self) -> tuple[float, float]:
        """Of the mix of payloads, by their weights."""
        middle = np.cumsum(self._weights) - self._weights / 2
        low, high = np.interp((0.5, 0.95), middle, self._durations)
        return float(low), float(high)

    def vary_less_than(self, seen: ProductionSize) -> bool:
        """Whether production's spread is surely beyond what the events show."""
        count = len(self._durations)
        if count < _FEWEST_SAMPLES or not seen.p50_ms or not seen.p95_ms:
            return False
        logs = np.log(np.maximum(self._durations, 1e-3))
        variance = self._weights @ (logs - self._weights @ logs) ** 2 * count / (count - 1)
        # The quantile of chi-squared. `scipy.stats` takes half a second to import, this a quarter,
        # which reports without an observation needn't wait for.
        from scipy.special import gammaincinv  # noqa: PLC0415

        quantile = 2 * float(gammaincinv((count - 1) / 2, _DOUBT))
        at_most = math.sqrt(variance * (count - 1) / quantile)
        spread = seen.p95_ms / seen.p50_ms
        beyond = math.log(max(spread, 1.0)) / _P95_DEVIATIONS > _SPREADS_APART * at_most
        return spread > _LEAST_SPREAD and bool(beyond)


def _said(mean_ms: float, p50_ms: float | None, p95_ms: float | None) -> str:
    spread = f" (p50 {figure(p50_ms)}, p95 {figure(p95_ms)})" if p50_ms and p95_ms else ""
    return f"{figure(mean_ms)} ms in the mean{spread}"
