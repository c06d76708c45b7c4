"""Events of services, read by AWS Powertools' event source classes: a reader that knows nothing of
how they are made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities import data_classes as reader

from tuner.errors import PayloadError
from tuner.payloads import load_payloads
from tuner.payloads.event_sources import SOURCES, find_source
from tuner.payloads.payload_class import make_class
from tuner.payloads.payload_set import ClassRecipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BODY = {"id": 7, "tags": ["ä", None, True], "sum": 1.5}
BATCHES = [source.name for source in SOURCES.values() if source.max_batch > 1]


def event_of(source: str, tmp_path: Path, body: str | None = None, **parameters: Any) -> Any:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(BODY) if body is None else body, encoding="utf-8")
    recipe = ClassRecipe("made", origin="file", path=path, source=source, parameters=parameters)
    return json.loads(make_class(recipe, seed=1).body_at(4))


def read_rest(event: Any) -> list[Any]:
    read = reader.APIGatewayProxyEvent(event)
    assert (read.http_method, read.path, read.request_context.stage) == ("POST", "/orders", "prod")
    assert read.request_context.identity.source_ip.startswith("203.0.113.")
    assert read.headers["content-type"] == "application/json"
    return [read.json_body]


def read_http(event: Any) -> list[Any]:
    read = reader.APIGatewayProxyEventV2(event)
    assert (read.http_method, read.path, read.route_key) == ("POST", "/orders", "POST /orders")
    assert read.request_context.time_epoch > 0
    return [read.json_body]


def read_url(event: Any) -> list[Any]:
    read = reader.LambdaFunctionUrlEvent(event)
    assert (read.http_method, read.raw_path, read.route_key) == ("POST", "/orders", "$default")
    return [read.json_body]


def read_alb(event: Any) -> list[Any]:
    read = reader.ALBEvent(event)
    assert (read.http_method, read.path) == ("POST", "/orders")
    assert ":targetgroup/" in read.request_context.elb_target_group_arn
    return [read.json_body]


def read_sqs(event: Any) -> list[Any]:
    records = list(reader.SQSEvent(event).records)
    for record in records:
        assert record.queue_url == "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
        assert int(record.attributes.sent_timestamp) > 0
    return [record.json_body for record in records]


def read_sns(event: Any) -> list[Any]:
    [record] = reader.SNSEvent(event).records
    assert record.sns.topic_arn.endswith(":orders")
    return [json.loads(record.sns.message)]


def read_eventbridge(event: Any) -> list[Any]:
    read = reader.EventBridgeEvent(event)
    assert (read.detail_type, read.source, read.resources) == ("Order Placed", "shop.orders", [])
    return [read.detail]


def read_kinesis(event: Any) -> list[Any]:
    records = [each.kinesis for each in reader.KinesisStreamEvent(event).records]
    assert all(record.approximate_arrival_timestamp > 0 for record in records)
    return [record.data_as_json() for record in records]


def read_dynamodb(event: Any) -> list[Any]:
    bodies = []
    for record in reader.DynamoDBStreamEvent(event).records:
        assert record.dynamodb is not None
        assert record.event_name is not None
        assert record.event_name.name == "INSERT"
        image = dict(record.dynamodb.new_image)
        assert record.dynamodb.keys["id"] == image.pop("id")
        bodies.append({**BODY, **{k: float(v) if k == "sum" else v for k, v in image.items()}})
    return bodies


def read_schedule(event: Any) -> list[Any]:
    read = reader.EventBridgeEvent(event)
    assert (read.detail_type, read.source, read.detail) == ("Scheduled Event", "aws.events", {})
    return [BODY]


def read_kafka(event: Any) -> list[Any]:
    read = reader.KafkaEvent(event)
    assert read.bootstrap_servers
    records = list(read.records)
    assert {(each.topic, each.timestamp_type) for each in records} == {("orders", "CREATE_TIME")}
    return [record.json_value for record in records]


READERS: dict[str, Callable[[Any], list[Any]]] = {
    "api-gateway-rest": read_rest, "api-gateway-http": read_http, "alb": read_alb,
    "function-url": read_url, "sqs": read_sqs, "sns": read_sns, "eventbridge": read_eventbridge,
    "kinesis": read_kinesis, "dynamodb": read_dynamodb, "step-functions": lambda event: [event],
    "schedule": read_schedule, "kafka": read_kafka,
}  # fmt: skip
"""Each returns the bodies of all records."""


def test_every_source_has_a_reader_here() -> None:
    """No source goes unchecked."""
    assert SOURCES.keys() == READERS.keys() | {"s3"}, "add its reader to READERS"


@pytest.mark.parametrize("field", ["polled_service", "caller_service"])
def test_a_service_that_tells_its_source_tells_one(field: str) -> None:
    """A fleet's plan looks sources up by it: two of one service would hide each other."""
    named = [getattr(each, field) for each in SOURCES.values() if getattr(each, field)]
    twice = {each for each in named if named.count(each) > 1}
    assert not twice, f"several sources have {field} {sorted(twice)}: leave it out of all of them"


@pytest.mark.parametrize("source", READERS)
def test_an_independent_reader_finds_the_body_again(source: str, tmp_path: Path) -> None:
    """What the user gave comes out of the envelope as it went in."""
    assert READERS[source](event_of(source, tmp_path)) == [BODY]


def test_an_s3_event_names_the_object_that_the_body_gives(tmp_path: Path) -> None:
    """The body of an S3 event is the object's key."""
    event = event_of("s3", tmp_path, "in/a.jpg\n", bucket="photos", object_size=5)
    read = reader.S3Event(event)
    assert (read.bucket_name, read.object_key) == ("photos", "in/a.jpg")
    assert read.record.s3.get_object.size == 5
    assert read.record.event_name == "ObjectCreated:Put"


@pytest.mark.parametrize("source", BATCHES)
def test_a_batch_has_as_many_records_as_asked_for(source: str) -> None:
    """Each record has a body of its own."""
    made = make_class(ClassRecipe("b", source=source, parameters={"batch_size": 10}), seed=3)
    bodies = READERS[source](json.loads(made.body))
    assert len(bodies) == 10
    assert len({json.dumps(body, default=str) for body in bodies}) == 10


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_makes_events_without_being_told_anything(source: str) -> None:
    """The built-in body is good JSON, differs from event to event, and repeats for a seed."""
    made, again = (make_class(ClassRecipe("x", source=source), seed=5) for _ in range(2))
    assert [made.body_at(i) for i in range(3)] == [again.body_at(i) for i in range(3)]
    assert len({made.body_at(i) for i in range(20)}) == 20


@pytest.mark.parametrize(
    ("source", "parameters", "says"),
    [
        ("sqs", {"batch_size": 0}, "batch_size must be a whole number, 1 or more"),
        ("sqs", {"batch_size": True}, "batch_size must be a whole number, 1 or more"),
        ("sns", {"batch_size": 2}, "at most 1"),
        ("sqs", {"queue": 5}, 'queue is wrong: write it like "orders"'),
        ("sqs", {"bucket": "x"}, "nothing uses the parameter 'bucket' .known to sqs: batch_size"),
        ("mqtt", {}, "'mqtt' isn't an event source: known are api-gateway-rest"),
    ],
)
def test_a_wrong_parameter_says_what_would_be_right(
    source: str, parameters: dict[str, Any], says: str
) -> None:
    """One line with the way out."""
    with pytest.raises(PayloadError, match=says) as caught:
        make_class(ClassRecipe("x", source=source, parameters=parameters), seed=0)
    assert "\n" not in str(caught.value)


def test_a_body_that_must_be_json_and_is_not_says_so(tmp_path: Path) -> None:
    """EventBridge carries JSON, a queue carries any text."""
    with pytest.raises(PayloadError, match="eventbridge carries JSON"):
        event_of("eventbridge", tmp_path, "hunter2")
    assert event_of("sqs", tmp_path, "any text")["Records"][0]["body"] == "any text"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqss", "sqs"),
        ("event-bridge", "eventbridge"),
        ("Kinesis", "kinesis"),
        ("dynamdb", "dynamodb"),
    ],
)
def test_a_misspelt_source_is_told_what_is_meant(written: str, meant: str) -> None:
    """On the command line and in a set alike."""
    with pytest.raises(PayloadError, match=f"did you mean the event source {meant}"):
        load_payloads([written])
    with pytest.raises(PayloadError, match=f"did you mean {meant}"):
        find_source(written)
