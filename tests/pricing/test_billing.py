"""The time that is charged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.pricing import billed_duration_ms

hundredths = st.integers(0, 90_000_000)


@pytest.mark.parametrize(
    ("duration_ms", "billed_ms"),
    [(0.85, 1), (1.0, 1), (1.01, 2), (127.10, 128), (900_000.0, 900_000)],
)
def test_a_warm_invocation_is_billed_up_to_the_next_millisecond(
    duration_ms: float, billed_ms: int
) -> None:
    """Duration is rounded up to 1 ms, and a whole one stays as it is."""
    assert billed_duration_ms(duration_ms) == billed_ms


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed_ms"),
    [(1233.96, 463.512, 1698), (3000.00, 402.04, 3403), (2597.96, 402.04, 3000), (0.1, 0.9, 1)],
)
def test_init_is_billed_with_the_handler_in_one_rounding(
    duration_ms: float, init_ms: float, billed_ms: int
) -> None:
    """INIT and Duration are added before they are rounded up, in decimals."""
    assert billed_duration_ms(duration_ms, init_duration_ms=init_ms) == billed_ms


def test_a_restore_counts_by_its_billed_part() -> None:
    """With SnapStart the billed restore is added, not the whole one."""
    assert billed_duration_ms(127.10, billed_restore_duration_ms=26) == 154


@settings(deadline=None)
@given(hundredths, hundredths)
def test_billing_agrees_with_integer_arithmetic(duration: int, init: int) -> None:
    """Over hundredths of a millisecond the result is the integer ceiling of the sum."""
    billed = billed_duration_ms(duration / 100, init_duration_ms=init / 100)
    assert billed == -(-(duration + init) // 100)


@pytest.mark.parametrize("bad_ms", [-1.0, math.nan, math.inf])
def test_an_impossible_time_is_refused(bad_ms: float) -> None:
    """A time that is negative or not finite is an error, not a bill."""
    with pytest.raises(ValueError, match="finite"):
        billed_duration_ms(bad_ms)
