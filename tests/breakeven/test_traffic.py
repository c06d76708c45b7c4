"""Traffic: rates, peaks and files by hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tuner.breakeven.platform_findings import traffic_findings
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import Traffic, read_traffic, traffic_of_minutes, traffic_of_rate
from tuner.errors import InputError
from tuner.model.invocation import MinuteLoad

if TYPE_CHECKING:
    from pathlib import Path


def day(*changes: tuple[int, str]) -> str:
    lines = ["hour,requests", *(f"2026-01-31T{hour:02d}:00,{3600 + hour}" for hour in range(24))]
    for index, text in changes:
        lines[index] = text
    return "\n".join(lines) + "\n"


def test_a_day_gives_rate_and_shape(tmp_path: Path) -> None:
    """The mean is in requests a second, the shape has mean 1, and the peak is the hour's own."""
    path = tmp_path / "traffic.csv"
    path.write_text(day())
    traffic = read_traffic(path)
    assert traffic.rate_per_s == pytest.approx((3600 + 11.5) / 3600)
    assert sum(traffic.shape) == pytest.approx(24)
    assert traffic.peak_ratio == 1
    assert traffic.is_steady


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (day((0, "hour,requests_per_s")), "the header must be hour,requests"),
        (day((5, "2026-01-31T05:00,7")), "line 6: 2026-01-31T05:00 isn't the next hour"),
        (day((5, "2026-01-31T04:00,-1")), "line 6: expected an hour"),
        (day((5, "noon,3")), "line 6: expected an hour"),
        (day((5, "2026-01-31T04:00+00:00,3")), "line 6: give every hour with a time zone"),
        ("hour,requests\n2026-01-31T04:00,3\n", "has 1 hour: give a whole day"),
        ("", "begins with nothing"),
    ],
)
def test_a_file_that_is_not_by_hour_is_one_clear_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    """Gaps, other units and anything else foreign name the line and what is wanted."""
    path = tmp_path / "traffic.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint) as caught:
        read_traffic(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.0, "give one above 0"),
        (-1.0, "give one above 0"),
        (float("nan"), "pass a number"),
        (float("inf"), "pass a number"),
    ],
)
def test_a_rate_of_nothing_is_refused(rate: float, said: str) -> None:
    """Zero, negative and endless rates have no cost to compare."""
    with pytest.raises(InputError, match=said):
        traffic_of_rate(rate)


def test_a_peak_below_the_mean_is_refused() -> None:
    """A peak is at least the mean."""
    with pytest.raises(InputError, match="give 1 or more"):
        traffic_of_rate(1.0, 0.5)


START = datetime(2026, 11, 1, tzinfo=UTC)


def minute(number: int, count: float, at_once: float | None = None) -> MinuteLoad:
    return MinuteLoad(START + timedelta(minutes=number), count, at_once)


def test_minutes_give_a_mean_and_the_busiest_minute_of_each_hour() -> None:
    """60 in one minute and 60 spread over the next hour: same count, other peaks."""
    minutes = [minute(0, 60.0, 30.0), *(minute(60 + number, 1.0, 1.0) for number in range(60))]
    traffic = traffic_of_minutes(minutes, start=START, hours=24)
    assert traffic.rate_per_s == pytest.approx(120 / 86_400)
    assert traffic.shape[:3] == pytest.approx((3600 / 5, 60 / 5, 0))
    assert (traffic.basis, traffic.peak_ratio) == ("minutes", 1.0)
    assert traffic.peak_concurrency == 30
    assert traffic.busiest_per_s == pytest.approx(1.0)
    assert traffic.quiet_days == 0


def test_no_minute_at_all_is_one_clear_line() -> None:
    """Nothing came, so there is no cost to compare."""
    with pytest.raises(InputError, match="no invocation in the last 14 days"):
        traffic_of_minutes([], start=START, hours=14 * 24)


def test_bursts_and_a_late_start_are_told() -> None:
    """30 at once where the minute needs one, and two days without anything before."""
    traffic = traffic_of_minutes([minute(3000, 60.0, 30.0)], start=START, hours=72)
    codes = {each.code for each in traffic_findings(Terms(traffic=traffic), 200.0)}
    assert {"bursts_within_a_minute", "quiet_at_first", "spiky_traffic"} <= codes


def test_many_different_hours_become_a_bounded_number_of_levels() -> None:
    """The levels keep the mean and the shares add up to 1."""
    shape = tuple(1 + (number % 331) / 331 for number in range(336))
    levels, shares = Traffic(1.0, 1.0, shape).levels()
    assert len(levels) <= 96
    assert shares.sum() == pytest.approx(1)
    assert float(levels @ shares) == pytest.approx(sum(shape) / 336)
