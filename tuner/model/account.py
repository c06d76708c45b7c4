"""What an account says of its functions without running one: settings, logs, metrics, advice.

Moments are UTC. What couldn't be read is None, never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tuner.model.function import Architecture  # noqa: TC001 - journals are read by these hints

LogClass = Literal["STANDARD", "INFREQUENT_ACCESS", "ESSENTIALS", "DELIVERY"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
POLLED_SERVICES: Final = {
    "dynamodb": "DynamoDB", "kafka": "Amazon MSK", "kinesis": "Kinesis", "mq": "Amazon MQ",
    "rds": "DocumentDB", "sqs": "SQS",
}  # fmt: skip
"""What Lambda polls, by the service in an event source's ARN."""
OPTIMIZER_MAX_MEMORY_MB: Final = 1792
OPTIMIZER_LEAST_INVOCATIONS: Final = 50
"""Compute Optimizer looks at no larger function, and at none with fewer invocations in 14 days."""


@dataclass(frozen=True, slots=True)
class AccountFunction:
    """A function as its account lists it, at $LATEST."""

    account: str
    region: str
    name: str
    architecture: Architecture
    memory_mb: int
    # What only the account says of it is unknown where there's only its log.
    runtime: str | None = None
    timeout_s: int | None = None
    ephemeral_storage_mb: int | None = None
    code_sha256: str = ""
    log_group: str = ""
    logs_json: bool = False
    log_has_reports: bool = True
    """Whether its log has REPORT lines: JSON at SystemLogLevel WARN does not."""
    has_lambda_insights: bool = False
    """Whether it has the extension that reports CPU time."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """What brings events to a function: a service that Lambda polls, or one that may call it."""

    service: str
    """As ARNs and principals name it: sqs, kinesis, sns, events, s3, …"""
    batch_size: int | None = None
    batch_window_s: float = 0.0
    is_fifo: bool = False
    fan_out: bool = False
    """Of Kinesis: a consumer with enhanced fan-out."""


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group of CloudWatch."""

    name: str
    log_class: LogClass
    stored_bytes: int
    retention_days: int | None
    """None where events never expire."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FunctionMetrics:
    """What CloudWatch's metrics sum up to over a window, all versions together."""

    invocation_count: int
    error_count: int
    throttle_count: int
    duration_ms_sum: float
    """Handler time; neither INIT nor rounding up to a billed millisecond is in it."""
    max_concurrency: int | None


@dataclass(frozen=True, slots=True)
class OptimizerFinding:
    """What AWS Compute Optimizer says of a function."""

    finding: str
    """Optimized, NotOptimized or Unavailable."""
    reason_codes: tuple[str, ...]
    memory_mb: int
    recommended_mb: int | None
    saving_usd_per_month: float | None
    """After discounts where it says so; None where it says nothing, or not in dollars."""
    invocation_count: int


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """A change to a function in CloudTrail: `name` has AWS's suffix (UpdateAlias20150331)."""

    at: datetime
    name: str
    function: str
    version: str | None
    memory_mb: int | None


@dataclass(frozen=True, slots=True)
class ReadingCost:
    """What reading costs: before, an estimate; after, by the bytes that queries scanned."""

    log_bytes: float
    query_usd: float
    metric_count: int
    metric_usd: float

    @property
    def usd(self) -> float:
        """Both together."""
        return self.query_usd + self.metric_usd


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log, with where and when it was logged."""

    at: datetime
    log_group: str
    log_stream: str
    message: str

    @property
    def at_us(self) -> int:
        """Microseconds since 1970."""
        return (self.at - _EPOCH) // timedelta(microseconds=1)
