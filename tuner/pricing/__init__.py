"""What AWS charges, as of a date, and what an invocation costs.

Read `book` first: it finds a region's prices, and `snapshot` reads those that come with the
package. For newer ones, `price_list` reads AWS's Price List, `refresh` merges its prices with the
bundled ones, and `renewal` picks what answers use. `log_prices` has CloudWatch's logs by class and
tier.
"""

from tuner.pricing.book import (
    EventPrices,
    FargatePrices,
    FargateRate,
    InstancePrices,
    LambdaPrices,
    ManagedInstancesPrices,
    NetworkPrices,
    PriceBook,
    billed_duration_ms,
)
from tuner.pricing.log_prices import LogPrices
from tuner.pricing.snapshot import load_price_book

__all__ = [
    "EventPrices",
    "FargatePrices",
    "FargateRate",
    "InstancePrices",
    "LambdaPrices",
    "LogPrices",
    "ManagedInstancesPrices",
    "NetworkPrices",
    "PriceBook",
    "billed_duration_ms",
    "load_price_book",
]
