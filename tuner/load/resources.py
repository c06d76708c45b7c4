"""What stands behind a function, and what feeds it, with the settings that limit them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Service = Literal["dynamodb", "kinesis", "lambda", "s3", "sns", "sqs"]
Unit = Literal[
    "write units", "read units", "records", "bytes", "messages", "send calls", "publishes",
    "invocations", "writes", "reads",
]  # fmt: skip
"""What is asked of a resource: capacity units of DynamoDB, requests to S3, or what is named."""


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table or, with its keys, a global secondary index called `TABLE/index/NAME`."""

    service: ClassVar[Service] = "dynamodb"
    name: str
    read_units_per_s: float | None
    """Provisioned, or the most that its owner allows on demand; None: on demand without a limit."""
    write_units_per_s: float | None
    is_on_demand: bool = False
    warm_read_units_per_s: float | None = None
    """What it takes at once on demand ("warm throughput"); None if the service doesn't say."""
    warm_write_units_per_s: float | None = None
    keys: tuple[str, ...] = ()
    """Of an index: an item that lacks one of these attributes isn't in it, and costs it nothing."""
    indexes: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """A Kinesis stream."""

    service: ClassVar[Service] = "kinesis"
    name: str
    shard_count: int
    is_on_demand: bool = False
    """Whether it adds shards by itself."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """A mapping: what Lambda polls for a function, and in which batches it sends it on."""

    service: Service
    resource: str
    """The name of the queue, stream or table."""
    function: str
    batch_size: int
    window_s: float = 0.0
    max_concurrency: int | None = None
    """MaximumConcurrency of an SQS mapping; None if it isn't set."""
    parallelization_factor: int = 1
    pollers: tuple[int, int] | None = None
    """The fewest and the most of an SQS mapping in provisioned mode; None: it has none."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is called, or that consumes a queue or a stream."""

    service: ClassVar[Service] = "lambda"
    name: str
    concurrency: int | None
    """Reserved for it, or unreserved in the account; None if that isn't known."""
    is_reserved: bool = False
    duration_ms: float | None = None
    """Recent mean; None if it isn't known."""
    records_an_invocation: float | None = None
    """Recent mean batch, of a consumer."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue, with those that consume it."""

    service: ClassVar[Service] = "sqs"
    name: str
    is_fifo: bool = False
    is_high_throughput: bool = False
    """FIFO with quotas by message group."""
    waiting_count: int | None = None
    """ApproximateNumberOfMessages."""
    visibility_timeout_s: float = 30.0
    consumers: tuple[tuple[EventSource, Function], ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic."""

    service: ClassVar[Service] = "sns"
    name: str
    is_fifo: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket."""

    service: ClassVar[Service] = "s3"
    name: str


Resource = Table | Stream | Queue | Topic | Bucket | Function


@dataclass(frozen=True, slots=True)
class Declared:
    """What a template says of a function's surroundings that a local endpoint doesn't."""

    sources: tuple[EventSource, ...] = ()
    others: tuple[str, ...] = ()
    """What else is polled for the function."""
    reserved: Mapping[str, int] = field(default_factory=dict)
    """Concurrency that it reserves for functions."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The properties of its tables: an emulated one doesn't tell what it may take on demand."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found around a function, and what couldn't be seen."""

    behind: tuple[Resource, ...] = ()
    sources: tuple[tuple[EventSource, Queue | Stream | None], ...] = ()
    """What feeds the function; None: the queue or stream itself couldn't be read."""
    function: Function | None = None
    """The function itself; None if it wasn't looked for."""
    other_sources: tuple[str, ...] = ()
    """What else is polled for the function, in words: nothing is computed of it."""
    unseen: tuple[str, ...] = ()
    """What was refused or can't be told, in words."""
