"""moto behind the same port: services for handlers, and logs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import signal
import socket
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import ROLE, code_of, make_client, make_zip
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.execution.invocation_log import LogEvent
from tuner.logs import parse_report

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(7.0, time_scale=0)
    with LocalLambda([FunctionDefinition("hello")], executor=executor, update_s=0.0) as made:
        executor.on_log = made.keep_log
        yield made


@pytest.fixture
def client_of(server: LocalLambda) -> Iterator[Any]:
    made: list[Any] = []

    def make(service: str) -> Any:
        made.append(make_client(server, service))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_objects_come_back_as_they_went(client_of: Any) -> None:
    """S3 takes small and large objects, metadata and keys of any kind, and gives them back."""
    s3 = client_of("s3")
    s3.create_bucket(Bucket="bucket")
    large = bytes(range(256)) * 20_000
    for key, body in (("small", b"x"), ("empty", b""), ("a key/with ü + spaces", large)):
        s3.put_object(Bucket="bucket", Key=key, Body=body, Metadata={"kind": "test"})
        got = s3.get_object(Bucket="bucket", Key=key)
        assert got["Body"].read() == body
        assert got["Metadata"] == {"kind": "test"}
        assert s3.head_object(Bucket="bucket", Key=key)["ContentLength"] == len(body)
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 3
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="bucket", Key="absent")


def test_bytes_that_are_no_ascii_are_passed_on(server: LocalLambda, client_of: Any) -> None:
    """A key in UTF-8 that nobody has escaped is found; a header that can't be sent is refused."""
    s3 = client_of("s3")
    s3.create_bucket(Bucket="raw")
    s3.put_object(Bucket="raw", Key="ü", Body=b"found")
    for more, status in ((b"", b"200"), (b"X-Odd: a\rb\r\n", b"400")):
        with socket.create_connection(("127.0.0.1", server._server.port), timeout=10) as raw:
            head = "GET /raw/ü HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            scope = "Credential=local/20260101/us-east-1/s3/aws4_request"
            signed = f"Authorization: AWS4-HMAC-SHA256 {scope}\r\n"
            raw.sendall((head + signed).encode() + more + b"\r\n")
            assert raw.recv(65536).split()[1] == status


def test_a_presigned_address_works(client_of: Any) -> None:
    """A URL that is signed in its query reaches S3 without any header."""
    s3 = client_of("s3")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="2015-03-31/functions", Body=b"no function")
    address = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned", "Key": "2015-03-31/functions"}
    )
    with urllib.request.urlopen(address) as reply:
        assert reply.read() == b"no function"


def test_queues_and_tables(server: LocalLambda, client_of: Any) -> None:
    """SQS names queues by this endpoint, DynamoDB keeps items, and STS knows the account."""
    sqs = client_of("sqs")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    assert queue.startswith(server.endpoint_url)
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "hello"
    dynamodb = client_of("dynamodb")
    dynamodb.create_table(
        TableName="table", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName="table", Item={"id": {"S": "1"}})
    assert dynamodb.scan(TableName="table")["Count"] == 1
    assert client_of("sts").get_caller_identity()["Account"] == "123456789012"


def test_lambda_is_never_moto_s(client_of: Any) -> None:
    """Requests of Lambda stay here: what moto would allow is refused."""
    client = client_of("lambda")
    with pytest.raises(ClientError):
        client.update_function_configuration(FunctionName="hello", MemorySize=20000)


def test_logs_are_where_cloudwatch_has_them(client_of: Any) -> None:
    """An invocation's log is in /aws/lambda/NAME, in order, with the same REPORT line."""
    reply = client_of("lambda").invoke(FunctionName="hello")
    request_id = reply["ResponseMetadata"]["RequestId"]
    logs = client_of("logs")
    events: list[dict[str, Any]] = []
    for _ in range(200):  # they come by a pipe, after the reply
        try:
            found = logs.filter_log_events(logGroupName="/aws/lambda/hello")["events"]
        except logs.exceptions.ResourceNotFoundException:
            continue
        events = [event for event in found if request_id in event["message"]]
        if len(events) == 3:
            break
    assert [event["message"].split()[0] for event in events] == ["START", "END", "REPORT"]
    assert parse_report(events[-1]["message"]).duration_ms == 7.0


def test_a_clock_that_is_set_back_ends_no_service(server: LocalLambda, client_of: Any) -> None:
    """Lines of one invocation may be stamped in another order than they came in."""
    now_ms = time.time_ns() // 1_000_000
    server.keep_log("/back", "stream", [LogEvent(now_ms + 1000, "first"), LogEvent(now_ms, "then")])
    logs, found = client_of("logs"), []
    for _ in range(50):
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            found = logs.filter_log_events(logGroupName="/back")["events"]
        if found:
            break
        time.sleep(0.1)
    assert [event["message"] for event in found] == ["then", "first"]


def test_dead_services_are_told_of() -> None:
    """If moto's process dies, its services answer 502 and Lambda goes on."""
    with LocalLambda([FunctionDefinition("hello")], executor=ScriptedExecutor(0.0)) as server:
        assert server._services is not None
        os.kill(server._services._process.pid, signal.SIGKILL)
        s3, client = make_client(server, "s3"), make_client(server)
        with pytest.raises(ClientError, match="502"):
            s3.list_buckets()
        assert client.invoke(FunctionName="hello")["StatusCode"] == 200
        server.keep_log("group", "stream", [])
        s3.close()
        client.close()


def test_code_is_read_from_the_endpoints_own_s3(client_of: Any) -> None:
    """Functions and layers may name a bucket, a key of any kind and a version."""
    s3, client = client_of("s3"), client_of("lambda")
    s3.create_bucket(Bucket="packages")
    s3.put_bucket_versioning(Bucket="packages", VersioningConfiguration={"Status": "Enabled"})
    key, first, second = "a folder/ü+.zip", make_zip("x = 1"), make_zip("x = 2")
    version = s3.put_object(Bucket="packages", Key=key, Body=first)["VersionId"]
    s3.put_object(Bucket="packages", Key=key, Body=second)
    where = {"S3Bucket": "packages", "S3Key": key}
    made = client.create_function(
        FunctionName="from-s3", Runtime="python3.11", Handler="handler.handler", Role=ROLE,
        Code={**where, "S3ObjectVersion": version},
    )  # fmt: skip
    assert made["CodeSha256"] == sha256_of(first)
    changed = client.update_function_code(FunctionName="from-s3", **where)
    assert changed["CodeSha256"] == sha256_of(second)
    layer = client.publish_layer_version(LayerName="from-s3", Content=where)
    assert layer["Content"]["CodeSha256"] == sha256_of(second)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"S3Bucket": "nowhere-at-all", "S3Key": "k"}, "GetObject. S3 Error Code: NoSuchBucket"),
        ({"S3Bucket": "packages", "S3Key": "none"}, "GetObject. S3 Error Code: NoSuchKey"),
        ({"S3Bucket": "packages", "S3Key": "text"}, "Could not unzip uploaded file"),
        ({"S3Bucket": "packages"}, "both S3Bucket and S3Key"),
    ],
)
def test_code_that_s3_does_not_have(client_of: Any, where: dict[str, str], words: str) -> None:
    """What is missing in S3 is told in Lambda's words, with S3's own code."""
    s3, client = client_of("s3"), client_of("lambda")
    s3.create_bucket(Bucket="packages")
    s3.put_object(Bucket="packages", Key="text", Body=b"no zip")
    with pytest.raises(ClientError, match=words) as refused:
        client.update_function_code(FunctionName="hello", **where)
    assert code_of(refused) == "InvalidParameterValueException"


def test_without_emulated_services_code_from_s3_is_refused() -> None:
    """An endpoint for Lambda alone says that it has no S3."""
    with LocalLambda(
        [FunctionDefinition("hello")], executor=ScriptedExecutor(1.0), emulated_services=False
    ) as server:
        client = make_client(server)
        with pytest.raises(ClientError, match="started without S3: send the package as ZipFile"):
            client.update_function_code(FunctionName="hello", S3Bucket="packages", S3Key="k")
        client.close()


def sha256_of(package: bytes) -> str:
    return base64.b64encode(hashlib.sha256(package).digest()).decode()
