"""Whether production already says what a function's memory should be: keep, resize, sweep, unknown.

The question is that of a sweep (`tuner.decision.move`), with draws from production's forecast: a
resize must be better by more than the tolerance with 90% probability. Nothing was measured at a
size that never ran, so it must besides be more expensive by over 1% in at most 2% of the draws.
Where that is open, a sweep is advised if what it could save in a month is worth more than it costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.candidates import candidate_sizes
from tuner.decision.estimates import interval
from tuner.model.advice import Advice, SweepWorth
from tuner.model.goal import Goal
from tuner.model.interval import Interval, counted, figure, percent, percent_digits
from tuner.model.lambda_limits import MIN_MEMORY_MB, SECONDS_PER_MONTH
from tuner.model.plan import MOST_INVOCATIONS
from tuner.observe.forecast import allowed_sizes, forecast, memory_evidence, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.advice import ObservedSize, Situation, SizeForecast
    from tuner.model.arrays import Flags, Floats
    from tuner.observe.forecast import Forecast, Weighed
    from tuner.pricing import LambdaPrices

FEWEST_INVOCATIONS: Final = 10
"""Warm successes, below which nothing is said."""
_FAILING_SHARE: Final = 0.5
"""Where more invocations fail, durations are not of the function's work."""
_ENOUGH_OF_THE_BEST: Final = 0.5
"""A sure resize comes before a sweep where it gains so much of what the best size would."""
LEAST_MONTH_S: Final = 86_400.0
"""A shorter window says nothing of a month."""
_FIRST_SIZES_MB: Final = (128, 704)
"""Where a sweep looks first, beside the current size."""
_SHOWN_SIZES_MB: Final = (128, 256, 512, 1024, 1769, 3008)


def advise(
    observed: Sequence[ObservedSize],
    situation: Situation,
    prices: LambdaPrices,
) -> Advice:
    """Judge a function by its sizes in production. Pure: the same evidence, the same advice."""
    now_mb = situation.memory_mb
    warm = sum(each.warm_count for each in observed if each.code != "other")
    why = _too_little(observed, warm)
    if why is not None:
        return Advice("unknown", None, None, None, why)
    candidates = candidate_sizes(None, None, now_mb)
    found = forecast(
        observed,
        sorted({*candidates, *_SHOWN_SIZES_MB}),
        prices,
        ephemeral_storage_mb=situation.ephemeral_storage_mb or 512,
    )
    assert found is not None
    evidence = memory_evidence(observed)
    allowed = allowed_sizes(found, evidence, observed, situation)
    weighed = weigh(found, Goal(), now_mb, allowed)
    month_usd = _cost_usd_per_month(weighed, observed, situation)
    if evidence.failures.get(now_mb):
        return _killed(weighed, observed, month_usd)
    return _judge(weighed, observed, month_usd)


def _too_little(observed: Sequence[ObservedSize], warm_count: int) -> str | None:
    """Why nothing can be said."""
    if warm_count < FEWEST_INVOCATIONS:
        succeeded = counted(warm_count, "warm invocation")
        return f"only {succeeded} succeeded, and {FEWEST_INVOCATIONS} are the least to judge by"
    total = sum(each.invocation_count for each in observed)
    failed = sum(each.error_count + each.timeout_count for each in observed)
    if failed > _FAILING_SHARE * total:
        return (
            f"{percent(failed / total)} of the invocations fail, so durations say nothing of the "
            "function's work: fix its errors first"
        )
    return None


def _cost_usd_per_month(
    weighed: Weighed, observed: Sequence[ObservedSize], situation: Situation
) -> float | None:
    """What a month costs at the current size; None for a window that is too short to say."""
    if situation.window_s is None or situation.window_s < LEAST_MONTH_S:
        return None
    count = sum(each.invocation_count for each in observed)
    cost = float(weighed.forecast.cost_usd[:, weighed.now].mean())
    rate_per_s = count / situation.window_s
    return rate_per_s * SECONDS_PER_MONTH * cost * (1 - situation.discount_ratio)


def _judge(weighed: Weighed, observed: Sequence[ObservedSize], month_usd: float | None) -> Advice:
    """The advice where the current size may stay."""
    found, now_mb = weighed.forecast, weighed.now_mb
    among = weighed.allowed.copy()
    among[weighed.now] = True
    best = np.where(among, weighed.gain, -np.inf).max(axis=1)
    sure = weighed.sure
    if found.basis == "one_size" and found.observed_mb == (MIN_MEMORY_MB,):
        sure[:] = False  # how much faster a larger size is, the smallest alone never tells
    column = _most(weighed.gain, sure)
    gained = 0.0 if column is None else float(weighed.gain[:, column].mean())
    worth = _sweep_worth(weighed, among, month_usd)
    value = worth.value_per_dollar
    pays = value is None or value > 1  # where no month is known, it may be
    if column is not None and (gained >= _ENOUGH_OF_THE_BEST * best.mean() or not pays):
        return _resize(weighed, column, month_usd, worth)
    if float(best.mean()) > weighed.goal.tolerance_ratio and pays:
        return _sweep(weighed, among, worth)
    return Advice(
        verdict="keep",
        memory_mb=now_mb,
        saving_ratio=_NOTHING,
        saving_usd_per_month=None if month_usd is None else _NOTHING,
        reason=_why_keep(weighed, observed, float(best.mean())),
        basis=found.basis,
        mix_shift_ratio=found.mix_shift_ratio,
        sweep=worth,
        forecasts=_shown(found, now_mb),
    )


_NOTHING: Final = Interval(0.0, 0.0, 0.0)


def _resize(weighed: Weighed, column: int, month_usd: float | None, worth: SweepWorth) -> Advice:
    found, now_mb = weighed.forecast, weighed.now_mb
    size = found.sizes_mb[column]
    saving = interval(weighed.saving[:, column])
    ratio = interval(found.duration_ms[:, column] / found.duration_ms[:, weighed.now])
    return Advice(
        verdict="resize",
        memory_mb=size,
        saving_ratio=saving,
        saving_usd_per_month=_scaled(saving, month_usd),
        reason=(
            f"{size} MB costs {_range(saving)} less than {now_mb} MB{_pace(ratio)}, "
            f"by {_basis(found)}"
        ),
        basis=found.basis,
        confidence=float((weighed.gain[:, column] > weighed.goal.tolerance_ratio).mean()),
        duration_ratio=ratio,
        mix_shift_ratio=found.mix_shift_ratio,
        sweep=worth,
        forecasts=_shown(found, now_mb, size),
    )


def _sweep(weighed: Weighed, among: Flags, worth: SweepWorth) -> Advice:
    found, now_mb = weighed.forecast, weighed.now_mb
    leans = _most(weighed.gain, among)
    size = None if leans is None else found.sizes_mb[leans]
    could = worth.saving_ratio
    return Advice(
        verdict="sweep",
        memory_mb=None,
        saving_ratio=could,
        saving_usd_per_month=worth.saving_usd_per_month,
        reason=(
            f"the best size may cost {_range(could)} less than {now_mb} MB, and {_basis(found)} "
            f"can't tell which it is: a sweep takes up to {worth.invocation_count} invocations, "
            f"{_about(worth.cost_usd)}"
        ),
        basis=found.basis,
        leans_to_mb=size,
        mix_shift_ratio=found.mix_shift_ratio,
        sweep=worth,
        forecasts=_shown(found, now_mb, *([] if size is None else [size])),
    )


def _killed(weighed: Weighed, observed: Sequence[ObservedSize], month_usd: float | None) -> Advice:
    """The advice where the current size runs out of memory: the cheapest larger one that ran and
    has headroom; without one, a sweep.
    """
    found, now_mb = weighed.forecast, weighed.now_mb
    kills = sum(each.oom_count for each in observed if each.memory_mb == now_mb)
    said = f"{counted(f'{kills:,}', 'invocation')} ran out of memory at {now_mb} MB"
    ran = np.isin(found.sizes_mb, [e.memory_mb for e in observed if e.code == "same"])
    column = _most(weighed.gain, weighed.allowed & ran)
    if column is not None:
        size = found.sizes_mb[column]
        why = f"{said}, and none at {size} MB"
        shown = _shown(found, now_mb, size)
        return Advice("resize", size, None, None, why, found.basis, forecasts=shown)
    return Advice(
        "sweep",
        None,
        None,
        None,
        f"{said}: it needs more, and a sweep tells how much",
        found.basis,
        sweep=_sweep_worth(weighed, weighed.allowed, month_usd),
        forecasts=_shown(found, now_mb),
    )


def _sweep_worth(weighed: Weighed, among: Flags, month_usd: float | None) -> SweepWorth:
    """The price of a sweep, and what is saved by knowing the curve, draw by draw."""
    found = weighed.forecast
    best = np.where(among, weighed.gain, -np.inf).argmax(axis=1)
    saved = interval(weighed.saving[np.arange(len(best)), best])
    floor = found.sizes_mb[int(among.argmax())]
    first = {max(size, floor) for size in _FIRST_SIZES_MB} | {found.sizes_mb[weighed.now]}
    columns = [
        min(range(len(found.sizes_mb)), key=lambda c: abs(found.sizes_mb[c] - size))
        for size in sorted(first)
    ]
    return SweepWorth(
        invocation_count=MOST_INVOCATIONS,
        cost_usd=MOST_INVOCATIONS * float(found.cost_usd[:, columns].mean()),
        saving_ratio=saved,
        saving_usd_per_month=_scaled(saved, month_usd),
    )


def _most(gain: Floats, among: Flags) -> int | None:
    """The column of the largest expected gain; None without one."""
    return int(np.where(among, gain.mean(axis=0), -np.inf).argmax()) if among.any() else None


def _scaled(ratio: Interval, month_usd: float | None) -> Interval | None:
    return None if month_usd is None else ratio.times(month_usd)


def _shown(found: Forecast, *sizes_mb: int) -> tuple[SizeForecast, ...]:
    return found.at(sorted({*_SHOWN_SIZES_MB, *found.observed_mb, *sizes_mb}))


def _why_keep(weighed: Weighed, observed: Sequence[ObservedSize], best: float) -> str:
    now_mb = weighed.now_mb
    used = max((each.max_memory_used_mb or 0 for each in observed), default=0)
    smaller = [
        size
        for size, allowed in zip(weighed.forecast.sizes_mb, weighed.allowed, strict=True)
        if allowed and size < now_mb
    ]
    if not smaller and now_mb > MIN_MEMORY_MB and used:
        return (
            f"it used up to {used} MB, so no size below {now_mb} MB has headroom, and no larger "
            "one is likely to be worth a change"
        )
    if best > weighed.goal.tolerance_ratio:
        return f"what another size may save in a month ({percent(best)}) isn't worth a sweep"
    return f"no size is likely to beat {now_mb} MB by enough to be worth a change"


def _basis(found: Forecast) -> str:
    """What it was judged by."""
    sizes = " and ".join(f"{size}" for size in found.observed_mb)
    if found.basis in ("several_sizes", "several_sizes_and_cpu_time"):
        return f"what {sizes} MB took in production"
    if found.processor_share is not None:
        share = min(found.processor_share, 1.0)
        return f"its CPU time at {sizes} MB ({percent(share)} of its duration)"
    return f"{sizes} MB alone"


def _pace(ratio: Interval) -> str:
    """How much slower or faster, where that is worth a word."""
    if ratio.estimate >= 1.1:
        return f" and takes {figure(ratio.estimate, 2)} times as long"
    if ratio.estimate <= 0.9:
        return f" and takes {percent(1 - ratio.estimate)} less time"
    return ""


def _range(saving: Interval) -> str:
    return f"{percent_digits(saving.low)} to {percent(saving.high)}"


def _about(amount_usd: float) -> str:
    return f"about ${amount_usd:,.2f}" if amount_usd >= 0.01 else "under $0.01"
