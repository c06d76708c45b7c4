"""What CloudWatch knows of a function's traffic, by the minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.model.invocation import MinuteLoad

if TYPE_CHECKING:
    from datetime import datetime

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
