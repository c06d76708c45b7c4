"""Copies over the wire: what they are allowed, what they take along, what they refuse."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.agreement import REQUEST_ID, check_agreement
from tests.aws.wire import Received, Reply, WireServer, refusal
from tests.scripted_executor import ScriptedExecutor
from tuner.aws.function_code import MAX_ZIPPED_BYTES
from tuner.aws.temporary_copy import copied_settings
from tuner.errors import AwsError, ConflictError
from tuner.lease.clone import LiveTraffic
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.gateway import LambdaGateway

COPY = "lambda-tuner-20260101-000000-abcdef"
PACKAGE = b"a package"
RUNTIME = {
    "RuntimeArn": "arn:aws:lambda:eu-west-1:123456789012:runtime/own",
    "RuntimeAlias": "live",
}
RAW: dict[str, Any] = {
    "FunctionName": "resize",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:resize",
    "MemorySize": 512,
    "Timeout": 3,
    "Role": "arn:aws:iam::123456789012:role/resize",
    "Runtime": "python3.13",
    "Handler": "handler.handler",
    "CodeSha256": base64.b64encode(hashlib.sha256(PACKAGE).digest()).decode(),
    "State": "Active",
    "LastUpdateStatus": "Successful",
}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    with LocalLambda(
        [FunctionDefinition("resize", memory_mb=1024)],
        region="eu-west-1",
        executor=ScriptedExecutor(5.0, time_scale=0.0),
        emulated_services=False,
        update_s=0.0,
    ) as local:
        yield local


def use_a_copy(gateway: LambdaGateway) -> None:
    """All that a sweep in a copy calls."""
    gateway.account_settings()
    assert gateway.side_effects("resize") == ()
    assert gateway.reserved_concurrency("resize") is None
    gateway.recent_duration_ms("resize")
    code = gateway.read_function("resize").code_sha256
    gateway.create_copy("resize", COPY, "a copy", {"a": "b"})
    gateway.list_copies("resize")
    gateway.list_versions(COPY)
    latest = gateway.update_memory(COPY, 512, None)
    version = gateway.publish_version(COPY, "by tuner", code, latest.revision_id).version
    gateway.invoke(COPY, version, b"{}", timeout_s=3)
    gateway.find_log(COPY, REQUEST_ID)
    gateway.delete_copy(COPY, "a copy")
    gateway.delete_logs_of_copy(COPY)


def test_policy_and_gateway_agree_on_a_copy(server: LocalLambda) -> None:
    """A sweep in a copy may change functions named lambda-tuner-* and nothing else."""
    check_agreement(server.endpoint_url, "resize", "clone", use_a_copy)


def test_policy_and_gateway_agree_on_auto(server: LocalLambda) -> None:
    """Auto may look for what reaches the function, and then do either."""

    def use(gateway: LambdaGateway) -> None:
        assert gateway.live_traffic("resize") == LiveTraffic()
        use_a_copy(gateway)
        before = gateway.read_function("resize")
        gateway.find_log("resize", REQUEST_ID)
        gateway.list_versions("resize")
        gateway.list_aliases("resize")
        version = gateway.publish_version("resize", "by tuner", before.code_sha256, None).version
        gateway.update_memory("resize", before.memory_mb, None)
        gateway.delete_version("resize", version)
        gateway.set_tag(before.arn, "by", "tuner")
        assert gateway.read_tags(before.arn) == {"by": "tuner"}
        gateway.remove_tag(before.arn, "by")

    check_agreement(server.endpoint_url, "resize", "auto", use)


def test_settings_are_taken_along_in_the_words_of_create_function() -> None:
    """Layers become ARNs, an image's settings lose their wrapping, own logs and queues stay out."""
    settings = copied_settings(
        RAW
        | {
            "Layers": [{"Arn": "arn:layer:1", "CodeSize": 3}],
            "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"},
            "ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"]}},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/resize"},
            "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""},
            "DeadLetterConfig": {"TargetArn": "arn:queue"},
            "Environment": {"Variables": {"A": "b"}},
            "RuntimeConfig": RUNTIME,
        }
    )
    assert settings == {
        "Role": RAW["Role"],
        "Runtime": "python3.13",
        "Handler": "handler.handler",
        "MemorySize": 512,
        "Timeout": 3,
        "Layers": ["arn:layer:1"],
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "ImageConfig": {"Command": ["app.handler"]},
        "LoggingConfig": {"LogFormat": "Text"},
        "Environment": {"Variables": {"A": "b"}},
        "RuntimeConfig": RUNTIME,
    }


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}}, "the environment of"),
        ({"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}, "TenancyConfig"),
        ({"AcceleratorConfig": {"AcceleratorMemorySize": 1}}, "AcceleratorConfig"),
        ({"SomethingNew": {"Mode": "On"}}, "SomethingNew"),
        ({"VpcConfig": {"SubnetIds": ["a"], "Something": "new"}}, "VpcConfig.Something"),
    ],
)
def test_what_cannot_be_copied_is_refused(more: dict[str, Any], named: str) -> None:
    """A copy that lacks something would measure something else: it and the flag are named."""
    with pytest.raises(AwsError, match=f"{named}.*`isolation=version`"):
        copied_settings(RAW | more)


@pytest.mark.parametrize(
    ("name", "had", "has"),
    [
        ("RuntimeConfig", RUNTIME, {}),
        ("RuntimeConfig", {}, RUNTIME),
        ("DurableConfig", {}, {"RetentionPeriodInDays": 1}),
    ],
)
def test_a_copy_that_came_out_otherwise_is_not_measured(
    wire: WireServer, gateway: LambdaGateway, name: str, had: object, has: object
) -> None:
    """Everything that Lambda tells of a copy is compared, whether or not it can be copied."""

    def answer(request: Received) -> Reply:
        if request.path.startswith("/package"):
            return Reply(body=PACKAGE)
        raw = RAW | {name: has if COPY in request.path else had}
        place = {"Location": f"{wire.url}/package"}
        return Reply(body={"Configuration": raw, "Code": place})

    wire.answer = answer
    with pytest.raises(ConflictError, match=f"differs from resize in {name}.*`isolation=version`"):
        gateway.create_copy("resize", COPY, "a copy", {})


def answering(wire: WireServer, package: Reply, **code: Any) -> Callable[[Received], Reply]:
    """The function `resize`, and its copy once it was created."""
    created: dict[str, Any] = {}
    place = {"Location": f"{wire.url}/package?signature=s3cret", **code}

    def answer(request: Received) -> Reply:
        if request.path.startswith("/package"):
            return package
        if request.method == "POST":
            if created:
                return refusal(409, "ResourceConflictException", "Function already exist")
            created.update(RAW, **{k: v for k, v in request.json.items() if k != "Code"})
            return refusal(500, "ServiceException", "the answer is lost")
        if COPY in request.path:
            return Reply(body={"Configuration": created}) if created else NOT_FOUND
        return Reply(body={"Configuration": RAW | code.get("raw", {}), "Code": place})

    return answer


NOT_FOUND = refusal(404, "ResourceNotFoundException", "no such function")


def test_a_copy_whose_making_was_not_answered_is_taken(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """The SDK's second try finds the function there, and its Description tells it is ours."""
    wire.answer = answering(wire, Reply(body=PACKAGE))
    made = gateway.create_copy("resize", COPY, "a copy", {})
    assert (made.name, made.memory_mb, made.description) == (COPY, 512, "a copy")
    [first, _second] = [r for r in wire.received if r.method == "POST"]
    assert base64.b64decode(first.json["Code"]["ZipFile"]) == PACKAGE


def test_an_image_is_named_not_fetched(wire: WireServer, gateway: LambdaGateway) -> None:
    """The copy runs the very digest that the function runs."""
    image = {"PackageType": "Image", "CodeSha256": "f" * 64}
    wire.answer = answering(wire, NOT_FOUND, ResolvedImageUri="repo@sha256:1", raw=image)
    gateway.create_copy("resize", COPY, "a copy", {})
    created = next(r for r in wire.received if r.method == "POST")
    assert created.json["Code"] == {"ImageUri": "repo@sha256:1"}
    assert not any(r.path.startswith("/package") for r in wire.received)


@pytest.mark.parametrize(
    ("package", "error", "said"),
    [
        (Reply(body=b"another package"), ConflictError, "changed while"),
        (refusal(403, "AccessDenied", "expired"), AwsError, "status 403"),
        (Reply(body=PACKAGE, cut=3), AwsError, "could not be fetched"),
        (Reply(body=bytes(MAX_ZIPPED_BYTES + 1)), AwsError, "over 50 MB"),
    ],
)
def test_code_that_cannot_be_fetched_makes_no_copy(
    wire: WireServer, gateway: LambdaGateway, package: Reply, error: type[Exception], said: str
) -> None:
    """Nothing is created, and the presigned link stays out of the message."""
    wire.answer = answering(wire, package)
    with pytest.raises(error, match=said) as raised:
        gateway.create_copy("resize", COPY, "a copy", {})
    assert "s3cret" not in str(raised.value)
    assert not any(r.method == "POST" for r in wire.received)


def test_side_effects_are_told_from_settings(wire: WireServer, gateway: LambdaGateway) -> None:
    """Event sources, a dead-letter queue, destinations and retries; services only, no account."""

    def answer(request: Received) -> Reply:
        if "event-source-mappings" in request.path:
            orders = {"EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders"}
            off = {
                "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:a",
                "State": "Disabled",
            }
            return Reply(body={"EventSourceMappings": [orders, off]})
        if "event-invoke-config" in request.path:
            arn = "arn:aws:sns:eu-west-1:123456789012:done"
            config = {"OnSuccess": {"Destination": arn}, "OnFailure": {}}
            return Reply(body={"DestinationConfig": config, "MaximumRetryAttempts": 2})
        queue = {"TargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead"}
        return Reply(body={"Configuration": RAW | {"DeadLetterConfig": queue}})

    wire.answer = answer
    assert gateway.side_effects("resize") == (
        "it is fed by sqs",
        "its failed events are kept (sqs)",
        "its results go on to sns",
        "its asynchronous events are retried",
    )
    wire.say(refusal(403, "AccessDeniedException", "no"))
    assert gateway.side_effects("resize") == ()
