"""Costs and billed times, held against values worked out by hand from the published rules."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.pricing import LambdaPrices, billed_duration_ms, load_price_book

X86 = load_price_book().lambda_prices("us-east-1", "x86_64")
ARM = load_price_book().lambda_prices("us-east-1", "arm64")


@pytest.mark.parametrize(
    ("prices", "memory_mb", "billed_ms", "ephemeral_mb", "cost_usd"),
    [
        # one GB for one second, and the request
        (X86, 1024, 1000, 512, "0.0000168667"),
        (ARM, 1024, 1000, 512, "0.0000135334"),
        # 0.125 GB × 0.001 s × 0.0000166667 = 2.0833375e-9
        (X86, 128, 1, 512, "0.0000002020833375"),
        # 10 GB × 900 s × 0.0000166667 = 0.1500003
        (X86, 10_240, 900_000, 512, "0.1500005"),
        # 1 GB of compute and 1 GB of /tmp above 512 MB, 2 s: 2 × (0.0000166667 + 0.0000000309)
        (X86, 1024, 2000, 1536, "0.0000335952"),
        # below 512 MB nothing comes off
        (X86, 1024, 2000, 0, "0.0000335334"),
        # 1769 / 1024 = 1.7275390625 GB, for 0.1 s
        (X86, 1769, 100, 512, "0.000003079237529296875"),
        # nothing billed is still a request
        (ARM, 512, 0, 10_240, "0.0000002"),
    ],
)
def test_an_invocation_costs_what_the_published_rule_says(
    prices: LambdaPrices, memory_mb: int, billed_ms: int, ephemeral_mb: int, cost_usd: str
) -> None:
    """Cost is exact to the last digit, and the float is the nearest to it."""
    assert prices.exact_cost_usd(memory_mb, billed_ms, ephemeral_mb) == Decimal(cost_usd)
    assert prices.invocation_cost_usd(memory_mb, billed_ms, ephemeral_mb) == float(cost_usd)


def test_a_cold_start_costs_its_init_too() -> None:
    """128 MB, 1233.96 ms and 463.512 ms of INIT are 1,698 billed ms."""
    billed_ms = billed_duration_ms(1233.96, init_duration_ms=463.512)
    # 0.125 × 1.698 × 0.0000166667 = 0.000003537507075
    assert X86.exact_cost_usd(128, billed_ms) == Decimal("0.000003737507075")


@settings(deadline=None)
@given(
    st.sampled_from(load_price_book().lambda_entries),
    st.integers(128, 32_768),
    st.integers(0, 10_000_000),
    st.integers(0, 10_240),
)
def test_no_cost_is_ever_rounded(
    prices: LambdaPrices, memory_mb: int, billed_ms: int, ephemeral_mb: int
) -> None:
    """In every region the cost equals the rule in rational numbers."""
    duration = Fraction(prices.duration_tiers[0].price_usd_per_gb_second)
    storage = Fraction(prices.ephemeral_storage_price_usd_per_gb_second)
    extra_mb = max(0, ephemeral_mb - 512)
    rule = Fraction(prices.request_price_usd) + Fraction(billed_ms, 1000) * (
        Fraction(memory_mb, 1024) * duration + Fraction(extra_mb, 1024) * storage
    )
    assert Fraction(prices.exact_cost_usd(memory_mb, billed_ms, ephemeral_mb)) == rule
    assert prices.invocation_cost_usd(memory_mb, billed_ms, ephemeral_mb) == float(rule)


def test_the_price_of_a_millisecond_is_the_slope_of_the_cost() -> None:
    """Request price and millisecond price together give the cost back."""
    slope_usd = X86.price_usd_per_ms(2048, 1024)
    expected_usd = X86.invocation_cost_usd(2048, 5000, 1024)
    assert float(X86.request_price_usd) + slope_usd * 5000 == pytest.approx(expected_usd, rel=1e-12)


@pytest.mark.parametrize(
    ("prices", "gb_seconds", "cost_usd"),
    [
        (X86, 0, 0.0),
        (X86, 400_000, 6.66668),
        (X86, 6_000_000_000, 100_000.2),
        (X86, 6_000_000_001, 100_000.200015),
        (X86, 15_000_000_000, 235_000.2),
        (X86, 15_000_000_001, 235_000.2000133334),
        (X86, 20_000_000_000, 301_667.2),
        (ARM, 7_500_000_000, 100_000.5),
        (ARM, 7_500_000_001, 100_000.5000120001),
        (ARM, 18_750_000_000, 235_001.625),
        (ARM, 18_750_000_001, 235_001.6250106667),
    ],
)
def test_a_months_duration_is_charged_tier_by_tier(
    prices: LambdaPrices, gb_seconds: int, cost_usd: float
) -> None:
    """Each GB-second costs the price of the tier that it falls in, at the edges too."""
    assert float(prices.duration_cost_usd(Decimal(gb_seconds))) == cost_usd


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
