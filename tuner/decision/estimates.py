"""Duration and cost at every candidate size, as draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.coldstart import billed_extra_ms, slowness
from tuner.inference.fit import fit_curve
from tuner.model.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tuner.decision.evidence import Evidence
    from tuner.inference.curve import Curve
    from tuner.inference.sample import Sample
    from tuner.inference.variance_components import Levels
    from tuner.pricing import LambdaPrices

    Floats = NDArray[np.float64]

_INSIDE_SHARE = 0.92
"""Of 200 draws the shortest interval with so many in it holds 90 % of normal ones to come."""
_EXACT_BELOW_MS = 20
"""From here on, rounding up costs half a millisecond on average whatever the spread."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Draws over sizes; rows are draws, columns `sizes_mb` in ascending order.

    `duration_ms` is the payload mix's mean warm duration, `worst_ms` the slowest payload's,
    `cost_usd` the expected cost of one invocation with the share of cold starts in it.
    """

    sizes_mb: tuple[int, ...]
    duration_ms: Floats
    worst_ms: Floats
    cost_usd: Floats
    by_payload_ms: Mapping[str, Floats]
    by_payload_usd: Mapping[str, Floats]
    slow_log_ratio: Mapping[str, Floats]
    """By payload, log ratio of the mean to a calm call's duration in each draw."""
    within_ratio: float
    """The largest relative deviation within an environment over the payloads."""
    levels: Mapping[str, Levels]
    """By payload, what its curve rests on."""

    def column(self, memory_mb: int) -> int:
        """The column of a size."""
        return self.sizes_mb.index(memory_mb)


def estimate(
    evidence: Evidence,
    sizes_mb: Sequence[int],
    *,
    prices: LambdaPrices,
    ephemeral_storage_mb: int,
    cold_start_share: float,
    seed: int,
    draw_count: int = 200,
    drawn_mb: Sequence[int] = (),
) -> Estimates:
    """Fit a curve for each payload and price it. Every payload must have a warm sample.

    Curves are drawn at `sizes_mb`, or at `drawn_mb` and interpolated between.
    """
    sizes = tuple(sizes_mb)
    grid = tuple(drawn_mb) or sizes
    curves = {
        # Slow calls are the function's: with another batch size (another seed) as many are unseen.
        name: fitted(samples, grid, seed + number, number, draw_count)
        for number, (name, samples) in enumerate(evidence.samples.items())
    }
    warm = {name: curve.draws_ms(sizes) for name, curve in curves.items()}
    cold = evidence.cold_starts
    extra = billed_extra_ms(cold, sizes, draw_count, np.random.default_rng(seed))
    request_usd, ms_usd = rates(prices, sizes, ephemeral_storage_mb)
    costs = {
        name: request_usd
        + ms_usd
        * (
            expected_billed_ms(draws, curves[name].within_ratio)
            + cold_start_share * (extra + draws * (slowness(cold, curves[name], name) - 1))
        )
        for name, draws in warm.items()
    }
    weights = evidence.weights
    return Estimates(
        sizes_mb=sizes,
        duration_ms=np.asarray(sum(weights[name] * draws for name, draws in warm.items())),
        worst_ms=np.max(list(warm.values()), axis=0),
        cost_usd=np.asarray(sum(weights[name] * cost for name, cost in costs.items())),
        by_payload_ms=warm,
        by_payload_usd=costs,
        slow_log_ratio={name: curve.slow_log_ratio for name, curve in curves.items()},
        within_ratio=max(curve.within_ratio for curve in curves.values()),
        levels={name: curve.levels for name, curve in curves.items()},
    )


@lru_cache(maxsize=32)
def fitted(
    samples: tuple[Sample, ...],
    sizes_mb: tuple[int, ...],
    seed: int,
    slow_calls_seed: int,
    draw_count: int,
) -> Curve:
    """The curve of one payload: the parts of a report ask for the same one several times."""
    return fit_curve(
        samples,
        sizes_mb=sizes_mb,
        seed=seed,
        slow_calls_seed=slow_calls_seed,
        draw_count=draw_count,
    )


def expected_billed_ms(duration_ms: Floats, spread_ratio: float) -> Floats:
    """Mean of the duration rounded up to a whole millisecond (at least 1).

    Single invocations scatter by `spread_ratio` around the mean. E[ceil X] is the sum of
    P(X > k) over k = 0, 1, 2, …; above 20 ms it is the mean and half a millisecond.
    """
    billed = duration_ms + 0.5
    short = duration_ms < _EXACT_BELOW_MS
    if short.any():
        mean = duration_ms[short][:, None]
        steps = np.arange(1, 2 * _EXACT_BELOW_MS)[None, :]
        # The logistic curve with this slope is the normal distribution within 0.01.
        score = (mean - steps) / (max(spread_ratio, 0.01) * mean)
        billed[short] = 1.0 + np.sum(1 / (1 + np.exp(-np.clip(1.702 * score, -60, 60))), axis=1)
    return np.asarray(billed)


def interval(draws: Floats) -> Interval:
    """Mean and 90 % interval of one quantity's draws."""
    return intervals(draws[:, None])[0]


def intervals(draws: Floats) -> list[Interval]:
    """Mean and the shortest 90 % interval of every column.

    Where the truth lies at the edge of what is possible (a duration that memory does not change at
    all), the likeliest values are at one end: an interval with 5 % on either side would leave just
    those out.
    """
    ordered = np.sort(draws, axis=0)
    inside = math.ceil(_INSIDE_SHARE * len(ordered)) - 1
    first = np.argmin(ordered[inside:] - ordered[: len(ordered) - inside], axis=0)
    columns = np.arange(draws.shape[1])
    lows, highs = ordered[first, columns], ordered[first + inside, columns]
    return [
        Interval(float(mean), float(low), float(high))
        for mean, low, high in zip(draws.mean(axis=0), lows, highs, strict=True)
    ]


def rates(
    prices: LambdaPrices, sizes_mb: Sequence[int], ephemeral_storage_mb: int
) -> tuple[Floats, Floats]:
    """(USD for a request, USD for a billed millisecond) at each size: cost is linear in time."""

    def cost(size: int, billed_ms: int) -> float:
        return float(prices.invocation_cost_usd(size, billed_ms, ephemeral_storage_mb))

    one, many = 1, 1_000_001
    slope = np.array([(cost(m, many) - cost(m, one)) / (many - one) for m in sizes_mb])
    return np.array([cost(m, one) for m in sizes_mb]) - slope, slope
