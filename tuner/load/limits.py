"""How much of each thing a resource takes a second, by its settings and AWS's documented quotas;
what a rate asks of it, and which gives way first. Pure.

DynamoDB: "Read/write capacity mode" and "Service, account, and table quotas" of its developer
guide; Kinesis: "Quotas and limits" of Data Streams; SQS: "Message quotas"; SNS: CreateTopic of its
API reference; S3: "Optimizing performance"; Lambda: "Understanding function scaling". As of
2026-11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.load.event_source import drain_rate_per_s
from tuner.load.resources import Bucket, Function, Queue, Stream, Table, Topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tuner.load.resources import Resource, Service, Unit

ON_DEMAND_WRITES_PER_S: Final = 4_000.0
ON_DEMAND_READS_PER_S: Final = 12_000.0
"""Of a new table on demand; within half an hour it takes twice its highest peak."""
PARTITION_WRITES_PER_S: Final = 1_000.0
PARTITION_READS_PER_S: Final = 3_000.0
"""What one partition of a table takes, and so one key."""
SHARD_RECORDS_PER_S: Final = 1_000.0
SHARD_BYTES_PER_S: Final = 1_000_000.0
FIFO_CALLS_PER_S: Final = 300.0
"""SendMessage or SendMessageBatch on a FIFO queue without high throughput."""
S3_WRITES_PER_S: Final = 3_500.0
S3_READS_PER_S: Final = 5_500.0
"""For each partitioned prefix of a bucket."""
FIFO_PUBLISHES_PER_S: Final = 3_000.0
"""Of a FIFO topic whose FifoThroughputScope is Topic, as it is unless its owner says otherwise."""
CALLS_PER_S_AND_CONCURRENCY: Final = 10.0
"""Lambda starts at most ten invocations a second for each unit of a function's concurrency."""
Key = tuple["Service", str, "Unit"]
"""(service, resource, unit)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of `unit` a resource takes a second; None: no limit, or none that is known."""

    service: Service
    resource: str
    unit: Unit
    per_s: float | None
    source: str
    """Where it comes from, in words."""


def limits_of(resource: Resource) -> Iterator[Limit]:
    """Every limit of a resource."""
    service, name = resource.service, resource.name
    match resource:
        case Table():
            yield from _table(resource)
        case Stream():
            shards = f"{resource.shard_count} shards"
            scales = ", on demand, before it scales" if resource.is_on_demand else ""
            each_shard: dict[Unit, float] = {
                "records": SHARD_RECORDS_PER_S, "bytes": SHARD_BYTES_PER_S
            }  # fmt: skip
            for unit, each in each_shard.items():
                source = f"{shards} × {each:,.0f} {unit}/s{scales}"
                yield Limit(service, name, unit, resource.shard_count * each, source)
        case Queue():
            yield from _queue(resource)
        case Topic():
            yield _topic(resource)
        case Bucket():
            prefix = "a prefix of a bucket"
            yield Limit(service, name, "writes", S3_WRITES_PER_S, prefix)
            yield Limit(service, name, "reads", S3_READS_PER_S, prefix)
        case Function():
            yield _function(resource)


def _table(table: Table) -> Iterator[Limit]:
    units: dict[Unit, tuple[float | None, float | None, float]] = {
        "write units": (
            table.write_units_per_s, table.warm_write_units_per_s, ON_DEMAND_WRITES_PER_S
        ),
        "read units": (
            table.read_units_per_s, table.warm_read_units_per_s, ON_DEMAND_READS_PER_S
        ),
    }  # fmt: skip
    for unit, (given, warm, first) in units.items():
        per_s, source = given, "provisioned"
        if table.is_on_demand:
            per_s, source = warm or first, "on demand, before it scales"
            if given is not None and given <= per_s:
                per_s, source = given, "the most allowed on demand"
        yield Limit("dynamodb", table.name, unit, per_s, source)
    for index in table.indexes:
        yield from _table(index)


def _queue(queue: Queue) -> Iterator[Limit]:
    if queue.is_fifo and not queue.is_high_throughput:
        source = "a FIFO queue without high throughput"
        yield Limit("sqs", queue.name, "send calls", FIFO_CALLS_PER_S, source)
    rates = [drain_rate_per_s(*each) for each in queue.consumers]
    known = [rate for rate in rates if rate is not None]
    names = ", ".join(each.name for _, each in queue.consumers)
    if not rates:
        yield Limit("sqs", queue.name, "messages", None, "no consumer was found")
    elif len(known) < len(rates):
        yield Limit("sqs", queue.name, "messages", None, f"{names}: duration not known")
    else:
        groups = ", if enough message groups wait" if queue.is_fifo else ""
        yield Limit("sqs", queue.name, "messages", sum(known), f"what {names} works off{groups}")


def _topic(topic: Topic) -> Limit:
    if topic.is_fifo:
        source = "a FIFO topic, unless its throughput scope is MessageGroup"
        return Limit("sns", topic.name, "publishes", FIFO_PUBLISHES_PER_S, source)
    source = "the account's quota, 300 to 30,000/s by region, isn't known"
    return Limit("sns", topic.name, "publishes", None, source)


def _function(function: Function) -> Limit:
    concurrency, duration_ms = function.concurrency, function.duration_ms
    if concurrency is None:
        return Limit("lambda", function.name, "invocations", None, "its concurrency isn't known")
    most_per_s = CALLS_PER_S_AND_CONCURRENCY * concurrency
    whose = "reserved" if function.is_reserved else "the account's"
    if duration_ms is None or duration_ms <= 0:
        source = f"concurrency {concurrency:,} ({whose}); its duration isn't known"
        return Limit("lambda", function.name, "invocations", None, source)
    per_s = min(most_per_s, concurrency / (duration_ms / 1000))
    source = f"concurrency {concurrency:,} ({whose}) at {duration_ms:,.0f} ms"
    return Limit("lambda", function.name, "invocations", per_s, source)


@dataclass(frozen=True, slots=True)
class Demand:
    """How much an invocation asks of a resource, and how that is known."""

    per_invocation: float
    source: str


@dataclass(frozen=True, slots=True)
class Saturation:
    """One limit against what a load asks; None is not known."""

    limit: Limit
    demand: Demand | None
    demand_per_s: float | None
    """At the load's highest rate."""

    @property
    def limited_at_rate_per_s(self) -> float | None:
        """The rate of invocations that uses up the limit; None if it isn't known, or never."""
        if self.limit.per_s is None or self.demand is None or self.demand.per_invocation <= 0:
            return None
        return self.limit.per_s / self.demand.per_invocation

    @property
    def is_exceeded(self) -> bool:
        """Whether the load's highest rate asks for more than there is."""
        return (
            self.limit.per_s is not None
            and self.demand_per_s is not None
            and self.demand_per_s > self.limit.per_s
        )


def saturations(
    limits: Iterable[Limit], demands: Mapping[Key, Demand], rate_per_s: float
) -> tuple[Saturation, ...]:
    """Each limit against the demand at a rate; what gives way first comes first, the unknown last.

    A limit that nothing was asked of is left out if what is asked of the others of its resource is
    known: a table that is only written to has no reads to show.
    """
    found = []
    limits = tuple(limits)
    asked = {(service, resource) for service, resource, _ in demands}
    for limit in limits:
        demand = demands.get((limit.service, limit.resource, limit.unit))
        if demand is None and (limit.service, limit.resource) in asked:
            continue
        per_s = None if demand is None else demand.per_invocation * rate_per_s
        found.append(Saturation(limit, demand, per_s))
    return tuple(sorted(found, key=_order))


def _order(each: Saturation) -> tuple[float, str, str, str]:
    at = each.limited_at_rate_per_s
    limit = each.limit
    return (math.inf if at is None else at, limit.service, limit.resource, limit.unit)


def first_to_give_way(found: Iterable[Saturation]) -> Saturation | None:
    """The one whose limit the lowest rate uses up; None if that is known of none."""
    first = next(iter(found), None)
    return first if first is not None and first.limited_at_rate_per_s is not None else None
