"""What AWS charges, as of a date, and what an invocation costs.

Read `book` first: it finds the prices of a region, and `snapshot` reads those that come with the
package. Newer ones: `price_list` reads AWS's Price List, `refresh` puts its prices over
the bundled, and `renewal` says which of both an answer is made with.
"""

from tuner.pricing.book import (
    FargatePrices,
    FargateRate,
    InstancePrices,
    LambdaPrices,
    ManagedInstancesPrices,
    NetworkPrices,
    PriceBook,
    PriceTier,
    SnapStartPrices,
    billed_duration_ms,
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
