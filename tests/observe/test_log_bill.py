"""What logs cost, against invoices by hand: classes, tiers, regions, what others fill, storage."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.observe.log_bill import LogBill, LogVolume, gigabytes
from tuner.pricing import load_price_book
from tuner.report.overheads import cents

if TYPE_CHECKING:
    from tuner.pricing.log_prices import LogDestination

BOOK = load_price_book()

# us-east-1: Standard .50/.25/.10/.05, Infrequent Access and delivery .25/.15/.075/.05 a GB, up to
# 10,240, 30,720, 51,200 GB and beyond.
INVOICES: tuple[tuple[str, LogDestination, str, str, str], ...] = (
    ("us-east-1", "STANDARD", "0", "0", "0.00"),
    ("us-east-1", "STANDARD", "1", "0", "0.50"),
    ("us-east-1", "STANDARD", "100", "0", "50.00"),
    ("us-east-1", "STANDARD", "10240", "0", "5120.00"),
    ("us-east-1", "STANDARD", "10241", "0", "5120.25"),
    ("us-east-1", "STANDARD", "20000", "0", "7560.00"),  # 5,120 + 9,760 × .25
    ("us-east-1", "STANDARD", "30720", "0", "10240.00"),  # 5,120 + 20,480 × .25
    ("us-east-1", "STANDARD", "40000", "0", "11168.00"),  # 10,240 + 9,280 × .10
    ("us-east-1", "STANDARD", "51200", "0", "12288.00"),  # 10,240 + 20,480 × .10
    ("us-east-1", "STANDARD", "60000", "0", "12728.00"),  # 12,288 + 8,800 × .05
    ("us-east-1", "INFREQUENT_ACCESS", "1", "0", "0.25"),
    ("us-east-1", "INFREQUENT_ACCESS", "10240", "0", "2560.00"),
    # 2,560 + 20,480 × .15 + 9,280 × .075
    ("us-east-1", "INFREQUENT_ACCESS", "40000", "0", "6328.00"),
    # 2,560 + 3,072 + 20,480 × .075 + 8,800 × .05
    ("us-east-1", "INFREQUENT_ACCESS", "60000", "0", "7608.00"),
    ("us-east-1", "DELIVERY", "12000", "0", "2824.00"),  # 2,560 + 1,760 × .15
    # 240 GB are left of the first tier, 260 are in the second: 120 + 65
    ("us-east-1", "STANDARD", "500", "10000", "185.00"),
    ("us-east-1", "STANDARD", "1000", "60000", "50.00"),  # all above 50 TB
    # .57/.285: 5,836.80 + 2,105.678 × .285 = 600.11823
    ("eu-west-1", "STANDARD", "12345.678", "0", "6436.92"),
    # .285/.171/.086: 2,918.40 + 3,502.08 + 2,613.333 × .086 = 224.746638
    ("eu-central-1", "INFREQUENT_ACCESS", "33333.333", "0", "6645.23"),
    ("ap-northeast-1", "STANDARD", "0.123456", "0", "0.09"),  # × .76 = .09382656
    # .339/.204/.102/.068: 3,471.36 + 4,177.92 + 2,088.96 + 18,800 × .068
    ("af-south-1", "DELIVERY", "70000", "0", "11016.64"),
)


@pytest.mark.parametrize(("region", "destination", "gb", "already_gb", "usd"), INVOICES)
def test_ingestion_is_as_on_an_invoice(
    region: str, destination: LogDestination, gb: str, already_gb: str, usd: str
) -> None:
    """To the cent, each tier at its own price."""
    bill = LogBill(BOOK.log_prices(region), already_gb=Decimal(already_gb))
    amount = bill.ingestion_usd(Decimal(gb), destination)
    assert amount.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(usd)


@pytest.mark.parametrize(
    ("destination", "days", "usd"),
    [
        ("STANDARD", None, "4.50"),  # 1,000 GB × .15 × $.03
        ("STANDARD", 365, "54.00"),  # twelve months of it
        ("INFREQUENT_ACCESS", 30, "4.44"),  # × 30 / 30.41667 = 4.438356
        ("STANDARD", 1, "0.15"),  # × 1 / 30.41667 = 0.147945
        ("DELIVERY", 365, "0.00"),  # kept elsewhere
    ],
)
def test_storage_is_for_as_long_as_logs_are_kept(
    destination: LogDestination, days: int | None, usd: str
) -> None:
    """1,000 GB a month in us-east-1, stored at 15% of their size."""
    bill = LogBill(BOOK.log_prices("us-east-1"), days)
    amount = bill.storage_usd(Decimal(1000), destination)
    assert amount.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(usd)


def test_a_volume_is_priced_by_the_month_and_by_the_million() -> None:
    """A month over its tiers, a million invocations in the first; 2^30 bytes are a GB."""
    assert gigabytes(3 * 2**30) == 3
    cost = LogBill(BOOK.log_prices("us-east-1")).of(
        LogVolume(Decimal(2), Decimal(20_000)), "STANDARD"
    )
    assert cost.ingestion_usd_per_million == 1
    assert cost.ingestion_usd_per_month == 7560
    assert cost.usd_per_month == Decimal(7560) + Decimal(90)
    short = LogBill(BOOK.log_prices("us-east-1")).of(LogVolume(Decimal(2), None), "STANDARD")
    assert short.usd_per_month is None


@settings(max_examples=40)
@given(
    parts=st.lists(st.decimals("0", "40000", places=3), min_size=1, max_size=5),
    destination=st.sampled_from(["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]),
)
def test_parts_of_a_month_add_up(parts: list[Decimal], destination: LogDestination) -> None:
    """Each behind the others, they cost what all cost at once; more never costs less."""
    prices = BOOK.log_prices("us-east-1")
    before, total = Decimal(), Decimal()
    for part in parts:
        cost = prices.ingestion_usd(part, destination, before)
        assert cost >= 0
        total += cost
        before += part
    assert total == prices.ingestion_usd(before, destination)


def test_a_negative_size_is_refused() -> None:
    """Nothing is credited."""
    with pytest.raises(ValueError, match="negative"):
        BOOK.log_prices("us-east-1").ingestion_usd(Decimal(-1), "STANDARD")


def test_every_region_has_tiers_that_fall() -> None:
    """All 36 regions, four tiers a class, Standard the dearest."""
    assert {each.region for each in BOOK.log_entries} == set(BOOK.regions)
    for each in BOOK.log_entries:
        tiers = dict(each.tiers)
        for destination in ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"):
            prices = [tier.price_usd_per_gb for tier in tiers[destination]]
            assert prices == sorted(prices, reverse=True)
            assert len(prices) == 4
        assert each.first_tier_usd("STANDARD") > each.first_tier_usd("INFREQUENT_ACCESS")


def test_amounts_are_rounded_as_invoices_are() -> None:
    """Halves up, with the sign first; less than half a cent keeps two digits."""
    assert [cents(Decimal(each)) for each in ("1234.565", "-0.125", "0", "0.0049", "0.005")] == [
        "1,234.57",
        "−0.13",
        "0.00",
        "0.0049",
        "0.01",
    ]
