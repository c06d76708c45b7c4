"""The price book as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import table_lines
from tuner.report.json import headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.pricing import LambdaPrices, LogPrices, PriceBook
    from tuner.pricing.refresh import Refresh

_Row = tuple[str, Decimal | None, str, str]
_NETWORK: Final = (
    ("public_ipv4_hour_usd", "public IPv4", "hour"),
    ("load_balancer_hour_usd", "load balancer", "hour"),
    ("load_balancer_lcu_hour_usd", "load balancer", "LCU-hour"),
    ("nat_hour_usd", "NAT gateway", "hour"),
    ("nat_gb_usd", "NAT gateway", "GB"),
    ("gp3_gb_month_usd", "gp3 storage", "GB-month"),
    ("logs_gb_usd", "log ingestion", "GB"),
    ("api_gateway_request_usd", "HTTP API (API Gateway)", "request"),
)
_EVENTS: Final = (
    ("sqs_request_usd", "SQS", "request of 64 KB"),
    ("sqs_fifo_request_usd", "SQS FIFO", "request of 64 KB"),
    ("sns_publish_usd", "SNS", "publish of 64 KB"),
    ("eventbridge_event_usd", "EventBridge", "event of 64 KB"),
    ("kinesis_shard_hour_usd", "Kinesis", "shard-hour"),
    ("kinesis_put_unit_usd", "Kinesis", "put of 25 KB"),
    ("kinesis_stream_hour_usd", "Kinesis on demand", "hour"),
    ("kinesis_in_gb_usd", "Kinesis on demand", "GB in"),
    ("kinesis_out_gb_usd", "Kinesis on demand", "GB out"),
    ("kinesis_consumer_shard_hour_usd", "Kinesis fan-out", "shard-hour"),
    ("kinesis_consumer_gb_usd", "Kinesis fan-out", "GB"),
)
_BLOCKS: Final = {
    "lambda": "Lambda architecture",
    "fargate": "Fargate architecture",
    "ec2": "EC2 type",
    "network": "network price",
    "events": "event price",
}


def render(book: PriceBook, entries: Sequence[LambdaPrices], region: str | None = None) -> str:
    """A line for each region and architecture, first tier; then where the prices are from.

    With `region`, the other platforms' prices there come in between.
    """
    titles = ("region", "arch", "$/GB-second", "$/M requests", "as of")
    lines = table_lines([titles, *map(_cells, entries)], "<<<<<", indent=0)
    if region:
        lines += ["", *_platform_lines(book, region)]
    lines += ["", "First tier, list prices, without free tier. From:"]
    lines += [f"  {source}" for source in book.sources]
    return "\n".join(map(plain, lines)) + "\n"


def _platform_lines(book: PriceBook, region: str) -> list[str]:
    """Every other price in a region, what it's for, its unit and its date."""
    rows: list[_Row] = []
    for fargate in _here(book.fargate_entries, region):
        for name, rate in (
            ("", fargate.on_demand),
            (" Spot", fargate.spot),
            (" 1 year", fargate.savings_plan_1y),
        ):
            what = f"Fargate{name} {fargate.architecture}"
            if rate is None:
                rows.append((what, None, "", ""))
                continue
            rows.append((what, rate.vcpu_hour_usd, "vCPU-hour", rate.as_of))
            rows.append((what, rate.gb_hour_usd, "GB-hour", rate.as_of))
    for entries, names in ((book.network_entries, _NETWORK), (book.event_entries, _EVENTS)):
        for entry in _here(entries, region):
            dates = dict(entry.dates)
            for name, what, unit in names:
                rows.append((what, getattr(entry, name), unit, dates.get(name, "")))
    for logs in _here(book.log_entries, region):
        rows += _log_rows(logs)
    for managed in _here(book.managed_instances_entries, region):
        what = f"Managed Instances (EC2 + {numbers.percent(managed.fee_ratio)})"
        rows.append((what, managed.request_usd, "request", managed.as_of))
    rows += [
        (f"EC2 {instance.name}", instance.hour_usd, "hour", instance.as_of)
        for instance in _here(book.instance_entries, region)
    ]
    cells = [
        (what, "not known" if price is None else f"{price:f}", unit, day)
        for what, price, unit, day in rows
    ]
    return table_lines(cells, "<<<<", indent=0)


def _log_rows(logs: LogPrices) -> Iterator[_Row]:
    for destination, tiers in logs.tiers:
        what = f"logs {destination.lower().replace('_', ' ')}"
        for tier in tiers:
            end = tier.upper_bound_gb
            unit = "GB beyond" if end is None else f"GB to {end:,.0f}"
            yield what, tier.price_usd_per_gb, unit, logs.as_of
    yield "logs stored", logs.storage_gb_month_usd, "GB-month", logs.as_of
    yield "custom metric", logs.metric_month_usd, "month", logs.as_of
    yield "X-Ray", logs.trace_usd, "trace", ""


def _here(entries: Sequence[Any], region: str) -> list[Any]:
    return [entry for entry in entries if entry.region == region]


def refresh_json(found: Refresh) -> dict[str, Any]:
    """The result of a refresh."""
    return {
        **headed("prices-refresh"),
        "file": str(found.file),
        "regions": {region: dict(counts) for region, counts in found.counts},
        "changed_count": found.changed_count,
    }


def render_refresh(found: Refresh) -> str:
    """A line for each region with what was found, then where it's kept."""
    lines = []
    for region, counts in found.counts:
        there = [counted(count, _BLOCKS[block]) for block, count in counts if count]
        none = [f"no {_BLOCKS[block]}s" for block, count in counts if not count]
        rest = f"; {', '.join(none)} (prices known before stay)" if none else ""
        lines.append(f"{region}: {', '.join(there)}{rest}")
    changed = f"{counted(found.changed_count, 'price')} changed"
    lines.append(changed if found.changed_count else "no price changed")
    return "\n".join(map(plain, [*lines, f"kept in {found.file}"])) + "\n"


def to_json(book: PriceBook, entries: Sequence[LambdaPrices]) -> dict[str, Any]:
    """One object with every tier; prices are decimal strings, exactly as published."""
    return {
        **headed("prices"),
        "as_of": book.as_of,
        "sources": list(book.sources),
        "lambda": [_entry(entry) for entry in entries],
    }


def platforms_json(book: PriceBook, region: str) -> dict[str, Any]:
    """The blocks of the other platforms in a region; unknown prices are None, or missing."""

    def of_region(entries: Sequence[Any]) -> list[dict[str, Any]]:
        return [_text(asdict(entry)) for entry in _here(entries, region)]

    fargate = of_region(book.fargate_entries)
    for entry in fargate:
        del entry["sizes"]
    return {
        "fargate": fargate,
        "ec2": of_region(book.instance_entries),
        "network": of_region(book.network_entries),
        "events": of_region(book.event_entries),
        "logs": of_region(book.log_entries),
        "managed_instances": of_region(book.managed_instances_entries),
    }


def _text(given: Any) -> Any:
    """Prices as decimal strings."""
    if isinstance(given, list | tuple):
        return [_text(each) for each in given]
    if isinstance(given, dict):
        return {name: _text(value) for name, value in given.items()}
    return f"{given:f}" if isinstance(given, Decimal) else given


def _entry(entry: LambdaPrices) -> dict[str, Any]:
    return {
        "region": entry.region,
        "architecture": entry.architecture,
        "as_of": entry.as_of,
        "request_price_usd": _text(entry.request_price_usd),
        "ephemeral_storage_price_usd_per_gb_second": _text(
            entry.ephemeral_storage_price_usd_per_gb_second
        ),
        "duration_tiers": [
            {
                "upper_bound_gb_seconds": tier.upper_bound_gb_seconds
                and int(tier.upper_bound_gb_seconds),
                "price_usd_per_gb_second": _text(tier.price_usd_per_gb_second),
            }
            for tier in entry.duration_tiers
        ],
    }


def _cells(entry: LambdaPrices) -> tuple[str, ...]:
    return (
        entry.region,
        entry.architecture,
        _text(entry.duration_tiers[0].price_usd_per_gb_second),
        f"{entry.request_price_usd * 1_000_000:.2f}",
        entry.as_of,
    )
