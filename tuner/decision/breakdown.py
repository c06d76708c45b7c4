"""Looks under the mean: a curve for each payload, and what cold starts add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.coldstart import billed_extra_ms
from tuner.decision.estimates import estimate, intervals
from tuner.decision.evidence import read_evidence
from tuner.model.breakdown import Breakdown, ColdStartEstimate, PayloadCurve
from tuner.model.recommendation import SizeEstimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.model.goal import Goal
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook

_DRAW_COUNT = 200


def break_down(
    sweep: Sweep, sizes_mb: Sequence[int], *, price_book: PriceBook, goal: Goal, seed: int = 0
) -> Breakdown:
    """Estimate each payload and the cold starts at `sizes_mb` (ascending), apart from each other.

    Empty where a payload has no warm sample. Raises PriceError for an unknown region.
    """
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in sweep.plan.payloads})
    if not sizes_mb or not evidence.samples or evidence.unsampled_payloads:
        return Breakdown((), ())
    function = sweep.function
    estimates = estimate(
        evidence,
        sizes_mb,
        prices=price_book.lambda_prices(function.region, function.architecture),
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        cold_start_share=goal.cold_start_share,
        seed=seed,
        draw_count=_DRAW_COUNT,
    )
    return Breakdown(
        tuple(_payloads(evidence, estimates)), tuple(_cold_starts(evidence, sizes_mb, seed))
    )


def _payloads(evidence: Evidence, estimates: Estimates) -> Iterator[PayloadCurve]:
    for name, weight in evidence.weights.items():
        durations = intervals(estimates.by_payload_ms[name])
        costs = intervals(estimates.by_payload_usd[name] * 1e6)
        measured = {sample.memory_mb for sample in evidence.samples[name] if not sample.cold}
        yield PayloadCurve(
            name,
            weight,
            tuple(
                SizeEstimate(size, duration, cost, size in measured)
                for size, duration, cost in zip(estimates.sizes_mb, durations, costs, strict=True)
            ),
        )


def _cold_starts(
    evidence: Evidence, sizes_mb: Sequence[int], seed: int
) -> Iterator[ColdStartEstimate]:
    """The same draws as the cost has in it: the same seed, the same model."""
    if not any(cold.billed_extra_ms for cold in evidence.cold_starts):
        return
    draws = billed_extra_ms(
        evidence.cold_starts, sizes_mb, _DRAW_COUNT, np.random.default_rng(seed)
    )
    for size, extra in zip(sizes_mb, intervals(draws), strict=True):
        yield ColdStartEstimate(size, extra)
