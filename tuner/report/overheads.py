"""What a function pays besides its work: on the terminal, and under `overheads` in JSON."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import listed
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_below, table_lines
from tuner.report.json import fields_json
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.observe.layer_weight import LayerWeight, VersionInit
    from tuner.observe.overheads import LogSaving, Overheads

KEY: Final = "overheads"


def overheads_json(found: Overheads) -> dict[str, Any]:
    """Return what `observe --json` has under `overheads`."""
    settings, time = found.settings, found.extension_time
    return {
        "logging": {
            "log_class": settings.destination,
            "log_format": "JSON" if found.is_json else "Text",
            "retention_days": settings.retention_days,
            **fields_json(found, "event_count", "size_bytes", "bytes_per_invocation", "is_sample"),
            "gb_per_month": _number(found.volume.per_month_gb),
            **fields_json(
                found.logging, "ingestion_usd_per_month", "storage_usd_per_month", "usd_per_month",
                "usd_per_million",
            ),
            "by_level": [
                fields_json(
                    each, "origin", "level", "event_count", "size_bytes", "share_ratio",
                    "usd_per_million",
                )
                for each in found.shares
            ],
            "by_stream": [{"log_stream": n, "size_bytes": size} for n, size in found.streams],
            "stream_count": found.stream_count,
        },
        "compute": {
            "usd_per_month": _number(found.compute_usd_per_month),
            "usd_per_million": _number(found.compute_usd_per_million),
        },
        "logging_ratio": found.logging_ratio,
        "savings": [
            fields_json(each, "name", "what", "usd_per_million", "usd_per_month")
            for each in found.savings
        ],
        "extensions": {
            "names": list(found.extensions),
            "mean_ms": time and time.mean_ms,
            "duration_ratio": time and time.duration_ratio,
            "usd_per_million": time and float(time.usd_per_million),
            "invocation_count": 0 if time is None else time.invocation_count,
        },
        "tracing": fields_json(found.tracing, "traced_ratio", "usd_per_million", "usd_per_month"),
        "metrics": fields_json(
            found.metrics, "metric_count", "insights_count", "usd_per_month",
            "insights_log_usd_per_million",
        ),
        "versions": [
            {
                **fields_json(
                    each, "version", "cold_start_count", "mean_init_ms", "max_memory_used_mb"
                ),
                "layers": None
                if each.layers is None
                else [{"name": name, "size_bytes": size} for name, size in each.layers],
            }
            for each in found.versions
        ],
        "layers": [
            fields_json(
                each, "name", "size_bytes", "init_ms", "with_ms", "without_ms", "with_count",
                "without_count",
            )
            for each in found.layers
        ],
        **fields_json(found, "findings", "assumptions", "prices_as_of"),
    }  # fmt: skip


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def render(found: Overheads, *, width: int, encoding: str = "utf-8") -> str:
    """Return what logs cost against compute, by level; what saves; and the other overheads."""
    lines = [
        f"Overheads of {plain(found.function)}",
        "",
        *table_lines(list(_costs(found)), "<>>"),
        "",
        *table_lines(list(_levels(found)), "<<>>>>"),
    ]
    titles = ("what would save", "$/month", "$/million")
    lines += table_below(titles, map(_saving, found.savings), "<>>")
    if len(found.versions) > 1 or any(each.layers for each in found.versions):
        heads = ("version", "INIT", "cold starts", "memory used", "layers")
        lines += table_below(heads, map(_version, found.versions), "<>>><")
    tops = ("layer", "size", "INIT with", "without", "difference")
    lines += table_below(tops, map(_layer, found.layers), "<>>>>")
    assumed = f"Assumes {'; '.join(found.assumptions)}; prices of {found.prices_as_of}."
    said = [*map(remark, found.findings), *_notes(found), assumed]
    return as_text([*lines, "", *paragraphs(said, width)], encoding)


def cents(amount: Decimal) -> str:
    """To the cent, halves up, as an invoice has it; under half a cent two digits."""
    if 0 < abs(amount) < Decimal("0.005"):
        return numbers.usd(float(amount)).replace("$", "")
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}".replace("-", "−")


def _costs(found: Overheads) -> Iterator[tuple[str, str, str]]:
    logging, tracing, metrics = found.logging, found.tracing, found.metrics
    yield "", "$/month", "$/million"
    yield "compute", _or_dash(found.compute_usd_per_month), cents(found.compute_usd_per_million)
    yield (
        f"log ingestion ({found.settings.destination.lower().replace('_', ' ')})",
        _or_dash(logging.ingestion_usd_per_month),
        cents(logging.ingestion_usd_per_million),
    )
    yield (
        "log storage",
        _or_dash(logging.storage_usd_per_month),
        cents(logging.storage_usd_per_million),
    )
    if tracing.traced_ratio:
        yield "tracing", _or_dash(tracing.usd_per_month), _or_dash(tracing.usd_per_million)
    if metrics.metric_count:
        yield f"{metrics.metric_count} custom metrics", _or_dash(metrics.usd_per_month), "–"
    if metrics.insights_log_usd_per_million:
        yield "log of Lambda Insights", "–", cents(metrics.insights_log_usd_per_million)
    if (time := found.extension_time) is not None:
        yield "extensions behind the response", "–", cents(time.usd_per_million)


def _levels(found: Overheads) -> Iterator[tuple[str, ...]]:
    yield "lines of", "level", "lines", "bytes", "share", "$/million"
    for each in found.shares:
        yield (
            each.origin.replace("_", " "),
            each.level if each.origin == "function" else "",
            f"{each.event_count:,}",
            f"{each.size_bytes:,}",
            numbers.percent(each.share_ratio),
            cents(each.usd_per_million),
        )


def _saving(each: LogSaving) -> tuple[str, str, str]:
    return each.what, _or_dash(each.usd_per_month), cents(each.usd_per_million)


def _version(each: VersionInit) -> tuple[str, ...]:
    layers = "not known"
    if each.layers is not None:
        names = [f"{plain(name)} {size / 1e6:.1f} MB" for name, size in each.layers]
        layers = listed(names) or "none"
    used = each.max_memory_used_mb
    return (
        plain(each.version or ""),
        numbers.duration(each.mean_init_ms),
        f"{each.cold_start_count:,}",
        "–" if used is None else numbers.memory(used),
        layers,
    )


def _layer(each: LayerWeight) -> tuple[str, ...]:
    sign = "−" if each.init_ms < 0 else "+"
    return (
        plain(each.name),
        f"{each.size_bytes / 1e6:.1f} MB",
        f"{numbers.duration(each.with_ms)} ({each.with_count:,})",
        f"{numbers.duration(each.without_ms)} ({each.without_count:,})",
        f"{sign}{numbers.duration(abs(each.init_ms))}",
    )


def _or_dash(amount: Decimal | None) -> str:
    return "–" if amount is None else cents(amount)


def _notes(found: Overheads) -> Iterator[str]:
    lines = f"{found.event_count:,} lines"
    if found.stream_count:
        largest = found.streams[0][1]
        lines += f" in {found.stream_count:,} log streams, the largest with {largest:,} bytes"
    yield f"{found.bytes_per_invocation:,.0f} bytes an invocation; {lines}."
    if found.extension_time is None and found.extensions:
        yield (
            f"Extensions: {listed([plain(each) for each in found.extensions])}. How long they take "
            "is only in JSON logs at the system log level DEBUG, and their memory in no log."
        )
