"""What AWS charges, as of a date, and what an invocation costs.

`rates` has the prices of one region, `book` finds them, `snapshot` reads those that come with the
package; `price_list` reads AWS's Price List, and `refresh` puts its newer prices over the bundled.
"""

from tuner.pricing.book import PriceBook
from tuner.pricing.rates import (
    FargatePrices,
    FargateRate,
    InstancePrices,
    LambdaPrices,
    ManagedInstancesPrices,
    NetworkPrices,
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
