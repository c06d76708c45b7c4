"""Duration and cost at any size from what production says of some: posterior draws.

Sizes that ran in production are evidence like a sweep's, with a noise of their own
(`tuner.inference.production`): the mean is known, the mix of events shifts between periods. From
one size alone the prior over shapes gives the interval, CPU time narrows it, and a second size
most of all. `weigh` has the draws as the goal sees them, and `allowed_sizes` which sizes may be
advised at all.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.constraints import platform_bar
from tuner.decision.estimates import billed_extra_ms, expected_billed_ms, intervals
from tuner.decision.evidence import ColdStart, Evidence
from tuner.decision.move import SURE
from tuner.inference.posterior import draw_log_curves
from tuner.inference.production import ObservedLevels, Period
from tuner.model.advice import SizeForecast
from tuner.model.interval import Interval
from tuner.model.invocation import Outcome
from tuner.model.lambda_limits import MAX_MEMORY_MB, MB_PER_VCPU, MIN_MEMORY_MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.advice import AdviceBasis, ObservedSize, Situation
    from tuner.model.arrays import Flags, Floats
    from tuner.model.goal import Goal
    from tuner.pricing import LambdaPrices

DRAW_COUNT: Final = 400
_LEAST_ERROR_RATIO: Final = 0.001
"""No mean is known better: reports have two decimals, and hosts differ."""
_FEWEST_OF_A_DAY: Final = 20
"""A day with fewer invocations tells nothing of how days differ."""
_MORE_EXPENSIVE_RATIO: Final = 1.01
_MORE_EXPENSIVE_SHARE: Final = 0.02
"""A resize may be more expensive by over 1% in so many of the draws."""
_FARTHEST_BELOW: Final = 2.0
"""No size is advised below the smallest one that ran over this: cliffs there show in no other. Nor
one below a core where only larger ones ran: what waits and what computes are as fast there."""
_SLOWER_RATIO: Final = 1.02
_TAIL_DEVIATIONS: Final = 3.0


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
) -> Forecast | None:
    """Draw duration and cost at `sizes_mb`, and at what was observed; None without a warm success.

    The same evidence gives the same draws.
    """
    used = periods_of(observed)
    if not used:
        return None
    levels = ObservedLevels.of([_period(each) for each in used])
    seen = tuple(sorted({each.memory_mb for each in used}))
    sizes = tuple(sorted({*sizes_mb, *seen}))
    grid = np.unique([*sizes, MIN_MEMORY_MB, MAX_MEMORY_MB]).astype(int)
    shape_weight = levels.shape_log_weight()
    rng = np.random.default_rng(0)
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
    known = [
        (each.warm_count, known_ms / each.mean_ms)
        for each in used
        if (known_ms := _known_processor_ms(each)) is not None and each.mean_ms
    ]
    return max(known, key=lambda pair: pair[0])[1] if known else None


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


@dataclass(frozen=True, slots=True)
class Weighed:
    """The draws as the goal sees them; columns are the forecast's sizes."""

    forecast: Forecast
    goal: Goal
    now: int
    allowed: Flags
    gain: Floats
    """By how much each size is better than the current one, as a share of its objective."""
    saving: Floats
    """The same of cost."""

    @property
    def now_mb(self) -> int:
        """The current size."""
        return self.forecast.sizes_mb[self.now]

    @property
    def sure(self) -> Flags:
        """Sizes that a move to is right, as far as anybody can tell without measuring them."""
        duration = self.forecast.duration_ms
        better = (self.gain > self.goal.tolerance_ratio).mean(axis=0) >= SURE
        more_expensive = (self.saving < 1 - _MORE_EXPENSIVE_RATIO).mean(axis=0)
        faster = duration.mean(axis=0) <= duration[:, self.now].mean()
        paid = (more_expensive <= _MORE_EXPENSIVE_SHARE) | (faster & (self.goal.first != "cost"))
        smallest_mb = min(self.forecast.observed_mb)
        least_mb = smallest_mb / _FARTHEST_BELOW
        if smallest_mb > MB_PER_VCPU and self.forecast.processor_share is None:
            least_mb = max(least_mb, MB_PER_VCPU)
        near = np.array(self.forecast.sizes_mb) >= least_mb
        sure = self.allowed & better & paid & near
        sure[self.now] = False
        return np.asarray(sure)


def memory_evidence(observed: Sequence[ObservedSize]) -> Evidence:
    """What production says of memory, as the constraints of a sweep take it."""
    failures: dict[int, Counter[Outcome]] = {}
    successes: Counter[int] = Counter()
    used: dict[int, int] = {}
    for each in observed:
        size = each.memory_mb
        if each.max_memory_used_mb is not None:
            used[size] = max(used.get(size, 0), each.max_memory_used_mb)
        if each.code == "other":
            continue
        successes[size] += each.warm_count
        if each.oom_count:
            failures.setdefault(size, Counter())[Outcome.OUT_OF_MEMORY] += each.oom_count
    return Evidence(
        weights={},
        samples={},
        cold_starts=(),
        failures=failures,
        success_counts=successes,
        memory_used_mb=used,
    )


def allowed_sizes(
    found: Forecast,
    evidence: Evidence,
    observed: Sequence[ObservedSize],
    situation: Situation,
) -> Flags:
    """Which sizes may be advised: with headroom for the memory that was used, larger than what was
    killed, and no slower than what timed out. The current one may stay unless it is killed.
    """
    mean_ms = np.median(found.duration_ms, axis=0)
    allowed = np.array([platform_bar(evidence, size) is None for size in found.sizes_mb])
    for each in observed:
        if each.code == "other" or each.mean_ms is None:
            continue
        own_ms = mean_ms[found.column(each.memory_mb)]
        if each.timeout_count:
            allowed &= mean_ms <= own_ms * _SLOWER_RATIO
        if situation.timeout_s is not None:
            longest_ms = each.p99_ms or each.mean_ms * (1 + _TAIL_DEVIATIONS * each.cv)
            allowed &= mean_ms / own_ms * longest_ms <= situation.timeout_s * 1000
    now = found.column(situation.memory_mb)
    allowed[now] = not evidence.failures.get(situation.memory_mb)
    return np.asarray(allowed)


def weigh(found: Forecast, goal: Goal, now_mb: int, allowed: Flags) -> Weighed:
    """Compare every size with the current one, draw by draw."""
    cost_exponent, time_exponent = goal.exponents
    objective = found.cost_usd**cost_exponent * found.duration_ms**time_exponent
    now = found.column(now_mb)
    return Weighed(
        forecast=found,
        goal=goal,
        now=now,
        allowed=allowed,
        gain=1 - objective / objective[:, [now]],
        saving=1 - found.cost_usd / found.cost_usd[:, [now]],
    )
