"""Where the money goes: days by key, what changed them, what they earn, and the bill beside them.

Pure: it takes sums by the hour and the side files, and returns `Spend`. `cost_hours` reads the sums
from the store; `change_points` finds the changes; `deployments` says which deployment explains one.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.spend import UNTAGGED, CostChange, CostDay, Movement, Spend
from tuner.observe.change_points import find_changes
from tuner.observe.deployments import cause_of, deployments_in_logs, known_by, merged
from tuner.observe.earnings import earnings
from tuner.observe.hourly import HOURS_PER_DAY
from tuner.observe.use_hours import hour_of, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.model.arrays import Floats
    from tuner.model.spend import BillCheck, Deployment
    from tuner.observe.change_points import ChangePoint
    from tuner.observe.deployments import SettingHour
    from tuner.observe.hourly import HourlyCosts

_FEW_DAYS: Final = 14
_TAIL_THRESHOLD: Final = 5.5
"""Means of heavy tails aren't normal variables: what the logarithms don't show needs more."""
_SAME_CHANGE_HOURS: Final = 48


@dataclass(frozen=True, slots=True, eq=False)
class FunctionHours:
    """Everything that the logs say about one function, by the hour."""

    function: str
    """Its name, with account and region where functions of several have it."""
    own_name: str
    """The name alone, as tags and deployments have it."""
    logs: HourlyCosts
    """Values are logarithms."""
    capped: HourlyCosts
    """Values are costs, capped, over their mean."""
    settings: tuple[SettingHour, ...]


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What is known besides the logs."""

    by: str = "function"
    """`function` or `tag:KEY`."""
    tags: Mapping[str, str] | None = None
    """With `by` a tag: its value by function."""
    deployments: tuple[Deployment, ...] = ()
    from_logs: bool = True
    """Whether deployments are also read from the logs."""
    revenue: Mapping[str, Mapping[datetime.date, float]] | None = None
    bill: BillCheck | None = None

    @property
    def tag(self) -> str | None:
        """The key of the tag that costs are added up by; None: they're added up by function."""
        return self.by.removeprefix("tag:") if self.by.startswith("tag:") else None


def where_it_goes(
    functions: Sequence[FunctionHours],
    facts: SideFacts,
    *,
    window: tuple[datetime.datetime, datetime.datetime],
    region: str,
    prices_as_of: str,
    assumptions: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> Spend:
    """Put the whole answer together."""
    key_of = {
        each.function: each.function
        if facts.tags is None
        else facts.tags.get(each.own_name, UNTAGGED)
        for each in functions
    }
    days = _days(functions, key_of)
    keys = _keys(days)
    told = [each for each in facts.deployments if window[0] <= each.at <= window[1]]
    inside = [one for each in told for one in _of_each(each, functions)]
    if facts.from_logs:
        for each in functions:
            inside += deployments_in_logs(each.function, each.settings)
    deploys = tuple(known_by(each, inside) for each in merged(inside))
    changes = [
        change for each in functions for change in _changes(each, key_of[each.function], deploys)
    ]
    changes.sort(key=lambda change: (change.at, change.function))
    revenue, said = ((), ()) if facts.revenue is None else earnings(days, keys, facts.revenue)
    return Spend(
        by=facts.by,
        first_at=window[0],
        last_at=window[1],
        keys=keys,
        days=days,
        deploys=deploys,
        changes=tuple(changes),
        movements=_movements(functions, key_of, keys),
        revenue=revenue,
        bill=facts.bill,
        findings=(*findings, *_findings(functions, facts, key_of, window), *said),
        assumptions=assumptions,
        prices_as_of=prices_as_of,
        region=region,
    )


def _of_each(deployment: Deployment, functions: Sequence[FunctionHours]) -> Iterator[Deployment]:
    """A deployment of a name may be of the function of that name in any account."""
    if deployment.function is None:
        yield deployment
        return
    labels = [each.function for each in functions if each.own_name == deployment.function]
    for label in labels or [deployment.function]:
        yield replace(deployment, function=label)


def _days(functions: Sequence[FunctionHours], key_of: Mapping[str, str]) -> tuple[CostDay, ...]:
    sums: dict[tuple[datetime.date, str], list[float]] = {}
    for each in functions:
        for day, count, cost in _by_day(each.logs):
            of_day = sums.setdefault((day, key_of[each.function]), [0.0, 0.0])
            of_day[0] += count
            of_day[1] += cost
    return tuple(
        CostDay(day, key, round(count), cost)
        for (day, key), (count, cost) in sorted(sums.items())
        if count
    )


def _by_day(costs: HourlyCosts) -> list[tuple[datetime.date, float, float]]:
    days = costs.days
    counts, sums = np.bincount(days, costs.counts), np.bincount(days, costs.cost_sums_usd)
    first = moment(costs.first_hour).date()
    return [
        (first + datetime.timedelta(days=number), float(count), float(cost))
        for number, (count, cost) in enumerate(zip(counts, sums, strict=True))
    ]


def _keys(days: Sequence[CostDay]) -> tuple[str, ...]:
    """The most expensive first."""
    costs: dict[str, float] = {}
    for each in days:
        costs[each.key] = costs.get(each.key, 0.0) + each.cost_usd
    return tuple(sorted(costs, key=lambda key: (-costs[key], key)))


def _changes(hours: FunctionHours, key: str, deploys: Sequence[Deployment]) -> list[CostChange]:
    """Those of the typical invocation, and those where only the slowest moved the mean."""
    # From the next whole hour on all invocations are the new one's.
    deployed = [
        math.ceil(hour_of(each.at)) for each in deploys if each.function in {None, hours.function}
    ]
    found = list(find_changes(hours.logs, deployed_hours=deployed))
    for each in find_changes(hours.capped, deployed_hours=deployed, day_threshold=_TAIL_THRESHOLD):
        if all(abs(each.hour - other.hour) > _SAME_CHANGE_HOURS for other in found):
            found.append(each)
    return [_change(each, hours.function, key, deploys) for each in found]


def _change(
    found: ChangePoint, function: str, key: str, deploys: Sequence[Deployment]
) -> CostChange:
    first, last = found.possible_hours
    return CostChange(
        at=moment(found.hour),
        earliest=moment(found.low_hour - 1),
        latest=moment(found.high_hour),
        found_at=moment(found.found_hour),
        function=function,
        key=key,
        # A deployment within an hour shows from that hour or the next on.
        cause=cause_of(function, moment(first - 1), moment(found.hour), moment(last + 1), deploys),
        cost_usd_per_invocation_ratio=found.ratio,
        usd_per_month=found.usd_per_month,
        invocations_per_day_before=found.count_per_day_before,
        invocations_per_day_after=found.count_per_day_after,
    )


def _movements(
    functions: Sequence[FunctionHours], key_of: Mapping[str, str], keys: Sequence[str]
) -> tuple[Movement, ...]:
    """First week against last by key, with the two parts computed per function."""
    if not functions:
        return ()
    first = min(each.logs.first_hour for each in functions) // HOURS_PER_DAY
    last = max(each.logs.first_hour + len(each.logs.counts) for each in functions)
    whole_days = -(-last // HOURS_PER_DAY) - first
    span = min(7, whole_days // 2)
    if span < 1:
        return ()
    sums = {key: np.zeros(4) for key in keys}
    for each in functions:
        counts, costs = np.zeros(whole_days), np.zeros(whole_days)
        offset = each.logs.first_hour // HOURS_PER_DAY - first
        for number, (_, count, cost) in enumerate(_by_day(each.logs)):
            counts[offset + number], costs[offset + number] = count, cost
        sums[key_of[each.function]] += _parts(counts, costs, span)
    return tuple(Movement(key, *(float(each) for each in sums[key])) for key in keys)


def _parts(counts: Floats, costs: Floats, span: int) -> Floats:
    """Daily cost before and after, and how much of the difference is traffic or price."""
    count_before, count_after = counts[:span].mean(), counts[-span:].mean()
    before, after = costs[:span].mean(), costs[-span:].mean()
    if not count_before or not count_after:
        return np.array([before, after, after - before, 0.0])
    traffic = (count_after - count_before) * before / count_before
    return np.array([before, after, traffic, after - before - traffic])


def _findings(
    functions: Sequence[FunctionHours],
    facts: SideFacts,
    key_of: Mapping[str, str],
    window: tuple[datetime.datetime, datetime.datetime],
) -> Iterator[Finding]:
    days = (window[1] - window[0]) / datetime.timedelta(days=1)
    if days < _FEW_DAYS:
        yield Finding(
            "short_window",
            "info",
            f"the logs cover {counted(f'{days:.1f}', 'day')}: under {_FEW_DAYS} days a weekly "
            "cycle can't be told from a change, so only changes at deployments and large ones are "
            "shown"
            if days >= 1
            else f"the logs cover {days * 24:.1f} hours: in under a day no change is found",
        )
    untagged = sorted(each for each, key in key_of.items() if key == UNTAGGED)
    if facts.tags is not None and untagged:
        yield Finding(
            "untagged",
            "warning",
            f"no function has the tag {facts.tag}: check its spelling, or tag the functions"
            if len(untagged) == len(key_of)
            else f"{len(untagged)} of {counted(len(key_of), 'function')} don't have the tag "
            f"{facts.tag}: {_first(untagged)}",
        )
    names = {each.own_name for each in functions}
    foreign = sorted({each.function for each in facts.deployments if each.function} - names)
    if foreign:
        verb = "is" if len(foreign) == 1 else "are"
        yield Finding(
            "deploys_unknown",
            "info",
            f"{counted(len(foreign), 'function')} of `deploys` {verb} not in the logs: "
            f"{_first(foreign)}",
        )


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
