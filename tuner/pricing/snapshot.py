"""Reads a price snapshot. Schema 1, told by example (`platform_snapshot` has the other blocks):

    {"schema_version": 1, "as_of": "2025-10-30", "sources": {NAME: {"published", "what"}},
     "lambda": {"duration_tier_bounds_gb_seconds": {"x86_64": [6000000000, 15000000000], …},
                "regions": {"us-east-1": {"location", "as_of"?,
                            "x86_64": {"duration_gb_second": [three prices], "request", …},
                            "arm64": {…}, "snap_start": {…} or null}}}}

Prices are decimal strings in USD for one unit of what the key names. An architecture of a refreshed
region has its own `tier_bounds` and `as_of`.
"""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

from tuner.pricing.book import PriceBook
from tuner.pricing.lambda_prices import LambdaPrices, PriceTier, SnapStartPrices
from tuner.pricing.platform_snapshot import (
    fargate_entries,
    instance_entries,
    managed_instances_entries,
    network_entries,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ARCHITECTURES = ("x86_64", "arm64")
SCHEMA_VERSION = 1


@functools.cache
def load_price_book() -> PriceBook:
    """Return the prices that come with the package."""
    return read_price_book(bundled_document())


def bundled_document() -> dict[str, Any]:
    """Return the bundled snapshot as it is written."""
    text = resources.files("tuner.pricing").joinpath("snapshot.json").read_text("utf-8")
    return dict(json.loads(text))


def read_price_book(document: Mapping[str, Any]) -> PriceBook:
    """Return the prices of a snapshot. Raises KeyError for one that lacks a block."""
    return PriceBook(
        as_of=document["as_of"],
        sources=tuple(source["what"] for source in document["sources"].values()),
        lambda_entries=tuple(_lambda_entries(document["lambda"], document["as_of"])),
        fargate_entries=tuple(fargate_entries(document["fargate"])),
        instance_entries=tuple(instance_entries(document["ec2"])),
        network_entries=tuple(network_entries(document["network"])),
        managed_instances_entries=tuple(managed_instances_entries(document["managed_instances"])),
    )


def _lambda_entries(block: Mapping[str, Any], as_of: str) -> Iterator[LambdaPrices]:
    common = block["duration_tier_bounds_gb_seconds"]
    for region, entry in block["regions"].items():
        for architecture in ARCHITECTURES:
            if architecture not in entry:
                continue
            prices = entry[architecture]
            bounds = prices["tier_bounds"] if "tier_bounds" in prices else common[architecture]
            yield LambdaPrices(
                region=region,
                architecture=architecture,
                as_of=prices.get("as_of", entry.get("as_of", as_of)),
                request_price_usd=Decimal(prices["request"]),
                duration_tiers=_tiers(bounds, prices["duration_gb_second"]),
                ephemeral_storage_price_usd_per_gb_second=Decimal(
                    prices["ephemeral_storage_gb_second"]
                ),
                provisioned_idle_price_usd_per_gb_second=Decimal(
                    prices["provisioned_idle_gb_second"]
                ),
                provisioned_duration_price_usd_per_gb_second=Decimal(
                    prices["provisioned_duration_gb_second"]
                ),
                snap_start=_snap_start(entry.get("snap_start")),
            )


def _tiers(bounds: Sequence[int | str], prices: Sequence[str]) -> tuple[PriceTier, ...]:
    ends = [*map(Decimal, bounds), None]
    return tuple(PriceTier(end, Decimal(price)) for end, price in zip(ends, prices, strict=True))


def _snap_start(prices: Mapping[str, str] | None) -> SnapStartPrices | None:
    if prices is None:
        return None
    return SnapStartPrices(Decimal(prices["cache_gb_second"]), Decimal(prices["restore_gb"]))
