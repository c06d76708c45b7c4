"""Reading and changing one function over the control plane, at the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import HANG_UP, Received, Reply, WireServer, refusal
from tuner.aws import control_plane
from tuner.aws.configuration import function_config
from tuner.aws.metrics import parse_time
from tuner.aws.reader import AccountSettings
from tuner.errors import AwsError, ConflictError, InputError
from tuner.model.function import Alias

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:resize"
CONFIGURATION = {
    "FunctionName": "resize",
    "FunctionArn": ARN,
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::123456789012:role/resize",
    "Handler": "app.handler",
    "CodeSize": 1000,
    "Description": "Resizes",
    "Timeout": 30,
    "MemorySize": 1024,
    "LastModified": "2026-01-31T09:30:00.000+0000",
    "CodeSha256": "c29tZSBjb2Rl",
    "Version": "$LATEST",
    "Environment": {"Variables": {"PASSWORD": "hunter2"}},
    "RevisionId": "r1",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "PackageType": "Zip",
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 1024},
    "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"},
}


def configuration(**changes: Any) -> Reply:
    """GetFunction's answer."""
    location = "https://bucket.example.com/code?X-Amz-Security-Token=t0k3n"
    return Reply(200, {"Configuration": CONFIGURATION | changes, "Code": {"Location": location}})


def operations(wire: WireServer) -> list[str]:
    """Method and last part of the path of every request."""
    return [f"{each.method} {each.path.rsplit('/', 1)[1]}" for each in wire.received]


# Reading


def test_zip_function(wire: WireServer, gateway: LambdaGateway) -> None:
    """A ZIP function's configuration is read field by field."""
    wire.say(configuration())
    config = gateway.read_function("resize")
    assert (config.name, config.arn, config.region) == ("resize", ARN, "eu-west-1")
    assert (config.runtime, config.architecture, config.package_type) == (
        "python3.13",
        "arm64",
        "Zip",
    )
    assert (config.memory_mb, config.timeout_s, config.ephemeral_storage_mb) == (1024, 30, 1024)
    assert (config.version, config.revision_id, config.snap_start) == ("$LATEST", "r1", True)
    assert config.description == "Resizes"


def test_image_function(wire: WireServer, gateway: LambdaGateway) -> None:
    """A function from an image has no runtime; what a server leaves out has Lambda's default."""
    wire.say(
        Reply(
            200,
            {
                "Configuration": {
                    "FunctionName": "image",
                    "MemorySize": 128,
                    "Timeout": 3,
                    "PackageType": "Image",
                }
            },
        )
    )
    config = gateway.read_function("image")
    assert (config.package_type, config.runtime, config.revision_id) == ("Image", None, None)
    assert (config.architecture, config.ephemeral_storage_mb) == ("x86_64", 512)
    assert (config.region, config.version) == ("eu-west-1", "$LATEST")


def test_settings_hold_digests_only(wire: WireServer, gateway: LambdaGateway) -> None:
    """Every other setting is there as a digest: no value, no variable, no link, no account."""
    wire.say(configuration())
    config = gateway.read_function("resize")
    assert [name for name, _ in config.settings] == ["CodeSize", "Environment", "Handler", "Role"]
    for secret in ("hunter2", "PASSWORD", "t0k3n", "app.handler", "role/resize"):
        assert secret not in repr(config)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"Environment": {"Variables": {"PASSWORD": "hunter3"}}}, True),
        ({"Role": "arn:aws:iam::123456789012:role/other"}, True),
        ({"Layers": [{"Arn": "arn:aws:lambda:eu-west-1:123456789012:layer:l:1"}]}, True),
        ({"SettingOfTheFuture": {"On": True}}, True),
        ({"LastModified": "2026-02-01T00:00:00.000+0000"}, False),
        ({"LastUpdateStatus": "InProgress", "State": "Pending"}, False),
        ({"RuntimeVersionConfig": {"RuntimeVersionArn": "arn:…:2"}}, False),
    ],
)
def test_settings_tell_any_change_of_the_owners(changes: dict[str, Any], seen: bool) -> None:
    """A change that somebody made is seen, whatever the field; what Lambda says itself is not."""
    before = function_config(CONFIGURATION, region="eu-west-1").settings
    after = function_config(CONFIGURATION | changes, region="eu-west-1").settings
    assert (before != after) is seen


def test_settings_compare_between_versions() -> None:
    """A version of the same settings has the same digests as $LATEST, another function has not."""
    latest = function_config(CONFIGURATION, region="eu-west-1").settings
    version = CONFIGURATION | {"Version": "3", "FunctionArn": f"{ARN}:3"}
    assert function_config(version, region="eu-west-1").settings == latest
    other = function_config(CONFIGURATION | {"FunctionName": "other"}, region="eu-west-1").settings
    assert not set(other) & set(latest)


def test_qualifier_chooses_what_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """A qualifier, in the function or beside it, is asked for as a Qualifier."""
    wire.say(configuration())
    gateway.read_function(f"{ARN}:live")
    gateway.read_function("resize", "3")
    gateway.read_function("resize")
    assert [each.query.get("Qualifier") for each in wire.received] == [["live"], ["3"], None]
    assert {each.path for each in wire.received} == {"/2015-03-31/functions/resize"}


def test_versions_over_all_pages(wire: WireServer, gateway: LambdaGateway) -> None:
    """Every page of versions is read, and $LATEST is none of them."""
    page = {"NextMarker": "more", "Versions": [CONFIGURATION, CONFIGURATION | {"Version": "1"}]}
    wire.say(
        Reply(200, page),
        Reply(200, {"Versions": [CONFIGURATION | {"Version": "2"}]}),
    )
    assert [each.version for each in gateway.list_versions("resize")] == ["1", "2"]
    assert wire.received[1].query["Marker"] == ["more"]


def test_aliases_over_all_pages(wire: WireServer, gateway: LambdaGateway) -> None:
    """Every page of aliases is read, with the versions that only a weight routes to."""
    routing = {"AdditionalVersionWeights": {"9": 0.1, "4": 0.2}}
    canary = {"Name": "canary", "FunctionVersion": "8", "RoutingConfig": routing}
    wire.say(
        Reply(200, {"NextMarker": "more", "Aliases": [{"Name": "live", "FunctionVersion": "8"}]}),
        Reply(200, {"Aliases": [canary]}),
    )
    assert gateway.list_aliases("resize") == (
        Alias("live", ("8",)),
        Alias("canary", ("8", "4", "9")),
    )


@pytest.mark.parametrize("operation", ["list_versions", "list_aliases"])
def test_a_list_without_end_is_an_error(
    wire: WireServer, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """A list may fill the pages that are allowed; one that goes on is an error, not a hang."""
    monkeypatch.setattr(control_plane, "_MAX_PAGES", 3)

    def answer(received: Received) -> Reply:
        page = int(received.query.get("Marker", ["0"])[0]) + 1
        return Reply(200, {} if page == last else {"NextMarker": str(page)})

    wire.answer, last = answer, 3
    assert getattr(gateway, operation)("resize") == ()
    wire.forget()
    wire.answer, last = answer, 100
    with pytest.raises(AwsError, match="of resize has over 3 pages"):
        getattr(gateway, operation)("resize")
    assert len(wire.received) == 4


# Changing


def test_update_waits_and_reads_back(wire: WireServer, gateway: LambdaGateway) -> None:
    """Memory is set under the RevisionId, waited for, and what is returned was read afterwards."""
    wire.say(
        Reply(200, CONFIGURATION | {"RevisionId": "r2", "LastUpdateStatus": "InProgress"}),
        *[configuration(LastUpdateStatus="InProgress", RevisionId="r2")] * 3,
        configuration(RevisionId="r3", MemorySize=512),
    )
    config = gateway.update_memory("resize", 512, "r1")
    assert (config.memory_mb, config.revision_id) == (512, "r3")
    assert wire.received[0].json == {"MemorySize": 512, "RevisionId": "r1"}
    assert operations(wire) == ["PUT configuration", *["GET resize"] * 5]


def test_server_without_states_and_revisions(wire: WireServer, gateway: LambdaGateway) -> None:
    """Where nothing tells of states or revisions, none is waited for or sent."""
    stateless = {"FunctionName": "resize", "MemorySize": 512, "Timeout": 3}
    wire.say(Reply(200, stateless), Reply(200, {"Configuration": stateless}))
    assert gateway.update_memory("resize", 512, None).revision_id is None
    assert wire.received[0].json == {"MemorySize": 512}
    assert len(wire.received) == 2


def test_update_in_progress_is_waited_for(wire: WireServer, gateway: LambdaGateway) -> None:
    """An update that somebody else has under way is waited for, and then it is tried again."""
    wire.say(
        refusal(409, "ResourceConflictException", "An update is in progress for resource: x"),
        configuration(LastUpdateStatus="InProgress"),
        configuration(),
        configuration(),
        Reply(200, CONFIGURATION),
        configuration(MemorySize=512),
    )
    assert gateway.update_memory("resize", 512, "r1").memory_mb == 512
    assert operations(wire).count("PUT configuration") == 2


def test_update_in_progress_without_end(wire: WireServer, gateway: LambdaGateway) -> None:
    """Trying again has an end, and the line says what stood in the way."""
    conflict = refusal(409, "ResourceConflictException", "An update is in progress for resource: x")
    wire.answer = lambda request: conflict if request.method == "PUT" else configuration()
    with pytest.raises(ConflictError, match="resize is being updated"):
        gateway.update_memory("resize", 512, "r1")
    assert operations(wire).count("PUT configuration") == 4


def test_failed_update_says_why(wire: WireServer, gateway: LambdaGateway) -> None:
    """An update at which Lambda failed is an error with Lambda's reason."""
    reason = "The role cannot be assumed"
    wire.say(
        Reply(200, CONFIGURATION),
        configuration(LastUpdateStatus="InProgress"),
        configuration(LastUpdateStatus="Failed", LastUpdateStatusReason=reason),
    )
    with pytest.raises(AwsError, match="Lambda could not update resize: The role cannot be"):
        gateway.update_memory("resize", 512, "r1")


def test_waiting_has_an_end(
    wire: WireServer, gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never gets ready ends in one line with the command that shows the state."""
    monkeypatch.setattr(gateway._control, "_polling", ((0.001, 3), (0.002, 2)))
    wire.say(Reply(201, CONFIGURATION | {"Version": "7"}), configuration(State="Pending"))
    with pytest.raises(AwsError, match=r"still not ready .* `aws lambda get-function-config"):
        gateway.publish_version("resize", "d", "", None)
    assert len(wire.received) == 1 + 1 + 5


def test_refusal_while_waiting(wire: WireServer, gateway: LambdaGateway) -> None:
    """A refusal in the middle of waiting is told as any other."""
    wire.say(
        Reply(200, CONFIGURATION),
        configuration(LastUpdateStatus="InProgress"),
        refusal(403, "AccessDeniedException"),
    )
    with pytest.raises(AwsError, match="lambda:GetFunction on function resize"):
        gateway.update_memory("resize", 512, "r1")


def test_update_whose_reply_was_lost(wire: WireServer, gateway: LambdaGateway) -> None:
    """A second try that meets the RevisionId which the first one moved is no conflict."""
    moved = refusal(412, "PreconditionFailedException", "The Revision Id provided does not match")
    wire.say(HANG_UP, moved, configuration(MemorySize=512, RevisionId="r2"))
    assert gateway.update_memory("resize", 512, "r1").revision_id == "r2"
    wire.say(HANG_UP, moved, configuration(MemorySize=2048, RevisionId="r2"))
    with pytest.raises(ConflictError, match="somebody else changed"):
        gateway.update_memory("resize", 512, "r1")


def test_publish_waits_for_the_version(wire: WireServer, gateway: LambdaGateway) -> None:
    """A version is published under hash and revision, waited for until active, and read back."""
    published = CONFIGURATION | {"Version": "7", "State": "Pending"}
    wire.say(
        Reply(201, published),
        configuration(Version="7", State="Pending"),
        configuration(Version="7", State="Pending"),
        configuration(Version="7"),
    )
    config = gateway.publish_version("resize", "by tuner", "c29tZSBjb2Rl", "r1")
    assert (config.version, config.memory_mb) == ("7", 1024)
    assert wire.received[0].json == {
        "CodeSha256": "c29tZSBjb2Rl",
        "Description": "by tuner",
        "RevisionId": "r1",
    }
    assert {tuple(each.query["Qualifier"]) for each in wire.received[1:]} == {("7",)}


def test_publishing_whose_reply_was_lost(wire: WireServer, gateway: LambdaGateway) -> None:
    """If the first try published after all, its version is found by its own description."""
    moved = refusal(412, "PreconditionFailedException", "The Revision Id provided does not match")
    versions = [
        CONFIGURATION | {"Version": str(number), "Description": text}
        for number, text in [(9, "by tuner"), (10, "by tuner"), (11, "by hand")]
    ]
    wire.say(HANG_UP, moved, Reply(200, {"Versions": versions}), configuration(Version="10"))
    assert gateway.publish_version("resize", "by tuner", "sha", "r1").version == "10"
    wire.say(HANG_UP, moved, Reply(200, {"Versions": versions}))
    with pytest.raises(ConflictError):
        gateway.publish_version("resize", "by nobody", "sha", "r1")


def test_delete_names_the_version(wire: WireServer, gateway: LambdaGateway) -> None:
    """A deletion always carries the number of one version, whatever qualifier the name has."""
    wire.say(Reply(204, b""))
    gateway.delete_version(f"{ARN}:live", "7")
    (received,) = wire.received
    assert (received.method, received.path) == ("DELETE", "/2015-03-31/functions/resize")
    assert received.query == {"Qualifier": ["7"]}


@pytest.mark.parametrize("version", ["", "$LATEST", "live", "7 ", "٧", "-1"])
def test_delete_takes_numbers_only(wire: WireServer, gateway: LambdaGateway, version: str) -> None:
    """What is not a version's number is never sent: without one, the function itself would go."""
    with pytest.raises(InputError, match="not the number of a published version"):
        gateway.delete_version("resize", version)
    assert wire.received == []


def test_delete_of_what_is_gone(wire: WireServer, gateway: LambdaGateway) -> None:
    """A version that is gone already is as wanted."""
    wire.say(refusal(404, "ResourceNotFoundException", "Function not found"))
    gateway.delete_version("resize", "7")


def test_delete_of_an_aliased_version(wire: WireServer, gateway: LambdaGateway) -> None:
    """A version that an alias points at stays, and the line says so in AWS's words."""
    message = "Unable to delete version because the following aliases reference it: [live]"
    wire.say(refusal(409, "ResourceConflictException", message))
    with pytest.raises(ConflictError, match=r"aliases reference it: \[live\]"):
        gateway.delete_version("resize", "7")


# Advice


def test_account_settings(wire: WireServer, gateway: LambdaGateway) -> None:
    """Concurrency limits are read; where they are refused they are unknown, not an error."""
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 7}
    wire.say(Reply(200, {"AccountLimit": limit}))
    assert gateway.account_settings() == AccountSettings(10, 7)
    wire.say(refusal(403, "AccessDeniedException"))
    assert gateway.account_settings() == AccountSettings(None, None)


@pytest.mark.parametrize(
    "metrics", [refusal(403, "AccessDenied"), HANG_UP, Reply(404, b"not here"), Reply(200, b"?")]
)
def test_recent_duration_is_advice(
    wire: WireServer, gateway: LambdaGateway, metrics: Reply
) -> None:
    """Where CloudWatch says no, or is none, there is no duration and no error."""
    wire.answer = lambda request: configuration() if request.method == "GET" else metrics
    assert gateway.recent_duration_ms("resize") is None


def test_recent_duration_of_no_function(wire: WireServer, gateway: LambdaGateway) -> None:
    """A function that cannot be read has no recent duration."""
    wire.say(refusal(404, "ResourceNotFoundException"))
    assert gateway.recent_duration_ms("resize") is None


def test_times_of_lambda() -> None:
    """LastModified is read in AWS's form; what is no time is none."""
    assert parse_time("2026-01-31T09:30:00.000+0000") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert parse_time("2026-01-31T09:30:00") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert parse_time(None) is None
    assert parse_time("yesterday") is None
