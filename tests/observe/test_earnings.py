"""Cost against revenue: what a dollar earned costs, and whose cost grows faster."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from tuner.model.spend import CostDay
from tuner.observe.earnings import earnings, growth

DAYS = [datetime.date(2026, 3, 1) + datetime.timedelta(days=number) for number in range(60)]


def series(daily_growth: float, noise: float, seed: int) -> dict[datetime.date, float]:
    rng = np.random.default_rng(seed)
    return {
        day: float(100 * np.exp(daily_growth * number + rng.normal(0, noise)))
        * (0.5 if day.weekday() >= 5 else 1.0)
        for number, day in enumerate(DAYS)
    }


def test_a_dollar_earned_has_its_cost() -> None:
    """Over the days that both are known for: $3 of cost for $60 of revenue is 5 cents a dollar."""
    days = [CostDay(day, "search", 10, 1.0) for day in DAYS[:5]]
    days.append(CostDay(DAYS[0], "mail", 1, 0.5))
    found, said = earnings(days, ("search", "mail"), {"search": dict.fromkeys(DAYS[2:8], 20.0)})
    search, mail = found
    assert (search.cost_usd, search.revenue_usd) == (3.0, 60.0)
    assert search.cost_usd_per_revenue_usd == pytest.approx(0.05)
    assert (mail.cost_usd, mail.revenue_usd, mail.cost_usd_per_revenue_usd) == (0.5, None, None)
    assert [each.code for each in said] == ["revenue_missing"]


def test_unknown_features_and_other_days_are_told() -> None:
    """One line each, and the rest is answered."""
    days = [CostDay(DAYS[0], "search", 10, 1.0)]
    other = {"serach": {DAYS[0]: 5.0}}
    assert [each.code for each in earnings(days, ("search",), other)[1]] == ["revenue_unknown"]
    late = {"search": {DAYS[9]: 5.0}}
    assert [each.code for each in earnings(days, ("search",), late)[1]] == ["revenue_other_days"]


def test_growth_is_that_of_cost_over_revenue() -> None:
    """A month of 1% a day more cost than revenue is 35%, whatever the weekends do to both."""
    found = growth(series(0.01, 0.05, 1), series(0.0, 0.05, 2))
    assert found is not None
    assert found.low < np.expm1(0.3) < found.high
    assert found.high - found.low < 0.2
    assert growth(dict.fromkeys(DAYS[:10], 1.0), dict.fromkeys(DAYS, 1.0)) is None


def test_growth_alike_is_told_of_seldom() -> None:
    """Where both grow alike, one in twenty intervals lies above nothing, and one below."""
    outside = sum(
        (found := growth(series(0.01, 0.1, seed), series(0.01, 0.1, seed + 1000))) is not None
        and not found.low <= 0 <= found.high
        for seed in range(100)
    )
    assert outside <= 20
