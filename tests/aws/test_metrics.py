"""A function's traffic from CloudWatch, as moto serves it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.aws.test_moto import KEYS, moto_url
from tests.cli.running import run_here
from tests.cli.test_break_even import sweep_file
from tuner.aws.gateway import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["moto_url", "sweep_file"]


@pytest.fixture
def cloudwatch(moto_url: str) -> Iterator[Any]:
    client = boto3.client("cloudwatch", region_name="us-east-1", endpoint_url=moto_url, **KEYS)
    yield client
    client.close()


def put(client: Any, name: str, metric: str, moment: datetime, value: float) -> None:
    client.put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
                "Timestamp": moment,
                "Value": value,
            }
        ],
    )


def test_minutes_of_two_days_are_read(moto_url: str, cloudwatch: Any) -> None:
    """Sums and maxima by the minute, ascending; another function's are not mixed in."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    for hours, count in ((1, 5.0), (1, 2.0), (30, 3.0)):
        put(cloudwatch, "one", "Invocations", start + timedelta(hours=hours), count)
    put(cloudwatch, "one", "ConcurrentExecutions", start + timedelta(hours=30), 4.0)
    put(cloudwatch, "other", "Invocations", start + timedelta(hours=1), 99.0)
    with connect(region="us-east-1", profile=None, endpoint_url=moto_url) as gateway:
        found = gateway.minute_loads("one", start=start, days=2)
    assert [
        (each.start - start, each.invocation_count, each.max_concurrency) for each in found
    ] == [
        (timedelta(hours=1), 7.0, None),
        (timedelta(hours=30), 3.0, 4.0),
    ]


def test_the_command_prices_the_functions_own_traffic(
    moto_url: str,
    cloudwatch: Any,
    sweep_file: str,
) -> None:
    """The rate is the mean over the days, and the assumptions say where it is from."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for hours in range(25):  # the hour may turn meanwhile
        put(cloudwatch, "made", "Invocations", end - timedelta(hours=hours), 86_400.0)
    where = ("--endpoint-url", moto_url)
    asked = ("--traffic", "cloudwatch", "--days", "1", *where)
    found = json.loads(run_here("break-even", sweep_file, *asked, "--json").stdout)
    assert found["rate_per_s"] == pytest.approx(24.0)
    assert "the fleet follows the busiest minute of each hour" in found["assumptions"]
    assert found["verdict"] is not None


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--days", "16"), "keeps minutes for 15 days"),
        (("--days", "3", "--rate", "1/s"), "not several"),
    ],
)
def test_what_cloudwatch_cannot_tell_is_one_clear_line(
    sweep_file: str,
    options: tuple[str, ...],
    complaint: str,
) -> None:
    """Days that are not kept, and two sources at once, are refused before anything is asked."""
    ran = run_here("break-even", sweep_file, "--traffic", "cloudwatch", *options)
    assert ran.returncode == 2
    assert complaint in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_function_without_traffic_is_said(moto_url: str, sweep_file: str) -> None:
    """Nothing came in a day long ago: one line that names the other ways."""
    ran = run_here(
        "break-even", sweep_file, "--traffic", "cloudwatch", "--endpoint-url", moto_url,
        "--days", "1", "--region", "eu-west-3",
    )  # fmt: skip
    assert ran.returncode == 1
    assert "no invocation in the last 1 day:" in ran.stderr
