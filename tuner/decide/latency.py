"""Percentiles of warm duration at every size: measured where the samples allow, else modelled.

Measured rests on the samples of that size alone, whatever their distribution (`percentile`).
Modelled is the curve's mean times how all sizes' samples scatter around it (`tuner.curve.ratios`).
One is never filled up with the other. With several payloads it is the slowest one's percentile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.curve.ratios import draw_ratio_quantiles
from tuner.decide.percentile import measured_interval, samples_needed
from tuner.model.interval import Interval
from tuner.model.recommendation import PercentileEstimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.decide.estimate import Estimates
    from tuner.decide.evidence import Evidence
    from tuner.model.goal import Goal

    Floats = NDArray[np.float64]

SHOWN_PERCENTILES: Final = (50.0, 95.0, 99.0)
_SCATTER_SEED: Final = 1769
"""Apart from the curve's draws: how calls scatter says nothing of where the mean lies."""


def shown_percentiles(goal: Goal) -> tuple[float, ...]:
    """p50, p95, p99 and the one that is asked for, ascending."""
    return tuple(sorted({*SHOWN_PERCENTILES, *([goal.percentile] if goal.percentile else [])}))


def worst_ms(evidence: Evidence, estimates: Estimates, percentile: float) -> Floats:
    """Modelled draws of the slowest payload's percentile: (draws, sizes)."""
    every = tuple(estimates.by_payload_ms)
    return np.asarray(_modelled_worst(evidence, estimates, every, [percentile])[0])


def estimate_percentiles(
    evidence: Evidence,
    estimates: Estimates,
    percentiles: Sequence[float],
    *,
    payloads: Sequence[str] | None = None,
) -> dict[int, tuple[PercentileEstimate, ...]]:
    """Estimate `percentiles` (0 to 100) at every size, of the slowest of `payloads` (of all)."""
    payloads = tuple(estimates.by_payload_ms) if payloads is None else payloads
    modelled = _modelled_worst(evidence, estimates, payloads, percentiles)
    lows, middles, highs = np.quantile(modelled, (0.05, 0.5, 0.95), axis=1)
    return {
        size: tuple(
            _measured(evidence, payloads, size, each)
            or PercentileEstimate(
                percentile=each,
                # The middle, not the mean: what may be slow now and then has no end upwards.
                duration_ms=Interval(
                    *(float(each[number, column]) for each in (middles, lows, highs))
                ),
                basis="modelled",
                sample_count=_fewest(evidence, payloads, size),
                samples_needed=samples_needed(each),
            )
            for number, each in enumerate(percentiles)
        )
        for column, size in enumerate(estimates.sizes_mb)
    }


def _modelled_worst(
    evidence: Evidence,
    estimates: Estimates,
    payloads: Sequence[str],
    percentiles: Sequence[float],
) -> Floats:
    """Draws of the slowest payload, from how each one's samples scatter around its curve:
    (percentiles, draws, sizes).
    """
    log_sizes = np.log(estimates.sizes_mb)
    modelled = []
    for payload in payloads:
        draws = estimates.by_payload_ms[payload]
        samples = evidence.samples[payload]
        log_mean = np.log(draws.mean(axis=0))
        mean_ms = np.exp(np.interp(np.log([s.memory_mb for s in samples]), log_sizes, log_mean))
        rng = np.random.default_rng(_SCATTER_SEED)
        ratios = draw_ratio_quantiles(samples, mean_ms.tolist(), percentiles, len(draws), rng)
        modelled.append(ratios.T[:, :, None] * draws)
    return np.asarray(np.max(modelled, axis=0))


def _measured(
    evidence: Evidence, payloads: Sequence[str], memory_mb: int, percentile: float
) -> PercentileEstimate | None:
    """From the samples of the size alone; None unless every payload has enough of them."""
    if _fewest(evidence, payloads, memory_mb) < samples_needed(percentile):
        return None
    each = [measured_interval(evidence.warm_ms(name, memory_mb), percentile) for name in payloads]
    known = [interval for interval in each if interval is not None]
    if len(known) < len(each):
        return None
    return PercentileEstimate(
        percentile=percentile,
        duration_ms=Interval(
            max(i.estimate for i in known), max(i.low for i in known), max(i.high for i in known)
        ),
        basis="measured",
        sample_count=_fewest(evidence, payloads, memory_mb),
        samples_needed=samples_needed(percentile),
    )


def _fewest(evidence: Evidence, payloads: Sequence[str], memory_mb: int) -> int:
    """How many warm samples the payload with the fewest has at the size."""
    return min(len(evidence.warm_ms(name, memory_mb)) for name in payloads)
