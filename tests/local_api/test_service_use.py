"""What the local services count of handlers' calls, against DynamoDB's arithmetic by hand."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.local.service_use import ServiceUse, item_bytes


def told(use: ServiceUse, what: str = "used") -> dict[tuple[str, ...], float]:
    """What was counted, without the parts of it that are by attribute."""
    rows: Any = use.to_json()[what]
    return {tuple(row[1:-1]): row[-1] for row in rows if " with " not in row[-2]}


def dynamodb(
    use: ServiceUse, operation: str, asked: Any, answer: Any = None, status: int = 200
) -> None:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    request = ("POST", "/", headers, json.dumps(asked).encode())
    use.note("dynamodb", request, status, json.dumps(answer or {}).encode())


def item(size: int) -> dict[str, Any]:
    """An item of so many bytes: `id` and `x` with their values."""
    return {"id": {"S": "12345"}, "x": {"S": "a" * (size - 8)}}


@pytest.mark.parametrize(
    ("operation", "asked", "answer", "unit", "amount"),
    [
        ("PutItem", {"TableName": "t", "Item": item(1024)}, {}, "write units", 1),
        ("PutItem", {"TableName": "t", "Item": item(1025)}, {}, "write units", 2),
        ("DeleteItem", {"TableName": "t", "Key": {"id": {"S": "1"}}}, {}, "write units", 1),
        (
            "UpdateItem",
            {
                "TableName": "arn:aws:dynamodb:us-east-1:1:table/t",
                "Key": {"id": {"S": "1"}},
                "ExpressionAttributeValues": {":x": {"S": "a" * 2000}},
            },
            {},
            "write units",
            2,
        ),
        (
            "UpdateItem",
            {"TableName": "t", "Key": {"id": {"S": "1"}}},
            {"Attributes": item(3000)},
            "write units",
            3,
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"t": [{"PutRequest": {"Item": item(1500)}}] * 3}},
            {},
            "write units",
            6,
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "t", "Item": item(100)}}] * 2},
            {},
            "write units",
            4,
        ),
        ("GetItem", {"TableName": "t"}, {"Item": item(4097)}, "read units", 1),
        ("GetItem", {"TableName": "t", "ConsistentRead": True}, {}, "read units", 1),
        ("GetItem", {"TableName": "t"}, {}, "read units", 0.5),
        (
            "Query",
            {"TableName": "t"},
            {"Items": [item(2000)] * 4, "Count": 4, "ScannedCount": 8},
            "read units",
            2,
        ),
    ],
)
def test_capacity_units_are_those_that_dynamodb_takes(
    operation: str, asked: Any, answer: Any, unit: str, amount: float
) -> None:
    """1 KB a write, 4 KB a read, half if eventually consistent, twice in a transaction; a filter's
    leavings are read too.
    """
    use = ServiceUse()
    dynamodb(use, operation, asked, answer)
    assert told(use) == {("t", unit): amount}


def test_an_index_is_read_as_itself_and_writes_tell_which_attributes_they_have() -> None:
    """So that an index takes only the writes that have its keys."""
    use = ServiceUse()
    dynamodb(use, "Query", {"TableName": "t", "IndexName": "by-day"}, {"Items": [], "Count": 0})
    dynamodb(use, "PutItem", {"TableName": "t", "Item": {**item(10), "day": {"S": "m"}}})
    dynamodb(use, "PutItem", {"TableName": "t", "Item": item(10)})
    rows: Any = use.to_json()["used"]
    counted = {(row[1], row[2]): row[3] for row in rows}
    assert counted["t/index/by-day", "read units"] == 0.5
    assert counted["t", "write units with day"] == 1
    assert counted["t", "write units"] == 2


def test_refusals_are_throttles_and_use_nothing() -> None:
    """A throttle of the whole call, items that a batch left over, and records of a stream; another
    error is neither.
    """
    use = ServiceUse()
    put = {"TableName": "t", "Item": item(10)}
    slow = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}
    dynamodb(use, "PutItem", put, slow, 400)
    dynamodb(use, "PutItem", put, {"__type": "ValidationException"}, 400)
    writes = [{"PutRequest": {"Item": item(10 + n)}} for n in range(3)]
    batch = {"RequestItems": {"t": writes}}
    dynamodb(use, "BatchWriteItem", batch, {"UnprocessedItems": {"t": writes[1:]}})
    assert told(use) == {("t", "write units"): 1}
    assert told(use, "throttled") == {("t",): 3}
    data = base64.b64encode(b"x" * 100).decode()
    records = {"StreamName": "s", "Records": [{"Data": data, "PartitionKey": "key"}] * 3}
    answer = {"Records": [{}, {"ErrorCode": "ProvisionedThroughputExceededException"}, {}]}
    headers = {"x-amz-target": "Kinesis_20131202.PutRecords"}
    request = ("POST", "/", headers, json.dumps(records).encode())
    use.note("kinesis", request, 200, json.dumps(answer).encode())
    assert told(use)["s", "records"] == 2
    assert told(use)["s", "bytes"] == 206
    assert told(use, "throttled")["s",] == 1


def test_data_that_is_no_base64_and_deep_nesting() -> None:
    """Data that isn't base64 counts as it is; a body nested too deeply counts nothing."""
    use = ServiceUse()
    headers = {"x-amz-target": "Kinesis_20131202.PutRecord"}
    record = {"StreamName": "s", "Data": "é", "PartitionKey": "key"}
    use.note("kinesis", ("POST", "/", headers, json.dumps(record).encode()), 200, b"{}")
    assert told(use) == {("s", "records"): 1, ("s", "bytes"): 5}
    use.note("kinesis", ("POST", "/", headers, b"[" * 100_000), 200, b"{}")
    assert told(use)["s", "records"] == 1


def test_queues_topics_buckets_and_functions_are_counted_by_name() -> None:
    """JSON and form alike; a missing object is a request; what isn't a send isn't counted."""
    use = ServiceUse()
    batch = {"QueueUrl": "http://127.0.0.1:1/123456789012/mails", "Entries": [{}, {}, {}]}
    for operation, asked in (("SendMessageBatch", batch), ("ReceiveMessage", batch)):
        headers = {"x-amz-target": f"AmazonSQS.{operation}"}
        use.note("sqs", ("POST", "/", headers, json.dumps(asked).encode()), 200, b"{}")
    arn = "arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Anews"
    form = f"Action=PublishBatch&TopicArn={arn}" + "".join(
        f"&PublishBatchRequestEntries.member.{n}.{part}=x"
        for n in (1, 2)
        for part in ("Id", "Message")
    )
    use.note("sns", ("POST", "/", {}, form.encode()), 200, b"")
    use.note("s3", ("GET", "/photos/a%20b", {}, b""), 404, b"")
    use.note("s3", ("PUT", "/photos/c", {}, b""), 200, b"")
    use.note("s3", ("PUT", "/photos/c", {}, b""), 503, b"<Code>SlowDown</Code>")
    use.note_invocation("arn:aws:lambda:us-east-1:123456789012:function:mailer:live", 202)
    use.note_invocation("mailer", 429)
    assert told(use) == {
        ("mails", "send calls"): 1,
        ("mails", "messages"): 3,
        ("news", "publishes"): 2,
        ("photos", "reads"): 1,
        ("photos", "writes"): 1,
        ("mailer", "invocations"): 1,
    }
    assert told(use, "throttled") == {("photos",): 1, ("mailer",): 1}


def test_an_items_size_is_that_of_names_and_values() -> None:
    """By the developer guide: text in UTF-8, a byte for two digits and one more, 3 for a list or
    map and 1 for each element.
    """
    assert item_bytes({"id": {"S": "ä"}}) == 4
    assert item_bytes({"n": {"N": "1234.5"}}) == 1 + 4
    assert item_bytes({"b": {"B": base64.b64encode(b"abc").decode()}}) == 4
    assert item_bytes({"l": {"L": [{"BOOL": True}, {"N": "5"}]}}) == 1 + 3 + 2 + 3
    assert item_bytes({"m": {"M": {"ab": {"NULL": True}}}}) == 1 + 3 + 1 + 3
    assert item_bytes({"s": {"SS": ["a", "bc"]}, "e": {"NS": []}}) == 1 + 3 + 1


@given(st.binary(max_size=200), st.sampled_from(["dynamodb", "kinesis", "sqs", "sns", "s3"]))
def test_what_cannot_be_read_is_left_out(body: bytes, service: str) -> None:
    """A handler may send anything: its call goes on."""
    use = ServiceUse()
    headers = {"x-amz-target": "DynamoDB_20120810.PutItem"}
    use.note(service, ("POST", "/", headers, body), 200, body)
    assert told(use) == {}
