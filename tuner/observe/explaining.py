"""What may explain that a change of memory saved more or less than its sweep said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.interval import figure, listed, percent
from tuner.model.verification import Cause
from tuner.observe.use_hours import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.account import AccountFunction
    from tuner.model.verification import Forecast
    from tuner.observe.realized import Realized
    from tuner.observe.use_hours import UseRows

_WORTH_A_WORD: Final = 0.01
"""Of the cost; less explains nothing."""
_OTHER_RATE: Final = 1.2
_OTHER_SPREAD: Final = 1.25
_OTHER_COST: Final = 1.2
_MORE_FAILURES: Final = 0.005
_DEVIATIONS: Final = 3.0
"""What chance alone may do."""
_ENOUGH_FOR_HOURS: Final = 200


def causes_of(
    found: Realized, forecast: Forecast, settings: AccountFunction | None
) -> tuple[Cause, ...]:
    """Whatever moved besides the memory, or isn't as the sweep had it."""
    return (
        *_of_memory(found, forecast),
        *_of_code(found, forecast, settings),
        *_of_failures(found),
        *_of_cold_starts(found),
        *_of_traffic(found, forecast),
        *_of_sweep(found, forecast),
    )


def _of_memory(found: Realized, forecast: Forecast) -> Iterator[Cause]:
    before, after = found.saved.before.memory_mb, found.saved.after.memory_mb
    like = f"held against what the sweep's curve says of {before} → {after} MB"
    if after != forecast.to_mb:
        yield Cause(
            "other_memory", f"{after} MB was set, and {forecast.to_mb} MB is recommended: {like}"
        )
    if before != forecast.from_mb:
        yield Cause(
            "other_baseline",
            f"it had {before} MB before, and the recommendation is against {forecast.from_mb} MB: "
            f"{like}",
        )
    if found.left is not None:
        until, then_mb = found.left
        yield Cause(
            "changed_back" if then_mb == before else "other_memory",
            f"{after} MB lasted until {until:%Y-%m-%d %H:%M}: it's {then_mb} MB since, so this is "
            "what it saved while it lasted",
        )


def _of_code(
    found: Realized, forecast: Forecast, settings: AccountFunction | None
) -> Iterator[Cause]:
    if found.deployed:
        days = listed([f"{each:%Y-%m-%d %H:%M}" for each in found.deployed])
        yield Cause(
            "code_changed",
            f"other versions were deployed ({days}): each may have moved the cost by itself",
        )
    if settings is None:
        return
    if settings.code_sha256 and settings.code_sha256 != forecast.code_sha256:
        yield Cause("code_changed", "today's code isn't the code that the sweep measured")
    if settings.architecture != forecast.architecture:
        yield Cause(
            "architecture_changed",
            f"it runs on {settings.architecture}, and the sweep measured {forecast.architecture}",
        )


def _of_failures(found: Realized) -> Iterator[Cause]:
    before, after = found.before, found.after
    rise = after.failure_share - before.failure_share
    shares = (before.failure_share, after.failure_share)
    counts = (before.count.sum(), after.count.sum())
    pooled = sum(share * count for share, count in zip(shares, counts, strict=True)) / sum(counts)
    deviation = math.sqrt(max(pooled * (1 - pooled), 0.0) * sum(1 / count for count in counts))
    if rise > max(_MORE_FAILURES, _DEVIATIONS * deviation):
        kills = int(after.kill_count.sum())
        killed = f", {kills:,} of them out of memory" if kills else ""
        yield Cause(
            "failures_rose",
            f"{percent(after.failure_share)} of the invocations fail after the change{killed}, "
            f"{percent(before.failure_share)} before: failing early saves nothing",
        )


def _of_cold_starts(found: Realized) -> Iterator[Cause]:
    before, after = found.before, found.after
    if found.saved.method == "split" or not before.count[before.cold].sum():
        return
    cold, warm = before.where(before.cold), before.where(~before.cold)
    if not warm.total_count:
        return
    moved = after.cold_share - before.cold_share
    effect = moved * (cold.mean_usd / warm.mean_usd - 1)
    if abs(effect) > _WORTH_A_WORD:
        yield Cause(
            "cold_starts_moved",
            f"cold starts went from {percent(before.cold_share)} to {percent(after.cold_share)} of "
            f"the invocations, worth {percent(abs(effect))} of the cost: both sides are compared "
            "at the later share",
        )


def _of_traffic(found: Realized, forecast: Forecast) -> Iterator[Cause]:
    now, before = found.saved.after.rate_per_s, found.saved.before.rate_per_s
    then = forecast.rate_per_s or (None if found.saved.method == "split" else before)
    counts = [each.total_count for each in (found.before, found.after)]
    reach = max(math.log(_OTHER_RATE), _DEVIATIONS * math.sqrt(sum(1 / each for each in counts)))
    if then and abs(math.log(now / then)) > reach:
        yield Cause(
            "rate_moved",
            f"{_rate(now)} came after the change, and {_rate(then)} "
            f"{'was forecast' if forecast.rate_per_s else 'before'}: dollars are at the later rate",
        )
    if abs(found.cycle_moved) > _WORTH_A_WORD and min(counts) >= _ENOUGH_FOR_HOURS:
        yield Cause(
            "traffic_mix_moved",
            f"requests came at other hours of the day, which alone moves the cost by "
            f"{percent(abs(math.expm1(found.cycle_moved)))}: taken out",
        )
    spreads = [_spread(each.where(~each.cold)) for each in (found.before, found.after)]
    if min(spreads) > 0 and not 1 / _OTHER_SPREAD <= spreads[1] / spreads[0] <= _OTHER_SPREAD:
        yield Cause(
            "durations_spread",
            f"durations spread by a factor of {figure(math.exp(spreads[1]), 2)} after the change, "
            f"and of {figure(math.exp(spreads[0]), 2)} before: other requests, or ones that memory "
            "moves apart",
        )


def _of_sweep(found: Realized, forecast: Forecast) -> Iterator[Cause]:
    if forecast.environment == "local":
        yield Cause("measured_elsewhere", "the sweep measured on a machine of yours, not on AWS")
    swept, seen = forecast.cost_usd_per_million, found.saved.before
    if swept is None or seen.memory_mb != forecast.from_mb or not swept.estimate:
        return
    ratio = seen.cost_usd_per_million / swept.estimate
    if not 1 / _OTHER_COST <= ratio <= _OTHER_COST:
        yield Cause(
            "payloads_differ",
            f"a million invocations cost ${seen.cost_usd_per_million:,.2f} at {seen.memory_mb} MB "
            f"in production, and ${swept.estimate:,.2f} with the sweep's payloads: they aren't "
            "like production's events",
        )


def _spread(rows: UseRows) -> float:
    """The deviation of the logarithm of a duration within its hour; 0 where it isn't known."""
    slots, at = np.unique(rows.slot, return_inverse=True)
    if not len(slots):
        return 0.0
    counts, sums, squares = (
        np.bincount(at, each) for each in (rows.success_count, rows.log_ms, rows.log_ms_squares)
    )
    free = float(np.maximum(counts - 1, 0).sum())
    left = float((squares - sums**2 / np.maximum(counts, 1))[counts > 0].sum())
    return math.sqrt(max(left, 0.0) / free) if free >= 30 else 0.0


def _rate(rate_per_s: float) -> str:
    if rate_per_s >= 0.1:
        return f"{figure(rate_per_s, 2)} requests/s"
    return f"{figure(rate_per_s * HOUR_S, 2)} requests/h"
