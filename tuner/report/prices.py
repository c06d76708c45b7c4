"""The price book as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.pricing import LambdaPrices, PriceBook


def render(book: PriceBook, entries: Sequence[LambdaPrices]) -> str:
    """A line for each region and architecture, first tier; then where the prices are from."""
    widths = (16, 8, 16, 14, 14)
    titles = ("region", "arch", "$/GB-second", "$/M requests", "as of")
    rows = [titles, *(_cells(entry) for entry in entries)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    sources = [f"  {source}" for source in book.sources]
    return "\n".join(
        [*lines, "", "First tier, list prices, without free tier. From:", *sources, ""]
    )


def to_json(book: PriceBook, entries: Sequence[LambdaPrices]) -> dict[str, Any]:
    """One object with every tier; prices are decimal strings, exactly as published."""
    return {
        "schema_version": 1,
        "kind": "prices",
        "as_of": book.as_of,
        "sources": list(book.sources),
        "lambda": [_entry(entry) for entry in entries],
    }


def platforms_json(book: PriceBook, region: str) -> dict[str, Any]:
    """The blocks of the other platforms in a region; what is not known is None, or no entry."""

    def of_region(entries: Sequence[Any]) -> list[dict[str, Any]]:
        return [_values(entry) for entry in entries if entry.region == region]

    return {
        "fargate": [
            {name: given for name, given in entry.items() if name != "sizes"}
            for entry in of_region(book.fargate_entries)
        ],
        "ec2": of_region(book.instance_entries),
        "network": of_region(book.network_entries),
        "managed_instances": of_region(book.managed_instances_entries),
    }


def _values(entry: Any) -> dict[str, Any]:
    """A price entry's fields, prices as decimal strings."""
    found = {}
    for name, given in asdict(entry).items():
        if isinstance(given, dict):
            given = {key: _text(value) for key, value in given.items()}  # noqa: PLW2901 - one level
        found[name] = _text(given)
    return found


def _text(given: Any) -> Any:
    return f"{given:f}" if isinstance(given, Decimal) else given


def _entry(entry: LambdaPrices) -> dict[str, Any]:
    return {
        "region": entry.region,
        "architecture": entry.architecture,
        "as_of": entry.as_of,
        "request_price_usd": _plain(entry.request_price_usd),
        "ephemeral_storage_price_usd_per_gb_second": _plain(
            entry.ephemeral_storage_price_usd_per_gb_second
        ),
        "duration_tiers": [
            {
                "upper_bound_gb_seconds": tier.upper_bound_gb_seconds
                and int(tier.upper_bound_gb_seconds),
                "price_usd_per_gb_second": _plain(tier.price_usd_per_gb_second),
            }
            for tier in entry.duration_tiers
        ],
    }


def _cells(entry: LambdaPrices) -> tuple[str, ...]:
    return (
        entry.region,
        entry.architecture,
        _plain(entry.duration_tiers[0].price_usd_per_gb_second),
        f"{entry.request_price_usd * 1_000_000:.2f}",
        entry.as_of,
    )


def _plain(price: Decimal) -> str:
    return f"{price:f}"
