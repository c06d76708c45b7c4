"""The ways to bring events to a function: one table on the terminal, one object in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import figure
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_lines
from tuner.report.json import fields_json, headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from tuner.breakeven.answer import BillItem
    from tuner.breakeven.pathway_findings import PathwayComparison
    from tuner.breakeven.pathways import Pathway

_TITLES: Final = (
    "", "pathway", "$/month", "Lambda", "p50", "p99", "batch", "order", "consumers", "replay",
    "event",
)  # fmt: skip
_JUSTIFY: Final = "<<>>>>><<<>"
KIND: Final = "pathways"


def to_json(found: PathwayComparison) -> dict[str, Any]:
    """Return the contract's object of an answer without logs."""
    return {
        **headed(KIND),
        "function": found.function,
        KIND: pathways_json(found),
        **fields_json(found, "findings", "assumptions"),
        "prices": {"as_of": found.prices_as_of, "region": found.region},
    }


def pathways_json(found: PathwayComparison) -> dict[str, Any]:
    """Return what `observe --json` has under `pathways`."""
    stream = found.stream
    return {
        "trigger": found.current.trigger,
        "pathway": found.current.name,
        "trigger_source": found.trigger_source,
        "rate_per_s": stream.rate_per_s,
        "rate_source": found.rate_source,
        **fields_json(stream, "event_bytes", "batch_size", "batch_window_s", "peak_ratio"),
        **fields_json(found.wishes, "needs", "max_delay_ms"),
        "options": [_option(each) for each in found.pathways],
        **fields_json(found, "findings", "assumptions", "prices_as_of"),
    }


def _option(each: Pathway) -> dict[str, Any]:
    traits, delay = each.traits, each.delay
    return {
        "name": each.name,
        "cost_usd_per_month": each.usd_per_month,
        **fields_json(each, "least_usd_per_month", "service_usd_per_month", "lambda_usd_per_month"),
        "items": [_item(item) for item in (*each.service_items, *each.lambda_items)],
        **fields_json(each, "unpriced"),
        "delay_ms": None
        if delay is None
        else {"p50": delay.p50_ms, "p99": delay.p99_ms, **fields_json(delay, "source", "as_of")},
        "delay_note": traits.delay_note or None,
        **fields_json(each, "events_per_invocation", "invocations_per_month", "batch_window_s"),
        "most_events": traits.most_events,
        "order": traits.order or None,
        "consumers": traits.consumers or None,
        "replay": traits.replay or None,
        **fields_json(traits, "kept", "throughput", "most_event_bytes", "most_rate_per_s"),
        **fields_json(each, "holds_event", "holds_rate"),
    }


def _item(item: BillItem) -> dict[str, Any]:
    return fields_json(item, "what", "quantity", "unit", "price_usd", "cost_usd")


def render(found: PathwayComparison, *, width: int, encoding: str = "utf-8") -> str:
    """Return the table, what is known of delays, the findings and what was assumed."""
    lines = [
        _headline(found),
        "",
        *table_lines([_TITLES, *(_row(each, found) for each in found.pathways)], _JUSTIFY),
        "",
    ]
    assumed = f"Assumes {'; '.join(found.assumptions)}; prices of {found.prices_as_of} or later."
    said = [*map(remark, found.findings), *_notes(found), assumed]
    return as_text([*lines, *paragraphs(said, width)], encoding)


def _headline(found: PathwayComparison) -> str:
    stream = found.stream
    rate = f"{numbers.per_s(stream.rate_per_s)} events/s ({found.rate_source})"
    now = f"{found.current.label} ({found.trigger_source})"
    return f"{plain(found.function)} · {found.region} · {now} · {rate} of {stream.event_bytes:,} B"


def _row(each: Pathway, found: PathwayComparison) -> tuple[str, ...]:
    traits, delay = each.traits, each.delay
    window = f" + {each.batch_window_s:g} s" if each.batch_window_s else ""
    unknown = "none" if each.name == "direct" else "not documented"
    return (
        "▶" if traits == found.current else "",
        traits.label,
        _month(each),
        f"{each.lambda_usd_per_month:,.2f}",
        unknown if delay is None else numbers.duration(delay.p50_ms) + window,
        "–" if delay is None else numbers.duration(delay.p99_ms) + window,
        f"{figure(each.events_per_invocation)}/{traits.most_events:,}",
        traits.order or "–",
        traits.consumers or "–",
        traits.replay or "–",
        _size(traits.most_event_bytes) + ("" if each.holds_event else " !"),
    )


def _month(each: Pathway) -> str:
    """A range where the batches aren't known."""
    least, most = each.least_usd_per_month, each.usd_per_month
    if least is None or most is None:
        return "no price"
    ends = dict.fromkeys((f"{least:,.2f}", f"{most:,.2f}"))
    return "–".join(ends)


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"


def _notes(found: PathwayComparison) -> list[str]:
    """Where delays are from, and what has limits of its own."""
    measured = [
        (each.delay.source, each.delay.as_of, each.traits.label)
        for each in found.pathways
        if each.delay is not None
    ]
    sources = "; ".join(dict.fromkeys(source for source, _, _ in measured))
    days = _grouped([(label, f"on {day}") for _, day, label in measured])
    every = [each.traits for each in found.pathways]
    noted = _grouped([(each.label, each.delay_note) for each in every if each.delay_note])
    waits = _grouped([(each.label, each.kept) for each in every])
    return [
        f"Delays to the handler's begin, warm: {sources}. {days}. {noted}.",
        f"Limits: {_grouped([(each.label, each.throughput) for each in every])}.",
        f"How long an event waits for a function that fails: {waits}.",
    ]


def _grouped(told: list[tuple[str, str]]) -> str:
    """What is said of several at once: `SQS, SNS: …; Kinesis: …`."""
    labels: dict[str, list[str]] = {}
    for label, text in told:
        labels.setdefault(text, []).append(label)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in labels.items())
