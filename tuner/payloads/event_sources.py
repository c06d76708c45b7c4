"""Events as AWS services send them: the user's body inside the service's envelope.

Shapes follow "Using AWS Lambda with other services" in AWS's developer guide; every one is checked
in tests by an independent reader of such events.
"""

from __future__ import annotations

import base64
import difflib
import json
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError
from tuner.payloads import http_event_sources as http
from tuner.payloads.envelope import EnvelopeInput, Source
from tuner.payloads.http_event_sources import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HTTP: Final = (("method", "POST"), ("path", "/orders"))


def _records(
    make: Callable[[EnvelopeInput, str], dict[str, Any]],
) -> Callable[[EnvelopeInput], Any]:
    """Events with a record for each body."""
    return lambda given: {"Records": [make(given, body) for body in given.bodies]}


def _sqs_record(given: EnvelopeInput, body: str) -> dict[str, Any]:
    draw, sent_ms = given.draw, given.draw_epoch_ms()
    return {
        "messageId": draw.uuid(),
        "receiptHandle": base64.b64encode(draw.code(60).encode()).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(sent_ms),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(sent_ms + 7),
        },
        "messageAttributes": {},
        "md5OfBody": http.md5(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{given.parameters['queue']}",
        "awsRegion": REGION,
    }


def _sns_record(given: EnvelopeInput, body: str) -> dict[str, Any]:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{given.parameters['topic']}"
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{topic}:{given.draw.uuid()}",
        "Sns": {
            "Type": "Notification",
            "MessageId": given.draw.uuid(),
            "TopicArn": topic,
            "Subject": given.parameters["subject"],
            "Message": body,
            "Timestamp": given.draw_iso_time(),
            "SignatureVersion": "1",
            "Signature": base64.b64encode(given.draw.code(96).encode()).decode(),
            "SigningCertUrl": f"https://sns.{REGION}.amazonaws.com/cert.pem",
            "UnsubscribeUrl": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": {},
        },
    }


def _eventbridge(given: EnvelopeInput) -> dict[str, Any]:
    return _bus_event(
        given,
        detail_type=given.parameters["detail_type"],
        source=given.parameters["event_source"],
        detail=json.loads(given.bodies[0]),
    )


def _schedule(given: EnvelopeInput) -> dict[str, Any]:
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{given.parameters['rule']}"
    event = _bus_event(given, detail_type="Scheduled Event", source="aws.events", detail={})
    return {**event, "resources": [rule]}


def _bus_event(
    given: EnvelopeInput, *, detail_type: str, source: str, detail: Any
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": given.draw.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": given.draw_iso_time()[:19] + "Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def _kinesis_record(given: EnvelopeInput, body: str) -> dict[str, Any]:
    sequence = f"4959{given.draw.integer(10**51, 10**52 - 1)}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": given.draw.code(8),
            "sequenceNumber": sequence,
            "data": base64.b64encode(body.encode()).decode(),
            "approximateArrivalTimestamp": given.draw_epoch_ms() / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/stream-reader",
        "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{given.parameters['stream']}",
    }


def _dynamodb_record(given: EnvelopeInput, body: str) -> dict[str, Any]:
    key = {"id": {"S": given.draw.code(12)}}
    value = json.loads(body)
    image = _attribute(value)["M"] if isinstance(value, dict) else {"value": _attribute(value)}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{given.parameters['table']}"
    return {
        "eventID": given.draw.code(32),
        "eventName": given.parameters["event_name"],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": given.draw_epoch_ms() / 1000,
            "Keys": key,
            "NewImage": {**image, **key},
            "SequenceNumber": str(given.draw.integer(10**20, 10**21 - 1)),
            "SizeBytes": len(body.encode()),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"{table}/stream/2026-01-05T00:00:00.000",
    }


def _attribute(value: Any) -> dict[str, Any]:
    """A JSON value as DynamoDB writes it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, int | float):
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [_attribute(each) for each in value]}
    if isinstance(value, dict):
        return {"M": {name: _attribute(each) for name, each in value.items()}}
    return {"S": str(value)}


def _s3_record(given: EnvelopeInput, body: str) -> dict[str, Any]:
    bucket, draw = given.parameters["bucket"], given.draw
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": given.draw_iso_time(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {
            "x-amz-request-id": draw.code(16).upper(),
            "x-amz-id-2": base64.b64encode(draw.code(48).encode()).decode(),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "created",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": body.strip(),
                "size": given.parameters["object_size"],
                "eTag": http.md5(draw.code(16)),
                "sequencer": f"{draw.random.getrandbits(64):018X}",
            },
        },
    }


def _kafka(given: EnvelopeInput) -> dict[str, Any]:
    topic, first = given.parameters["topic"], given.draw.integer(1_000, 1_000_000)
    broker = f"b-1.events.{given.draw.code(6)}.c2.kafka.{REGION}.amazonaws.com:9094"
    records = [
        {
            "topic": topic,
            "partition": 0,
            "offset": first + number,
            "timestamp": given.draw_epoch_ms(),
            "timestampType": "CREATE_TIME",
            "key": base64.b64encode(given.draw.code(8).encode()).decode(),
            "value": base64.b64encode(body.encode()).decode(),
            "headers": [],
        }
        for number, body in enumerate(given.bodies)
    ]
    cluster = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/events/{given.draw.uuid()}-5"
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": cluster,
        "bootstrapServers": broker,
        "records": {f"{topic}-0": records},
    }


SOURCES: Final[Mapping[str, Source]] = {
    source.name: source
    for source in (
        Source("api-gateway-rest", "API Gateway, REST API", http.rest_api, _HTTP),
        Source("api-gateway-http", "API Gateway, HTTP API (2.0)", http.http_api, _HTTP),
        Source(
            "alb", "Application Load Balancer", http.load_balancer, _HTTP,
            caller_service="elasticloadbalancing",
        ),
        Source("function-url", "Function URL", http.function_url, _HTTP),
        Source(
            "sqs", "SQS queue", _records(_sqs_record), (("queue", "orders"),), max_batch=10_000,
            polled_service="sqs",
        ),
        Source(
            "sns", "SNS topic", _records(_sns_record),
            (("topic", "orders"), ("subject", "order")), caller_service="sns",
        ),
        Source(
            "eventbridge", "EventBridge rule", _eventbridge,
            (("detail_type", "Order Placed"), ("event_source", "shop.orders")),
        ),
        Source(
            "kinesis", "Kinesis stream", _records(_kinesis_record),
            (("stream", "orders"),), max_batch=10_000, polled_service="kinesis",
        ),
        Source(
            "dynamodb", "DynamoDB stream", _records(_dynamodb_record),
            (("table", "orders"), ("event_name", "INSERT")), max_batch=10_000,
            polled_service="dynamodb",
        ),
        Source(
            "s3", "S3 notification", _records(_s3_record),
            (("bucket", "uploads"), ("object_size", 1_048_576)),
            body="uploads/{{ code(8) }}.jpg", caller_service="s3",
        ),
        Source(
            "step-functions", "Step Functions task", lambda given: json.loads(given.bodies[0])
        ),
        Source("schedule", "Scheduled event", _schedule, (("rule", "every-minute"),)),
        Source(
            "kafka", "MSK or Kafka topic", _kafka, (("topic", "orders"),), max_batch=10_000,
            polled_service="kafka",
        ),
    )
}  # fmt: skip


def close_source(name: str) -> str | None:
    """Return the source that a misspelled name may mean."""
    return next(iter(difflib.get_close_matches(name.lower(), SOURCES, n=1)), None)


def find_source(name: str) -> Source:
    """Return a source by its name. Raises PayloadError, which names the known ones."""
    source = SOURCES.get(name)
    if source is None:
        close = close_source(name)
        hint = f"did you mean {close}? Known" if close else "known"
        raise PayloadError(f"{name!r} isn't an event source: {hint} are {', '.join(SOURCES)}")
    return source
