"""Replies that AWS gave to others, through botocore's parser and the gateway.

The recordings are no part of the project: `TUNER_RECORDED_REPLIES` names their folder.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Reply, WireServer, refusal
from tuner.errors import FunctionNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.gateway import LambdaGateway

FOLDER = os.environ.get("TUNER_RECORDED_REPLIES")
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="TUNER_RECORDED_REPLIES names no folder of recordings"
)
_HIDDEN_NUMBERS = ("<code-size>", "<bytes>")
NONE = refusal(404, "ResourceNotFoundException", "The resource you requested does not exist.")


def recorded() -> list[tuple[str, int, dict[str, Any]]]:
    """Every reply of Lambda: its operation, its status, and its members."""
    replies = json.loads((Path(FOLDER or "") / "replies_custodian.json").read_text())
    found = [
        (name.split("/lambda.")[1].rsplit("_", 1)[0], each["status_code"], each["data"])
        for name, each in replies.items()
        if "/lambda." in name
    ]
    return [*found, *_of_scenarios()]


def _of_scenarios() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The replies of scenarios whose members tell the operation."""
    for name in ("lambda_api", "lambda_invoke", "lambda_common"):
        scenarios = json.loads((Path(FOLDER or "") / f"{name}.json").read_text())
        for scenario in scenarios.values():
            for reply in scenario["recorded-content"].values():
                if not isinstance(reply, dict):
                    continue
                if isinstance(reply.get("Configuration"), dict):
                    yield "GetFunction", 200, reply
                elif "AliasArn" in reply:
                    yield "GetAlias", 200, reply
                elif isinstance(reply.get("Policy"), dict) and "RevisionId" in reply:
                    yield "GetPolicy", 200, {**reply, "Policy": json.dumps(reply["Policy"])}


def on_the_wire(value: Any) -> Any:
    """Write what the SDK returned as AWS had sent it."""
    if isinstance(value, dict) and value.get("__class__") == "datetime":
        parts = {key: part for key, part in value.items() if key != "__class__"}
        return datetime(**parts, tzinfo=UTC).timestamp()
    if isinstance(value, dict):
        return {k: on_the_wire(each) for k, each in value.items() if k != "ResponseMetadata"}
    if value in _HIDDEN_NUMBERS:
        return 1
    return [on_the_wire(each) for each in value] if isinstance(value, list) else value


def of(operation: str, status: int = 200) -> list[dict[str, Any]]:
    found = [data for name, code, data in recorded() if (name, code) == (operation, status)]
    assert found
    return [on_the_wire(data) for data in found]


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
        wire.say(refusal(404, data["Error"]["Code"], data["Error"]["Message"]))
        with pytest.raises(FunctionNotFoundError):
            gateway.read_function("any")
    for data in of("GetPolicy", 404):
        wire.say(refusal(404, data["Error"]["Code"], data["Error"]["Message"]))
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
        statements = json.loads(data["Policy"])["Statement"]
        named = [
            f"{principal['Service'].removesuffix('.amazonaws.com')} (resource policy)"
            if isinstance(principal := statement["Principal"], dict) and "Service" in principal
            else "its resource policy"
            for statement in statements
        ]
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
