"""The bundled snapshot and the look-up in it."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from tuner.errors import PriceError
from tuner.pricing import LambdaPrices, load_price_book

BOOK = load_price_book()

X86_GB_SECOND_USD = {
    "us-east-1": "0.0000166667",
    "eu-west-1": "0.0000166667",
    "af-south-1": "0.0000221",
    "ap-east-1": "0.00002292",
    "eu-south-1": "0.0000195172",
    "eu-central-2": "0.0000183334",
    "me-south-1": "0.0000206667",
    "me-central-1": "0.0000206667",
    "il-central-1": "0.0000175",
    "mx-central-1": "0.0000175",
    "ap-southeast-6": "0.0000175",
    "ap-southeast-5": "0.000015",
    "ap-southeast-7": "0.000015",
    "ap-east-2": "0.000015",
}


@pytest.mark.parametrize(("region", "price_usd"), X86_GB_SECOND_USD.items())
def test_a_regions_own_price_is_used(region: str, price_usd: str) -> None:
    """Regions that differ from the common price have their own."""
    tier = BOOK.lambda_prices(region, "x86_64").duration_tiers[0]
    assert tier.price_usd_per_gb_second == Decimal(price_usd)


def test_us_east_1_has_every_published_rate() -> None:
    """Tiers, requests, storage, provisioned concurrency and SnapStart are those of the page."""
    arm = BOOK.lambda_prices("us-east-1", "arm64")
    assert [
        (tier.upper_bound_gb_seconds, str(tier.price_usd_per_gb_second))
        for tier in arm.duration_tiers
    ] == [
        (7_500_000_000, "0.0000133334"),
        (18_750_000_000, "0.0000120001"),
        (None, "0.0000106667"),
    ]
    assert arm.request_price_usd * 1_000_000 == Decimal("0.20")
    assert arm.ephemeral_storage_price_usd_per_gb_second == Decimal("0.0000000309")
    assert arm.provisioned_idle_price_usd_per_gb_second == Decimal("0.0000033334")
    assert arm.provisioned_duration_price_usd_per_gb_second == Decimal("0.0000077778")
    assert arm.snap_start is not None
    assert arm.snap_start.restore_price_usd_per_gb == Decimal("0.0001397998")


def test_every_region_has_both_architectures_once() -> None:
    """36 regions, two entries each, and no entry twice."""
    keys = [(entry.region, entry.architecture) for entry in BOOK.lambda_entries]
    assert len(BOOK.regions) == 36
    assert len(keys) == len(set(keys)) == 72


@pytest.mark.parametrize(
    "prices", BOOK.lambda_entries, ids=lambda p: f"{p.region}-{p.architecture}"
)
def test_every_entry_is_plausible(prices: LambdaPrices) -> None:
    """Bounds ascend to no end, prices fall from tier to tier, and all are positive and dated."""
    *bounded, last = [tier.upper_bound_gb_seconds for tier in prices.duration_tiers]
    rates = [tier.price_usd_per_gb_second for tier in prices.duration_tiers]
    assert last is None
    assert bounded == sorted(filter(None, bounded))
    assert rates == sorted(rates, reverse=True)
    assert Decimal("0.000008") < rates[-1] < rates[0] < Decimal("0.00003")
    assert Decimal("0.00000015") < prices.request_price_usd < Decimal("0.0000003")
    assert prices.provisioned_idle_price_usd_per_gb_second > 0
    assert prices.provisioned_duration_price_usd_per_gb_second < rates[0]
    assert datetime.date.fromisoformat(prices.as_of) >= datetime.date.fromisoformat(BOOK.as_of)


def test_the_snapshot_says_where_its_prices_are_from() -> None:
    """Sources are told in a sentence each."""
    assert BOOK.sources
    assert all(source.endswith(".") for source in BOOK.sources)


def test_an_unknown_region_is_an_error_that_names_the_known_ones() -> None:
    """There is no silent default: the message has the close match and all regions."""
    with pytest.raises(PriceError) as caught:
        BOOK.lambda_prices("eu-wets-1", "x86_64")
    assert "did you mean eu-west-1?" in str(caught.value)
    assert all(region in str(caught.value) for region in BOOK.regions)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("region", ["", "atlantis", "US-EAST-1"])
def test_a_region_must_be_written_as_aws_writes_it(region: str) -> None:
    """Nothing but an exact name is taken."""
    with pytest.raises(PriceError, match="us-east-1"):
        BOOK.lambda_prices(region, "x86_64")


def test_an_unknown_architecture_is_an_error_that_names_both() -> None:
    """`arm` is not `arm64`, and the message says so."""
    with pytest.raises(PriceError, match=r"'arm'; did you mean arm64\? \(known: x86_64, arm64\)"):
        BOOK.lambda_prices("us-east-1", "arm")
