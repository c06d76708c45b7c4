"""What CloudWatch says of the resources around a function: use, throttles, queues, iterators."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tuner.aws.metric_data import metric_values
from tuner.load.limits import Demand
from tuner.load.resources import Function, Queue, Stream, Table, Topic
from tuner.load.watch import Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.aws.metric_data import Asked
    from tuner.aws.services import Services
    from tuner.load.limits import Key
    from tuner.load.resources import EventSource, Resource, Service, Surroundings, Unit
    from tuner.load.watch import State

MINUTE_S: Final = 60
LEAST_INVOCATIONS: Final = 20
"""Of fewer, use by the hour says little of one."""

_USED: Final[dict[Service, tuple[str, tuple[tuple[Unit, str], ...]]]] = {
    "dynamodb": ("AWS/DynamoDB", (("write units", "ConsumedWriteCapacityUnits"),
                                  ("read units", "ConsumedReadCapacityUnits"))),
    "kinesis": ("AWS/Kinesis", (("records", "IncomingRecords"), ("bytes", "IncomingBytes"))),
    "lambda": ("AWS/Lambda", (("invocations", "Invocations"),)),
    "sns": ("AWS/SNS", (("publishes", "NumberOfMessagesPublished"),)),
    "sqs": ("AWS/SQS", (("messages", "NumberOfMessagesSent"),)),
}  # fmt: skip
"""Namespace and metrics by what is used; S3 counts requests only where its owner pays for it."""
_STATES: Final[dict[Service, tuple[tuple[State, str, str, float], ...]]] = {
    "dynamodb": (("throttled", "WriteThrottleEvents", "Sum", 1.0),
                 ("throttled", "ReadThrottleEvents", "Sum", 1.0)),
    "kinesis": (("throttled", "WriteProvisionedThroughputExceeded", "Sum", 1.0),
                ("iterator_age_s", "GetRecords.IteratorAgeMilliseconds", "Maximum", 0.001)),
    "lambda": (("throttled", "Throttles", "Sum", 1.0),
               ("iterator_age_s", "IteratorAge", "Maximum", 0.001)),
    "sqs": (("oldest_s", "ApproximateAgeOfOldestMessage", "Maximum", 1.0),),
}  # fmt: skip
"""(state, metric, statistic, factor)."""


def demand_of(
    services: Services,
    function: str,
    resources: Sequence[Resource],
    *,
    start: datetime,
    end: datetime,
) -> dict[Key, Demand]:
    """What one invocation asks of each resource, by the sums of a window of whole hours; empty
    with too few invocations.

    Everything that used a resource is put down to the function: where others use it too, that's the
    most it can be. Raises AwsError.
    """
    asked = [(function, "Invocations", "Sum", {"FunctionName": function})]
    ran = metric_values(services, asked, start=start, end=end)
    count = sum(ran[function, "Invocations"])
    if count < LEAST_INVOCATIONS:
        return {}
    used = _used(services, resources, start=start, end=end, period_s=3600)
    source = f"CloudWatch, {count:,.0f} invocations; all of its use put down to the function"
    return {key: Demand(amount / count, source) for key, amount in used.items() if amount > 0}


def arrivals_per_s(
    services: Services,
    sources: Sequence[tuple[EventSource, Queue | Stream | None]],
    *,
    start: datetime,
    end: datetime,
) -> dict[str, float]:
    """Messages and records a second that came to queues and streams, by name: the busiest hour of
    the window. Raises AwsError.
    """
    fed = [resource for _, resource in sources if resource is not None]
    found: dict[str, float] = {}
    for each in fed:
        namespace, metrics = _USED[each.service]
        asked: list[Asked] = [(each.name, metrics[0][1], "Sum", dimensions_of(each))]
        values = metric_values(services, asked, start=start, end=end, namespace=namespace)
        if points := values[each.name, metrics[0][1]]:
            found[each.name] = max(points) / 3600
    return found


def look_at(
    services: Services, found: Surroundings, function: str, *, since: datetime, now: datetime
) -> Look:
    """What was used and refused since a time, and the newest state of queues and streams.

    Minutes as CloudWatch has them: the first may have begun before. Raises AwsError.
    """
    resources = (*found.behind, *(each for _, each in found.sources if each is not None))
    indexes = [each for table in resources if isinstance(table, Table) for each in table.indexes]
    consumers = [each for q in resources if isinstance(q, Queue) for _, each in q.consumers]
    every = dict.fromkeys((*resources, *indexes, *consumers, Function(function, None)))
    since = since.replace(second=0, microsecond=0)
    states: defaultdict[tuple[Service, str, State], float] = defaultdict(float)
    for service, (namespace, _) in _USED.items():
        of_it = [each for each in every if each.service == service]
        asked = [
            (state, factor, (each.name, metric, statistic, dimensions_of(each)))
            for each in of_it
            for state, metric, statistic, factor in _STATES.get(service, ())
        ]
        if not asked:
            continue
        values = metric_values(
            services, [each for _, _, each in asked], start=since, end=now,
            period_s=MINUTE_S, namespace=namespace,
        )  # fmt: skip
        for state, factor, (name, metric, _, _) in asked:
            points = [value * factor for value in values[name, metric]]
            if not points:
                continue
            if (service, name, state) == ("lambda", function, "throttled"):
                continue  # the answers themselves say so
            key = (service, name, state)
            states[key] += sum(points) if state == "throttled" else points[0]
    states.update(queues_waiting(services, [each for each in resources if isinstance(each, Queue)]))
    return Look(_used(services, found.behind, start=since, end=now, period_s=MINUTE_S), states)


def queues_waiting(
    services: Services, queues: Sequence[Queue]
) -> dict[tuple[Service, str, State], float]:
    """How many messages wait in queues, by SQS itself: now, not a minute ago. Raises AwsError."""
    found: dict[tuple[Service, str, State], float] = {}
    for queue in queues:
        url = services.ask("sqs", "GetQueueUrl", QueueName=queue.name)["QueueUrl"]
        told = services.ask(
            "sqs",
            "GetQueueAttributes",
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        count = told.get("Attributes", {}).get("ApproximateNumberOfMessages", 0)
        found["sqs", queue.name, "waiting"] = float(count)
    return found


def _used(
    services: Services,
    resources: Sequence[Resource],
    *,
    start: datetime,
    end: datetime,
    period_s: int,
) -> dict[Key, float]:
    found: dict[Key, float] = {}
    indexes = [each for table in resources if isinstance(table, Table) for each in table.indexes]
    for service, (namespace, metrics) in _USED.items():
        of_it = [each for each in (*resources, *indexes) if each.service == service]
        asked: list[Asked] = [
            (each.name, metric, "Sum", dimensions_of(each))
            for each in of_it
            for _, metric in metrics
        ]
        if not asked:
            continue
        values = metric_values(
            services, asked, start=start, end=end, period_s=period_s, namespace=namespace
        )
        for each in of_it:
            for unit, metric in metrics:
                if points := values[each.name, metric]:
                    found[service, each.name, unit] = sum(points)
    return found


def dimensions_of(resource: Resource) -> dict[str, str]:
    """CloudWatch's dimensions of a resource."""
    match resource:
        case Table():
            table, _, index = resource.name.partition("/index/")
            named = {"TableName": table}
            return {**named, "GlobalSecondaryIndexName": index} if index else named
        case Stream():
            return {"StreamName": resource.name}
        case Queue():
            return {"QueueName": resource.name}
        case Topic():
            return {"TopicName": resource.name}
        case Function():
            return {"FunctionName": resource.name}
    return {"BucketName": resource.name}
