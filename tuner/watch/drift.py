"""Whether a sweep's recommendation is still of the function as it is: what moved since the sweep.

Pure: the answer of a sweep, what production's logs add up to by day, today's settings and prices go
in, and reasons come out. What production did before the sweep is what later days are held against,
at the same memory: a sweep's payloads may never have been like its requests, and that is no drift.
Only where no earlier days are known is it the sweep's own interval.

A reason is given where it's sure (`day_shift` says how sure), and what can't be judged is named.
"""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import Interval, figure, percent
from tuner.watch.day_shift import DayValues, shift_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tuner.model.recommendation import Recommendation
    from tuner.model.scan import DaySums
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices
    from tuner.watch.day_shift import Shift

    _Measure = Callable[[list[DaySums]], tuple[float, float]]
    """Of a day: a figure, and its relative variance."""

ReasonCode = Literal[
    "code_changed", "architecture_changed", "memory_changed", "duration_moved",
    "memory_used_moved", "traffic_mix_moved", "price_changed",
]  # fmt: skip
Part = Literal["code", "production", "prices"]

RECENT_DAYS: Final = (14, 4)
"""The latest days that count as now: two whole weeks for a small shift, fewer for a late one."""
EARLIER_DAYS: Final = 28
"""The days before the sweep that count as then."""
DURATION_MARGIN: Final = 0.05
MEMORY_MARGIN: Final = 0.15
SWEPT_MEMORY_MARGIN: Final = 0.25
"""Wider: environments live longer in production, and their memory grows with that."""
MIX_MARGIN: Final = 0.3
OVERHEAD_MARGIN: Final = 0.1
PRICE_MARGIN: Final = 0.005
_IN_SWEEP: Final = (
    " in the sweep (no days before it were read, so its payloads may have been unlike production's "
    "requests all along)"
)
_FEWEST_A_DAY: Final = 20
"""Warm invocations, below which a day says nothing of its mean."""
_LEAST_SCALE: Final = 0.1
"""Of a GB-second's price then to now: below it, costs don't go with the time at all."""
_ONE_PRICE_LIST: Final = 0.01
"""How far an invocation's recorded cost may be from the prices fitted to all of them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that moved since the sweep, in a sentence with its figures."""

    code: ReasonCode
    message: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What moved since a sweep; stale is a recommendation with a reason."""

    reasons: tuple[Reason, ...]
    unchecked: tuple[Part, ...] = ()
    """What couldn't be judged by what was read."""

    @property
    def is_stale(self) -> bool:
        """Whether the recommendation should be made anew."""
        return bool(self.reasons)

    @property
    def finding(self) -> Finding | None:
        """What reports say of it; None if it isn't stale."""
        if not self.reasons:
            return None
        said = "; ".join(each.message for each in self.reasons)
        return Finding(
            "recommendation_stale",
            "warning",
            f"This recommendation is stale: {said}. Tune the function again.",
        )


@dataclass(frozen=True, slots=True)
class Deployed:
    """The function's settings today, as an account or a build says; None where it doesn't."""

    code_sha256: str | None = None
    architecture: str | None = None
    memory_mb: int | None = None


def drift_of(
    sweep: Sweep,
    answer: Recommendation,
    *,
    days: Sequence[DaySums] | None = None,
    deployed: Deployed | None = None,
    prices: LambdaPrices | None = None,
) -> Drift:
    """Everything that moved since a sweep, by its answer.

    `days` are production's of this function (None: no logs were read), `deployed` its settings
    today, `prices` today's. A sweep of a local machine is held against prices alone.
    """
    reasons: list[Reason] = []
    unchecked: list[Part] = []
    is_local = sweep.environment == "local"
    code = None if deployed is None or is_local else deployed.code_sha256
    swept = sweep.function.code_sha256
    if not code:
        unchecked.append("code")
    elif code != swept:
        message = f"the code that runs is {code[:7]}, and the sweep measured {swept[:7]}"
        reasons.append(Reason("code_changed", message))
    if deployed is not None and not is_local:
        reasons += _of_settings(answer, deployed)
    judged = None if days is None or is_local else _of_days(sweep, answer, days)
    if judged is None:
        unchecked.append("production")
    else:
        has_memory = any(each.code == "memory_changed" for each in reasons)
        reasons += [each for each in judged if each.code != "memory_changed" or not has_memory]
    paid = None if prices is None else _of_prices(sweep, prices)
    if paid is None:
        unchecked.append("prices")
    else:
        reasons += paid
    return Drift(tuple(reasons), tuple(unchecked))


def _of_settings(answer: Recommendation, deployed: Deployed) -> Iterator[Reason]:
    swept = answer.function.architecture
    if deployed.architecture not in (None, swept):
        yield Reason(
            "architecture_changed", f"it runs on {deployed.architecture}, and {swept} was measured"
        )
    if deployed.memory_mb is not None:
        yield from _of_memory(answer, deployed.memory_mb)


def _of_memory(answer: Recommendation, memory_mb: int) -> Iterator[Reason]:
    """Another size than the one it had, and not because the answer was applied."""
    had, told = answer.current.memory_mb, answer.memory_mb
    if memory_mb not in (had, told, answer.choice.best_so_far_mb):
        said = "" if told in (None, had) else f", and {told} MB is recommended"
        yield Reason("memory_changed", f"it has {memory_mb} MB: the sweep found {had} MB{said}")


def _of_days(sweep: Sweep, answer: Recommendation, days: Sequence[DaySums]) -> list[Reason] | None:
    """What production says; None where it has too few days since the sweep."""
    swept_on = sweep.started_at[:10]
    later = [each for each in days if each.day > swept_on]
    if not later:
        return None
    last = max(each.day for each in later)
    memory_mb = max(later, key=lambda each: (each.day, each.invocation_count)).memory_mb
    first = _days_ago(swept_on, EARLIER_DAYS + 1)
    then = [each for each in days if first < each.day < swept_on and each.memory_mb == memory_mb]
    reasons: dict[ReasonCode, Reason] = {}
    is_judged = False
    for recent in RECENT_DAYS:
        since = _days_ago(last, recent)
        now = [each for each in later if each.day > since and each.memory_mb == memory_mb]
        has_durations, moved = _moved_since(answer, memory_mb, then, now)
        is_judged |= has_durations
        for each in moved:
            reasons.setdefault(each.code, each)
    return [*_of_memory(answer, memory_mb), *reasons.values()] if is_judged else None


def _moved_since(
    answer: Recommendation, memory_mb: int, then: list[DaySums], now: list[DaySums]
) -> tuple[bool, list[Reason]]:
    """Whether durations can be judged, and what surely moved by more than matters: against earlier
    days, and without enough of them against the sweep's own intervals.
    """
    duration, where = _shift(_mean, then, now), ""
    if duration is None and (swept := _swept_duration(answer, memory_mb)) is not None:
        duration, where = shift_of(swept, _values(_mean, now)), _IN_SWEEP
    memory_used, margin = _shift(_most_used, then, now), MEMORY_MARGIN
    if memory_used is None and (used := _swept_memory(answer)) is not None:
        memory_used, margin = shift_of(used, _values(_most_used, now)), SWEPT_MEMORY_MARGIN
    reasons = []
    if (found := _beyond(duration, DURATION_MARGIN)) is not None:
        message = (
            f"a warm invocation at {memory_mb} MB takes {figure(found.after, 4)} ms, "
            f"{_moved(found)} {figure(found.before, 4)} ms{where}"
        )
        reasons.append(Reason("duration_moved", message))
    if (found := _beyond(memory_used, margin)) is not None:
        message = (
            f"it uses up to {found.after:,.0f} MB on a day, {_moved(found)} {found.before:,.0f} MB"
        )
        reasons.append(Reason("memory_used_moved", message))
    if (found := _beyond(_shift(_spread, then, now), MIX_MARGIN)) is not None:
        message = (
            f"durations scatter by {percent(found.after)} of their mean, and by "
            f"{percent(found.before)} before the sweep: other requests came"
        )
        reasons.append(Reason("traffic_mix_moved", message))
    if (found := _beyond(_shift(_overhead, then, now), OVERHEAD_MARGIN)) is not None:
        message = (
            f"an invocation is billed {found.after:.2f} times a warm one, and {found.before:.2f} "
            "times before the sweep: cold starts or failures have another share"
        )
        reasons.append(Reason("traffic_mix_moved", message))
    return duration is not None, reasons


def _beyond(shift: Shift | None, margin_ratio: float) -> Shift | None:
    return shift if shift is not None and shift.is_beyond(margin_ratio) else None


def _moved(shift: Shift) -> str:
    more = "more" if shift.ratio.estimate > 1 else "less"
    return f"{percent(abs(shift.ratio.estimate - 1))} {more} than"


def _swept_duration(answer: Recommendation, memory_mb: int) -> Interval | None:
    """The warm mean at this size by the sweep's curve."""
    now = answer.current
    found = (each.duration_ms for each in answer.curve if each.memory_mb == memory_mb)
    return next(found, now.duration_ms if memory_mb == now.memory_mb else None)


def _swept_memory(answer: Recommendation) -> Interval | None:
    """The most that was used at a size: the middle of the sizes, and the least and most of them."""
    used = [each.max_memory_used_mb for each in answer.sizes if each.max_memory_used_mb]
    return Interval(float(np.median(used)), min(used), max(used)) if used else None


def _shift(measure: _Measure, then: list[DaySums], now: list[DaySums]) -> Shift | None:
    return shift_of(_values(measure, then), _values(measure, now))


def _values(measure: _Measure, days: Iterable[DaySums]) -> DayValues:
    """A figure of each day, whose rows (one for each version) count together, where there are
    enough warm invocations.
    """
    found: defaultdict[str, list[DaySums]] = defaultdict(list)
    for each in days:
        found[each.day].append(each)
    return DayValues.of(
        [
            measure(rows)
            for rows in found.values()
            if sum(each.warm_count for each in rows) >= _FEWEST_A_DAY
        ]
    )


def _sums(rows: list[DaySums]) -> tuple[int, float, float]:
    """(count, mean, relative variance) of a day's warm invocations."""
    count = sum(each.warm_count for each in rows)
    mean = sum(each.warm_ms_sum for each in rows) / count
    square = sum(each.warm_ms2_sum for each in rows) / count
    return count, mean, max(square / mean**2 - 1, 0.0) if mean > 0 else 0.0


def _mean(rows: list[DaySums]) -> tuple[float, float]:
    count, mean, spread = _sums(rows)
    return mean, spread / count


def _spread(rows: list[DaySums]) -> tuple[float, float]:
    """The coefficient of variation, whose own variance the scatter of the days has."""
    return math.sqrt(_sums(rows)[2]), 0.0


def _overhead(rows: list[DaySums]) -> tuple[float, float]:
    """What an invocation is billed over what a warm one takes."""
    billed = sum(each.billed_ms_sum for each in rows)
    count = sum(each.invocation_count for each in rows)
    mean = _sums(rows)[1]
    return billed / count / math.ceil(mean) if mean > 0 else 0.0, 0.0


def _most_used(rows: list[DaySums]) -> tuple[float, float]:
    return float(max(each.max_memory_used_mb or 0 for each in rows)), 0.0


def _days_ago(day: str, count: int) -> str:
    return (datetime.date.fromisoformat(day) - datetime.timedelta(days=count)).isoformat()


def _of_prices(sweep: Sweep, prices: LambdaPrices) -> list[Reason] | None:
    """What an invocation of the sweep costs by today's list, against what was written down then.

    None where the sweep has no costs of one price list (a sum of other things, or nothing).
    """
    storage_mb, request_usd = sweep.function.ephemeral_storage_mb, float(prices.request_price_usd)
    billed = [
        (each.memory_mb, each.report.billed_duration_ms, each.cost_usd)
        for each in sweep.invocations
        if each.report is not None and each.cost_usd > 0
    ]
    duration_usd = np.array(
        [prices.price_usd_per_ms(size, storage_mb) * time_ms for size, time_ms, _ in billed]
    )
    then_usd = np.array([cost for *_, cost in billed])
    if len(np.unique(duration_usd)) < 2:
        return None
    design = np.column_stack([np.full(len(billed), request_usd), duration_usd]) / then_usd[:, None]
    scale, *_ = np.linalg.lstsq(design, np.ones(len(billed)), rcond=None)
    if scale[1] < _LEAST_SCALE or float(np.abs(design @ scale - 1).max()) > _ONE_PRICE_LIST:
        return None
    change = float((request_usd + duration_usd).sum() / then_usd.sum()) - 1
    if abs(change) <= PRICE_MARGIN:
        return []
    return [
        Reason(
            "price_changed",
            f"the sweep's invocations cost {percent(abs(change), 1)} "
            f"{'more' if change > 0 else 'less'} at the prices of {prices.as_of}",
        )
    ]
