"""A function in moto with a log of real shape, for tests of what reads it live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.aws.moto_process import client, make_function
from tuner.aws.log_groups import to_ms

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
LAST_HOUR = NOW.replace(minute=0, second=0, microsecond=0)
STREAM = "2026/11/29/[7]0123456789abcdef0123456789abcdef"
COUNT = 40


def request_id(number: int) -> str:
    return f"8f5e0b1c-0000-4000-8000-{number:012}"


def lines(number: int, memory_mb: int) -> list[str]:
    """The lines of an invocation: the first of each ten is a cold start, the last times out."""
    request = request_id(number)
    init = "\tInit Duration: 250.00 ms" if number % 10 == 0 else ""
    timed_out = number % 10 == 9
    duration = 3000 if timed_out else 100 + number
    billed = duration + (250 if init else 0)
    status = "\tStatus: timeout" if timed_out else ""
    report = (
        f"REPORT RequestId: {request}\tDuration: {duration}.00 ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory_mb} MB\tMax Memory Used: 80 MB{init}{status}\t\n"
    )
    return [
        f"START RequestId: {request} Version: 7\n",
        f"a line of the handler's own, with a secret {number}\n",
        f"END RequestId: {request}\n",
        report,
    ]


def billed_mb_ms() -> int:
    """What all invocations are billed, by hand."""
    total = 0
    for number in range(COUNT):
        duration = 3000 if number % 10 == 9 else 100 + number
        total += (512 if number < COUNT // 2 else 1024) * (
            duration + (250 if number % 10 == 0 else 0)
        )
    return total


def make_live_function(url: str, name: str = "resize") -> None:
    """A function of 1,024 MB that had 512 for the first half, an hour apart each."""
    make_function(url, name, MemorySize=1024, Timeout=3)
    logs = client("logs", url)
    group = f"/aws/lambda/{name}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
    events = [
        {
            "timestamp": to_ms(LAST_HOUR - (COUNT - number) * HOUR) + place,
            "message": text,
        }
        for number in range(COUNT)
        for place, text in enumerate(lines(number, 512 if number < COUNT // 2 else 1024))
    ]
    logs.put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=events)
    dimensions = [{"Name": "FunctionName", "Value": name}]
    client("cloudwatch", url).put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": dimensions,
                "Timestamp": LAST_HOUR - 5 * HOUR,
                "Value": value,
            }
            for metric, value in (("Invocations", 40.0), ("Throttles", 3.0),
                                  ("ConcurrentExecutions", 2.0))
        ],
    )  # fmt: skip
    client("cloudwatch", url).put_metric_data(
        Namespace="AWS/Logs",
        MetricData=[
            {
                "MetricName": "IncomingBytes",
                "Dimensions": [{"Name": "LogGroupName", "Value": group}],
                "Timestamp": LAST_HOUR - 5 * HOUR,
                "Value": 2e9,
            }
        ],
    )
