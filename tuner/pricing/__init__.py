"""What AWS charges, as of a date, and what an invocation costs."""

from tuner.pricing.billing import billed_duration_ms
from tuner.pricing.book import PriceBook
from tuner.pricing.lambda_prices import LambdaPrices, PriceTier, SnapStartPrices
from tuner.pricing.platform_prices import (
    FargatePrices,
    FargateRate,
    InstancePrices,
    ManagedInstancesPrices,
    NetworkPrices,
)
from tuner.pricing.snapshot import load_price_book

__all__ = [
    "FargatePrices",
    "FargateRate",
    "InstancePrices",
    "LambdaPrices",
    "ManagedInstancesPrices",
    "NetworkPrices",
    "PriceBook",
    "PriceTier",
    "SnapStartPrices",
    "billed_duration_ms",
    "load_price_book",
]
