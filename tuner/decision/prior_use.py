"""What to say about an earlier sweep that informed an answer, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.decision.production import production_findings
from tuner.model.finding import Finding
from tuner.model.interval import figure, percent
from tuner.model.recommendation import PriorUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.problem import Problem
    from tuner.model.plan import PayloadClass
    from tuner.model.prior_evidence import PriorEvidence

_BELIEVED: Final = 0.5
"""Below this, the earlier sweep is reported as contradicted; before any sample it is 0.8."""
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
            yield from production_findings(prior, problem)
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
