"""What an earlier sweep adds to a decision: samples for the curves, and where to look first."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tuner.decision.evidence import Evidence
from tuner.inference.prior_sweep import PriorSamples
from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.model.prior_evidence import PriorEvidence


@lru_cache(maxsize=64)
def prior_samples(prior: PriorEvidence, payload: str) -> PriorSamples | None:
    """The earlier samples of a payload; None without one. Cached for every refit."""
    found = tuple(_samples(prior, payload))
    if not found:
        return None
    return PriorSamples(found, prior.tells_level(payload), production=prior.source == "observation")


def _samples(prior: PriorEvidence, payload: str) -> Iterator[Sample]:
    for each in prior.environments:
        if each.payload == payload:
            for number, duration_ms in enumerate(each.durations_ms, start=not each.cold):
                yield Sample(
                    each.memory_mb, duration_ms, each.environment, each.cold, call_number=number
                )


def as_evidence(prior: PriorEvidence, weights: Mapping[str, float]) -> Evidence | None:
    """The earlier samples as if they were this sweep's, to find out where to look first; None
    unless every payload of `weights` has a warm one.
    """
    samples = {name: tuple(_samples(prior, name)) for name in weights}
    if any(all(sample.cold for sample in each) for each in samples.values()):
        return None
    total = sum(weights.values())
    return Evidence(
        weights={name: weight / total for name, weight in weights.items()},
        samples=samples,
        cold_starts=(),
        failures={},
        success_counts={},
        memory_used_mb={},
    )
