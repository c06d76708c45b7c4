"""Duration and cost at every candidate size, as draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.prior import prior_samples
from tuner.inference.curve import fit_curve
from tuner.model.interval import Interval
from tuner.model.recommendation import SizeEstimate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tuner.decision.evidence import ColdStart, Evidence
    from tuner.decision.question import Question
    from tuner.inference.curve import Curve
    from tuner.model.arrays import Floats

_INSIDE_SHARE = 0.92
"""Out of 200 draws, the shortest interval containing this many holds 90% of normal ones to come."""
# INIT runs at up to two full cores whatever the memory, so it falls little with memory: the prior
# of its exponent over memory is 0.1 ± 0.3. Single INITs scatter by some 15%.
_EXPONENT, _EXPONENT_DEVIATION = 0.1, 0.3
_SCATTER_RATIO = 0.15
_EXACT_BELOW_MS = 20
"""From here on, rounding up costs half a millisecond on average whatever the spread."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Posterior draws over sizes; rows are draws, columns `sizes_mb` in ascending order.

    `duration_ms` is the payload mix's mean warm duration, `worst_ms` the slowest payload's,
    `cost_usd` the expected cost of one invocation with the share of cold starts in it.
    """

    sizes_mb: tuple[int, ...]
    duration_ms: Floats
    worst_ms: Floats
    cost_usd: Floats
    by_payload_ms: Mapping[str, Floats]
    by_payload_usd: Mapping[str, Floats]
    curves: Mapping[str, Curve]
    """By payload, what the draws come from."""
    init_ms: Floats
    """What a cold start is billed beyond a warm invocation; zeros if nothing."""

    @property
    def within_ratio(self) -> float:
        """The largest relative deviation within an environment over the payloads."""
        return max(curve.within_ratio for curve in self.curves.values())

    def column(self, memory_mb: int) -> int:
        """The column of a size."""
        return self.sizes_mb.index(memory_mb)

    def columns(self, sizes_mb: Iterable[int]) -> list[int]:
        """The columns of several sizes, in their order."""
        return [self.column(size) for size in sizes_mb]


def estimate(
    question: Question,
    evidence: Evidence,
    sizes_mb: Sequence[int],
    *,
    seed: int,
    draw_count: int = 200,
) -> Estimates:
    """Fit, draw and price a curve per payload. Every payload must have a warm sample."""
    curves = {
        # Slow calls are the function's: with another batch size (another seed) as many are unseen.
        name: fit_curve(
            samples,
            sizes_mb=sizes_mb,
            seed=seed + number,
            slow_calls_seed=number,
            draw_count=draw_count,
            runtime=question.function.runtime,
            prior=None if question.prior is None else prior_samples(question.prior, name),
        )
        for number, (name, samples) in enumerate(evidence.samples.items())
    }
    return price_curves(curves, question, evidence, sizes_mb, seed=seed)


def price_curves(
    curves: Mapping[str, Curve],
    question: Question,
    evidence: Evidence,
    sizes_mb: Sequence[int],
    *,
    seed: int,
) -> Estimates:
    """Price every payload's curve at `sizes_mb` (ascending)."""
    sizes, share = tuple(sizes_mb), question.goal.cold_share
    warm = {name: curve.draws_ms(sizes) for name, curve in curves.items()}
    cold = evidence.cold_starts
    draw_count = len(next(iter(warm.values())))
    extra = billed_extra_ms(cold, sizes, draw_count, np.random.default_rng(seed))
    request_usd, ms_usd = rates(question, sizes)
    costs = {
        name: request_usd
        + ms_usd
        * (
            expected_billed_ms(draws, curves[name].within_ratio)
            + share * (extra + draws * (slowness(cold, curves[name], name) - 1))
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
        curves=curves,
        init_ms=extra,
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
    """Mean and 90% interval of one quantity's draws."""
    return intervals(draws[:, None])[0]


def intervals(draws: Floats) -> list[Interval]:
    """Mean and the shortest 90% interval of every column.

    If the truth is at the edge of what is possible (a duration that memory doesn't change at all),
    the likeliest values are at one end, and an interval with 5% on either side would leave out
    exactly those.
    """
    ordered = np.sort(np.ascontiguousarray(draws.T), axis=1)
    inside = math.ceil(_INSIDE_SHARE * len(draws)) - 1
    first = np.argmin(ordered[:, inside:] - ordered[:, : len(draws) - inside], axis=1)
    rows = np.arange(len(ordered))
    lows, highs = ordered[rows, first], ordered[rows, first + inside]
    return list(map(Interval, draws.mean(axis=0).tolist(), lows.tolist(), highs.tolist()))


def size_estimates(
    sizes_mb: Sequence[int], duration_ms: Floats, cost_usd: Floats, measured_mb: Collection[int]
) -> tuple[SizeEstimate, ...]:
    """What draws say of each size; both are (draws, sizes), the cost of one invocation."""
    durations, costs = intervals(duration_ms), intervals(cost_usd * 1e6)
    return tuple(
        SizeEstimate(size, duration, cost, size in measured_mb)
        for size, duration, cost in zip(sizes_mb, durations, costs, strict=True)
    )


def rates(question: Question, sizes_mb: Sequence[int]) -> tuple[Floats, Floats]:
    """(USD for a request, USD for a billed millisecond) at each size: cost is linear in time."""
    prices, storage_mb = question.prices, question.function.ephemeral_storage_mb
    one, many = 1, 1_000_001
    least, most = np.array(
        [
            [float(prices.invocation_cost_usd(size, ms, storage_mb)) for size in sizes_mb]
            for ms in (one, many)
        ]
    )
    slope = (most - least) / (many - one)
    return least - slope, slope


def billed_extra_ms(
    cold_starts: Sequence[ColdStart],
    sizes_mb: Sequence[int],
    draw_count: int,
    rng: np.random.Generator,
) -> Floats:
    """Draws of the billed INIT or restore over memory: (draws, sizes); zeros if none was billed.

    log extra = level - exponent * log2(memory): a flat prior on the level, a narrow one on the
    exponent, both updated by what was seen. Cold starts that billed nothing extra count as such.
    """
    billed = [cold for cold in cold_starts if cold.billed_extra_ms > 0]
    if not billed:
        return np.zeros((draw_count, len(sizes_mb)))
    octaves = np.log2([cold.memory_mb for cold in billed])
    logs = np.log([cold.billed_extra_ms for cold in billed])
    centre = octaves.mean()
    spread = octaves - centre
    prior = 1 / _EXPONENT_DEVIATION**2
    precision = prior + float(spread @ spread) / _SCATTER_RATIO**2
    slope = (-_EXPONENT * prior + float(spread @ logs) / _SCATTER_RATIO**2) / precision
    slopes = slope + rng.standard_normal((draw_count, 1)) / np.sqrt(precision)
    level_deviation = _SCATTER_RATIO / np.sqrt(len(billed))
    levels = logs.mean() + level_deviation * rng.standard_normal((draw_count, 1))
    extra = np.exp(levels + slopes * (np.log2(sizes_mb) - centre)[None, :])
    return np.asarray(extra * len(billed) / len(cold_starts))


def slowness(cold_starts: Sequence[ColdStart], curve: Curve, payload: str) -> float:
    """How much longer the handler takes when cold than warm, at least 1: a geometric mean."""
    seen = [cold for cold in cold_starts if cold.payload == payload]
    if not seen:
        return 1.0
    warm = curve.mean_ms([cold.memory_mb for cold in seen])
    ratios = np.log(np.maximum([cold.duration_ms for cold in seen], 0.01) / warm)
    # One more observation of "no difference" keeps a single cold start from saying much.
    return float(np.exp(max(float(ratios.sum()) / (len(ratios) + 1), 0.0)))
