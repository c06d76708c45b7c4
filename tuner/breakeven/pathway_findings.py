"""Which pathway is clearly better than the one that a function has, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.breakeven.pathway_traits import KB
from tuner.breakeven.pathways import price_pathways
from tuner.model.finding import Finding
from tuner.model.interval import listed
from tuner.pricing.book import age_findings

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from tuner.breakeven.pathway_traits import Need, Traits
    from tuner.breakeven.pathways import EventStream, Pathway
    from tuner.pricing import EventPrices, LambdaPrices

CLEARLY_CHEAPER_RATIO: Final = 0.5
CLEARLY_CHEAPER_USD_PER_MONTH: Final = 10.0
"""Another pathway takes work to move to, so it is only named where it costs at most half as much,
and saves at least this."""
_NEEDS: Final[dict[Need, str]] = {
    "order": "order",
    "fan-out": "several consumers",
    "replay": "replay",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a pathway must have: properties, and a delay that its p99 must keep."""

    needs: tuple[Need, ...] = ()
    max_delay_ms: float | None = None


@dataclass(frozen=True, slots=True)
class PathwayComparison:
    """Every pathway at one stream of events, and which is clearly better than the current one."""

    function: str
    region: str
    current: Traits
    trigger_source: str
    """Where the trigger is from, and the rate: given, configuration, observed."""
    rate_source: str
    stream: EventStream
    wishes: Wishes
    pathways: tuple[Pathway, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices_as_of: str
    """The oldest price's day."""


def compare_pathways(
    function: str,
    current: Traits,
    stream: EventStream,
    wishes: Wishes,
    prices: tuple[EventPrices, LambdaPrices],
    *,
    sources: tuple[str, str] = ("given", "given"),
    today: datetime.date | None = None,
) -> PathwayComparison:
    """Price every pathway, and find what is clearly better."""
    events, lambda_prices = prices
    pathways = price_pathways(stream, events, lambda_prices)
    now = next(each for each in pathways if each.traits == current)
    oldest = min([lambda_prices.as_of, *(day for _, day in events.dates)])
    found = (
        *_unfit(now, pathways, wishes),
        *_slow(now, pathways, wishes),
        *_cheaper(now, pathways, wishes),
        *_unpriced(pathways, events.region),
        *age_findings(oldest, today),
    )
    return PathwayComparison(
        function=function,
        region=events.region,
        current=current,
        trigger_source=sources[0],
        rate_source=sources[1],
        stream=stream,
        wishes=wishes,
        pathways=pathways,
        findings=found,
        assumptions=_assumptions(stream),
        prices_as_of=oldest,
    )


def _keeps_delay(each: Pathway, wishes: Wishes) -> bool:
    limit = wishes.max_delay_ms
    if limit is None or each.name == "direct":
        return True
    return each.p99_ms is not None and each.p99_ms <= limit


def _others(now: Pathway, pathways: Sequence[Pathway], wishes: Wishes) -> list[Pathway]:
    """What a function could have instead, the cheapest first; the delay is asked for apart.

    A direct invocation isn't among them: without a service in between the caller waits, and keeps
    what fails.
    """
    found = [
        each
        for each in pathways
        if each.name not in {now.name, "direct"}
        and each.usd_per_month is not None
        and each.holds_event
        and each.holds_rate
        and all(map(each.traits.gives, wishes.needs))
    ]
    return sorted(found, key=lambda each: each.usd_per_month or 0.0)


def _unfit(now: Pathway, pathways: Sequence[Pathway], wishes: Wishes) -> Iterator[Finding]:
    """The current pathway can't carry the events, or lacks what is needed."""
    reasons = [f"it has no {_NEEDS[need]}" for need in wishes.needs if not now.traits.gives(need)]
    if not now.holds_event:
        reasons.insert(0, f"an event may have {now.traits.most_event_bytes // KB:,} KB at most")
    if not now.holds_rate:
        reasons.append(f"it takes at most {now.traits.most_rate_per_s:,.0f} a second")
    if not reasons:
        return
    others = [each for each in _others(now, pathways, wishes) if _keeps_delay(each, wishes)]
    instead = listed([_with_figures(each) for each in others]) or "none of the others does either"
    yield Finding(
        "pathway_unfit",
        "warning",
        f"{now.traits.label} doesn't do here: {' and '.join(reasons)}. What does: {instead}",
    )


def _slow(now: Pathway, pathways: Sequence[Pathway], wishes: Wishes) -> Iterator[Finding]:
    """The delay that was asked for isn't kept, or nobody knows."""
    limit = wishes.max_delay_ms
    if limit is None or _keeps_delay(now, wishes):
        return
    if now.p99_ms is None:
        begin = f"how long {now.traits.label} takes isn't documented"
    else:
        begin = f"{now.traits.label} takes {now.p99_ms:,.0f} ms at p99, over {limit:g} ms"
    others = _others(now, pathways, wishes)
    quick = [each for each in others if _keeps_delay(each, wishes)]
    known = [each for each in others if each.p99_ms is not None]
    if quick:
        told = f"within it: {listed([_with_figures(each) for each in quick])}"
    elif known:
        least = min(known, key=lambda each: each.p99_ms or 0.0)
        told = f"none keeps it: the quickest is {_with_figures(least)}"
    else:
        told = "no other's delay is known either"
    given_up = _given_up(now, quick[0]) if quick else ""
    yield Finding("pathway_slow", "warning", f"{begin}; {told}{given_up}")


def _cheaper(now: Pathway, pathways: Sequence[Pathway], wishes: Wishes) -> Iterator[Finding]:
    """Another costs at most half: one that gives nothing up, else the cheapest, with what goes."""
    least = now.least_usd_per_month  # what today's costs at the best: no saving is made up
    if least is None:
        return
    most = min(least * CLEARLY_CHEAPER_RATIO, least - CLEARLY_CHEAPER_USD_PER_MONTH)
    cheap = [
        each
        for each in _others(now, pathways, wishes)
        if (each.usd_per_month or 0.0) <= most and _keeps_delay(each, wishes)
    ]
    alike = [each for each in cheap if not _lost(now.traits, each.traits)]
    for each in (alike or cheap)[:1]:
        month = each.usd_per_month or 0.0
        yield Finding(
            "pathway_cheaper",
            "info",
            f"{each.traits.label} would carry these events for ${month:,.2f} a month, "
            f"${least - month:,.2f} less than {now.traits.label}"
            f"{_given_up(now, each)}{_slower(now, each)}",
        )


def _lost(now: Traits, other: Traits) -> list[str]:
    return [word for need, word in _NEEDS.items() if now.gives(need) and not other.gives(need)]


def _given_up(now: Pathway, other: Pathway) -> str:
    lost = _lost(now.traits, other.traits)
    if now.name == "direct":
        return "; only if no caller waits for the answer"
    return f"; only if {' and '.join(lost)} isn't needed" if lost else ""


def _slower(now: Pathway, other: Pathway) -> str:
    """What is known of the delays, where the other is slower or unknown."""
    before, after = now.p99_ms, other.p99_ms
    if after is None:
        return "; its delay isn't documented"
    if before is not None and after > before:
        return f"; slower: {after:,.0f} ms at p99 against {before:,.0f} ms"
    return ""


def _with_figures(each: Pathway) -> str:
    delay = "delay not documented" if each.p99_ms is None else f"{each.p99_ms:,.0f} ms at p99"
    return f"{each.traits.label} ({delay}, ${each.usd_per_month or 0.0:,.2f} a month)"


def _unpriced(pathways: Sequence[Pathway], region: str) -> Iterator[Finding]:
    names = [each.traits.label for each in pathways if each.unpriced]
    if names:
        yield Finding(
            "price_missing",
            "warning",
            f"no price is known in {region} for {listed(names, 8)}: run tuner prices refresh "
            "(`region`)",
        )


def _assumptions(stream: EventStream) -> tuple[str, ...]:
    """One sentence part each."""
    beside = (
        "the work of an event is the same on every pathway and left out"
        if not stream.per_invocation_ms
        else f"an invocation takes {stream.per_invocation_ms:g} ms beside its events, whose own "
        "work is the same on every pathway and left out"
    )
    polled = (
        "five pollers of SQS with long polls of 20 s, without a batching window one message or more"
    )
    return (
        beside,
        "list prices of the first tier, without free tiers",
        "events are sent one by one and arrive at random",
        polled,
        f"shards of Kinesis for {stream.peak_ratio:g} times the mean rate",
        "one consumer of Kinesis, records kept for a day",
        "custom events on EventBridge (those of AWS services are free)",
        "nothing is retried or leaves the region",
    )
