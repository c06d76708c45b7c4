"""Reads the bundled price snapshot. Schema 1, told by example:

    {"schema_version": 1, "as_of": "2025-10-30", "sources": {NAME: {"published", "what"}},
     "lambda": {"duration_tier_bounds_gb_seconds": {"x86_64": [6000000000, 15000000000], …},
                "regions": {"us-east-1": {"location", "as_of"?,
                            "x86_64": {"duration_gb_second": [three prices], "request", …},
                            "arm64": {…}, "snap_start": {…} or null}}}}

Prices are decimal strings in USD for one unit of what the key names.
"""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

from tuner.pricing.book import PriceBook
from tuner.pricing.lambda_prices import LambdaPrices, PriceTier, SnapStartPrices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ARCHITECTURES = ("x86_64", "arm64")


@functools.cache
def load_price_book() -> PriceBook:
    """Return the prices that come with the package."""
    text = resources.files("tuner.pricing").joinpath("snapshot.json").read_text("utf-8")
    document = json.loads(text)
    return PriceBook(
        as_of=document["as_of"],
        sources=tuple(source["what"] for source in document["sources"].values()),
        lambda_entries=tuple(_lambda_entries(document["lambda"], document["as_of"])),
    )


def _lambda_entries(block: Mapping[str, Any], as_of: str) -> Iterator[LambdaPrices]:
    bounds = block["duration_tier_bounds_gb_seconds"]
    for region, entry in block["regions"].items():
        for architecture in ARCHITECTURES:
            prices = entry[architecture]
            yield LambdaPrices(
                region=region,
                architecture=architecture,
                as_of=entry.get("as_of", as_of),
                request_price_usd=Decimal(prices["request"]),
                duration_tiers=_tiers(bounds[architecture], prices["duration_gb_second"]),
                ephemeral_storage_price_usd_per_gb_second=Decimal(
                    prices["ephemeral_storage_gb_second"]
                ),
                provisioned_idle_price_usd_per_gb_second=Decimal(
                    prices["provisioned_idle_gb_second"]
                ),
                provisioned_duration_price_usd_per_gb_second=Decimal(
                    prices["provisioned_duration_gb_second"]
                ),
                snap_start=_snap_start(entry["snap_start"]),
            )


def _tiers(bounds: Sequence[int], prices: Sequence[str]) -> tuple[PriceTier, ...]:
    ends = [*map(Decimal, bounds), None]
    return tuple(PriceTier(end, Decimal(price)) for end, price in zip(ends, prices, strict=True))


def _snap_start(prices: Mapping[str, str] | None) -> SnapStartPrices | None:
    if prices is None:
        return None
    return SnapStartPrices(Decimal(prices["cache_gb_second"]), Decimal(prices["restore_gb"]))
