"""CloudWatch's sums over a window for many functions at once: 500 metrics per request."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.account import FunctionMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tuner.aws.services import Services

PRICE_USD_PER_METRIC: Final = 0.01 / 1000
"""GetMetricData, us-east-1, price feed of 2025-09-23."""
FUNCTIONS_A_QUESTION: Final = 100
_METRICS: Final = (
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Duration", "Sum"),
    ("ConcurrentExecutions", "Maximum"),
)
Asked = tuple[str, str, str, dict[str, str]]
"""(name, metric, statistic, dimensions): what a question is about, and what answers are named."""
METRIC_COUNT: Final = len(_METRICS)
HOUR_S: Final = 3600
_MOST_QUERIES: Final = 500
"""In one request."""


def function_metrics(
    services: Services,
    names: Sequence[str],
    *,
    start: datetime,
    end: datetime,
    period_s: int = HOUR_S,
) -> dict[str, FunctionMetrics]:
    """Sums of functions of the region, by name. Raises AwsError.

    `start` and `end` should be whole periods, as the data points are. A function without data
    points was not invoked.
    """
    asked = [
        (name, metric, statistic, {"FunctionName": name})
        for name in names
        for metric, statistic in _METRICS
    ]
    found = metric_values(services, asked, start=start, end=end, period_s=period_s)
    return {name: _metrics_of(name, found) for name in names}


def provisioned_functions(services: Services) -> frozenset[str]:
    """Functions whose provisioned concurrency was used in the last two weeks. Raises AwsError.

    CloudWatch lists a metric for that long after its last data point. It has none where nothing was
    invoked, so that an idle function has to be asked about by itself.
    """
    metric = "ProvisionedConcurrencyUtilization"
    return frozenset(
        dimension["Value"]
        for listed in services.listed(
            "cloudwatch", "ListMetrics", Namespace="AWS/Lambda", MetricName=metric
        )
        for dimension in listed.get("Dimensions", ())
        if dimension["Name"] == "FunctionName"
    )


def provisioned_utilization(
    services: Services, pairs: Sequence[tuple[str, str]], *, start: datetime, end: datetime
) -> dict[tuple[str, str], float]:
    """Mean share in use of what is provisioned for (function, version or alias).

    Pairs without data points are left out. Raises AwsError.
    """
    metric = "ProvisionedConcurrencyUtilization"
    asked = [
        (name, metric, "Average", {"FunctionName": function, "Resource": name})
        for function, qualifier in pairs
        for name in [f"{function}:{qualifier}"]
    ]
    found = metric_values(services, asked, start=start, end=end)
    return {
        pair: sum(values) / len(values)
        for pair in pairs
        if (values := found[":".join(pair), metric])
    }


def ingested_bytes(
    services: Services, log_group: str, *, start: datetime, end: datetime, period_s: int
) -> float | None:
    """How much was written to a log group; None where CloudWatch has no data point.

    Raises AwsError.
    """
    asked = [(log_group, "IncomingBytes", "Sum", {"LogGroupName": log_group})]
    found = metric_values(
        services, asked, start=start, end=end, period_s=period_s, namespace="AWS/Logs"
    )
    values = found[log_group, "IncomingBytes"]
    return sum(values) if values else None


def metric_values(
    services: Services,
    asked: Sequence[Asked],
    *,
    start: datetime,
    end: datetime,
    period_s: int = HOUR_S,
    namespace: str = "AWS/Lambda",
) -> defaultdict[tuple[str, str], list[float]]:
    """Every period's value by (name, metric), over all pages of as many requests as it takes."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for name, metric, result in _results(
        services, asked, start=start, end=end, period_s=period_s, namespace=namespace
    ):
        found[name, metric] += result.get("Values", ())
    return found


def metric_points(
    services: Services,
    namespace: str,
    metric: str,
    statistic: str,
    dimensions: dict[str, str],
    *,
    start: datetime,
    end: datetime,
    period_s: int = 60,
) -> tuple[tuple[datetime, float], ...]:
    """One metric's values with the times that their periods begin, ascending. Raises AwsError."""
    points: dict[datetime, float] = {}
    asked = [("", metric, statistic, dimensions)]
    for *_, result in _results(
        services, asked, start=start, end=end, period_s=period_s, namespace=namespace
    ):
        times, values = result.get("Timestamps", ()), result.get("Values", ())
        points.update(zip(times, values, strict=False))
    return tuple(sorted(points.items()))


def _results(
    services: Services,
    asked: Sequence[Asked],
    *,
    start: datetime,
    end: datetime,
    period_s: int,
    namespace: str,
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each of CloudWatch's results with the name and metric that it's of."""
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                },
                "Period": period_s,
                "Stat": statistic,
            },
            "ReturnData": True,
        }
        for number, (_, metric, statistic, dimensions) in enumerate(asked)
    ]
    for begin in range(0, len(queries), _MOST_QUERIES):
        part = queries[begin : begin + _MOST_QUERIES]
        for result in services.listed(
            "cloudwatch", "GetMetricData", MetricDataQueries=part, StartTime=start, EndTime=end
        ):
            name, metric, *_ = asked[int(result["Id"][1:])]
            yield name, metric, result


def _metrics_of(name: str, found: defaultdict[tuple[str, str], list[float]]) -> FunctionMetrics:
    def total(metric: str) -> float:
        return sum(found[name, metric])

    at_once = found[name, "ConcurrentExecutions"]
    return FunctionMetrics(
        invocation_count=round(total("Invocations")),
        error_count=round(total("Errors")),
        throttle_count=round(total("Throttles")),
        duration_ms_sum=total("Duration"),
        max_concurrency=round(max(at_once)) if at_once else None,
    )
