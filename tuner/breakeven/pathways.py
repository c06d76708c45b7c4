"""What it costs to bring events to a function: by SQS, SNS, Kinesis, EventBridge, or directly.

The work of an event itself is the same on every pathway and is left out. What differs is the
service's bill, and on Lambda's side the number of invocations: each has its request price and what
it takes besides its events. Sources: the services' pricing pages and Lambda's Developer Guide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.breakeven.answer import BillItem, merged, total_usd
from tuner.breakeven.pathway_traits import ALL_TRAITS, KB, MB, Traits
from tuner.errors import UsageError
from tuner.model.lambda_limits import HOURS_PER_MONTH, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from tuner.breakeven.pathway_traits import Delay, PathwayName
    from tuner.pricing import EventPrices, LambdaPrices

    _Billed = tuple[str, float, str, Decimal | None]
    """What, how many a month of which unit, and the unit's price if it's known."""

CHUNK_BYTES: Final = 64 * KB
"""SQS, SNS and EventBridge bill each 64 KB."""
PUT_UNIT_BYTES: Final = 25 * KB
GB: Final = 1024 * MB
MOST_RECEIVED: Final = 10
"""Messages that one ReceiveMessage returns, and one DeleteMessageBatch deletes."""
SQS_POLLERS: Final = 5
"""Batches at once that an event source mapping of SQS begins with, and keeps when it's idle."""
LONG_POLL_S: Final = 20
POLL_S: Final = 1
"""Lambda polls each shard once a second."""
SHARD_BYTES_PER_S: Final = MB
SHARD_EVENTS_PER_S: Final = 1000
ON_DEMAND_SHARDS: Final = 4
"""What an on-demand stream has at least."""
MOST_PAYLOAD_BYTES: Final = 6 * MB
BASE64_RATIO: Final = 4 / 3
ASYNC_REQUEST_BYTES: Final = 256 * KB
"""An asynchronous event above this is billed one request more for each 64 KB."""
MOST_BATCH_EVENTS: Final = 10_000
MOST_BATCH_WINDOW_S: Final = 300
"""The most that an event source mapping takes (CreateEventSourceMapping)."""


@dataclass(frozen=True, slots=True)
class EventStream:
    """The events that come, and how the function takes them.

    `batch_size` is the most events of an invocation where a pathway has batches (None: the
    service's default), and `batch_window_s` how long they are gathered. `per_invocation_ms` is what
    an invocation takes besides its events (connections, parsing the envelope): with it, batches
    save duration as well, at `memory_mb`. `peak_ratio` is the busiest second over the mean, which
    shards have to hold. Raises UsageError.
    """

    rate_per_s: float
    event_bytes: int
    batch_size: int | None = None
    batch_window_s: float = 0.0
    per_invocation_ms: float = 0.0
    memory_mb: int = 128
    peak_ratio: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.rate_per_s < math.inf and self.event_bytes > 0):
            raise UsageError(
                "a rate and an event size above 0 are needed: `rate_per_s`, `event_size`"
            )
        if self.batch_size is not None and not 1 <= self.batch_size <= MOST_BATCH_EVENTS:
            raise UsageError(
                f"a batch has 1 event at least, at most {MOST_BATCH_EVENTS:,} events (`batch_size`)"
            )
        if not 0 <= self.batch_window_s <= MOST_BATCH_WINDOW_S:
            raise UsageError(
                f"a batch is gathered for at most {MOST_BATCH_WINDOW_S} s (`batch_window`)"
            )

    @property
    def events_per_month(self) -> float:
        """Of 730 hours."""
        return self.rate_per_s * SECONDS_PER_MONTH

    @property
    def chunks(self) -> int:
        """Of 64 KB, begun ones included."""
        return math.ceil(self.event_bytes / CHUNK_BYTES)

    @property
    def shard_count(self) -> int:
        """Shards of a provisioned stream that hold the peak."""
        peak = self.rate_per_s * self.peak_ratio
        by_size = peak * self.event_bytes / SHARD_BYTES_PER_S
        return max(math.ceil(max(by_size, peak / SHARD_EVENTS_PER_S) - 1e-9), 1)

    def window_s(self, traits: Traits) -> float:
        """How long a pathway gathers a batch: none without batches, nor for SQS FIFO."""
        return self.batch_window_s if traits.gathers else 0.0

    def most_events(self, traits: Traits) -> int:
        """How many events an invocation may get on a pathway, of what is set and the limits.

        Lambda's payload holds 6 MB; records of Kinesis are in it as base64. SQS gathers over 10
        only within a batching window.
        """
        wanted = min(self.batch_size or traits.default_events, traits.most_events)
        if traits.trigger == "sqs" and not self.window_s(traits):
            wanted = min(wanted, MOST_RECEIVED)
        size = self.event_bytes * (BASE64_RATIO if traits.trigger == "kinesis" else 1)
        return max(min(wanted, int(MOST_PAYLOAD_BYTES // size)), 1)


@dataclass(frozen=True, slots=True)
class Pathway:
    """One way to the function: its month, and what is known of it.

    `items` is the service's and Lambda's bill, the latter without the events' own work;
    `service_usd_per_month` is None where a price isn't known, and `unpriced` names which.
    """

    traits: Traits
    events_per_invocation: float
    invocations_per_month: float
    service_items: tuple[BillItem, ...]
    lambda_items: tuple[BillItem, ...]
    unpriced: tuple[str, ...]
    holds_event: bool
    """Whether an event of this size may be sent at all, and as many at the peak."""
    holds_rate: bool
    batch_window_s: float
    least_usd_per_month: float | None
    """With full batches, where nobody knows how full they are; None without a price."""

    @property
    def name(self) -> PathwayName:
        """As `--json` has it."""
        return self.traits.name

    @property
    def delay(self) -> Delay | None:
        """Documented or measured; without the batching window."""
        return self.traits.delay

    @property
    def p99_ms(self) -> float | None:
        """With the batching window; None where it isn't known."""
        return None if self.delay is None else self.delay.p99_ms + self.batch_window_s * 1000

    @property
    def service_usd_per_month(self) -> float | None:
        """None where a price isn't known."""
        return None if self.unpriced else total_usd(self.service_items)

    @property
    def lambda_usd_per_month(self) -> float:
        """Requests, and what invocations take besides their events."""
        return total_usd(self.lambda_items)

    @property
    def usd_per_month(self) -> float | None:
        """Both; None where a price isn't known."""
        service = self.service_usd_per_month
        return None if service is None else service + self.lambda_usd_per_month


def price_pathways(
    stream: EventStream, events: EventPrices, lambda_prices: LambdaPrices
) -> tuple[Pathway, ...]:
    """Every pathway at the stream's rate, in the order of `ALL_TRAITS`."""
    return tuple(_pathway(traits, stream, events, lambda_prices) for traits in ALL_TRAITS)


def _pathway(
    traits: Traits, stream: EventStream, events: EventPrices, lambda_prices: LambdaPrices
) -> Pathway:
    each = events_per_invocation(traits, stream)
    billed = list(_service_quantities(traits, stream, each, events))
    full = float(stream.most_events(traits)) if _fills_by_itself(traits, stream) else each
    least = (
        *_priced(_service_quantities(traits, stream, full, events)),
        *_lambda_items(traits, stream, full, lambda_prices),
    )
    unpriced = tuple(what for what, _, _, price in billed if price is None)
    return Pathway(
        traits=traits,
        events_per_invocation=each,
        invocations_per_month=stream.events_per_month / each,
        service_items=_priced(billed),
        lambda_items=merged(_lambda_items(traits, stream, each, lambda_prices)),
        unpriced=unpriced,
        holds_event=stream.event_bytes <= traits.most_event_bytes,
        holds_rate=traits.most_rate_per_s is None
        or stream.rate_per_s * stream.peak_ratio <= traits.most_rate_per_s,
        batch_window_s=stream.window_s(traits),
        least_usd_per_month=None if unpriced else total_usd(least),
    )


def _priced(billed: Iterable[_Billed]) -> tuple[BillItem, ...]:
    """The items that a price is known for."""
    return merged(
        BillItem(what, quantity, unit, float(price))
        for what, quantity, unit, price in billed
        if price is not None
    )


def _fills_by_itself(traits: Traits, stream: EventStream) -> bool:
    """Whether batches depend on how busy the function is: those that wait for no window."""
    pushed = traits.trigger == "sqs" or traits.name == "kinesis-fan-out"
    return pushed and not stream.window_s(traits)


def events_per_invocation(traits: Traits, stream: EventStream) -> float:
    """Mean number of events that an invocation gets, with arrivals at random.

    SQS: each of its five pollers hands over what it has as soon as it has something, so without a
    batching window that is one message at least; within one it gathers its share of the rate.
    Kinesis: each shard's poll of a second (or the window, if that's longer) brings what has come
    meanwhile, in batches; with enhanced fan-out and no window a record is handed over as it comes.
    """
    most, window_s = stream.most_events(traits), stream.window_s(traits)
    if most == 1:
        return 1.0
    if traits.trigger == "sqs":
        return min(1 + stream.rate_per_s / SQS_POLLERS * window_s, float(most))
    if traits.name == "kinesis-fan-out" and not window_s:
        return 1.0
    shards = stream.shard_count
    if traits.name == "kinesis-on-demand":
        shards = max(shards, ON_DEMAND_SHARDS)
    mean = stream.rate_per_s / shards * max(POLL_S, window_s)
    return max(mean / _mean_batches(mean, most), 1.0)


def _mean_batches(mean: float, most: int) -> float:
    """Batches of at most `most` that a Poisson number of records with this mean needs: E⌈N/most⌉.

    As a sum over N up to ten deviations above the mean; the logarithm of the probability keeps
    large means from underflowing.
    """
    end = math.ceil(mean + 10 * math.sqrt(mean) + 20)
    start = max(math.floor(mean - 10 * math.sqrt(mean)), 1)
    return math.fsum(
        math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) * math.ceil(n / most)
        for n in range(start, end + 1)
    )


def _service_quantities(
    traits: Traits, stream: EventStream, each: float, prices: EventPrices
) -> Iterator[_Billed]:
    """What the service bills a month."""
    count = stream.events_per_month
    if traits.trigger == "sqs":
        is_fifo = traits.name == "sqs-fifo"
        price = prices.sqs_fifo_request_usd if is_fifo else prices.sqs_request_usd
        received = min(each, MOST_RECEIVED)
        receives = count / received
        chunks = math.ceil(received * stream.event_bytes / CHUNK_BYTES)
        empty = empty_receives_per_s(stream) * SECONDS_PER_MONTH
        yield "SQS send", count * stream.chunks, "request", price
        yield "SQS receive", receives * chunks, "request", price
        yield "SQS empty receive", empty, "request", price
        yield "SQS delete", receives, "request", price
    elif traits.trigger == "sns":
        yield "SNS publish", count * stream.chunks, "request", prices.sns_publish_usd
    elif traits.trigger == "eventbridge":
        yield "EventBridge event", count * stream.chunks, "64 KB", prices.eventbridge_event_usd
    elif traits.trigger == "kinesis":
        yield from _kinesis_quantities(traits, stream, prices)


def _kinesis_quantities(
    traits: Traits, stream: EventStream, prices: EventPrices
) -> Iterator[_Billed]:
    count = stream.events_per_month
    out_gb = count * stream.event_bytes / GB
    if traits.name == "kinesis-on-demand":
        in_gb = count * math.ceil(stream.event_bytes / KB) * KB / GB
        yield "Kinesis stream", HOURS_PER_MONTH, "hour", prices.kinesis_stream_hour_usd
        yield "Kinesis data in", in_gb, "GB", prices.kinesis_in_gb_usd
        yield "Kinesis data out", out_gb, "GB", prices.kinesis_out_gb_usd
        return
    hours = stream.shard_count * HOURS_PER_MONTH
    units = count * math.ceil(stream.event_bytes / PUT_UNIT_BYTES)
    yield "Kinesis shards", hours, "shard-hour", prices.kinesis_shard_hour_usd
    yield "Kinesis put", units, "25 KB", prices.kinesis_put_unit_usd
    if traits.name == "kinesis-fan-out":
        price = prices.kinesis_consumer_shard_hour_usd
        yield "Kinesis consumer", hours, "shard-hour", price
        yield "Kinesis data to it", out_gb, "GB", prices.kinesis_consumer_gb_usd


def empty_receives_per_s(stream: EventStream) -> float:
    """Long polls that end after 20 s without a message.

    Each of five pollers gets a fifth of the messages, which come at random: with a message every
    1/a seconds for one of them, a poll is empty with p = exp(−20·a) and takes (1 − p)/a seconds on
    average. So five pollers have 5·a·p/(1 − p) empty ones a second: 0.25 without any message.
    """
    each = stream.rate_per_s / SQS_POLLERS
    if each * LONG_POLL_S > 700:  # exp of more is beyond a float
        return 0.0
    return SQS_POLLERS * each / math.expm1(each * LONG_POLL_S)


def _lambda_items(
    traits: Traits, stream: EventStream, each: float, prices: LambdaPrices
) -> Iterator[BillItem]:
    requests = invocations = stream.events_per_month / each
    if traits.trigger in {"sns", "eventbridge"}:  # both invoke asynchronously
        above = max(stream.event_bytes - ASYNC_REQUEST_BYTES, 0)
        requests *= 1 + math.ceil(above / CHUNK_BYTES)
    yield BillItem("Lambda requests", requests, "request", float(prices.request_price_usd))
    seconds = invocations * stream.per_invocation_ms / 1000
    price = float(prices.duration_tiers[0].price_usd_per_gb_second)
    yield BillItem(
        "Lambda beside the events", seconds * stream.memory_mb / 1024, "GB-second", price
    )
