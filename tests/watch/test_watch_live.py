"""`tuner watch --live` against moto in a process of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.live_log import COUNT, make_live_function
from tests.aws.moto_process import REGION, client, moto_process
from tests.cli.running import run_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_live_function(url)
        yield url


def put(url: str, metric: str, name: str, at: datetime, value: float) -> None:
    """A point, as Lambda writes it."""
    point = {"MetricName": metric, "Dimensions": [{"Name": "FunctionName", "Value": name}],
             "Timestamp": at, "Value": value}  # fmt: skip
    client("cloudwatch", url).put_metric_data(Namespace="AWS/Lambda", MetricData=[point])


@pytest.mark.slow
def test_an_account_says_what_no_log_does(url: str, tmp_path: Path) -> None:
    """Its circle and what Lambda dropped, each with its own finding, and exit 13; what the endpoint
    doesn't know is told as not judged.
    """
    queue = client("sqs", url).create_queue(QueueName="jobs")["QueueUrl"]
    arn = client("sqs", url).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    functions = client("lambda", url)
    functions.create_event_source_mapping(
        FunctionName="resize", EventSourceArn=arn["Attributes"]["QueueArn"]
    )
    functions.put_function_event_invoke_config(
        FunctionName="resize",
        DestinationConfig={"OnSuccess": {"Destination": arn["Attributes"]["QueueArn"]}},
    )
    put(url, "RecursiveInvocationsDropped", "resize", NOW - 3 * MINUTE, 4.0)
    ran = run_here(
        *("watch", "resize", "--live", "--region", REGION, "--endpoint-url", url, "--yes"),
        *("--json", "--detailed-exitcode"),
        TUNER_STATE_DIR=str(tmp_path),
    )
    assert ran.returncode == 13, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    [function] = answer["functions"]
    assert function["invocation_count"] == COUNT
    assert any("RecursiveLoop" in each for each in function["not_judged"])
    told = {(each["code"], each["severity"]): each for each in answer["findings"]}
    assert told["recursion", "error"]["evidence"]["dropped_count"] == 4
    assert "sqs jobs" in told["recursion", "info"]["message"]
