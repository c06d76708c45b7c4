"""What the readers of production find in another's AWS: moto, in a process of its own.

moto has no CloudTrail events, no Compute Optimizer and no provisioned concurrency, its queries know
neither `filter` nor `stats`, and a list of functions has one page: `test_account_reports`,
`test_insights` and `test_services` hold those against botocore's own description of the APIs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.moto_process import REGION, client, make_function, moto_process
from tuner.aws import account_reports, function_list, insights, log_groups, metric_data
from tuner.aws.function_ref import FunctionRef
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import FunctionNotFoundError
from tuner.model.account import FunctionMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)
GROUP = "/aws/lambda/resize"
REPORT = (
    "REPORT RequestId: 8f5e0b1c-0000-4000-8000-00000000000{n}\tDuration: 10{n}.00 ms\t"
    "Billed Duration: 10{n} ms\tMemory Size: 512 MB\tMax Memory Used: 80 MB\t\n"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_function(url, "resize", MemorySize=512, Timeout=900, Tags={"team": "images"})
        make_function(url, "send", MemorySize=128, Timeout=3, Architectures=["arm64"])
        logs = client("logs", url)
        logs.create_log_group(logGroupName=GROUP)
        logs.put_retention_policy(logGroupName=GROUP, retentionInDays=7)
        stream = "2026/11/29/[$LATEST]0123"
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [f"a line of the handler's own {n}" for n in range(3)]
        events += [REPORT.format(n=n) for n in range(3)]
        logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[
                {"timestamp": log_groups.to_ms(NOW - HOUR) + n, "message": text}
                for n, text in enumerate(events)
            ],
        )
        put_metrics(url)
        yield url


def put_metrics(url: str) -> None:
    points: list[dict[str, Any]] = [
        {"MetricName": name, "Value": value, "Timestamp": NOW - HOUR * hours}
        for name, value, hours in (
            ("Invocations", 40.0, 2),
            ("Invocations", 60.0, 3),
            ("Invocations", 500.0, 400),
            ("Errors", 2.0, 2),
            ("Duration", 5000.0, 2),
            ("ConcurrentExecutions", 3.0, 2),
            ("ConcurrentExecutions", 7.0, 3),
        )
    ]
    dimensions = [{"Name": "FunctionName", "Value": "resize"}]
    client("cloudwatch", url).put_metric_data(
        Namespace="AWS/Lambda", MetricData=[{**each, "Dimensions": dimensions} for each in points]
    )


@pytest.fixture
def services(url: str) -> Iterator[Services]:
    session = open_session(region=REGION, profile=None, endpoint_url=url)
    with Services(session, purpose="scan") as services:
        yield services


def test_functions_are_listed_with_what_a_scan_needs(services: Services) -> None:
    """Name, size, timeout, architecture and log group, by the list and by name alike."""
    found = {each.name: each for each in function_list.list_functions(services)}
    resize, send = found["resize"], found["send"]
    assert (resize.memory_mb, resize.timeout_s, resize.log_group) == (512, 900, GROUP)
    assert (send.architecture, send.account, send.region) == ("arm64", "123456789012", REGION)
    assert resize.log_has_reports
    assert not resize.has_lambda_insights
    assert function_list.read_function(services, FunctionRef("send")) == send
    with pytest.raises(FunctionNotFoundError, match="no function nothing in eu-west-1"):
        function_list.read_function(services, FunctionRef("nothing"))


def test_only_groups_that_exist_are_found(services: Services) -> None:
    """By their whole names: one that merely begins so is another."""
    found = log_groups.find_log_groups(services, [GROUP, "/aws/lambda/res", "/own/group"])
    assert list(found) == [GROUP]
    assert (found[GROUP].log_class, found[GROUP].retention_days) == ("STANDARD", 7)
    many = [GROUP, *(f"/aws/lambda/f{n}" for n in range(60))]
    assert log_groups.find_log_groups(services, many) == found


def test_report_lines_are_read_without_a_query(services: Services) -> None:
    """Oldest first, with their stream, and none of the handler's own lines."""
    found = log_groups.report_lines(services, GROUP, start=NOW - 2 * HOUR, end=NOW, logs_json=False)
    lines = [*found]
    assert [line.message for line in lines] == [REPORT.format(n=n).strip("\n") for n in range(3)]
    assert lines[0].log_stream == "2026/11/29/[$LATEST]0123"
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_a_query_is_run_to_its_end(services: Services) -> None:
    """All rows of the window come, with the fields that were asked for."""
    text = "fields @timestamp, @logStream, @message\n| sort @timestamp asc"
    asked = insights.LogQuery((GROUP,), text, NOW - 2 * HOUR, NOW)
    answer = insights.run_query(services, asked)
    assert [row["@message"].strip() for row in answer.rows][3:] == [
        REPORT.format(n=n).strip() for n in range(3)
    ]


def test_metrics_are_summed_over_the_window(services: Services) -> None:
    """Sums and the largest concurrency of the window alone; nothing is all zeros."""
    found = metric_data.function_metrics(
        services, ["resize", "send"], start=NOW - 24 * HOUR, end=NOW
    )
    assert found == {
        "resize": FunctionMetrics(100, 2, 0, 5000.0, 7),
        "send": FunctionMetrics(0, 0, 0, 0.0, None),
    }


def test_tags_come_by_name(services: Services) -> None:
    """Of functions that have some."""
    assert account_reports.function_tags(services) == {"resize": {"team": "images"}}
