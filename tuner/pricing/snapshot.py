"""Reads a price snapshot. Schema 1, by example:

    {"schema_version": 1, "as_of": "2025-10-30", "sources": {NAME: {"published", "what"}},
     "lambda": {"duration_tier_bounds_gb_seconds": {"x86_64": [6000000000, 15000000000], …},
                "regions": {"us-east-1": {"location", "as_of"?,
                            "x86_64": {"duration_gb_second": [three prices], "request", …},
                            "arm64": {…}, "snap_start": {…} or null}}},
     "fargate": {"as_of", "sizes_gb_by_vcpu": {"0.25": [0.5, 1, 2], …}, "regions": {REGION:
        {"storage_gb_hour", "x86_64": {"vcpu_hour", "gb_hour", "spot"?, "savings_plan_1y"?}, …}}},
     "ec2": {"as_of", "types": {"c7g.large": {"vcpu", "memory_gib", "architecture",
        "baseline_percent"}}, "regions": {REGION: {"c7g.large": "0.0725", …}}},
     "network": {"as_of": {"nat_hour": DAY, …}, "regions": {REGION: {"nat_hour", …, null where
        unknown}}},
     "events": as network, {"sqs_request", "sns_publish", "kinesis_shard_hour", …},
     "logs": {"as_of", "tier_bounds_gb": [10240, …], "regions": {REGION: {"standard": [four prices],
        "infrequent_access", "delivery", "storage_gb_month", "metric_month"?, "trace"?}}},
     "managed_instances": {"as_of", "fee_percent", "requests": {REGION: price}}}

Prices are decimal strings in USD for one unit of what the key names. An architecture of a refreshed
region has its own `tier_bounds` and `as_of`; a region's block may have an `as_of` of its own, and
it, the network's and the events' may be tables by name.
"""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tuner.pricing.book import (
    EventPrices,
    FargatePrices,
    FargateRate,
    InstancePrices,
    LambdaPrices,
    ManagedInstancesPrices,
    NetworkPrices,
    PriceBook,
    PriceTier,
    SnapStartPrices,
)
from tuner.pricing.log_prices import DESTINATIONS, LogPrices, LogTier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


ARCHITECTURES = ("x86_64", "arm64")
SCHEMA_VERSION = 1
NO_BLOCK: Final[dict[str, Any]] = {"as_of": {}, "regions": {}}
T = TypeVar("T")


@functools.cache
def load_price_book() -> PriceBook:
    """Return the prices that come with the package."""
    return read_price_book(bundled_document())


def bundled_document() -> dict[str, Any]:
    """Return the bundled snapshot as written."""
    text = resources.files("tuner.pricing").joinpath("snapshot.json").read_text("utf-8")
    return dict(json.loads(text))


def read_price_book(document: Mapping[str, Any]) -> PriceBook:
    """Return a snapshot's prices. Raises KeyError if it lacks a block."""
    return PriceBook(
        as_of=document["as_of"],
        sources=tuple(source["what"] for source in document["sources"].values()),
        lambda_entries=tuple(_lambda_entries(document["lambda"], document["as_of"])),
        fargate_entries=tuple(_fargate_entries(document["fargate"])),
        instance_entries=tuple(_instance_entries(document["ec2"])),
        network_entries=tuple(_dated_entries(document["network"], NetworkPrices)),
        # A snapshot that an earlier version refreshed has none.
        event_entries=tuple(_dated_entries(document.get("events", NO_BLOCK), EventPrices)),
        log_entries=tuple(_log_entries(document.get("logs", NO_BLOCK))),
        managed_instances_entries=tuple(_managed_instances_entries(document["managed_instances"])),
    )


def _lambda_entries(block: Mapping[str, Any], as_of: str) -> Iterator[LambdaPrices]:
    common = block["duration_tier_bounds_gb_seconds"]
    for region, entry in block["regions"].items():
        for architecture in (each for each in ARCHITECTURES if each in entry):
            prices, snap_start = entry[architecture], entry.get("snap_start")
            bounds = prices["tier_bounds"] if "tier_bounds" in prices else common[architecture]
            ends = [*map(Decimal, bounds), None]
            tiers = zip(ends, map(Decimal, prices["duration_gb_second"]), strict=True)
            yield LambdaPrices(
                region=region,
                architecture=architecture,
                as_of=prices.get("as_of", entry.get("as_of", as_of)),
                request_price_usd=Decimal(prices["request"]),
                duration_tiers=tuple(PriceTier(*tier) for tier in tiers),
                ephemeral_storage_price_usd_per_gb_second=Decimal(
                    prices["ephemeral_storage_gb_second"]
                ),
                provisioned_idle_price_usd_per_gb_second=Decimal(
                    prices["provisioned_idle_gb_second"]
                ),
                provisioned_duration_price_usd_per_gb_second=Decimal(
                    prices["provisioned_duration_gb_second"]
                ),
                snap_start=None
                if snap_start is None
                else SnapStartPrices(
                    Decimal(snap_start["cache_gb_second"]), Decimal(snap_start["restore_gb"])
                ),
            )


def _fargate_entries(block: Mapping[str, Any]) -> Iterator[FargatePrices]:
    """Two entries per region, one for each architecture with a price."""
    sizes = tuple(
        sorted(
            (Decimal(vcpu), Decimal(str(gb)))
            for vcpu, sizes_gb in block["sizes_gb_by_vcpu"].items()
            for gb in sizes_gb
        )
    )
    for region, entry in block["regions"].items():
        as_of = entry.get("as_of", block["as_of"])
        for architecture in (each for each in ARCHITECTURES if each in entry):
            prices = entry[architecture]
            yield FargatePrices(
                region=region,
                architecture=architecture,
                on_demand=_rate(prices, as_of),
                spot=_rate(prices["spot"], as_of) if "spot" in prices else None,
                savings_plan_1y=_rate(prices["savings_plan_1y"], as_of)
                if "savings_plan_1y" in prices
                else None,
                storage_gb_hour_usd=Decimal(entry["storage_gb_hour"]),
                sizes=sizes,
            )


def _instance_entries(block: Mapping[str, Any]) -> Iterator[InstancePrices]:
    """One entry for each type that a region sells."""
    types = block["types"]
    for region, prices in block["regions"].items():
        for name, price in prices.items():
            if name == "as_of":
                continue
            spec = types[name]
            percent = spec["baseline_percent"]
            yield InstancePrices(
                region=region,
                as_of=_day(prices, name, block),
                name=name,
                vcpu_count=spec["vcpu"],
                memory_gib=Decimal(spec["memory_gib"]),
                architecture=spec["architecture"],
                baseline_ratio=None if percent is None else Decimal(percent) / 100,
                hour_usd=Decimal(price),
            )


def _dated_entries(block: Mapping[str, Any], kind: Callable[..., T]) -> Iterator[T]:
    """One entry per region, with a date for each price; null stays unknown."""
    for region, prices in block["regions"].items():
        known = {
            f"{name}_usd": Decimal(price)
            for name, price in prices.items()
            if name != "as_of" and price is not None
        }
        days = tuple(
            (name, _day(prices, name.removesuffix("_usd"), block)) for name in sorted(known)
        )
        yield kind(region=region, dates=days, **known)


def _log_entries(block: Mapping[str, Any]) -> Iterator[LogPrices]:
    """One entry per region. These aren't refreshed: the bundled ones are all there are."""
    for region, prices in block["regions"].items():
        ends = [*map(Decimal, block["tier_bounds_gb"]), None]
        tiers = {
            each: tuple(
                LogTier(end, Decimal(price))
                for end, price in zip(ends, prices[each.lower()], strict=True)
            )
            for each in DESTINATIONS
        }
        yield LogPrices(
            region=region,
            as_of=block["as_of"],
            tiers=tuple(tiers.items()),
            storage_gb_month_usd=Decimal(prices["storage_gb_month"]),
            metric_month_usd=_or_none(prices["metric_month"]),
            trace_usd=_or_none(prices["trace"]),
        )


def _or_none(price: str | None) -> Decimal | None:
    return None if price is None else Decimal(price)


def _managed_instances_entries(block: Mapping[str, Any]) -> Iterator[ManagedInstancesPrices]:
    """One entry for each region with a known request price."""
    for region, price in block["requests"].items():
        yield ManagedInstancesPrices(
            region, block["as_of"], Decimal(block["fee_percent"]) / 100, Decimal(price)
        )


def _day(entry: Mapping[str, Any], name: str, block: Mapping[str, Any]) -> str:
    """The day of one price: the region's own, else the block's."""
    for days in (entry.get("as_of"), block["as_of"]):
        if isinstance(days, str):
            return days
        if days is not None and name in days:
            return str(days[name])
    raise KeyError(name)


def _rate(prices: Mapping[str, str], as_of: str) -> FargateRate:
    return FargateRate(
        prices.get("as_of", as_of), Decimal(prices["vcpu_hour"]), Decimal(prices["gb_hour"])
    )
