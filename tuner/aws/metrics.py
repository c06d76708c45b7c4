"""What CloudWatch knows of a function: mean duration, traffic by the minute, recursions dropped."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.model.invocation import MinuteLoad

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.aws.session import Session

_LOOK_BACK = timedelta(days=7)
# CloudWatch returns at most 1,440 data points; seven days of these are 1,008.
_PERIOD_S = 600


def mean_duration_ms(
    client: Any, function_name: str, *, changed_at: datetime | None, now: datetime
) -> float | None:
    """Return CloudWatch's mean Duration of a function at its present configuration.

    Looks back to `changed_at`, when the configuration last changed, and seven days at most, over
    all versions of the function; None if nothing ran. Raises what botocore raises.
    """
    start = max(now - _LOOK_BACK, changed_at or now - _LOOK_BACK)
    if start >= now:
        return None
    answer = client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": function_name}],
        StartTime=start,
        EndTime=now,
        Period=_PERIOD_S,
        Statistics=["Average", "SampleCount"],
        Unit="Milliseconds",
    )
    return _weighted_mean(answer.get("Datapoints", ()))


def dropped_as_recursive(
    session: Session, function_name: str, *, since: datetime, now: datetime
) -> int:
    """Return how many invocations of a function Lambda has dropped since then as recursive.

    Raises what botocore raises. Source: AWS's developer guide, "Use Lambda recursive loop
    detection", metric RecursiveInvocationsDropped.
    """
    options = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 1}}
    with closing(session.client("cloudwatch", **options)) as client:
        answer = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="RecursiveInvocationsDropped",
            Dimensions=[{"Name": "FunctionName", "Value": function_name}],
            StartTime=since,
            EndTime=now,
            Period=60,
            Statistics=["Sum"],
        )
    return int(sum(point.get("Sum", 0) for point in answer.get("Datapoints", ())))


def parse_time(text: str | None) -> datetime | None:
    """Read Lambda's LastModified ("2026-01-31T09:30:00.000+0000"); None if it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _weighted_mean(points: Iterable[dict[str, Any]]) -> float | None:
    total_ms = count = 0.0
    for point in points:
        total_ms += point["Average"] * point["SampleCount"]
        count += point["SampleCount"]
    return total_ms / count if count else None


MAX_DAYS: Final = 15
"""CloudWatch keeps data points of a minute for so long."""


def minute_loads(
    client: Any, function_name: str, *, start: datetime, days: int
) -> tuple[MinuteLoad, ...]:
    """Minutes with an invocation, over all versions, ascending; two questions a day.

    GetMetricStatistics gives 1,440 data points at most: the minutes of a day. Raises what botocore
    raises.
    """
    counts: dict[datetime, float] = {}
    at_once: dict[datetime, float] = {}
    for day in range(days):
        begin = start + timedelta(days=day)
        for metric, statistic, found in (
            ("Invocations", "Sum", counts),
            ("ConcurrentExecutions", "Maximum", at_once),
        ):
            answer = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": function_name}],
                StartTime=begin,
                EndTime=begin + timedelta(days=1),
                Period=60,
                Statistics=[statistic],
            )
            for point in answer.get("Datapoints", ()):
                found[point["Timestamp"]] = point[statistic]
    return tuple(
        MinuteLoad(moment, counts[moment], at_once.get(moment)) for moment in sorted(counts)
    )
