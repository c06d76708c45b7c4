"""An invoice that was computed by hand, and what the code bills for the same month."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tests.breakeven.test_fleet import work_of
from tuner.breakeven.answer import total_usd
from tuner.breakeven.lambda_bill import LambdaBill
from tuner.breakeven.platforms import Prices, list_candidates
from tuner.breakeven.terms import Terms
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.pricing import LambdaPrices

BOOK = load_price_book()


class Invoice(NamedTuple):
    """A case, its working, the amount in dollars, and the code's bill."""

    case: str
    working: str
    amount_usd: str
    bill: Callable[[], Decimal]


def lambda_usd(
    prices: LambdaPrices,
    *,
    requests: int,
    memory_mb: int,
    billed_ms: float,
    ephemeral_storage_mb: int = 512,
    account_gb_seconds: float | None = None,
    savings_plan: bool = False,
) -> Decimal:
    """A month on demand; all in the first tier unless it is told what the account uses already."""
    terms = Terms(
        provisioned=False, account_gb_seconds=account_gb_seconds, savings_plan=savings_plan
    )
    bill = LambdaBill(prices, memory_mb, terms, ephemeral_storage_mb=ephemeral_storage_mb)
    ms_usd = prices.price_usd_per_ms(memory_mb, ephemeral_storage_mb)
    cost_usd = float(prices.request_price_usd) + ms_usd * billed_ms
    work = replace(work_of(wait_ms=0, cpu_ms=billed_ms), lambda_cost_usd=np.array([cost_usd]))
    return Decimal(repr(total_usd(bill.items(work, requests / SECONDS_PER_MONTH))))


def snap_start_usd(prices: LambdaPrices, *, memory_mb: int, restore_count: int) -> Decimal:
    """SnapStart's share of a month in which one request of a hundred is restored."""
    bill = LambdaBill(prices, memory_mb, Terms(), snap_start=True)
    work = replace(work_of(wait_ms=0, cpu_ms=1, lambda_ms=1), cold_start_share=0.01)
    items = bill.items(work, restore_count * 100 / SECONDS_PER_MONTH)
    return Decimal(repr(total_usd(item for item in items if item.what.startswith("SnapStart"))))


def fleet_usd(name: str, unit: str, count: int, requests: int = 0, **terms: Any) -> Decimal:
    """A month of `count` units of a platform in us-east-1, with all that stands around them."""
    asked = Terms(**{"trigger": "queue", **terms})
    listed = list_candidates(Prices(BOOK, "us-east-1"), asked, "x86_64")
    fleet = next(each.fleet for each in listed if each.name == name)
    offer = next(each for each in fleet.offers if each.name == unit)
    rate_per_s = requests / SECONDS_PER_MONTH
    month_usd = count * offer.month_usd + fleet.fixed_usd + rate_per_s * fleet.usd_per_rate
    return Decimal(repr(month_usd))
