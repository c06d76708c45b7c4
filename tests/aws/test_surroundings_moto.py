"""What is found around a function, in another's AWS: moto, in a process of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.moto_process import client, make_function, moto_process
from tuner.aws.reached_resources import Inventory, named_by_environment, named_by_role
from tuner.aws.resource_metrics import arrivals_per_s, demand_of, look_at
from tuner.aws.resource_reader import ResourceReader
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.aws.surroundings import find_surroundings, recent_window
from tuner.load.resources import Declared, Queue, Stream, Surroundings, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.session import Session

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
VARIABLES = {
    "TABLE": "orders",
    "MAILS": "https://sqs.eu-west-1.amazonaws.com/123456789012/mails",
    "EVENTS": "events,unrelated-name",
    "API_KEY": "hunter22-very-secret",
    "HOOK": "https://hooks.example.com/123456789012/another-secret",
    "ELSEWHERE": "arn:aws:sqs:us-east-1:123456789012:far-away",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_function(url, "take", Environment={"Variables": VARIABLES})
        make_function(url, "mailer")
        lambda_ = client("lambda", url)
        lambda_.put_function_concurrency(FunctionName="mailer", ReservedConcurrentExecutions=4)
        key = {"AttributeName": "id", "AttributeType": "S"}
        units = {"ReadCapacityUnits": 40, "WriteCapacityUnits": 20}
        client("dynamodb", url).create_table(
            TableName="orders",
            AttributeDefinitions=[key, {"AttributeName": "day", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            ProvisionedThroughput=units,
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-day",
                    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": {**units, "WriteCapacityUnits": 10},
                }
            ],
        )
        sqs = client("sqs", url)
        for name in ("mails", "incoming"):
            made = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "90"})
            if name == "incoming":  # before there is a mapping: moto would run the function
                sqs.send_message(QueueUrl=made["QueueUrl"], MessageBody="waits")
            arn = sqs.get_queue_attributes(QueueUrl=made["QueueUrl"], AttributeNames=["QueueArn"])
            lambda_.create_event_source_mapping(
                FunctionName={"mails": "mailer", "incoming": "take"}[name],
                EventSourceArn=arn["Attributes"]["QueueArn"],
                BatchSize=7,
            )
        client("kinesis", url).create_stream(StreamName="events", ShardCount=3)
        _make_role(url)
        _put_metrics(url)
        yield url


def _make_role(url: str) -> None:
    iam = client("iam", url)
    iam.create_role(RoleName="takes", AssumeRolePolicyDocument="{}")
    allowed = [
        "arn:aws:dynamodb:eu-west-1:123456789012:table/ord*",
        "arn:aws:s3:::archive/*",
        "arn:aws:sqs:eu-west-1:123456789012:*",
    ]
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "*", "Resource": allowed},
        {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:sns:eu-west-1:123456789012:news"},
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName="takes", PolicyName="its", PolicyDocument=json.dumps(document))


def _put_metrics(url: str) -> None:
    at, cloudwatch = NOW - timedelta(hours=3), client("cloudwatch", url)
    take, orders = {"FunctionName": "take"}, {"TableName": "orders"}
    by_day = {**orders, "GlobalSecondaryIndexName": "by-day"}
    for namespace, metric, dimensions, value, when in (
        ("AWS/Lambda", "Invocations", take, 200.0, at),
        ("AWS/Lambda", "Invocations", {"FunctionName": "mailer"}, 50.0, at),
        ("AWS/Lambda", "Duration", {"FunctionName": "mailer"}, 50 * 400.0, at),
        ("AWS/SQS", "NumberOfMessagesDeleted", {"QueueName": "mails"}, 150.0, at),
        ("AWS/SQS", "NumberOfMessagesSent", {"QueueName": "incoming"}, 7200.0, at),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", orders, 500.0, at),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", by_day, 100.0, at),
        ("AWS/DynamoDB", "WriteThrottleEvents", orders, 12.0, NOW),
        ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "events"}, 9e3, NOW),
    ):
        cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    "Timestamp": when,
                    "Value": value,
                }
            ],
        )


@pytest.fixture
def services(url: str, opened: dict[str, Session]) -> Iterator[Services]:
    if url not in opened:
        opened[url] = open_session(region="eu-west-1", profile=None, endpoint_url=url)
    with Services(opened[url], purpose="load") as services:
        yield services


@pytest.fixture
def found(services: Services) -> Surroundings:
    configuration = {"Environment": {"Variables": VARIABLES}}
    return find_surroundings(services, "take", configuration, now=NOW)


def test_settings_name_what_is_behind_and_mappings_what_feeds(found: Surroundings) -> None:
    """The table with its index, the queue with its consumer, the stream, and the source apart."""
    by_name = {each.name: each for each in found.behind}
    assert set(by_name) == {"orders", "mails", "events"}
    table, queue, stream = by_name["orders"], by_name["mails"], by_name["events"]
    assert isinstance(table, Table)
    assert (table.read_units_per_s, table.write_units_per_s) == (40, 20)
    [index] = table.indexes
    assert (index.name, index.write_units_per_s, index.keys) == (
        "orders/index/by-day",
        10,
        ("day",),
    )
    assert isinstance(queue, Queue)
    [(source, consumer)] = queue.consumers
    assert (source.batch_size, queue.visibility_timeout_s) == (7, 90.0)
    assert (consumer.name, consumer.concurrency, consumer.is_reserved) == ("mailer", 4, True)
    assert consumer.duration_ms == pytest.approx(400)
    assert consumer.records_an_invocation == pytest.approx(3)
    assert stream == Stream("events", 3)
    [(fed_by, incoming)] = found.sources
    assert (fed_by.resource, fed_by.batch_size) == ("incoming", 7)
    assert isinstance(incoming, Queue)
    assert incoming.waiting_count == 1


def test_no_value_that_names_nothing_is_told_or_sent(
    services: Services, found: Surroundings
) -> None:
    """Secrets stay here: they're compared with names that were listed, not asked about."""
    sent: list[str] = []
    for service in ("dynamodb", "kinesis", "lambda", "s3", "sns", "sqs"):
        services.client(service).meta.events.register(
            "before-send", lambda request, **_: sent.append(f"{request.url} {request.body!r}")
        )
    inventory = Inventory(services, "eu-west-1", [])
    named = set(named_by_environment(VARIABLES, inventory))
    assert named == {("dynamodb", "orders"), ("sqs", "mails"), ("kinesis", "events")}
    assert sent
    for text in (*sent, repr(found), *map(repr, named)):
        assert "secret" not in text


def test_a_template_says_what_its_tables_may_take_on_demand(url: str, services: Services) -> None:
    """An emulated table doesn't keep it: the least of what it takes at once and of what is allowed,
    for an index as well.
    """
    key = {"AttributeName": "id", "AttributeType": "S"}
    index = {
        "IndexName": "by-id",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    client("dynamodb", url).create_table(
        TableName="bounded",
        AttributeDefinitions=[key],
        KeySchema=index["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index],
    )
    bounded = {
        "OnDemandThroughput": {"MaxWriteRequestUnits": "30"},
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-id", "OnDemandThroughput": {"MaxReadRequestUnits": 50}}
        ],
    }
    declared = Declared(tables={"bounded": bounded})
    reader = ResourceReader(services, *recent_window(NOW), declared)
    table = reader.read(("dynamodb", "bounded"))
    assert isinstance(table, Table)
    assert (table.write_units_per_s, table.read_units_per_s) == (30, None)
    assert (table.indexes[0].write_units_per_s, table.indexes[0].read_units_per_s) == (None, 50)


def test_what_is_in_another_account_isnt_taken_for_ones_own(services: Services) -> None:
    """A stack of the same names may be there too: it's said, and not read."""
    inventory = Inventory(services, "eu-west-1", [], "123456789012")
    elsewhere = {
        "A": "arn:aws:dynamodb:eu-west-1:999988887777:table/orders",
        "B": "https://sqs.eu-west-1.amazonaws.com/999988887777/mails",
    }
    assert not list(named_by_environment(elsewhere, inventory))
    assert inventory.unseen == [
        "orders (dynamodb: in account 999988887777)",
        "mails (sqs: in account 999988887777)",
    ]
    own = {name: each.replace("999988887777", "123456789012") for name, each in elsewhere.items()}
    own["C"] = "arn:aws:s3:::archive/*"
    assert list(named_by_environment(own, inventory)) == [
        ("dynamodb", "orders"),
        ("sqs", "mails"),
        ("s3", "archive"),
    ]


def test_a_role_names_resources_and_a_few_by_wildcard(services: Services) -> None:
    """`ord*` means one table; all queues of the account mean nothing, nor what is denied."""
    inventory = Inventory(services, "eu-west-1", [])
    named = list(named_by_role("arn:aws:iam::123456789012:role/takes", inventory))
    assert named == [("dynamodb", "orders"), ("s3", "archive")]
    assert not inventory.unseen
    assert not list(named_by_role("arn:aws:iam::123456789012:role/nobody", inventory))
    assert inventory.unseen == ["its role's policies (refused)"]


def test_what_an_invocation_asks_is_the_consumption_of_a_window_over_its_invocations(
    services: Services, found: Surroundings
) -> None:
    """500 units over 200 invocations; nothing is said of what CloudWatch has no point of."""
    start, end = recent_window(NOW)
    demands = demand_of(services, "take", found.behind, start=start, end=end)
    assert {key: each.per_invocation for key, each in demands.items()} == {
        ("dynamodb", "orders", "write units"): 2.5,
        ("dynamodb", "orders/index/by-day", "write units"): 0.5,
    }
    assert demand_of(services, "idle", found.behind, start=start, end=end) == {}
    arrivals = arrivals_per_s(services, found.sources, start=start, end=end)
    assert arrivals == {"incoming": pytest.approx(2.0)}


def test_a_look_shows_throttles_queues_and_iterators(
    services: Services, found: Surroundings
) -> None:
    """Sums since the load began, the newest of what is a state, and queues by SQS itself."""
    look = look_at(services, found, "take", since=NOW, now=NOW + timedelta(minutes=2))
    assert look.states["dynamodb", "orders", "throttled"] == 12
    assert look.states["kinesis", "events", "iterator_age_s"] == pytest.approx(9)
    assert look.states["sqs", "incoming", "waiting"] == 1
    assert look.throttled_count == 12
