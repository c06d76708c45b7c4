"""Costs by the hour out of the store: equal to what each line costs, added up by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.observe.archives import Call, write_archive
from tuner.model.observation import Window
from tuner.observe.cost_hours import CostHours, Place
from tuner.observe.folder import ObservationFolder
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.observe.store import ReportStore

pytest.importorskip("duckdb")

PRICES = current_price_book().lambda_prices("us-east-1", "x86_64")
CALLS = [Call(0.5, 100), Call(0.7, 250), Call(2.1, 40, 512, "2"), Call(2.2, 90_000, 512, "2")]


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    archive = write_archive(tmp_path / "logs", {"f": CALLS, "g": [Call(30, 7)]})
    found, _ = ObservationFolder(tmp_path / "state").read([archive])
    return found


def places(discount: float = 0.0) -> list[Place]:
    return [
        Place("123456789012", None, name, None, name, name, PRICES, discount) for name in ("f", "g")
    ]


def test_the_sums_are_those_of_the_lines(store: ReportStore) -> None:
    """Counts, costs, squares and logarithms of each hour; an hour without a line has zeros."""
    f, g = CostHours(store, Window(), places()).functions()
    costs = [PRICES.invocation_cost_usd(each.memory_mb, each.billed_ms) for each in CALLS]
    assert (f.function, g.function) == ("f", "g")
    assert f.logs.first_hour == datetime(2026, 3, 1, tzinfo=UTC).timestamp() / 3600
    assert f.logs.counts.tolist() == [2, 0, 2]
    assert f.logs.cost_sums_usd == pytest.approx([costs[0] + costs[1], 0, costs[2] + costs[3]])
    assert f.logs.cost_square_sums[0] == pytest.approx(costs[0] ** 2 + costs[1] ** 2)
    logs = [math.log(each) for each in costs]
    assert f.logs.value_sums == pytest.approx([logs[0] + logs[1], 0, logs[2] + logs[3]])
    assert f.logs.value_square_sums[2] == pytest.approx(logs[2] ** 2 + logs[3] ** 2)
    mean = sum(costs) / len(costs)  # with so few lines the cap is above the slowest
    assert f.capped.value_sums[0] == pytest.approx((costs[0] + costs[1]) / mean - 2, rel=1e-6)
    squares = sum((each / mean - 1) ** 2 for each in costs[:2])
    assert f.capped.value_square_sums[0] == pytest.approx(squares, rel=1e-6)


def test_settings_are_kept_where_a_function_had_several(store: ReportStore) -> None:
    """By hour, version and memory size, with the first line's time."""
    f, g = CostHours(store, Window(), places()).functions()
    assert [(each.setting, each.count) for each in f.settings] == [
        (("1", 1024), 2),
        (("2", 512), 2),
    ]
    assert f.settings[1].first_at == datetime(2026, 3, 1, 2, 6, tzinfo=UTC)
    assert g.settings == ()


def test_a_window_narrows_and_a_discount_lowers(store: ReportStore) -> None:
    """Lines outside are in no sum; 10% off is 10% off every part."""
    window = Window(datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 3, 1, 3, tzinfo=UTC))
    [whole] = CostHours(store, window, places()).functions()
    [less] = CostHours(store, window, places(0.1)).functions()
    assert whole.logs.counts.tolist() == [2]
    assert less.logs.cost_sums_usd == pytest.approx(whole.logs.cost_sums_usd * 0.9)


def test_what_was_used_between_two_moments(store: ReportStore) -> None:
    """Requests, GB-seconds and cost for a bill's days; the end is not in it."""
    used = CostHours(store, Window(), places()).used
    found = used(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 2, tzinfo=UTC))
    assert set(found) == {"f"}
    assert found["f"].request_count == 2
    assert found["f"].gb_seconds == pytest.approx(0.35)
    assert found["f"].cost_usd == pytest.approx(
        PRICES.invocation_cost_usd(1024, 100) + PRICES.invocation_cost_usd(1024, 250)
    )
