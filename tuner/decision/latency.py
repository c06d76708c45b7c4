"""Percentiles of warm duration at every size: measured if the samples allow, else modelled.

Measured rests on that size's samples alone, whatever their distribution (`percentile`). Modelled is
the curve's mean times the scatter of all sizes' samples around it (`tuner.inference.predictive`).
The two are never mixed. With several payloads, it's the slowest one's percentile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.percentile import measured_interval, samples_needed
from tuner.inference.predictive import draw_ratio_quantiles
from tuner.model.interval import Interval
from tuner.model.recommendation import PercentileEstimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.model.arrays import Floats
    from tuner.model.goal import Goal

SHOWN_PERCENTILES: Final = (50.0, 95.0, 99.0)
_SCATTER_SEED: Final = 1769
"""Independent of the curve's draws: the scatter of calls says nothing about the mean."""


def shown_percentiles(goal: Goal) -> tuple[float, ...]:
    """p50, p95, p99 and the one asked for, ascending."""
    return tuple(sorted({*SHOWN_PERCENTILES, *([goal.percentile] if goal.percentile else [])}))


@dataclass(frozen=True, slots=True)
class Scatter:
    """How the samples of each payload scatter around its curve."""

    evidence: Evidence
    estimates: Estimates
    percentiles: tuple[float, ...]
    ratios: Mapping[str, Floats]
    """Draws of percentile over mean by payload: (draws, percentiles)."""

    def worst_ms(self, payloads: Iterable[str], columns: Sequence[int] | slice) -> Floats:
        """Modelled draws of the slowest payload's percentiles at columns of the estimates:
        (percentiles, draws, columns).
        """
        each = [
            self.ratios[name].T[:, :, None] * self.estimates.by_payload_ms[name][:, columns]
            for name in payloads
        ]
        return np.asarray(np.max(each, axis=0) if len(each) > 1 else each[0])

    def estimate(
        self, payloads: Sequence[str], sizes_mb: Sequence[int]
    ) -> dict[int, tuple[PercentileEstimate, ...]]:
        """Estimate the percentiles of the slowest of `payloads` at sizes of the estimates."""
        columns = self.estimates.columns(sizes_mb)
        modelled = np.ascontiguousarray(self.worst_ms(payloads, columns).swapaxes(1, 2))
        # The median, not the mean: rare slow calls have no upper limit.
        lows, middles, highs = np.quantile(
            modelled, (0.05, 0.5, 0.95), axis=2, overwrite_input=True
        ).tolist()
        counts = [_warm_counts(self.evidence, name) for name in payloads]
        needed = [samples_needed(percentile) for percentile in self.percentiles]
        found = {}
        for column, size in enumerate(sizes_mb):
            count = min(each[size] for each in counts)
            found[size] = tuple(
                self._measured(payloads, size, percentile, count)
                if count >= needed[number]
                else PercentileEstimate(
                    percentile=percentile,
                    duration_ms=Interval(
                        middles[number][column], lows[number][column], highs[number][column]
                    ),
                    basis="modelled",
                    sample_count=count,
                    samples_needed=needed[number],
                )
                for number, percentile in enumerate(self.percentiles)
            )
        return found

    def _measured(
        self, payloads: Sequence[str], memory_mb: int, percentile: float, count: int
    ) -> PercentileEstimate:
        """From the size's own samples, with enough for every payload: `count` is the fewest."""
        each = [
            measured_interval(self.evidence.warm_ms(name, memory_mb), percentile)
            for name in payloads
        ]
        known = [interval for interval in each if interval is not None]
        slowest = Interval(
            max(i.estimate for i in known), max(i.low for i in known), max(i.high for i in known)
        )
        return PercentileEstimate(
            percentile, slowest, "measured", count, samples_needed(percentile)
        )


def learn_scatter(
    evidence: Evidence, estimates: Estimates, percentiles: Sequence[float]
) -> Scatter:
    """Learn from all samples of each payload how they scatter around its curve."""
    log_sizes = np.log(estimates.sizes_mb)
    ratios = {}
    for payload, draws in estimates.by_payload_ms.items():
        curve = estimates.curves[payload]
        samples = curve.settled(evidence.samples[payload])
        log_mean = np.log(draws.mean(axis=0))
        mean_ms = np.exp(np.interp(np.log([s.memory_mb for s in samples]), log_sizes, log_mean))
        rng = np.random.default_rng(_SCATTER_SEED)
        ratios[payload] = draw_ratio_quantiles(
            samples,
            curve.levels,
            mean_ms.tolist(),
            percentiles=percentiles,
            draw_count=len(draws),
            rng=rng,
        )
    return Scatter(evidence, estimates, tuple(percentiles), ratios)


def _warm_counts(evidence: Evidence, payload: str) -> Counter[int]:
    return Counter(s.memory_mb for s in evidence.samples[payload] if not s.cold)
