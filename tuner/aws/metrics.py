"""What CloudWatch knows about a function: mean duration, traffic by the minute, recursive drops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tuner.model.invocation import MinuteLoad

MAX_DAYS: Final = 15
"""How long CloudWatch keeps one-minute data points."""
_LOOK_BACK: Final = timedelta(days=7)
# CloudWatch returns at most 1,440 data points; seven days of these are 1,008.
_PERIOD_S = 600


def read_points(
    client: Any,
    function_name: str,
    metric: str,
    statistics: Sequence[str],
    *,
    start: datetime,
    end: datetime,
    period_s: int,
    resource: str | None = None,
) -> list[dict[str, Any]]:
    """Data points of one Lambda metric, at most 1,440; without `resource`, over all versions.

    Raises what botocore raises.
    """
    named = {"FunctionName": function_name} | ({"Resource": resource} if resource else {})
    answer = client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in named.items()],
        StartTime=start,
        EndTime=end,
        Period=period_s,
        Statistics=statistics,
    )
    return list(answer.get("Datapoints", ()))


def mean_duration_ms(
    client: Any, function_name: str, *, changed_at: datetime | None, now: datetime
) -> float | None:
    """Return CloudWatch's mean Duration of a function in its present configuration.

    Looks back to `changed_at`, when the configuration last changed, and at most seven days, over
    all versions of the function; None if nothing ran. Raises what botocore raises.
    """
    start = max(now - _LOOK_BACK, changed_at or now - _LOOK_BACK)
    if start >= now:
        return None
    points = read_points(
        client,
        function_name,
        "Duration",
        ["Average", "SampleCount"],
        start=start,
        end=now,
        period_s=_PERIOD_S,
    )
    count = sum(point["SampleCount"] for point in points)
    total_ms = sum(point["Average"] * point["SampleCount"] for point in points)
    return total_ms / count if count else None


def dropped_as_recursive(client: Any, function_name: str, *, since: datetime, now: datetime) -> int:
    """Return how many of a function's invocations Lambda has dropped as recursive since then.

    Raises what botocore raises. Source: AWS's developer guide, "Use Lambda recursive loop
    detection", metric RecursiveInvocationsDropped.
    """
    metric = "RecursiveInvocationsDropped"
    points = read_points(client, function_name, metric, ["Sum"], start=since, end=now, period_s=60)
    return int(sum(point.get("Sum", 0) for point in points))


def parse_time(text: str | None) -> datetime | None:
    """Read Lambda's LastModified ("2026-01-31T09:30:00.000+0000"); None if it isn't a time."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def minute_loads(
    client: Any, function_name: str, *, start: datetime, days: int
) -> tuple[MinuteLoad, ...]:
    """Minutes with an invocation, over all versions, ascending; two requests per day.

    GetMetricStatistics returns at most 1,440 data points: the minutes of a day. Raises what
    botocore raises.
    """
    counts: dict[datetime, float] = {}
    at_once: dict[datetime, float] = {}
    for day in range(days):
        begin = start + timedelta(days=day)
        for metric, statistic, found in (
            ("Invocations", "Sum", counts),
            ("ConcurrentExecutions", "Maximum", at_once),
        ):
            end = begin + timedelta(days=1)
            for point in read_points(
                client, function_name, metric, [statistic], start=begin, end=end, period_s=60
            ):
                found[point["Timestamp"]] = point[statistic]
    return tuple(
        MinuteLoad(moment, counts[moment], at_once.get(moment)) for moment in sorted(counts)
    )
