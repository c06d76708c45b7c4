"""Whether a function keeps up with the queue or stream that feeds it, and drains a backlog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.load.event_source import (
    MOST_CONCURRENCY,
    POLLER_CONCURRENCY,
    Batch,
    kinesis_drain,
    sqs_drain,
)
from tuner.load.limits import first_to_give_way
from tuner.load.resources import EventSource, Queue, Stream
from tuner.model.finding import Finding
from tuner.model.interval import figure, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.load.event_source import Drain
    from tuner.load.limits import Saturation
    from tuner.load.resources import Function
    from tuner.load.result import LoadResult

LEAST_MAXIMUM_CONCURRENCY: Final = 2
"""The least that an SQS mapping can be set to."""
TIGHT_SHARE: Final = 0.9
"""Of the rate at which a queue is worked off: with more arriving, chance alone makes it wait."""
_TIMEOUTS: Final = 6
"""AWS advises a visibility timeout of six times the function's own, and the batch window."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What feeds a function, and how much of it comes and waits."""

    source: EventSource
    resource: Queue | Stream | None
    arrival_per_s: float | None = None
    """In the busiest hour of the last week; None if it isn't known."""
    backlog_count: float | None = None
    """Given, or what waits now."""
    is_assumed: bool = False
    """No mapping was found: as if a queue sent batches like the payloads."""
    record_bytes: float | None = None


def recent_batch(feed: Feed, duration_ms: float) -> Batch:
    """What an invocation worked off lately, in its mean duration; full batches if nobody knows."""
    consumers = feed.resource.consumers if isinstance(feed.resource, Queue) else ()
    for source, consumer in consumers:
        if source.function == feed.source.function and consumer.records_an_invocation:
            return Batch(consumer.records_an_invocation, duration_ms, "its recent means")
    known = "its recent mean" if feed.is_assumed else "its recent mean, if batches were full"
    return Batch(float(feed.source.batch_size), duration_ms, known)


def not_enforced(result: LoadResult, function: Function | None) -> Iterator[Finding]:
    """More ran at once on this machine than is reserved, which only an account enforces."""
    if function is None or not function.is_reserved or function.concurrency is None:
        return
    if result.max_concurrency > function.concurrency and not result.throttle_reasons:
        yield Finding(
            "concurrency_short",
            "warning",
            f"{result.max_concurrency:,} requests were in flight at once, and the function's "
            f"template reserves {function.concurrency:,}: Lambda throttles the rest, and this "
            "machine doesn't",
        )


def drain_of(feed: Feed, function: Function, batch: Batch) -> Drain | None:
    """How fast the function works off its feed; None of a stream whose shards aren't known."""
    if feed.source.service == "sqs":
        return sqs_drain(feed.source, function, batch)
    if not isinstance(feed.resource, Stream):
        return None
    shards, record_bytes = feed.resource.shard_count, feed.record_bytes
    return kinesis_drain(feed.source, function, batch, shards, record_bytes)


def not_computed(sources: Sequence[str], backlog_count: int | None) -> Iterator[Finding]:
    """What is polled for the function besides queues and streams of Kinesis."""
    if not sources:
        return
    said = f"The function is fed by {listed(sources)}: how fast it works that off isn't computed"
    if backlog_count is None:
        yield Finding("event_source_not_computed", "info", said)
    else:
        said += f", nor how long a backlog of {backlog_count:,} takes"
        yield Finding("event_source_not_computed", "warning", said)


def upstream_findings(
    feed: Feed,
    function: Function,
    batch: Batch,
    size: str,
    downstream: Sequence[Saturation] = (),
) -> Iterator[Finding]:
    """Whether it keeps up, how long the backlog takes, and what that asks of what is behind.

    `size` names the memory.
    """
    drain = drain_of(feed, function, batch)
    if drain is None:
        return
    noun = "messages" if feed.source.service == "sqs" else "records"
    arrival = feed.arrival_per_s or 0.0
    falls_behind = arrival > TIGHT_SHARE * drain.rate_per_s
    name = feed.source.resource if not feed.is_assumed else "a queue"
    assumed = " (no event source was found: as if a queue sent it)" if feed.is_assumed else ""
    if feed.source.service == "sqs" and feed.source.resource.endswith(".fifo"):
        assumed = ", if as many message groups wait: FIFO has one batch of a group at once"
    yield Finding(
        "event_source_behind" if falls_behind else "event_source_drains",
        "warning" if falls_behind else "info",
        f"At {size} it works off {name} at up to {figure(drain.rate_per_s)} {noun}/s: "
        f"{drain.concurrency:,} batches at once of {figure(batch.record_count)} in "
        f"{figure(batch.duration_ms)} ms ({batch.source}{_fuller(feed, batch)}"
        f"{_read(drain, batch)}){assumed}. "
        f"{_arrival(feed, noun)}{_backlog(feed, drain, noun)}",
    )
    if feed.source.service == "sqs":
        yield from _settings(feed, function, batch)
    yield from _asked_of_others(feed, drain, downstream, size)


def _fuller(feed: Feed, batch: Batch) -> str:
    if feed.is_assumed or batch.record_count >= feed.source.batch_size:
        return ""
    return f"; the mapping has batches of up to {feed.source.batch_size:,}"


def _read(drain: Drain, batch: Batch) -> str:
    """What a stream's shards give, where that is less than the function works off."""
    return "" if drain.duration_ms <= batch.duration_ms else "; a shard is read at 2 MB/s at most"


def _arrival(feed: Feed, noun: str) -> str:
    if feed.arrival_per_s is None:
        return f"How many {noun} come isn't known"
    return f"In the busiest hour of the last week {figure(feed.arrival_per_s)} {noun}/s came"


def _backlog(feed: Feed, drain: Drain, noun: str) -> str:
    if not feed.backlog_count:
        return ""
    count = f"; a backlog of {feed.backlog_count:,.0f} {noun}"
    seconds = drain.drain_s(feed.backlog_count, feed.arrival_per_s or 0.0)
    if seconds is None:
        return f"{count} never drains"
    return f"{count} takes about {_time(seconds)}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{figure(seconds)} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _settings(feed: Feed, function: Function, batch: Batch) -> Iterator[Finding]:
    queue, source = feed.resource, feed.source
    if isinstance(queue, Queue):
        longest_s = batch.duration_ms / 1000 + source.window_s
        if queue.visibility_timeout_s < longest_s:
            yield Finding(
                "visibility_timeout_short",
                "warning",
                f"{queue.name} shows a message again after {queue.visibility_timeout_s:,.0f} s, "
                f"and a batch takes {figure(longest_s)} s: messages are worked off several times. "
                f"Set its visibility timeout to {_TIMEOUTS} times the function's timeout",
            )
    reserved = function.concurrency or 0
    if source.pollers is not None:
        most = POLLER_CONCURRENCY * source.pollers[1]
        if function.is_reserved and reserved < most:
            yield Finding(
                "pollers_throttled",
                "warning",
                f"The function has {reserved:,} reserved, and the pollers of its mapping to "
                f"{source.resource} may invoke it {most:,} times at once: what is throttled "
                "counts as received, up to the dead-letter queue. Set MaximumPollers to at most a "
                "tenth of what is reserved",
            )
    elif function.is_reserved and source.max_concurrency is None and reserved < MOST_CONCURRENCY:
        yield Finding(
            "pollers_throttled",
            "warning",
            f"The function has {reserved:,} reserved, and its mapping to "
            f"{source.resource} no MaximumConcurrency: with a backlog Lambda polls more than the "
            "function may run, and what is throttled counts as received, up to the dead-letter "
            "queue. Set MaximumConcurrency to at most what is reserved",
        )


def _asked_of_others(
    feed: Feed, drain: Drain, downstream: Sequence[Saturation], size: str
) -> Iterator[Finding]:
    first = first_to_give_way(downstream)
    if first is None or first.limited_at_rate_per_s is None:
        return
    invoked_per_s = drain.rate_per_s / drain.messages_an_invocation
    if invoked_per_s > first.limited_at_rate_per_s:
        bearable = int(first.limited_at_rate_per_s * drain.duration_ms / 1000)
        remedy = f"Raise the limit of {first.limit.resource}"
        pollers = bearable // POLLER_CONCURRENCY
        if feed.source.pollers is not None and pollers >= LEAST_MAXIMUM_CONCURRENCY:
            remedy += f", or set the mapping's MaximumPollers to {pollers:,}"
        elif feed.source.pollers is not None:
            pass  # it has two pollers at least, and no MaximumConcurrency
        elif feed.source.service == "sqs" and bearable >= LEAST_MAXIMUM_CONCURRENCY:
            remedy += f", or set the mapping's MaximumConcurrency to {bearable:,}"
        yield Finding(
            "backlog_saturates",
            "warning",
            f"Working off a backlog of {feed.source.resource}, {size} is invoked up to "
            f"{figure(invoked_per_s)} times a second, and {first.limit.resource} gives way at "
            f"{figure(first.limited_at_rate_per_s)}. {remedy}",
        )
