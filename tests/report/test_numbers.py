"""Quantities are written with the digits that they deserve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from tuner.model.interval import Interval, figure
from tuner.report import numbers


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0.4321, "0.432 ms"),
        (12, "12.0 ms"),
        (527.4, "527 ms"),
        (1840.4, "1840 ms"),
        (12_345, "12.3 s"),
        (0, "0 ms"),
    ],
)
def test_a_duration_has_three_significant_digits(duration_ms: float, text: str) -> None:
    """Milliseconds below ten seconds, seconds above, and whole digits are never zeroed."""
    assert numbers.duration(duration_ms) == text


@pytest.mark.parametrize(
    ("amount_usd", "text"),
    [
        (-0.00094, "−$0.00094"),
        (-1234.5, "−$1,234.50"),
        (0, "$0"),
        (0.0004, "$0.0004"),
        (0.00042, "$0.00042"),
        (0.011, "$0.011"),
        (0.3, "$0.30"),
        (12.345, "$12.35"),
        (1234.5, "$1,234.50"),
        (1e-9, "under $0.000001"),
    ],
)
def test_an_amount_is_never_shown_as_nothing_unless_it_is(amount_usd: float, text: str) -> None:
    """Small amounts keep two significant digits; cents from a dollar on."""
    assert numbers.usd(amount_usd) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.00005, 3, "0.00005"),
        (0.5, 3, "0.5"),
        (21.24, 3, "21.2"),
        (999.6, 3, "1,000"),
        (2000, 3, "2,000"),
        (99.6, 2, "100"),
        (123.4, 2, "123"),
        (-12_345.6, 4, "-12,346"),
    ],
)
def test_a_figure_has_no_power_of_ten(value: float, digits: int, text: str) -> None:
    """As many digits as asked for, and all of those before the point."""
    assert figure(value, digits) == text


def test_a_share_of_nothing_has_no_sign() -> None:
    """What rounds to zero from below is zero, an interval's end too."""
    assert numbers.percent(-0.0004) == "0.0%"
    assert numbers.ends(Interval(0.1, -0.0004, 0.2), numbers.percent) == "0.0% to 20%"
    assert numbers.percent(-0.02) == "−2%"


def test_no_text_is_written_with_powers_of_ten() -> None:
    """From 1,000 on three digits of Python's `g` are `1e+03`: `figure` writes what people read."""
    written = re.compile(r"\{[^{}]*:,?\.[1-4]g\}")
    found = {
        line.strip()
        for file in Path(tuner.__file__).parent.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if written.search(line) and not any(each in line for each in _BELOW_TEN_THOUSAND)
    }
    assert found == set()


_BELOW_TEN_THOUSAND = (
    "usd:.2g",  # goes through Decimal
    "p_value:.2g",
    "goal.cold_share:.3g",
    "100 * share:.3g",
    "asked.discount_ratio:.3g",
    "duration_ms:.2g",  # under 10 ms
    "seconds / 60:.3g",  # under two hours
    "seconds / unit_s:.3g",  # of days at most
    "seconds:.2g",  # under a minute
)


@pytest.mark.parametrize(
    ("rate_per_s", "text"),
    [
        (1, "1 request/s"),
        (0.5, "0.5 requests/s"),
        (1.02, "1.02 requests/s"),
        (1000, "1,000 requests/s"),
        (999.9, "1,000 requests/s"),
    ],
)
def test_one_request_a_second_is_singular(rate_per_s: float, text: str) -> None:
    """Only a rate that is shown as 1 has one request."""
    assert numbers.rate(rate_per_s) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Interval(0.40, 0.37, 0.42), "40% cheaper (37–42%)"),
        (Interval(-0.10, -0.12, -0.08), "10% more expensive (8–12%)"),
        (Interval(0.01, -0.01, 0.04), "about the same cost (−4% to +1%)"),
        (Interval(0.1, -0.01, 0.2), "10% cheaper (1% more expensive to 20% cheaper)"),
        (Interval(0.0, 0.0, 0.0), "same cost"),
        (Interval(0.81, 0.812, 0.814), "81% cheaper"),
    ],
)
def test_a_savings_sign_is_a_word(ratio: Interval, text: str) -> None:
    """Positive is cheaper, negative more expensive, and an interval over zero says both."""
    assert numbers.saving(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(-0.4, "−40%"), (0.03, "+3%"), (0.004, "+0.4%"), (1e-6, "0%")]
)
def test_a_change_is_signed(ratio: float, text: str) -> None:
    """A change carries its sign, and none when it rounds to nothing."""
    assert numbers.change(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.01, "0.1 s"), (4.2, "4.2 s"), (31.2, "31 s"), (130, "2 min 10 s"), (3900, "1 h 5 min")],
)
def test_a_waiting_time_grows_its_units(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours."""
    assert numbers.wall_time(seconds) == text


def test_no_probability_is_rounded_up_to_certainty() -> None:
    """A confidence of one is still shown as over 99%."""
    assert numbers.probability(1.0) == "over 99%"
    assert numbers.probability(0.94) == "94%"


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "text"),
    [
        (100, 101, "same speed"),
        (100, 75, "33% faster (100 → 75.0 ms)"),
        (100, 112, "12% slower (100 → 112 ms)"),
        (159, 554, "3.5× slower (159 → 554 ms)"),
        (9000, 18000, "2.0× slower (9000 ms → 18.0 s)"),
    ],
)
def test_a_change_of_speed_has_both_durations(before_ms: float, after_ms: float, text: str) -> None:
    """Up to 2% apart is the same speed; from half as much again on it's a factor."""
    assert numbers.speed(before_ms, after_ms) == text


@given(st.floats(min_value=1e-3, max_value=900_000))
def test_a_written_duration_is_within_half_a_percent(duration_ms: float) -> None:
    """Rounding for display never moves a duration by more than 0.5%."""
    number, unit = numbers.duration(duration_ms).split()
    assert float(number) * (1000 if unit == "s" else 1) == pytest.approx(duration_ms, rel=0.0051)
