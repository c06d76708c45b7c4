"""What a change of memory did to a function's bill: the method, the interval, the dollars.

Where an alias was split, both versions saw the same traffic, and `split` compares them; otherwise
`before_after` compares the days on both sides of the change. Cold starts are priced apart, at the
share that they have after the change; dollars are at the rate after the change, so that neither
more traffic nor more cold starts pass for a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.interval import Interval, counted
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.model.observation import Window
from tuner.model.verification import Saved, Side
from tuner.observe import split
from tuner.observe.before_after import DRAW_COUNT, MOST_DAYS, fit_step
from tuner.observe.use_hours import HOUR_S, Move, find_move, hour_of, moment, pure_hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.arrays import Floats
    from tuner.model.verification import VerificationMethod
    from tuner.observe.use_hours import UseRows

LEAST_HOURS: Final = 24
"""On each side: less than a day says nothing of days."""
_FEWEST_COLD: Final = 5
_FEWEST_LATER: Final = 20
_SPLIT_SLOTS: Final = 3
"""In fewer slots of five minutes both versions are there by chance, as one takes over."""


@dataclass(frozen=True, slots=True)
class Reports:
    """A function's reports as they're asked for: by the hour, and finer where versions overlap."""

    hours: UseRows
    slots: Callable[[Window, int], UseRows]
    """By slots of so many seconds and environment, in a window."""
    window: Window
    untouched: tuple[UseRows, ...] = ()
    versions: tuple[str, str] | None = None
    """Old and new of a rollout, where that is known; otherwise the most frequent ones."""


@dataclass(frozen=True, slots=True)
class Realized:
    """A comparison, with what its causes are looked for in."""

    saved: Saved
    move: Move | None
    before: UseRows
    after: UseRows
    cycle_moved: float = 0.0
    deployed: tuple[datetime, ...] = ()
    left: tuple[datetime, int] | None = None
    """When the new size was given up, and which came then; None while it's in use."""


def realize(
    reports: Reports, *, from_mb: int, to_mb: int | None, since: datetime, seed: int = 0
) -> Realized | str:
    """Compare the sizes by the better of both methods; a sentence where neither can."""
    by_split = None if to_mb is None else _by_split(reports, from_mb, to_mb, since, seed)
    move = find_move(reports.hours, to_mb, since)
    by_days = move if isinstance(move, str) else _by_days(reports, move, seed)
    if by_split is None:
        return by_days
    if isinstance(by_days, str) or by_days.saved.after.memory_mb != to_mb:
        return by_split
    widths = [
        each.saved.saving_ratio.high - each.saved.saving_ratio.low for each in (by_split, by_days)
    ]
    return by_split if widths[0] <= widths[1] else by_days


def _by_days(reports: Reports, move: Move, seed: int) -> Realized | str:
    rows = pure_hours(reports.hours, move, most_days=MOST_DAYS)
    is_after = rows.memory_mb == move.to_mb
    is_before = ~is_after & (rows.slot <= hour_of(move.at))
    before, after = rows.where(is_before), rows.where(is_after)
    short = _too_short(before, after, move)
    if short is not None:
        return short
    deployed = [hour_of(each) for each in move.others]
    apart = _colds_apart(before, after)
    step = fit_step(
        rows.where(~rows.cold) if apart else rows,
        move.to_mb,
        deployed_hours=deployed,
        untouched=reports.untouched,
        seed=seed,
    )
    if step is None:
        return f"there are too few invocations to compare {move.from_mb} with {move.to_mb} MB"
    draws = _with_cold_starts(step.draws, before, after, seed) if apart else step.draws
    end = move.until or reports.window.end or moment(float(after.slot.max()) + 1)
    span = (end - move.at).total_seconds()
    in_span = (reports.hours.slot >= int(hour_of(move.at))) & (reports.hours.slot <= hour_of(end))
    rate = reports.hours.count[in_span].sum() / max(span, 1.0)
    compared = _Compared("before_after", draws, before, after, move.at, float(rate))
    saved = compared.saved(len(reports.untouched))
    left = None if move.until is None or move.then_mb is None else (move.until, move.then_mb)
    return Realized(saved, move, before, after, step.cycle_moved, move.others, left)


def _too_short(before: UseRows, after: UseRows, move: Move) -> str | None:
    """Why days can't be compared yet."""
    for rows, side in ((before, "before"), (after, "after")):
        hours = int(rows.slot.max() - rows.slot.min()) + 1 if len(rows.slot) else 0
        if hours >= LEAST_HOURS:
            continue
        lasted = counted(hours, "hour") if hours else "no whole hour"
        if side == "after" and move.until is not None:
            return (
                f"{move.to_mb} MB lasted {lasted}, and it's {move.then_mb} MB since "
                f"{move.until:%Y-%m-%d %H:%M}: nothing can be said of so short a time"
            )
        if side == "after":
            return (
                f"the memory changed to {move.to_mb} MB on {move.at:%Y-%m-%d %H:%M}, and there are "
                f"{lasted} of lines since: a day is the least to compare days by"
            )
        return (
            f"there are {lasted} of lines before the change of {move.at:%Y-%m-%d %H:%M}: look back "
            "further (`days`), or add older logs (`logs`)"
        )
    return None


def _by_split(
    reports: Reports, from_mb: int, to_mb: int, since: datetime, seed: int
) -> Realized | None:
    hours = reports.hours
    hours = hours.where(hours.slot >= int(hour_of(since)))
    if reports.versions is not None:
        hours = hours.where(np.isin(hours.version.astype(str), reports.versions))
    both = _pair(hours, from_mb, to_mb)
    if both is None:
        return None
    versions = set(both.version)

    def of_both(slot_s: int) -> UseRows:
        first, last = int(both.slot.min()), int(both.slot.max()) + 1
        found = reports.slots(Window(moment(first), moment(last)), slot_s)
        return found.where(np.array([each in versions for each in found.version], dtype=bool))

    rows, slot_s = of_both(split.SHORT_SLOT_S), split.SHORT_SLOT_S
    seen = np.unique(split.overlap(rows, to_mb).slot)
    if len(seen) < _SPLIT_SLOTS:
        return None
    if (seen[-1] - seen[0] + 1) * slot_s > split.SHORT_SPLIT_HOURS * HOUR_S:
        rows, slot_s = of_both(HOUR_S), HOUR_S
    draws = split.fit_split(rows, to_mb, seed=seed)
    if draws is None:
        return None
    chosen = split.overlap(rows, to_mb)
    is_new = chosen.memory_mb == to_mb
    before, after = chosen.where(~is_new), chosen.where(is_new)
    began = datetime.fromtimestamp(float(after.first_us.min()) / 1e6, tz=moment(0).tzinfo)
    end = reports.window.end or moment(int(both.slot.max()) + 1)
    since_then = reports.hours.where(reports.hours.slot >= int(hour_of(began)))
    span_s = max((end - began).total_seconds(), slot_s)
    rate = since_then.count.sum() / span_s
    compared = _Compared("split", draws, before, after, began, float(rate), slot_s)
    return Realized(compared.saved(0), None, before, after, left=_left(reports.hours, to_mb))


def _left(hours: UseRows, to_mb: int) -> tuple[datetime, int] | None:
    """When the last hour at a size ended, if enough came later at others."""
    last = int(hours.slot[hours.memory_mb == to_mb].max())
    later = hours.where(hours.slot > last)
    if later.total_count < _FEWEST_LATER:
        return None
    sizes, at = np.unique(later.memory_mb, return_inverse=True)
    return moment(last + 1), int(sizes[np.bincount(at, later.count).argmax()])


def _pair(hours: UseRows, from_mb: int, to_mb: int) -> UseRows | None:
    """The rows of two published versions in hours that have both: the most frequent one of the new
    size, and of the old. Who calls `$LATEST`, or another version, isn't split by weight.
    """
    published = hours.where((hours.version != "") & (hours.version != "$LATEST"))
    new = published.where(published.memory_mb == to_mb)
    old = published.where(published.memory_mb == from_mb)
    if not old.total_count:
        old = published.where(published.memory_mb != to_mb)
    if not (new.total_count and old.total_count):
        return None
    chosen = [_most_frequent(new), _most_frequent(old.where(np.isin(old.slot, new.slot)))]
    rows = published.where(np.isin(published.version.astype(str), chosen))
    both = split.overlap(rows, to_mb)
    return both if len(both.slot) else None


def _most_frequent(rows: UseRows) -> str:
    """The version of most invocations; empty without one."""
    versions, at = np.unique(rows.version.astype(str), return_inverse=True)
    return str(versions[np.bincount(at, rows.count).argmax()]) if len(versions) else ""


def _colds_apart(before: UseRows, after: UseRows) -> bool:
    """Whether cold starts are many enough to price, and few enough to take out."""
    return all(
        each.count[each.cold].sum() >= _FEWEST_COLD and each.cold_share < 0.5
        for each in (before, after)
    )


def _with_cold_starts(draws: Floats, before: UseRows, after: UseRows, seed: int) -> Floats:
    """From the step of warm invocations to that of all, at the later share of cold starts.

    What else moved the warm ones meanwhile may have moved the cold ones as well, or their INIT not
    at all: any share of it is as likely.
    """
    rng = np.random.default_rng([seed, 1])
    share = after.cold_share
    warm = [each.where(~each.cold).mean_usd for each in (before, after)]
    cold = [_mean_draws(each.where(each.cold), rng) for each in (before, after)]
    otherwise = warm[1] / np.exp(draws)  # the later warm ones at the old memory
    moved = (otherwise / warm[0]) ** rng.uniform(size=DRAW_COUNT)
    new = (1 - share) * warm[1] + share * cold[1]
    old = (1 - share) * otherwise + share * cold[0] * moved
    return np.asarray(np.log(new / old))


def _mean_draws(rows: UseRows, rng: np.random.Generator) -> Floats:
    count = rows.count.sum()
    squared = rows.cost_squares.sum() / count / rows.mean_usd**2 - 1
    deviation = np.sqrt(max(float(squared), 0.0) / count)
    return np.asarray(rows.mean_usd * np.exp(rng.normal(0, deviation, DRAW_COUNT)))


@dataclass(frozen=True, slots=True)
class _Compared:
    """Both sides, and draws of the logarithm of the later cost over the earlier."""

    method: VerificationMethod
    draws: Floats
    before: UseRows
    after: UseRows
    changed_at: datetime
    rate_per_s: float
    slot_s: int = HOUR_S

    def saved(self, untouched_count: int) -> Saved:
        """The saving as a share, and at this rate in dollars."""
        month = self.rate_per_s * SECONDS_PER_MONTH * self.after.mean_usd
        return Saved(
            method=self.method,
            saving_ratio=_interval(1 - np.exp(self.draws)),
            usd_per_month=_interval(month * np.expm1(-self.draws)),
            before=_side(self.before, self.slot_s, None),
            after=_side(self.after, self.slot_s, self.rate_per_s),
            changed_at=self.changed_at,
            untouched_count=untouched_count,
        )


def _interval(draws: Floats) -> Interval:
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return Interval(float(middle), float(low), float(high))


def _side(rows: UseRows, slot_s: int, rate_per_s: float | None) -> Side:
    start = datetime.fromtimestamp(float(rows.first_us.min()) / 1e6, tz=moment(0).tzinfo)
    end = moment(0) + timedelta(seconds=float(rows.slot.max() + 1) * slot_s)
    slots = len(np.unique(rows.slot))
    if rate_per_s is None:
        span = max((end - start).total_seconds(), float(slots * slot_s))
        rate_per_s = rows.total_count / span
    return Side(
        memory_mb=int(rows.memory_mb[0]),
        versions=tuple(dict.fromkeys(str(each) for each in rows.version if each)),
        start=start,
        end=end,
        invocation_count=rows.total_count,
        cost_usd_per_million=rows.mean_usd * 1e6,
        cold_start_share=rows.cold_share,
        failure_share=rows.failure_share,
        rate_per_s=float(rate_per_s),
    )
