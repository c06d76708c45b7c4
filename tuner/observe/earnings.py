"""What features cost and earn, and whose cost grows faster than their revenue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import stdtrit

from tuner.model.finding import Finding
from tuner.model.interval import Interval, listed
from tuner.model.spend import UNTAGGED, Earning

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.model.arrays import Floats
    from tuner.model.spend import CostDay

_FEWEST_DAYS: Final = 14
_LAG_DAYS: Final = 7
_DAYS_PER_MONTH: Final = 30
_NAMED: Final = 5


def earnings(
    days: Sequence[CostDay],
    keys: Sequence[str],
    revenue: Mapping[str, Mapping[datetime.date, float]],
) -> tuple[tuple[Earning, ...], tuple[Finding, ...]]:
    """Compare the cost of each key with its revenue, over the days that both are known for.

    A key that the file lacks keeps its cost, with no revenue; what the file has besides the keys is
    reported and left out.
    """
    costs: dict[str, dict[datetime.date, float]] = {}
    for each in days:
        costs.setdefault(each.key, {})[each.day] = each.cost_usd
    told = {day for of_key in revenue.values() for day in of_key}
    known = sorted(told & {each.day for each in days})
    found = []
    for key in keys:
        cost, earned = costs.get(key, {}), revenue.get(key)
        over = [day for day in known if day in cost] if earned is not None else list(cost)
        found.append(
            Earning(
                key=key,
                cost_usd=sum(cost[day] for day in over),
                revenue_usd=None if earned is None else sum(earned.get(day, 0.0) for day in known),
                cost_growth_ratio=None if earned is None else growth(cost, earned),
            )
        )
    return tuple(found), tuple(_findings(found, keys, revenue, known))


def growth(
    cost: Mapping[datetime.date, float], earned: Mapping[datetime.date, float]
) -> Interval | None:
    """How much faster cost grows than revenue, per month: the trend of their ratio, 90%.

    The slope of its logarithm by least squares, with errors that allow for dependence between days
    within a week (Newey and West, Econometrica 55 (1987), 703–708). None below 14 days.
    """
    both = sorted(day for day in cost if cost[day] > 0 and earned.get(day, 0.0) > 0)
    if len(both) < _FEWEST_DAYS:
        return None
    at = np.array([(day - both[0]).days for day in both], dtype=float)
    ratios = np.log([cost[day] / earned[day] for day in both])
    slope, error = _trend(at, ratios)
    reach = float(stdtrit(len(both) - 2, 0.95)) * error
    return Interval(
        *(math.expm1((slope + each) * _DAYS_PER_MONTH) for each in (0.0, -reach, reach))
    )


def _trend(at: Floats, values: Floats) -> tuple[float, float]:
    """Slope and its standard error; from three weeks on, within weekdays."""
    groups = at % 7 if len(at) >= 3 * 7 else np.zeros(len(at))
    centered, values = (_within(each, groups) for each in (at, values))
    spread = float((centered**2).sum())
    slope = float((centered * values).sum() / spread)
    scores = centered * (values - slope * centered)
    variance = float((scores**2).sum())
    lags = min(_LAG_DAYS, len(at) // 4)
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * float((scores[lag:] * scores[:-lag]).sum())
    plain = float((scores**2).sum())  # a negative correlation never makes it surer than this
    return slope, math.sqrt(max(variance, plain) * len(at) / (len(at) - 2)) / spread


def _within(values: Floats, groups: Floats) -> Floats:
    """Each value minus the mean of its group."""
    _, place = np.unique(groups, return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    return np.asarray(values - means[place])


def _findings(
    found: Sequence[Earning],
    keys: Sequence[str],
    revenue: Mapping[str, Mapping[datetime.date, float]],
    known: Sequence[datetime.date],
) -> Iterator[Finding]:
    unknown = sorted(set(revenue) - set(keys))
    if unknown:
        yield Finding(
            "revenue_unknown",
            "warning",
            "`revenue` has features that no function in the logs belongs to: "
            f"{listed(unknown, _NAMED)}. Their revenue is left out: check the names, or `by`",
        )
    silent = [each.key for each in found if each.revenue_usd is None and each.key != UNTAGGED]
    if silent and len(silent) < len(keys):
        message = f"`revenue` doesn't have {listed(silent, _NAMED)}: only the cost is known"
        yield Finding("revenue_missing", "info", message)
    if not known:
        message = "`revenue` has no day of the logs' window: give revenue of the same days"
        yield Finding("revenue_other_days", "warning", message)
    for each in found:
        if each.outgrows and each.cost_growth_ratio is not None:
            ratio = each.cost_growth_ratio
            yield Finding(
                "cost_outgrows_revenue",
                "warning",
                f"the cost of {each.key} grows faster than its revenue: a dollar earned costs "
                f"{ratio.estimate:.0%} more each month (90%: {ratio.low:.0%} to {ratio.high:.0%})",
            )
