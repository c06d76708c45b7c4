"""Costs by day as arrays, for the figure and the page: a line for each of the costliest keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from tuner.model.arrays import Floats
    from tuner.model.spend import CostChange, Spend

MOST_LINES: Final = 6
_BASE_DAYS: Final = 7
_MOST_LABELS: Final = 8
OTHERS: Final = "all others"
"""The name of the line of all other keys."""


def shown_keys(answer: Spend) -> tuple[str, ...]:
    """The most expensive keys, which have a line of their own."""
    return answer.keys[:MOST_LINES]


def lines(answer: Spend) -> tuple[str | None, ...]:
    """The keys with a line of their own, and None for all others, if there are any."""
    shown = shown_keys(answer)
    return shown if len(shown) == len(answer.keys) else (*shown, None)


def labeled_changes(answer: Spend) -> tuple[CostChange, ...]:
    """The largest changes of keys that have a line: more labels would cover each other."""
    shown = shown_keys(answer)
    return tuple(each for each in answer.largest_changes if each.key in shown)[:_MOST_LABELS]


def by_day(
    answer: Spend, days: Sequence[datetime.date], key: str | None = None
) -> tuple[Floats, Floats]:
    """Cost and invocations of each day, of a key or of all that have no line of their own."""
    shown = shown_keys(answer)
    place = {day: number for number, day in enumerate(days)}
    costs, counts = np.zeros(len(days)), np.zeros(len(days))
    for each in answer.days:
        if each.key == key or (key is None and each.key not in shown):
            costs[place[each.day]] += each.cost_usd
            counts[place[each.day]] += each.invocation_count
    return costs, counts


def relative_prices(costs: Floats, counts: Floats) -> Floats:
    """Cost of an invocation each day over that of the first week with any; NaN without one."""
    seen = np.flatnonzero(counts)
    if not len(seen):
        return np.full(len(costs), np.nan)
    base = slice(int(seen[0]), int(seen[0]) + _BASE_DAYS)
    level = costs[base].sum() / counts[base].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(counts > 0, costs / counts / level, np.nan))
