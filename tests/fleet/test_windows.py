"""Hours when sweeps may start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.fleet.windows import check_window, is_open, seconds_until_open
from tuner.model.fleet import RunWindow

TIMES = st.times().map(lambda each: each.strftime("%H:%M"))
WINDOWS = st.lists(
    st.builds(
        RunWindow,
        TIMES,
        TIMES,
        st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
        st.lists(st.integers(0, 6), unique=True, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=3,
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda each: each.replace(tzinfo=UTC)
)


@given(WINDOWS, MOMENTS)
def test_after_the_wait_a_window_is_open(windows: list[RunWindow], now: datetime) -> None:
    """Waiting as long as it says ends in an open window, over changes of summer time too."""
    wait_s = seconds_until_open(windows, now)
    assert 0 <= wait_s <= 8 * 86_400
    assert is_open(windows, now) == (wait_s == 0)
    if any(each.start != each.end for each in windows) or wait_s == 0:
        assert is_open(windows, now + timedelta(seconds=wait_s))


@pytest.mark.parametrize(
    ("hour", "day", "expected"),
    [(22, 2, True), (3, 3, True), (6, 3, False), (21, 2, False), (3, 2, False), (22, 3, False)],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(
    hour: int, day: int, expected: bool
) -> None:
    """22:00 to 05:00 on Wednesdays is open until Thursday morning, and not on Wednesday morning."""
    zone = ZoneInfo("Europe/Berlin")
    window = RunWindow("22:00", "05:00", "Europe/Berlin", (2,))
    now = datetime(2026, 11, 30, hour, tzinfo=zone) + timedelta(days=day)
    assert is_open([window], now.astimezone(UTC)) is expected


@pytest.mark.parametrize(
    "window",
    [RunWindow("25:00", "05:00"), RunWindow("1pm", "05:00"), RunWindow("01:00", "02:00", "Mars")],
)
def test_a_time_or_zone_that_does_not_exist_is_refused(window: RunWindow) -> None:
    """What isn't a time of day, or a zone, is named."""
    with pytest.raises(InputError, match="isn't a time"):
        check_window(window)


def test_a_day_that_does_not_exist_is_refused() -> None:
    """A fleet whose only day never comes would wait for good."""
    with pytest.raises(InputError, match="7 isn't a day"):
        check_window(RunWindow("22:00", "05:00", days=(0, 7)))
