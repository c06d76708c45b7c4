"""Reads the blocks of a snapshot that stand beside Lambda's. Told by example:

    "fargate": {"as_of", "sizes_gb_by_vcpu": {"0.25": [0.5, 1, 2], …}, "regions": {REGION:
        {"storage_gb_hour", "x86_64": {"vcpu_hour", "gb_hour", "spot"?, "savings_plan_1y"?}, …}}},
    "ec2": {"as_of", "types": {"c7g.large": {"vcpu", "memory_gib", "architecture",
        "baseline_percent"}}, "regions": {REGION: {"c7g.large": "0.0725", …}}},
    "network": {"as_of": {"nat_hour": DAY, …}, "regions": {REGION: {"nat_hour", …, null where
        unknown}}},
    "managed_instances": {"as_of", "fee_percent", "requests": {REGION: price}}

A region's block may have an `as_of` of its own; it and the network's may be tables by name.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tuner.pricing.platform_prices import (
    FargatePrices,
    FargateRate,
    InstancePrices,
    ManagedInstancesPrices,
    NetworkPrices,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AS_OF = "as_of"


def fargate_entries(block: Mapping[str, Any]) -> Iterator[FargatePrices]:
    """Two entries a region, one for each architecture that has a price."""
    sizes = tuple(
        sorted(
            (Decimal(vcpu), Decimal(str(gb)))
            for vcpu, sizes_gb in block["sizes_gb_by_vcpu"].items()
            for gb in sizes_gb
        )
    )
    for region, entry in block["regions"].items():
        as_of = entry.get(_AS_OF, block[_AS_OF])
        for architecture in ("x86_64", "arm64"):
            if architecture not in entry:
                continue
            prices = entry[architecture]
            yield FargatePrices(
                region=region,
                architecture=architecture,
                on_demand=_rate(prices, as_of),
                spot=_optional_rate(prices.get("spot"), as_of),
                savings_plan_1y=_optional_rate(prices.get("savings_plan_1y"), as_of),
                storage_gb_hour_usd=Decimal(entry["storage_gb_hour"]),
                sizes=sizes,
            )


def instance_entries(block: Mapping[str, Any]) -> Iterator[InstancePrices]:
    """One entry for each type that a region sells."""
    types = block["types"]
    for region, prices in block["regions"].items():
        for name, price in prices.items():
            if name == _AS_OF:
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


def network_entries(block: Mapping[str, Any]) -> Iterator[NetworkPrices]:
    """One entry a region; what is null there stays unknown."""
    for region, prices in block["regions"].items():
        known = {
            f"{name}_usd": Decimal(price)
            for name, price in prices.items()
            if name != _AS_OF and price is not None
        }
        days = tuple(
            (name, _day(prices, name.removesuffix("_usd"), block)) for name in sorted(known)
        )
        yield NetworkPrices(region=region, dates=days, **known)


def managed_instances_entries(block: Mapping[str, Any]) -> Iterator[ManagedInstancesPrices]:
    """One entry for each region with a known request price."""
    for region, price in block["requests"].items():
        yield ManagedInstancesPrices(
            region, block[_AS_OF], Decimal(block["fee_percent"]) / 100, Decimal(price)
        )


def _day(entry: Mapping[str, Any], name: str, block: Mapping[str, Any]) -> str:
    """The day of one price: the region's own, else the block's."""
    for days in (entry.get(_AS_OF), block[_AS_OF]):
        if isinstance(days, str):
            return days
        if days is not None and name in days:
            return str(days[name])
    raise KeyError(name)


def _rate(prices: Mapping[str, str], as_of: str) -> FargateRate:
    return FargateRate(
        prices.get(_AS_OF, as_of), Decimal(prices["vcpu_hour"]), Decimal(prices["gb_hour"])
    )


def _optional_rate(prices: Mapping[str, str] | None, as_of: str) -> FargateRate | None:
    return None if prices is None else _rate(prices, as_of)
