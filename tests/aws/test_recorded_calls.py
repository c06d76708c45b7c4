"""Every reply that the SDK returned to others: which call of the tool reads it, and what it finds.

What is expected comes from the recorded JSON itself. A reply to a call that the tool doesn't make
counts as read only if a call that it makes answers with the very same object.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.aws.recorded import NONE, needs_recordings, of, of_sdk, on_the_wire, refused
from tests.aws.wire import Received, Reply, WireServer
from tuner.aws.changing_policy import least_rollout_policy
from tuner.aws.function_list import list_functions
from tuner.aws.iam_policy import least_policy
from tuner.aws.reading_policy import least_reading_policy
from tuner.aws.services import Services
from tuner.errors import AccessDeniedError, AwsError, ConflictError, FunctionNotFoundError
from tuner.model.function import Build, WantedCopy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.gateway import LambdaGateway
    from tuner.aws.session import Session

pytestmark = needs_recordings
COPY: Final = "lambda-tuner-1-aaaa"
# The call of the tool that reads a recorded reply: the same one, or one with the same object in it.
READ_BY: Final = {
    "AddPermission": "GetPolicy",
    "CreateAlias": "ListAliases",
    "CreateFunction": "CreateFunction",
    "DeleteEventSourceMapping": "ListEventSourceMappings",
    "DeleteFunction": "DeleteFunction",
    "GetAlias": "GetAlias",
    "GetEventSourceMapping": "ListEventSourceMappings",
    "GetFunction": "GetFunction",
    "GetFunctionConfiguration": "GetFunction",
    "GetFunctionUrlConfig": "GetFunctionUrlConfig",
    "GetPolicy": "GetPolicy",
    "Invoke": "Invoke",
    "ListAliases": "ListAliases",
    "ListEventSourceMappings": "ListEventSourceMappings",
    "ListFunctions": "ListFunctions",
    "ListTags": "ListTags",
    "ListVersionsByFunction": "ListVersionsByFunction",
    "PutFunctionConcurrency": "GetFunctionConcurrency",
    "UpdateAlias": "UpdateAlias",
    "UpdateEventSourceMapping": "ListEventSourceMappings",
    "UpdateFunctionCode": "GetFunction",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration",
}
REFUSED_LIKE: Final = {
    ("DeleteFunction", 404): "DeleteFunction",
    ("GetAlias", 404): "GetAlias",
    ("GetFunction", 404): "GetFunction",
    ("GetPolicy", 404): "GetPolicy",
    ("RemovePermission", 404): "GetPolicy",
}
NOT_MADE: Final = {
    "AddPermission": "it gives nobody permission",
    "DeleteFunctionConcurrency": "it changes no concurrency",
    "DeleteLayerVersion": "it changes no layer",
    "GetLayerVersion": "a copy names its layers, and reads none",
    "GetLayerVersionPolicy": "a copy names its layers, and reads none",
    "ListLayerVersions": "a copy names its layers, and reads none",
    "ListLayers": "a copy names its layers, and reads none",
    "ListRecommendations": "advice is Compute Optimizer's own, which Cost Optimization Hub repeats",
    "RemoveLayerVersionPermission": "it changes no layer",
    "RemovePermission": "it takes nobody's permission",
}
"""Operations of which a reply is not read, and why the tool has no such call."""


def how(operation: str, status: int) -> tuple[str, str]:
    """Whether a reply is read, refused, or of a call that isn't made; by what, or why not."""
    if (operation, status) in REFUSED_LIKE:
        return "refused", REFUSED_LIKE[operation, status]
    if status < 300 and operation in READ_BY:
        by = READ_BY[operation]
        return "read" if by == operation else "read within", by
    assert operation in NOT_MADE, f"nothing is said of {operation} {status}"
    return "not made", NOT_MADE[operation]


def test_every_reply_is_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the recorded replies is read, refused, or of a call that no policy of ours allows."""
    counts = Counter((operation, status) for _, operation, status, _ in of_sdk())
    total = Counter[str]()
    with capsys.disabled():
        print()
        for (operation, status), count in sorted(counts.items()):
            what, why = how(operation, status)
            total[what] += count
            print(f"{operation:30}{status:4}{count:4}  {what:12}{why}")
        print(f"{counts.total()} replies: {dict(total)}")
    policies = [
        least_policy("any"),
        least_rollout_policy("any"),
        *map(least_reading_policy, ("observe", "scan", "spend")),
    ]
    allowed = json.dumps(policies)
    for operation, status in counts:
        if how(operation, status)[0] == "not made":
            assert f":{operation}" not in allowed


@pytest.fixture
def services(wire: WireServer, gateway: LambdaGateway, opened: dict[str, Session]) -> Any:
    with Services(opened[wire.url], purpose="scan", sleep=lambda _: None) as services:
        yield services


def test_replies_of_other_calls_keep_their_shape_too(wire: WireServer, services: Services) -> None:
    """A reply of a call that isn't made gets through the parser as recorded; a refusal is one."""
    for service, operation, status, data in of_sdk():
        if how(operation, status)[0] != "not made":
            continue
        if status >= 300:
            wire.say(refused(data, status))
            denied = data["Error"]["Code"] == "AccessDeniedException"
            wanted = AccessDeniedError if denied else AwsError
            with pytest.raises(wanted) as caught:
                ask(services, service, operation)
            assert not denied or f"lambda:{operation}" in str(caught.value)
            continue
        sent = on_the_wire(data)
        wire.say(Reply(status, sent if status != 204 else b""))
        answer = ask(services, service, operation)
        assert {*answer} - {"ResponseMetadata"} == {*sent}
        texts = {key: each for key, each in sent.items() if isinstance(each, str)}
        assert {key: answer[key] for key in texts} == texts
        for key, each in sent.items():
            if isinstance(each, list):
                assert len(answer[key]) == len(each)


def ask(services: Services, service: str, operation: str) -> dict[str, Any]:
    given: dict[str, Any] = {
        "AddPermission": {"StatementId": "a", "Action": "a", "Principal": "a"},
        "RemovePermission": {"StatementId": "a"},
        "RemoveLayerVersionPermission": {"StatementId": "a"},
    }.get(operation, {})
    if "Layer" in operation and operation != "ListLayers":
        given = {**given, "LayerName": "any"}
        if operation != "ListLayerVersions":
            given["VersionNumber"] = 1
    elif operation not in ("ListLayers", "ListRecommendations"):
        given = {**given, "FunctionName": "any"}
    return services.ask(service, operation, **given)


def test_what_a_copy_was_created_as_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """Functions of ten years are copied with all that CreateFunction said of them."""
    for raw in of("CreateFunction", 201):
        sent: list[dict[str, Any]] = []
        wire.answer = creating(raw, sent)
        read = gateway.create_copy("any", COPY, "a copy", {}, WantedCopy(Build(package=b"zip")))
        made = sent[0]
        assert (read.memory_mb, read.timeout_s) == (raw["MemorySize"], raw["Timeout"])
        assert read.architecture == raw.get("Architectures", ["x86_64"])[0]
        assert read.code_sha256 == raw["CodeSha256"]
        for member in ("Role", "Handler", "Runtime", "MemorySize", "Timeout"):
            assert made[member] == raw[member]
        assert made.get("Layers", []) == [each["Arn"] for each in raw.get("Layers", [])]
        variables = raw.get("Environment", {}).get("Variables") or {}
        assert made.get("Environment", {}).get("Variables", {}) == variables
        assert "VpcConfig" not in made  # none of them is in a network


def creating(raw: dict[str, Any], sent: list[dict[str, Any]]) -> Callable[[Received], Reply]:
    """A function that is copied, and a copy that is first as it was recorded, then active."""
    active = {**raw, "State": "Active", "LastUpdateStatus": "Successful"}
    states = [raw, active]

    def answer(asked: Received) -> Reply:
        if asked.method == "POST":
            sent.append(asked.json)
            return Reply(201, raw)
        if COPY not in asked.path:
            return Reply(body={"Configuration": active, "Code": {}})
        return Reply(body={"Configuration": states.pop(0) if len(states) > 1 else active})

    return answer


def test_versions_are_deleted_whether_they_are_there(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """A version that was deleted, or is not there any more, is gone."""
    for status in (204, 404):
        for data in of("DeleteFunction", status):
            wire.say(Reply(204, b"") if status == 204 else refused(data, 404))
            gateway.delete_version("any", "1")
            assert [each.method for each in wire.received] == ["DELETE"]
            assert wire.received[0].query == {"Qualifier": ["1"]}
            wire.received.clear()


def test_an_alias_is_read_as_it_was_created(wire: WireServer, gateway: LambdaGateway) -> None:
    """An alias of ten years ago, without a RevisionId, is read like one of today."""
    for raw in of("CreateAlias", 201):
        wire.say(Reply(body={"Aliases": [raw]}))
        (read,) = gateway.list_aliases("any")
        assert (read.name, read.versions) == (raw["Name"], (raw["FunctionVersion"],))
    for raw in [*of("GetAlias"), *of("UpdateAlias")]:
        shares = (raw.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        wanted = (raw["Name"], raw["FunctionVersion"], shares, raw.get("RevisionId"))
        wire.say(Reply(body=raw))
        found = gateway.read_alias("any", raw["Name"])
        for routing in (found, gateway.update_alias("any", found)):
            weights = dict(routing.weights)
            assert (routing.alias, routing.version, weights, routing.revision_id) == wanted
    for data in of("GetAlias", 404):
        wire.say(refused(data, 404))
        with pytest.raises(FunctionNotFoundError):
            gateway.read_alias("any", "Dev")


def test_code_that_was_updated_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """What an update of the code answered is what a read of that version says."""
    for raw in of("UpdateFunctionCode"):
        wire.say(Reply(body={"Configuration": raw, "Code": {}}))
        read = gateway.read_function("any", raw["Version"])
        assert (read.name, read.version) == (raw["FunctionName"], raw["Version"])
        assert (read.memory_mb, read.timeout_s) == (raw["MemorySize"], raw["Timeout"])
        assert (read.code_sha256, read.arn) == (raw["CodeSha256"], raw["FunctionArn"])
        assert read.architecture == raw.get("Architectures", ["x86_64"])[0]
        assert read.snap_start == (raw.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions")


def test_permissions_are_read_by_whom_they_name(wire: WireServer, gateway: LambdaGateway) -> None:
    """Each statement that was added is traffic from its principal, with a list of actions too."""
    for data in of("AddPermission", 201):
        statement = json.loads(data["Statement"])
        policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
        wire.answer = lambda asked, policy=policy: (
            Reply(body=policy) if asked.path.endswith("/policy") else NONE
        )
        principal = statement["Principal"]
        service = principal.get("Service") if isinstance(principal, dict) else None
        named = service.replace(".amazonaws.com", "").replace(".us-east-1", "") if service else None
        wanted = f"{named} (resource policy)" if named else "its resource policy"
        assert gateway.live_traffic("any").sources == (wanted,)
    for data in [*of("RemovePermission", 404), *of("GetPolicy", 404)]:
        wire.say(refused(data, 404))
        assert gateway.live_traffic("any").sources == ()
    for data in of("AddPermission", 409):
        wire.say(refused(data, 409))
        with pytest.raises(ConflictError):
            gateway.publish_version("any", "", "", None)


def test_mappings_are_read_in_every_state(wire: WireServer, gateway: LambdaGateway) -> None:
    """A mapping that is being enabled or deleted still sends; one that is disabled does not."""
    mappings = [
        *of("GetEventSourceMapping"),
        *of("UpdateEventSourceMapping", 202),
        *of("DeleteEventSourceMapping", 202),
    ]
    assert {each["State"] for each in mappings} >= {"Enabled", "Enabling", "Disabled", "Deleting"}
    for raw in mappings:
        page = {"EventSourceMappings": [raw]}
        wire.answer = lambda asked, page=page: (
            Reply(body=page) if "/event-source-mappings" in asked.path else NONE
        )
        service = raw["EventSourceArn"].split(":")[2]
        sends = raw["State"] != "Disabled"
        assert gateway.live_traffic("any").sources == (f"an event source ({service})",) * sends
        assert gateway.batch_sizes("any") == (raw["BatchSize"],)


def test_reserved_concurrency_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """A reservation is the number that was set, and none after it was deleted."""
    for data in of("PutFunctionConcurrency"):
        wire.say(Reply(body=data))
        assert gateway.reserved_concurrency("any") == data["ReservedConcurrentExecutions"]
    wire.say(Reply(body={}))
    assert gateway.reserved_concurrency("any") is None


def test_an_event_that_was_queued_is_no_result(wire: WireServer, gateway: LambdaGateway) -> None:
    """The reply to an asynchronous invocation has its own status, no payload, and no log."""
    for data in of("Invoke", 202):
        wire.say(Reply(data["StatusCode"], b""))
        reply = gateway.invoke("any", "1", b"{}", timeout_s=3)
        assert (reply.status_code, reply.payload, reply.log_tail) == (202, b"", "")
        assert (reply.function_error, reply.executed_version) == (None, None)


def test_functions_are_read_by_scans(wire: WireServer, services: Services) -> None:
    """A scan lists each function once, with its size, its timeout, and where its log is."""
    for data in of("ListFunctions"):
        wire.say(Reply(body={**data, "NextMarker": None}))
        page = [*list_functions(services)]
        assert [(each.name, each.memory_mb, each.timeout_s) for each in page] == [
            (raw["FunctionName"], raw["MemorySize"], raw["Timeout"]) for raw in data["Functions"]
        ]
        assert [each.log_group for each in page] == [
            raw.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{raw['FunctionName']}"
            for raw in data["Functions"]
        ]
