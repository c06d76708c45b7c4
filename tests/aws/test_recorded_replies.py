"""Replies that AWS gave to others, through botocore's parser and the gateway.

Which of them are read, and by which call of the tool, is in `test_recorded_calls.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.recorded import NONE, needs_recordings, of, of_scenarios, refused
from tests.aws.wire import Reply, WireServer
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    FunctionNotFoundError,
    LostReplyError,
    ThrottledError,
)

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway

pytestmark = needs_recordings


def check_configuration(read: Any, raw: dict[str, Any]) -> None:
    assert (read.name, read.memory_mb, read.timeout_s) == (
        raw["FunctionName"],
        raw["MemorySize"],
        raw["Timeout"],
    )
    assert read.arn == raw["FunctionArn"]
    assert read.architecture == raw.get("Architectures", ["x86_64"])[0]
    assert read.ephemeral_storage_mb == raw.get("EphemeralStorage", {"Size": 512})["Size"]
    assert read.runtime == raw.get("Runtime")
    assert read.version == raw["Version"]
    assert read.revision_id == raw.get("RevisionId")
    assert {name for name, _ in read.settings} <= {*raw}


def test_every_configuration_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """Functions of ten years, of both package types: what is there is read, else the default."""
    configurations = [data["Configuration"] for data in of("GetFunction")]
    configurations += of("GetFunctionConfiguration")
    configurations += [each for data in of("ListFunctions") for each in data["Functions"]]
    for raw in configurations:
        wire.say(Reply(body={"Configuration": raw, "Code": {}}))
        check_configuration(gateway.read_function("any"), raw)
    for data in of("ListVersionsByFunction"):
        wire.say(Reply(body={**data, "NextMarker": None}))
        published = [each for each in data["Versions"] if each["Version"] != "$LATEST"]
        for read, raw in zip(gateway.list_versions("any"), published, strict=True):
            check_configuration(read, raw)


def test_every_change_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """What AWS answered to an update of the settings is read like what it answered to a read."""
    for raw in of("UpdateFunctionConfiguration"):
        through = {**raw, "LastUpdateStatus": "Successful"}
        wire.say(Reply(body=raw), Reply(body={"Configuration": through}))
        check_configuration(gateway.update_memory("any", raw["MemorySize"], None), raw)


def test_what_is_not_there_is_not_found(wire: WireServer, gateway: LambdaGateway) -> None:
    """Every recorded 404 is a function, or a policy, that is not there, whatever its words."""
    for data in of("GetFunction", 404):
        wire.say(refused(data, 404))
        with pytest.raises(FunctionNotFoundError):
            gateway.read_function("any")
    for data in of("GetPolicy", 404):
        wire.say(refused(data, 404))
        assert gateway.live_traffic("any").sources == ()


def test_aliases_are_read_with_all_versions(wire: WireServer, gateway: LambdaGateway) -> None:
    """Every alias has the version it points at, then those that share its traffic."""
    pages = [*of("ListAliases"), *({"Aliases": [each]} for each in of("GetAlias"))]
    for page in pages:
        wire.say(Reply(body=page))
        for read, raw in zip(gateway.list_aliases("any"), page["Aliases"], strict=True):
            weighted = (raw.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            assert (read.name, read.versions) == (raw["Name"], (raw["FunctionVersion"], *weighted))


def traffic(
    wire: WireServer, gateway: LambdaGateway, path: str, body: dict[str, Any]
) -> tuple[str, ...]:
    """What reaches a function of which one reply alone says anything."""
    wire.answer = lambda asked: Reply(body=body) if path in asked.path else NONE
    return gateway.live_traffic("any").sources


def test_policies_name_their_services(wire: WireServer, gateway: LambdaGateway) -> None:
    """Each statement's principal is somebody who may call: a service by its name."""
    for data in of("GetPolicy"):
        principals = [each["Principal"] for each in json.loads(data["Policy"])["Statement"]]
        named = []
        for each in principals:
            service = each.get("Service") if isinstance(each, dict) else None
            short = service and service.split(".amazonaws.com")[0].split(".us-east-1")[0]
            named.append(f"{short} (resource policy)" if short else "its resource policy")
        assert traffic(wire, gateway, "/policy", data) == tuple(dict.fromkeys(named))


def test_event_sources_are_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """Batches and services of every mapping; one that is disabled sends nothing."""
    for data in of("ListEventSourceMappings"):
        mappings = data["EventSourceMappings"]
        on = [each for each in mappings if each["State"] != "Disabled"]
        services = {each["EventSourceArn"].split(":")[2] for each in on}
        found = traffic(wire, gateway, "/event-source-mappings", data)
        assert {*found} == {f"an event source ({service})" for service in services}
        wire.say(Reply(body=data))
        assert {*gateway.batch_sizes("any")} == {each["BatchSize"] for each in mappings}


def test_a_function_url_and_tags_are_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """A function URL is traffic; tags are as they are, also none."""
    for data in of("GetFunctionUrlConfig"):
        assert traffic(wire, gateway, "/url", data) == ("a function URL",)
    for data in of("ListTags"):
        wire.say(Reply(body=data))
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:any"
        assert dict(gateway.read_tags(arn)) == data["Tags"]


ERRORS = {
    "AccessDeniedException": AccessDeniedError,
    "PreconditionFailedException": ConflictError,
    "ResourceConflictException": ConflictError,
    "ResourceNotFoundException": FunctionNotFoundError,
    "TooManyRequestsException": ThrottledError,
}


def test_every_error_is_told_in_one_line(wire: WireServer, gateway: LambdaGateway) -> None:
    """Each refusal that was recorded is an error of its kind, after which nothing has run."""
    errors = [reply for reply in of_scenarios() if "Error" in reply]
    assert len(errors) > 300
    for reply in errors:
        error, status = reply["Error"], reply["ResponseMetadata"]["HTTPStatusCode"]
        body = {key: reply[key] for key in ("Type", "message", "Message", "Reason") if key in reply}
        headers = {"x-amzn-ErrorType": error["Code"]}
        wire.say(Reply(status, {"message": error.get("Message", ""), **body}, headers))
        with pytest.raises(ERRORS.get(error["Code"], AwsError)) as caught:
            gateway.invoke("any", "1", b"{}", timeout_s=3)
        assert not isinstance(caught.value, LostReplyError)
        assert "\n" not in str(caught.value)
        if isinstance(caught.value, ThrottledError):
            assert caught.value.reason == reply["Reason"]


def test_every_invocation_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """Payload, version, and the handler's error are what was recorded."""
    invocations = [reply for reply in of_scenarios() if "ExecutedVersion" in reply]
    assert len(invocations) > 100
    for reply in invocations:
        payload = reply["Payload"]
        text = payload if isinstance(payload, str) else json.dumps(payload)
        headers = {"X-Amz-Executed-Version": reply["ExecutedVersion"]}
        if reply.get("FunctionError"):
            headers["X-Amz-Function-Error"] = reply["FunctionError"]
        wire.say(Reply(reply["StatusCode"], text.encode(), headers))
        read = gateway.invoke("any", "1", b"{}", timeout_s=3)
        assert read.payload.decode() == text
        assert read.executed_version == reply["ExecutedVersion"]
        assert read.function_error == reply.get("FunctionError")
        assert read.status_code == reply["StatusCode"]
