"""`tuner load` with services behind the function: real requests to the local endpoint's own."""

from __future__ import annotations

import http.client
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cli.running import run_here
from tests.cli.scripted import at, state
from tests.docs import json_schema
from tests.scripted_executor import ScriptedExecutor
from tuner.api import downstream, loading
from tuner.iac import TemplateResource
from tuner.local import FunctionDefinition, LocalLambda, read_use

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["state"]
WRITES_PER_S = 8
SECRET = "hunter22-is-no-table"


class Writer:
    """What the function does: an item of 1.5 KB into a table, and a message into a queue."""

    def __init__(self) -> None:
        self.port = 0
        self._number = 0
        self._lock = threading.Lock()

    def __call__(self, _deployment: Any, _request: Any) -> None:
        with self._lock:
            self._number += 1
            item = {"id": {"S": str(self._number)}, "x": {"S": "a" * 1500}}
        self._send("dynamodb", "DynamoDB_20120810.PutItem", {"TableName": "orders", "Item": item})
        url = f"http://127.0.0.1:{self.port}/123456789012/mails"
        self._send("sqs", "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": "hi"})

    def _send(self, service: str, target: str, asked: dict[str, Any]) -> None:
        signed = f"AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request"
        headers = {
            "Authorization": f"{signed}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": target,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/", json.dumps(asked), headers)
        assert connection.getresponse().status == 200
        connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    writer = Writer()
    table = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": "5", "WriteCapacityUnits": WRITES_PER_S},
    }
    variables = (("TABLE", "orders"), ("QUEUE", "mails"), ("TOKEN", SECRET))
    with LocalLambda(
        [FunctionDefinition("take", memory_mb=512, environment=variables)],
        executor=ScriptedExecutor(20.0, failure=writer, time_scale=0),
        update_s=0.0,
        resources=[
            TemplateResource("Orders", "AWS::DynamoDB::Table", "orders", table, 1),
            TemplateResource("Mails", "AWS::SQS::Queue", "mails", {}, 1),
        ],
    ) as local:
        writer.port = int(local.endpoint_url.rpartition(":")[2])
        yield local


@pytest.mark.slow
def test_what_gives_way_first_is_counted_while_the_load_runs(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """An item of 1.5 KB takes two of eight units a second: 4 requests/s. The queue's messages are
    counted, and no value of the environment that names nothing is told anywhere.
    """
    asked = ("load", "take", *at(server), "--yes", "--allow-side-effects", "--json")
    ran = run_here(*asked, "--phase", "1s:12/s", "--backlog", "300", **state)
    assert ran.returncode == 0, ran.stderr
    json_schema.check(ran.stdout)
    answer = json.loads(ran.stdout)
    rows = {(each["resource"], each["unit"]): each for each in answer["downstream"]}
    assert answer["downstream"][0] == {
        "service": "dynamodb",
        "resource": "orders",
        "unit": "write units",
        "limit_per_s": WRITES_PER_S,
        "demand_per_s": 24,
        "limited_at_rate_per_s": 4,
    }
    assert rows["mails", "messages"]["demand_per_s"] == 12
    assert rows["mails", "messages"]["limited_at_rate_per_s"] is None
    codes = {each["code"] for each in answer["findings"]}
    assert {"downstream_saturates", "downstream_unknown", "event_source_drains"} <= codes
    assert SECRET not in ran.stdout + ran.stderr
    use = read_use(server.endpoint_url)
    assert use is not None
    assert use.used["dynamodb", "orders", "write units"] == 24


def put_metrics(server: LocalLambda) -> None:
    """Two hours ago 200 invocations took 500 write units; now the table refuses."""
    cloudwatch: Any = boto3.client(  # type: ignore[call-overload]
        "cloudwatch",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    now, table = datetime.now(UTC), {"TableName": "orders"}
    before = now - timedelta(hours=2)
    for namespace, metric, dimensions, value, at_time in (
        ("AWS/Lambda", "Invocations", {"FunctionName": "take"}, 200.0, before),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", table, 500.0, before),
        ("AWS/DynamoDB", "WriteThrottleEvents", table, 7.0, now),
    ):
        named = [{"Name": name, "Value": given} for name, given in dimensions.items()]
        datum = {"MetricName": metric, "Dimensions": named, "Timestamp": at_time, "Value": value}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def test_an_account_says_it_before_and_shows_throttles_once_cloudwatch_has_them(
    server: LocalLambda, state: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By CloudWatch 2.5 units an invocation: eight give way at 3.2 requests/s, which is said before
    anything is sent; the last minute is waited for, and what the table refused is a finding.
    """
    put_metrics(server)
    monkeypatch.setattr(downstream.DownstreamLooks, "is_local", False)
    monkeypatch.setattr(loading, "SETTLE_S", 0.1)
    asked = ("load", "take", *at(server), "--yes", "--allow-side-effects", "--json")
    ran = run_here(*asked, "--phase", "1s:12/s", **state)
    assert ran.returncode == 0, ran.stderr
    plan, _, sent = ran.stderr.partition("until CloudWatch shows")
    assert "First to give way: orders (DynamoDB) at about 3.2 requests/s" in plan
    assert sent
    answer = json.loads(ran.stdout)
    first = answer["downstream"][0]
    assert (first["resource"], first["limited_at_rate_per_s"]) == ("orders", pytest.approx(3.2))
    said = {each["code"]: each["message"] for each in answer["findings"]}
    assert "orders (DynamoDB) refused 7 requests" in said["downstream_throttled"]
    assert "200 invocations" in said["downstream_saturates"]


def test_a_dry_run_prints_the_plan_as_an_object(server: LocalLambda, state: dict[str, str]) -> None:
    """What is behind the function is there, and that what is asked of it isn't known yet."""
    asked = ("load", "take", *at(server), "--phase", "1s:12/s", "--dry-run", "--json")
    ran = run_here(*asked, **state)
    assert ran.returncode == 0, ran.stderr
    json_schema.check(ran.stdout)
    plan = json.loads(ran.stdout)
    assert (plan["kind"], plan["planned_count"], plan["peak_per_s"]) == ("load_plan", 12, 12)
    limits = {(each["resource"], each["unit"]): each["limit_per_s"] for each in plan["downstream"]}
    assert limits["orders", "write units"] == WRITES_PER_S
    assert [each["code"] for each in plan["findings"]] == ["downstream_unknown"]
    ran = run_here(*asked, "--downstream", "none", **state)
    assert json.loads(ran.stdout)["downstream"] == json.loads(ran.stdout)["findings"] == []
    ran = run_here(*asked, "--downstream", "none", "--backlog", "5", **state)
    assert "leave out --downstream none" in ran.stderr
