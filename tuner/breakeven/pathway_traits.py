"""What is documented or was measured of each pathway to a function: delay, batches, order, limits.

Documents, as of November 2026: "Using Lambda with Amazon SQS", "… Kinesis", "… SNS",
"Asynchronous invocation" and "Lambda quotas" (AWS Lambda Developer Guide); "SQS message quotas";
"SNS quotas"; "EventBridge quotas"; "Kinesis quotas and limits" and "Enhanced fan-out consumers";
events of up to 1 MB: AWS Compute Blog of 2026-01-29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Trigger = Literal["sqs", "sns", "kinesis", "eventbridge", "direct"]
PathwayName = Literal[
    "sqs",
    "sqs-fifo",
    "sns",
    "kinesis",
    "kinesis-fan-out",
    "kinesis-on-demand",
    "eventbridge",
    "direct",
]
Need = Literal["order", "fan-out", "replay"]
"""What a pathway may be needed for besides delivery: events in order, several consumers of each,
and events of the past again."""

KB: Final = 1024
MB: Final = 1024 * KB


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from publishing to the handler's begin, warm, without a batching window."""

    p50_ms: float
    p99_ms: float
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Traits:
    """One pathway, with what most of them have where it isn't given."""

    name: PathwayName
    trigger: Trigger
    label: str
    delay: Delay | None
    """None where neither AWS nor a measurement that can be checked says it."""
    kept: str
    """How long an event waits for a function that fails or can't keep up."""
    throughput: str
    delay_note: str = ""
    default_events: int = 1
    """How many one invocation gets at most, unless a batch size is set."""
    most_events: int = 1
    """The largest batch size that can be set."""
    order: str = ""
    """In which order events come; empty for any."""
    consumers: str = ""
    """How many may get each event; empty for this function alone."""
    replay: str = ""
    """How far back events can be had again; empty for not at all."""
    most_event_bytes: int = MB
    most_rate_per_s: float | None = None
    """What no region allows more of; None where that is a quota or the function's own limit."""

    @property
    def gathers(self) -> bool:
        """Whether it can wait for more events to come: a batching window."""
        return self.most_events > 1 and self.name != "sqs-fifo"

    def gives(self, need: Need) -> bool:
        """Whether the pathway has it at all."""
        return bool({"order": self.order, "fan-out": self.consumers, "replay": self.replay}[need])


_MEASURED: Final = (
    'measured with 1,024 messages each in eu-west-1 ("Serverless Messaging: Latency Compared", '
    "bitesizedserverless.com)"
)
_2022: Final = "2022-09-05"


def _measured(p50_ms: float, p99_ms: float, as_of: str = _2022) -> Delay:
    return Delay(p50_ms, p99_ms, _MEASURED, as_of)


_SQS: Final = Traits(
    name="sqs",
    trigger="sqs",
    label="SQS",
    delay=_measured(16.2, 105),
    default_events=10,
    most_events=10_000,
    kept="4–14 days",
    throughput="no limit is documented",
)
_KINESIS: Final = Traits(
    name="kinesis",
    trigger="kinesis",
    label="Kinesis",
    delay=_measured(627, 1580),
    delay_note="Lambda polls each shard once a second",
    default_events=100,
    most_events=10_000,
    order="in a shard",
    consumers="2 MB/s in all",
    replay="1–365 days",
    kept="1–365 days",
    throughput="1 MB/s and 1,000 events/s a shard, 2 MB/s out",
)
ALL_TRAITS: Final[tuple[Traits, ...]] = (
    _SQS,
    replace(
        _SQS,
        name="sqs-fifo",
        label="SQS FIFO",
        delay=_measured(28.1, 645),
        most_events=10,
        order="in a group",
        throughput="300 sends/s, more in high-throughput mode",
    ),
    Traits(
        name="sns",
        trigger="sns",
        label="SNS",
        delay=_measured(73, 225),
        consumers="12.5M",
        kept="6 h (2 retries)",
        most_event_bytes=256 * KB,
        throughput="300 to 30,000 publishes/s by region",
        most_rate_per_s=30_000,
    ),
    _KINESIS,
    replace(
        _KINESIS,
        name="kinesis-fan-out",
        label="Kinesis fan-out",
        delay=_measured(49.4, 109),
        delay_note="70 ms on average by AWS's documents, whatever the number of consumers",
        consumers="20",
    ),
    replace(
        _KINESIS,
        name="kinesis-on-demand",
        label="Kinesis on demand",
        delay=None,
        throughput="4 MB/s and 4,000 events/s at first, then twice its peak",
    ),
    Traits(
        name="eventbridge",
        trigger="eventbridge",
        label="EventBridge",
        delay=_measured(148, 387, "2023-02-17"),
        consumers="5 a rule",
        replay="archive (extra)",
        kept="24 h (185 retries)",
        throughput="a quota of PutEvents by region",
    ),
    Traits(
        name="direct",
        trigger="direct",
        label="direct",
        delay=None,
        delay_note="no service in between; how long an asynchronous call waits isn't documented",
        kept="not kept",
        most_event_bytes=6 * MB,
        throughput="the function's concurrency",
    ),
)


def traits_of(trigger: Trigger, *, is_fifo: bool = False, fan_out: bool = False) -> Traits:
    """The pathway that a trigger is: for Kinesis a provisioned stream."""
    name: str = trigger
    if trigger == "sqs" and is_fifo:
        name = "sqs-fifo"
    if trigger == "kinesis" and fan_out:
        name = "kinesis-fan-out"
    return next(each for each in ALL_TRAITS if each.name == name)
