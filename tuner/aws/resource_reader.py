"""Reads the settings of what is around a function that limit it: values without secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.function_ref import arn_part
from tuner.aws.metric_data import function_metrics, metric_values
from tuner.errors import AwsError
from tuner.load.resources import (
    Bucket,
    Declared,
    EventSource,
    Function,
    Queue,
    Stream,
    Table,
    Topic,
)
from tuner.model.account import POLLED_SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tuner.aws.reached_resources import Named
    from tuner.aws.services import Services
    from tuner.load.resources import Resource, Service

_NO_LIMIT: Final = -1
"""How DynamoDB writes that a table on demand has no limit of its owner's."""
_POLLED: Final[dict[str, Service]] = {"sqs": "sqs", "kinesis": "kinesis", "dynamodb": "dynamodb"}


class ResourceReader:
    """Reads resources by name; `start` to `end` is the window of recent figures."""

    def __init__(
        self, services: Services, start: datetime, end: datetime, declared: Declared | None = None
    ) -> None:
        self._services = services
        self._window = (start, end)
        self._declared = declared or Declared()
        self._unreserved: int | None = None
        self._functions: dict[str, Function] = {}

    def read(self, named: Named) -> Resource | None:
        """A resource's settings; None if it doesn't exist. Raises AwsError if that is refused."""
        service, name = named
        match service:
            case "dynamodb":
                return self._table(name)
            case "kinesis":
                return self._stream(name)
            case "sqs":
                return self._queue(name)
            case "sns":
                return Topic(name, name.endswith(".fifo"))
            case "s3":
                return Bucket(name)
        return self.function(name)

    def sources_of(self, function: str, target: str) -> tuple[EventSource | str, ...]:
        """What is polled for a function, by its name and what requests name: in words what is no
        queue, stream or table. Raises AwsError.
        """
        declared = [each for each in self._declared.sources if each.function == function]
        return (*declared, *self._mappings(FunctionName=target))

    def function(self, name: str) -> Function:
        """A function's concurrency and recent mean duration, as far as they may be read."""
        if name not in self._functions:
            try:
                answer = self._services.ask("lambda", "GetFunctionConcurrency", FunctionName=name)
                reserved = answer.get("ReservedConcurrentExecutions")
            except AwsError:
                reserved = None
            reserved = self._declared.reserved.get(name, reserved)
            concurrency = self._account_concurrency() if reserved is None else reserved
            self._functions[name] = Function(
                name, concurrency, reserved is not None, self._duration_ms(name)
            )
        return self._functions[name]

    def _table(self, name: str) -> Table:
        raw = self._services.ask("dynamodb", "DescribeTable", TableName=name)["Table"]
        mode = (raw.get("BillingModeSummary") or {}).get("BillingMode")
        on_demand = mode == "PAY_PER_REQUEST"
        declared = self._declared.tables.get(name, {})
        of_index = {
            each.get("IndexName"): each for each in declared.get("GlobalSecondaryIndexes") or ()
        }
        raw = _with_most(raw, declared)
        indexes = tuple(
            replace(
                _throughput(
                    f"{name}/index/{each['IndexName']}",
                    _with_most(each, of_index.get(each["IndexName"], {})),
                    is_on_demand=on_demand,
                ),
                keys=tuple(key["AttributeName"] for key in each.get("KeySchema", ())),
            )
            for each in raw.get("GlobalSecondaryIndexes") or ()
        )
        return replace(_throughput(name, raw, is_on_demand=on_demand), indexes=indexes)

    def _stream(self, name: str) -> Stream:
        answer = self._services.ask("kinesis", "DescribeStreamSummary", StreamName=name)
        told = answer["StreamDescriptionSummary"]
        mode = (told.get("StreamModeDetails") or {}).get("StreamMode")
        return Stream(name, told["OpenShardCount"], mode == "ON_DEMAND")

    def _queue(self, name: str) -> Queue:
        url = self._services.ask("sqs", "GetQueueUrl", QueueName=name)["QueueUrl"]
        told = self._services.ask(
            "sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"]
        ).get("Attributes", {})
        per_group = told.get("FifoThroughputLimit") == "perMessageGroupId"
        return Queue(
            name,
            is_fifo=told.get("FifoQueue") == "true" or name.endswith(".fifo"),
            is_high_throughput=per_group,
            waiting_count=int(told.get("ApproximateNumberOfMessages", 0)),
            visibility_timeout_s=float(told.get("VisibilityTimeout", 30)),
            consumers=tuple(self._consumers(name, told.get("QueueArn"))),
        )

    def _consumers(self, queue: str, arn: str | None) -> Iterator[tuple[EventSource, Function]]:
        sources = [
            each
            for each in self._declared.sources
            if (each.service, each.resource) == ("sqs", queue)
        ]
        if arn is not None:
            mappings = self._mappings(EventSourceArn=arn)
            sources += [each for each in mappings if isinstance(each, EventSource)]
        for source in sources:
            consumer = self.function(source.function)
            yield source, replace(consumer, records_an_invocation=self._mean_batch(queue, consumer))

    def _mappings(self, **asked: Any) -> Iterator[EventSource | str]:
        """Those that are on, or about to be."""
        for raw in self._services.listed("lambda", "ListEventSourceMappings", **asked):
            if raw.get("State") not in ("Disabled", "Disabling", "Deleting"):
                yield _event_source(raw)

    def _account_concurrency(self) -> int | None:
        if self._unreserved is None:
            try:
                limits = self._services.ask("lambda", "GetAccountSettings").get("AccountLimit", {})
            except AwsError:
                return None
            self._unreserved = limits.get("UnreservedConcurrentExecutions")
        return self._unreserved

    def _duration_ms(self, name: str) -> float | None:
        start, end = self._window
        try:
            found = function_metrics(self._services, [name], start=start, end=end)[name]
        except AwsError:
            return None
        count = found.invocation_count
        return found.duration_ms_sum / count if count else None

    def _mean_batch(self, queue: str, consumer: Function) -> float | None:
        """Messages that were worked off for each invocation of their consumer."""
        start, end = self._window
        asked = [(queue, "NumberOfMessagesDeleted", "Sum", {"QueueName": queue})]
        try:
            deleted = metric_values(
                self._services, asked, start=start, end=end, namespace="AWS/SQS"
            )
            ran = function_metrics(self._services, [consumer.name], start=start, end=end)
        except AwsError:
            return None
        count = ran[consumer.name].invocation_count
        messages = sum(deleted[queue, "NumberOfMessagesDeleted"])
        return messages / count if count and messages else None


def _with_most(raw: dict[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """What the service says, with what a template lets a table take on demand."""
    most = {
        name: int(value)
        for name, value in (declared.get("OnDemandThroughput") or {}).items()
        if str(value).removeprefix("-").isdecimal()
    }
    return {**raw, "OnDemandThroughput": most} if most else raw


def _throughput(name: str, raw: dict[str, Any], *, is_on_demand: bool) -> Table:
    """Units a second of a table or an index."""
    given, warm = raw.get("ProvisionedThroughput") or {}, raw.get("WarmThroughput") or {}
    read, write = given.get("ReadCapacityUnits"), given.get("WriteCapacityUnits")
    if is_on_demand:
        most = raw.get("OnDemandThroughput") or {}
        read, write = most.get("MaxReadRequestUnits"), most.get("MaxWriteRequestUnits")
        read, write = (None if each in (None, _NO_LIMIT) else each for each in (read, write))
    return Table(
        name,
        read,
        write,
        is_on_demand,
        warm_read_units_per_s=warm.get("ReadUnitsPerSecond"),
        warm_write_units_per_s=warm.get("WriteUnitsPerSecond"),
    )


def source_of_arn(arn: str) -> tuple[Service, str] | None:
    """The service and name of a queue, stream or table that is polled; None for other sources."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _POLLED:
        return None
    return _POLLED[parts[2]], parts[5].partition("/")[2].partition("/")[0] or parts[5]


def _event_source(raw: dict[str, Any]) -> EventSource | str:
    arn = str(raw.get("EventSourceArn") or "")
    polled = source_of_arn(arn)
    if polled is None:  # a Kafka cluster outside of AWS has no ARN
        service = arn_part(arn, 2)
        return POLLED_SERVICES.get(service, service or "Kafka")
    return EventSource(
        *polled,
        str(raw.get("FunctionArn", "")).rpartition(":function:")[2].partition(":")[0],
        int(raw.get("BatchSize") or 10),
        float(raw.get("MaximumBatchingWindowInSeconds") or 0),
        (raw.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        int(raw.get("ParallelizationFactor") or 1),
        _pollers(raw.get("ProvisionedPollerConfig")),
    )


def _pollers(config: dict[str, Any] | None) -> tuple[int, int] | None:
    """The fewest and the most of provisioned mode, with the service's defaults."""
    if not config:
        return None
    return int(config.get("MinimumPollers") or 2), int(config.get("MaximumPollers") or 200)
