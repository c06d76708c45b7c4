"""Duration and cost at any size from what production says of some: posterior draws.

Sizes that ran in production are evidence like a sweep's, with a noise of their own
(`tuner.inference.production`): the mean is known, the mix of events shifts between periods. From
one size alone the prior over shapes gives the interval, CPU time narrows it, and a second size
most of all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.estimates import billed_extra_ms, expected_billed_ms, intervals
from tuner.decision.evidence import ColdStart
from tuner.inference.posterior import draw_log_curves
from tuner.inference.production import ObservedLevels, Period
from tuner.model.advice import SizeForecast
from tuner.model.interval import Interval
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.model.advice import AdviceBasis, ObservedSize
    from tuner.pricing import LambdaPrices

    Floats = NDArray[np.float64]

DRAW_COUNT: Final = 400
_LEAST_ERROR_RATIO: Final = 0.001
"""No mean is known better: reports have two decimals, and hosts differ."""
_FEWEST_OF_A_DAY: Final = 20
"""A day with fewer invocations tells nothing of how days differ."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Draws over ascending sizes: mean warm duration and cost of an invocation, (draws, sizes)."""

    sizes_mb: tuple[int, ...]
    duration_ms: Floats
    cost_usd: Floats
    basis: AdviceBasis
    observed_mb: tuple[int, ...]
    """The sizes that it rests on."""
    processor_share: float | None
    """CPU time over duration at the size that ran most, where it is known."""
    mix_shift_ratio: float | None
    """How far the mix of events shifts a mean between two periods; None where one counts."""

    def column(self, memory_mb: int) -> int:
        """The column of a size."""
        return self.sizes_mb.index(memory_mb)

    def at(self, sizes_mb: Sequence[int]) -> tuple[SizeForecast, ...]:
        """Median and 90% interval at sizes of the forecast."""
        columns = [self.column(size) for size in sizes_mb]
        return tuple(
            SizeForecast(size, duration, cost)
            for size, duration, cost in zip(
                sizes_mb,
                _around_median(self.duration_ms[:, columns]),
                _around_median(self.cost_usd[:, columns] * 1e6),
                strict=True,
            )
        )


def forecast(
    observed: Sequence[ObservedSize],
    sizes_mb: Sequence[int],
    prices: LambdaPrices,
    *,
    ephemeral_storage_mb: int = 512,
    seed: int = 0,
) -> Forecast | None:
    """Draw duration and cost at `sizes_mb`, and at what was observed; None without a warm success.

    The same evidence and seed give the same draws.
    """
    used = periods_of(observed)
    if not used:
        return None
    levels = ObservedLevels.of([_period(each) for each in used])
    seen = tuple(sorted({each.memory_mb for each in used}))
    sizes = tuple(sorted({*sizes_mb, *seen}))
    grid = np.unique([*sizes, MIN_MEMORY_MB, MAX_MEMORY_MB]).astype(int)
    shape_weight = levels.shape_log_weight()
    rng = np.random.default_rng(seed)
    drawn, _ = draw_log_curves(levels, grid, DRAW_COUNT, rng, shape_weight)
    duration_ms = np.exp(drawn[:, np.searchsorted(grid, sizes)])
    most = max(used, key=lambda each: each.warm_count)
    basis: AdviceBasis = "one_size" if len(seen) == 1 else "several_sizes"
    if shape_weight is not None:
        basis = "cpu_time" if len(seen) == 1 else "several_sizes_and_cpu_time"
    return Forecast(
        sizes_mb=sizes,
        duration_ms=duration_ms,
        cost_usd=_cost_usd(
            duration_ms, sizes, observed, prices, cv=most.cv, storage_mb=ephemeral_storage_mb
        ),
        basis=basis,
        observed_mb=seen,
        processor_share=_processor_share(used),
        mix_shift_ratio=levels.shift_ratio if len(used) > 1 else None,
    )


def periods_of(observed: Sequence[ObservedSize]) -> tuple[ObservedSize, ...]:
    """One period for each size and relation to today's code, by the most warm successes. What may
    be other code counts at sizes only where today's has not run.
    """
    best: dict[tuple[int, str], ObservedSize] = {}
    for each in observed:
        key = (each.memory_mb, each.code)
        if each.warm_count and (key not in best or each.warm_count > best[key].warm_count):
            best[key] = each
    own = {size for size, code in best if code == "same"}
    kept = {key: each for key, each in best.items() if key[1] == "same" or key[0] not in own}
    maybe = {size for size, code in kept if code == "unknown"}
    return tuple(
        each for (size, code), each in sorted(kept.items()) if code != "other" or size not in maybe
    )


def _period(each: ObservedSize) -> Period:
    assert each.mean_ms is not None
    mean_ms = max(each.mean_ms, 0.01)
    days = [day for day in each.days if day.count >= _FEWEST_OF_A_DAY and day.mean_ms > 0]
    return Period(
        memory_mb=each.memory_mb,
        mean_ms=mean_ms,
        error_ratio=_error_ratio(each.cv, each.warm_count),
        code=each.code,
        day_log_means=tuple(
            (math.log(day.mean_ms / mean_ms), _error_ratio(each.cv, day.count)) for day in days
        ),
        processor_ms=_known_processor_ms(each),
    )


def _known_processor_ms(each: ObservedSize) -> float | None:
    """CPU time that may be: what logs say may be nothing, or no number."""
    known = each.processor_ms
    return known if known is not None and math.isfinite(known) and known > 0 else None


def _error_ratio(cv: float, count: int) -> float:
    return max(cv / math.sqrt(count), _LEAST_ERROR_RATIO)


def _processor_share(used: Sequence[ObservedSize]) -> float | None:
    known = [each for each in used if _known_processor_ms(each) is not None and each.mean_ms]
    if not known:
        return None
    most = max(known, key=lambda each: each.warm_count)
    assert most.processor_ms is not None
    assert most.mean_ms is not None
    return most.processor_ms / most.mean_ms


def _cost_usd(
    duration_ms: Floats,
    sizes_mb: Sequence[int],
    observed: Sequence[ObservedSize],
    prices: LambdaPrices,
    *,
    cv: float,
    storage_mb: int,
) -> Floats:
    """Expected cost of an invocation, cold starts in it at the share that was observed."""
    cold = [
        ColdStart(each.memory_mb, "", 0.0, each.mean_billed_init_ms)
        for each in observed
        if each.cold_count
    ]
    count = sum(each.invocation_count for each in observed)
    share = sum(each.cold_count for each in observed) / count if count else 0.0
    extra = billed_extra_ms(cold, sizes_mb, len(duration_ms), np.random.default_rng(0))
    rate = np.array([prices.price_usd_per_ms(size, storage_mb) for size in sizes_mb])
    billed = expected_billed_ms(duration_ms, cv) + share * extra
    return np.asarray(float(prices.request_price_usd) + rate * billed)


def _around_median(draws: Floats) -> list[Interval]:
    """Median and shortest 90% interval of every column: half of a long tail is no estimate."""
    middle = np.median(draws, axis=0).tolist()
    return [
        Interval(min(max(estimate, each.low), each.high), each.low, each.high)
        for estimate, each in zip(middle, intervals(draws), strict=True)
    ]
