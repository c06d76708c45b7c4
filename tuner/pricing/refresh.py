"""A snapshot of refreshed prices: made from facts, added to, and put over the bundled one.

The file has the bundled snapshot's schema, with the regions and prices alone that were refreshed.
Within a region `as_of` may be a table, the name of a price to its day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PriceError
from tuner.pricing.book import PriceBook
from tuner.pricing.snapshot import SCHEMA_VERSION, bundled_document, read_price_book

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tuner.pricing.price_list import Fact
    from tuner.pricing.rates import FargatePrices, LambdaPrices, NetworkPrices

BLOCKS: Final = ("lambda", "fargate", "ec2", "network")
_LAMBDA_NAMES: Final = frozenset(
    {
        "duration_gb_second",
        "request",
        "ephemeral_storage_gb_second",
        "provisioned_idle_gb_second",
        "provisioned_duration_gb_second",
    }
)


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh brought: prices by block for each region, and what changed."""

    file: Path
    counts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    changed_count: int
    """Entries whose prices differ from those that answers were made with before."""


def instance_types() -> tuple[str, ...]:
    """The EC2 types that answers may name."""
    return tuple(bundled_document()["ec2"]["types"])


def make_document(found: Iterable[Fact], *, as_of: str, what: str) -> dict[str, Any]:
    """A snapshot of the facts, as of a day; `what` says in a sentence where they are from.

    A region's Lambda prices of an architecture need all of their parts, and so do Fargate's: what
    is incomplete is left out. Raises PriceError where nothing is left.
    """
    bundled = bundled_document()
    regions: dict[str, dict[str, dict[str, Any]]] = {
        "lambda": {},
        "fargate": {},
        "ec2": {},
        "network": {},
        "managed_instances": {},
    }
    for fact in found:
        _place(regions[fact.block].setdefault(fact.region, {}), fact)
    # The fee, and so the older day, is the bundled one: the Price List has it by type only.
    requests = {name: entry["request"] for name, entry in regions.pop("managed_instances").items()}
    managed = {**bundled["managed_instances"], "requests": requests}
    regions["lambda"] = _kept(regions["lambda"], _complete_lambda, as_of)
    regions["fargate"] = _kept(regions["fargate"], _complete_fargate, as_of)
    for block in ("ec2", "network"):
        for entry in regions[block].values():
            entry["as_of"] = dict.fromkeys(entry, as_of)
    if not (any(regions.values()) or requests):
        raise PriceError("no price that is used was found there: nothing was changed")
    static = {
        "lambda": {"duration_tier_bounds_gb_seconds": {}},
        "fargate": {"sizes_gb_by_vcpu": bundled["fargate"]["sizes_gb_by_vcpu"]},
        "ec2": {"types": bundled["ec2"]["types"]},
        "network": {},
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": as_of,
        "sources": {f"refresh-{as_of}": {"published": as_of, "what": what}},
        **{
            block: {"as_of": as_of, **static[block], "regions": entries}
            for block, entries in regions.items()
        },
        "managed_instances": managed,
    }


def add_document(older: Mapping[str, Any] | None, newer: Mapping[str, Any]) -> dict[str, Any]:
    """Both snapshots as one; where both have a price the newer document's stands."""
    if older is None:
        return dict(newer)
    merged: dict[str, Any] = {**newer, "sources": {**older["sources"], **newer["sources"]}}
    for block in BLOCKS:
        regions = dict(older[block]["regions"])
        for region, entry in newer[block]["regions"].items():
            before = regions.get(region, {})
            dates = {**before.get("as_of", {}), **entry.get("as_of", {})}
            regions[region] = {**before, **entry, **({"as_of": dates} if dates else {})}
        merged[block] = {**newer[block], "regions": regions}
    requests = {**older["managed_instances"]["requests"], **newer["managed_instances"]["requests"]}
    merged["managed_instances"] = {**newer["managed_instances"], "requests": requests}
    return merged


def newest_prices(bundled: PriceBook, refreshed: Mapping[str, Any]) -> PriceBook:
    """The bundled book with every price replaced that the refreshed snapshot has a newer one of.

    Raises PriceError for a snapshot that cannot be read.
    """
    if refreshed.get("schema_version") != SCHEMA_VERSION:
        raise PriceError(f"its schema is not {SCHEMA_VERSION}")
    try:
        fresh = read_price_book(refreshed)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        raise PriceError("it is no price snapshot") from None
    return PriceBook(
        as_of=bundled.as_of,
        sources=bundled.sources + fresh.sources,
        lambda_entries=_lambda(bundled.lambda_entries, fresh.lambda_entries),
        fargate_entries=_fargate(bundled.fargate_entries, fresh.fargate_entries),
        instance_entries=_newest(
            bundled.instance_entries,
            fresh.instance_entries,
            lambda entry: (entry.region, entry.name),
        ),
        network_entries=_network(bundled.network_entries, fresh.network_entries),
        managed_instances_entries=_newest(
            bundled.managed_instances_entries,
            fresh.managed_instances_entries,
            lambda entry: entry.region,
        ),
    )


def changed_count(before: PriceBook, after: PriceBook) -> int:
    """How many entries of `after` have other prices than the same entries of `before`."""
    count = 0
    for field in fields(PriceBook):
        if not field.name.endswith("_entries"):
            continue
        old = {_key(entry): _undated(entry) for entry in getattr(before, field.name)}
        for entry in getattr(after, field.name):
            count += _undated(entry) != old.get(_key(entry))
    return count


def counts_by_region(
    document: Mapping[str, Any],
) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """For each region of a snapshot: its architectures, types and prices by block."""
    beside = {"as_of", "snap_start", "storage_gb_hour"}
    return tuple(
        (
            region,
            tuple(
                (block, len(document[block]["regions"].get(region, {}).keys() - beside))
                for block in BLOCKS
            ),
        )
        for region in sorted({name for block in BLOCKS for name in document[block]["regions"]})
    )


def _place(entry: dict[str, Any], fact: Fact) -> None:
    """Put a fact at its path. The first of several stands: the others are its variants."""
    *folders, name = fact.path
    for folder in folders:
        entry = entry.setdefault(folder, {})
    if name in entry:
        return
    if name == "duration_gb_second":
        entry["tier_bounds"] = [str(end) for end, _ in fact.tiers if end is not None]
        entry[name] = [f"{price:f}" for _, price in fact.tiers]
    else:
        entry[name] = f"{fact.tiers[0][1]:f}"


def _kept(regions: dict[str, Any], complete: Any, as_of: str) -> dict[str, Any]:
    kept = {region: complete(entry, as_of) for region, entry in regions.items()}
    return {region: entry for region, entry in kept.items() if entry}


def _complete_lambda(entry: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    found = {
        architecture: {**entry[architecture], "as_of": as_of}
        for architecture in ("x86_64", "arm64")
        if entry.get(architecture, {}).keys() >= _LAMBDA_NAMES
    }
    snap_start = entry.get("snap_start", {})
    if found and snap_start.keys() >= {"cache_gb_second", "restore_gb"}:
        found["snap_start"] = snap_start
    return found


def _complete_fargate(entry: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    if "storage_gb_hour" not in entry:
        return {}
    found = {
        architecture: {**entry[architecture], "as_of": as_of}
        for architecture in ("x86_64", "arm64")
        if entry.get(architecture, {}).keys() >= {"vcpu_hour", "gb_hour"}
    }
    return {**found, "storage_gb_hour": entry["storage_gb_hour"]} if found else {}


def _newest(old: Sequence[Any], new: Sequence[Any], key: Any) -> tuple[Any, ...]:
    found = {key(entry): entry for entry in old}
    for entry in new:
        before = found.get(key(entry))
        if before is None or entry.as_of >= before.as_of:
            found[key(entry)] = entry
    return tuple(found.values())


def _lambda(old: Sequence[LambdaPrices], new: Sequence[LambdaPrices]) -> tuple[LambdaPrices, ...]:
    """SnapStart's prices stay where the newer list has none."""
    snap_start = {_architecture(entry): entry.snap_start for entry in old}
    kept = [
        replace(entry, snap_start=entry.snap_start or snap_start.get(_architecture(entry)))
        for entry in new
    ]
    return _newest(old, kept, _architecture)


def _fargate(
    old: Sequence[FargatePrices], new: Sequence[FargatePrices]
) -> tuple[FargatePrices, ...]:
    """Spot and Savings Plan prices are not in the Price List: they stay with their own days."""
    found = {_architecture(entry): entry for entry in old}
    for entry in new:
        before = found.get(_architecture(entry))
        if before is None:
            found[_architecture(entry)] = entry
        elif entry.on_demand.as_of >= before.on_demand.as_of:
            found[_architecture(entry)] = replace(
                before, on_demand=entry.on_demand, storage_gb_hour_usd=entry.storage_gb_hour_usd
            )
    return tuple(found.values())


def _network(
    old: Sequence[NetworkPrices], new: Sequence[NetworkPrices]
) -> tuple[NetworkPrices, ...]:
    found = {entry.region: entry for entry in old}
    for entry in new:
        before = found.get(entry.region)
        found[entry.region] = entry if before is None else before.updated(entry)
    return tuple(found.values())


def _architecture(entry: Any) -> tuple[str, str]:
    return entry.region, entry.architecture


def _key(entry: Any) -> tuple[str, ...]:
    return tuple(
        getattr(entry, name) for name in ("region", "architecture", "name") if hasattr(entry, name)
    )


def _undated(entry: Any) -> dict[str, Any]:
    found = {}
    for field in fields(entry):
        given = getattr(entry, field.name)
        if field.name in {"as_of", "dates"}:
            continue
        found[field.name] = _undated(given) if hasattr(given, "as_of") else given
    return found
