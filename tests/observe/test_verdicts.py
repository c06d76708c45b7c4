"""The verdict over two intervals, and what many outcomes say of the next forecast."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import made_sweep, mixed_ms
from tuner.model.interval import Interval
from tuner.model.verification import Outcome
from tuner.observe.verdicts import (
    days_needed,
    keep_outcome,
    ledger_file,
    read_outcomes,
    track_record,
    verdict_of,
    with_track_record,
)
from tuner.session import analyse, recommend

if TYPE_CHECKING:
    from pathlib import Path

FORECAST = Interval(0.40, 0.37, 0.42)
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)


def outcome(sweep_id: str, realized: Interval, forecast: Interval = FORECAST) -> Outcome:
    """A verified forecast."""
    return Outcome(
        sweep_id=sweep_id,
        function="resize-images",
        region="eu-west-1",
        from_mb=3008,
        to_mb=1792,
        verdict="as_forecast",
        method="before_after",
        forecast_saving_ratio=forecast,
        realized_saving_ratio=realized,
        forecast_usd_per_month=None,
        realized_usd_per_month=Interval(110.0, 100.0, 120.0),
        verified_at=NOVEMBER,
    )


@pytest.mark.parametrize(
    ("realized", "verdict"),
    [
        (Interval(0.39, 0.36, 0.42), "as_forecast"),
        (Interval(0.30, 0.27, 0.33), "less"),
        (Interval(0.47, 0.45, 0.49), "more"),
        (Interval(-0.10, -0.15, -0.05), "less"),
        (Interval(0.30, 0.05, 0.50), "unknown"),
        (Interval(0.37, 0.369, 0.371), "as_forecast"),  # sure, and not material
        (Interval(0.34, 0.25, 0.43), "as_forecast"),  # may be the same, and is most of it
    ],
)
def test_the_verdict_is_by_the_interval_of_the_difference(realized: Interval, verdict: str) -> None:
    """Less and more are sure and material; as forecast is sure to be most of what was said."""
    assert verdict_of(realized, FORECAST) == verdict


def test_days_are_said_only_where_they_would_tell() -> None:
    """More days narrow what came after, never what was before nor the forecast itself."""
    wide = Interval(0.35, 0.05, 0.60)
    needed = days_needed(wide, FORECAST, 14, 2)
    assert needed is not None
    assert 1 < needed < 90
    assert days_needed(wide, Interval(0.40, 0.05, 0.75), 14, 2) is None
    assert days_needed(wide, FORECAST, 1, 30) is None


def test_intervals_that_hold_are_left_as_they_are() -> None:
    """Outcomes as close as their intervals say give a factor of 1."""
    record = track_record([outcome(f"{n}", Interval(0.39, 0.37, 0.41)) for n in range(20)])
    assert (record.outcome_count, record.held_count, record.width_factor) == (20, 20, 1.0)
    assert record.typical_ratio == pytest.approx(0.975)


def test_intervals_that_are_too_narrow_get_wider_with_the_outcomes() -> None:
    """A few outcomes far off widen a little, for the prior is worth ten; many widen as needed."""
    off = [Interval(0.40 + sign * 0.09, 0.39 + sign * 0.09, 0.41 + sign * 0.09)
           for sign in (1, -1) * 20]  # fmt: skip
    factors = [
        track_record([outcome(f"{n}", each) for n, each in enumerate(off[:count])]).width_factor
        for count in (1, 10, 40)
    ]
    assert 1.0 < factors[0] < 1.6 < factors[1] <= factors[2]
    # All hold once a half-width of 0.025 is wide enough for 0.09, with 0.01 of what came.
    assert factors[2] == pytest.approx((0.09**2 - 0.01**2) ** 0.5 / 0.025, rel=0.01)


def test_a_new_answer_is_told_of_a_bad_record() -> None:
    """From five outcomes that are far off; the interval itself stays what was measured."""
    answer = recommend(analyse(made_sweep(mixed_ms, current_mb=3008)))
    off = [outcome(f"{n}", Interval(0.20, 0.18, 0.22)) for n in range(8)]
    assert with_track_record(answer, off[:4]) == answer
    assert with_track_record(answer, [outcome(f"{n}", FORECAST) for n in range(8)]) == answer
    told = with_track_record(answer, off)
    [found] = [each for each in told.findings if each.code == "forecasts_off"]
    assert "0 of 8 verified forecasts held, and typically 50% of the saving came" in found.message
    assert told.saving == answer.saving


def test_a_sweep_that_is_verified_again_counts_once(tmp_path: Path) -> None:
    """Its latest line counts, and neither a torn line nor a foreign one does harm."""
    keep_outcome(tmp_path, outcome("a", Interval(0.1, 0.0, 0.2)))
    keep_outcome(tmp_path, outcome("b", Interval(0.3, 0.2, 0.4)))
    with ledger_file(tmp_path).open("a") as file:
        file.write('["foreign"]\n{"sweep_id": "c", "func')
    keep_outcome(tmp_path, outcome("a", Interval(0.2, 0.1, 0.3)))
    found = {each.sweep_id: each.realized_saving_ratio.estimate for each in read_outcomes(tmp_path)}
    assert found == {"a": 0.2, "b": 0.3}
    assert ledger_file(tmp_path).stat().st_mode & 0o777 == 0o600
