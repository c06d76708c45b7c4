"""A snapshot of refreshed prices: made from facts, extended, and merged with the bundled one.

The file has the bundled snapshot's schema, with only the refreshed regions and prices. Within a
region, `as_of` may be a table from a price's name to its date.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PriceError
from tuner.pricing.price_list import LAMBDA_NAMES, SNAP_START_NAMES
from tuner.pricing.snapshot import (
    ARCHITECTURES,
    NO_BLOCK,
    SCHEMA_VERSION,
    bundled_document,
    read_price_book,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tuner.pricing.book import FargatePrices, LambdaPrices, PriceBook
    from tuner.pricing.price_list import Fact

BLOCKS: Final = ("lambda", "fargate", "ec2", "network", "events")


@dataclass(frozen=True, slots=True)
class Refresh:
    """The result of a refresh: prices by block for each region, and what changed."""

    file: Path
    counts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    changed_count: int
    """Entries whose prices differ from those used so far."""


def instance_types() -> tuple[str, ...]:
    """The EC2 types that answers may name."""
    return tuple(bundled_document()["ec2"]["types"])


def make_document(found: Iterable[Fact], *, as_of: str, what: str) -> dict[str, Any]:
    """A snapshot of the facts, as of a day; `what` says in a sentence where they come from.

    A region's Lambda prices for an architecture need all of their parts, and so do Fargate's:
    incomplete ones are left out. Raises PriceError if nothing is left.
    """
    bundled = bundled_document()
    regions: dict[str, dict[str, dict[str, Any]]] = {
        block: {} for block in (*BLOCKS, "managed_instances")
    }
    for fact in found:
        _place(regions[fact.block].setdefault(fact.region, {}), fact)
    # The fee, and so the older date, is the bundled one: the Price List has it by type only.
    requests = {name: entry["request"] for name, entry in regions.pop("managed_instances").items()}
    managed = {**bundled["managed_instances"], "requests": requests}
    for block, complete in (("lambda", _complete_lambda), ("fargate", _complete_fargate)):
        kept = {region: complete(entry, as_of) for region, entry in regions[block].items()}
        regions[block] = {region: entry for region, entry in kept.items() if entry}
    for block in ("ec2", "network", "events"):
        for entry in regions[block].values():
            entry["as_of"] = dict.fromkeys(entry, as_of)
    if not (any(regions.values()) or requests):
        raise PriceError("no price that tuner uses was found there: nothing was changed")
    static = {
        "lambda": {"duration_tier_bounds_gb_seconds": {}},
        "fargate": {"sizes_gb_by_vcpu": bundled["fargate"]["sizes_gb_by_vcpu"]},
        "ec2": {"types": bundled["ec2"]["types"]},
        "network": {},
        "events": {},
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
    """Both snapshots as one; if both have a price, the newer document's counts."""
    if older is None:
        return dict(newer)
    merged: dict[str, Any] = {**newer, "sources": {**older["sources"], **newer["sources"]}}
    for block in BLOCKS:
        regions = dict(older.get(block, NO_BLOCK)["regions"])
        for region, entry in newer[block]["regions"].items():
            before = regions.get(region, {})
            dates = {**before.get("as_of", {}), **entry.get("as_of", {})}
            regions[region] = {**before, **entry, **({"as_of": dates} if dates else {})}
        merged[block] = {**newer[block], "regions": regions}
    requests = {**older["managed_instances"]["requests"], **newer["managed_instances"]["requests"]}
    merged["managed_instances"] = {**newer["managed_instances"], "requests": requests}
    return merged


def newest_prices(bundled: PriceBook, refreshed: Mapping[str, Any]) -> PriceBook:
    """The bundled book, with newer prices from the refreshed snapshot.

    Raises PriceError for a snapshot that can't be read.
    """
    if refreshed.get("schema_version") != SCHEMA_VERSION:
        raise PriceError(f"its schema is not {SCHEMA_VERSION}")
    try:
        fresh = read_price_book(refreshed)
        for day in _days(fresh):
            datetime.date.fromisoformat(day)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        raise PriceError("it isn't a price snapshot") from None
    entries: dict[str, Any] = {name: _updated(bundled, fresh, name) for name in _UPDATES}
    return replace(bundled, sources=bundled.sources + fresh.sources, **entries)


def _days(book: PriceBook) -> Iterator[str]:
    """The date of every entry's prices, which are compared with today's later."""
    for entry in (entry for name in _UPDATES for entry in getattr(book, name)):
        if hasattr(entry, "dates"):
            yield from dict(entry.dates).values()
        else:
            yield getattr(entry, "on_demand", entry).as_of


def changed_count(before: PriceBook, after: PriceBook) -> int:
    """How many entries of `after` have different prices from the same entries of `before`."""
    count = 0
    for name in _UPDATES:
        old = {_key(entry): _undated(entry) for entry in getattr(before, name)}
        for entry in getattr(after, name):
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
    """Put a fact at its path. The first of several counts: the others are its variants."""
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


def _complete_lambda(entry: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    found = _complete(entry, LAMBDA_NAMES.values(), as_of)
    snap_start = entry.get("snap_start", {})
    if found and snap_start.keys() >= set(SNAP_START_NAMES.values()):
        found["snap_start"] = snap_start
    return found


def _complete_fargate(entry: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    found = _complete(entry, ("vcpu_hour", "gb_hour"), as_of)
    if not found or "storage_gb_hour" not in entry:
        return {}
    return {**found, "storage_gb_hour": entry["storage_gb_hour"]}


def _complete(entry: Mapping[str, Any], names: Iterable[str], as_of: str) -> dict[str, Any]:
    """The region's architectures that have all of these prices."""
    return {
        architecture: {**entry[architecture], "as_of": as_of}
        for architecture in ARCHITECTURES
        if entry.get(architecture, {}).keys() >= set(names)
    }


def _updated(bundled: PriceBook, fresh: PriceBook, name: str) -> tuple[Any, ...]:
    """The bundled entries of a kind with newer values from the fresh ones; and new entries."""
    found = {_key(entry): entry for entry in getattr(bundled, name)}
    for entry in getattr(fresh, name):
        before = found.get(_key(entry))
        found[_key(entry)] = entry if before is None else _UPDATES[name](before, entry)
    return tuple(found.values())


def _newer(before: Any, entry: Any) -> Any:
    return entry if entry.as_of >= before.as_of else before


def _newer_lambda(before: LambdaPrices, entry: LambdaPrices) -> LambdaPrices:
    """SnapStart's prices stay if the newer list has none."""
    kept = replace(entry, snap_start=entry.snap_start or before.snap_start)
    return kept if entry.as_of >= before.as_of else before


def _newer_fargate(before: FargatePrices, entry: FargatePrices) -> FargatePrices:
    """Spot and Savings Plan prices aren't in the Price List: they keep their own dates."""
    if entry.on_demand.as_of < before.on_demand.as_of:
        return before
    return replace(before, on_demand=entry.on_demand, storage_gb_hour_usd=entry.storage_gb_hour_usd)


def _newer_dated(before: Any, entry: Any) -> Any:
    """Every price that the newer list has from the same day or later; the others stay."""
    mine = dict(before.dates)
    newer = {name: day for name, day in entry.dates if day >= mine.get(name, "")}
    return replace(
        before,
        dates=tuple(sorted({**mine, **newer}.items())),
        **{name: getattr(entry, name) for name in newer},
    )


_UPDATES: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "lambda_entries": _newer_lambda,
    "fargate_entries": _newer_fargate,
    "instance_entries": _newer,
    "network_entries": _newer_dated,
    "event_entries": _newer_dated,
    "managed_instances_entries": _newer,
}
"""How an entry of each kind takes newer values."""


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
