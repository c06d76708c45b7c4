"""Functions and versions: what is created, changed, published and deleted, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from botocore.exceptions import ClientError
from hypothesis import strategies as st

from tests.local_api.conftest import ROLE, Clock, code_of, make_client, make_zip, message_of
from tuner.errors import LocalError
from tuner.local.definition import FunctionDefinition
from tuner.local.deployment import HostLimits
from tuner.local.scripted import ScriptedExecutor
from tuner.local.serve import LocalLambda

Serve = Callable[..., tuple[Any, LocalLambda]]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


def create(client: Any, name: str, **more: Any) -> dict[str, Any]:
    given = {
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "handler.handler",
        "Code": {"ZipFile": make_zip()},
        **more,
    }
    reply: dict[str, Any] = client.create_function(FunctionName=name, **given)
    return reply


def publish(client: Any, **more: Any) -> str:
    return str(client.publish_version(FunctionName="hello", **more)["Version"])


def set_memory(client: Any, memory_mb: int) -> None:
    client.update_function_configuration(FunctionName="hello", MemorySize=memory_mb)


def test_code_is_what_was_sent(client: Any) -> None:
    """Size and SHA-256 are the package's, and Location serves the very bytes from loopback."""
    package = make_zip("def handler(event, context): return 1")
    created = create(client, "own", Code={"ZipFile": package})
    assert created["CodeSize"] == len(package)
    assert created["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    location = client.get_function(FunctionName="own")["Code"]["Location"]
    assert location.startswith(client.meta.endpoint_url)
    with urllib.request.urlopen(location) as reply:
        assert reply.read() == package


def test_a_name_is_taken_once(client: Any) -> None:
    """Creating a function that exists is a conflict."""
    with pytest.raises(client.exceptions.ResourceConflictException, match="already exist"):
        create(client, "hello")


def test_update_changes_only_what_is_given(client: Any) -> None:
    """Members that a request leaves out stay; an empty environment removes all variables."""
    client.update_function_configuration(
        FunctionName="hello", Environment={"Variables": {"A2": "1"}}, Description="first"
    )
    changed = client.update_function_configuration(
        FunctionName="hello", MemorySize=256, EphemeralStorage={"Size": 2048}, Timeout=7
    )
    assert changed["Environment"] == {"Variables": {"A2": "1"}}
    assert (changed["Description"], changed["MemorySize"], changed["Timeout"]) == ("first", 256, 7)
    assert changed["EphemeralStorage"] == {"Size": 2048}
    emptied = client.update_function_configuration(FunctionName="hello", Environment={})
    assert "Environment" not in emptied


def test_every_change_moves_the_revision(client: Any) -> None:
    """RevisionId and LastModified move with an update, and a stale one is refused with 412."""
    before = client.get_function_configuration(FunctionName="hello")
    client.update_function_configuration(
        FunctionName="hello", MemorySize=256, RevisionId=before["RevisionId"]
    )
    after = client.get_function_configuration(FunctionName="hello")
    assert after["RevisionId"] != before["RevisionId"]
    assert after["LastModified"] >= before["LastModified"]
    for operation, given in (
        (client.update_function_configuration, {"MemorySize": 300}),
        (client.update_function_code, {"ZipFile": make_zip("x = 1")}),
        (client.publish_version, {}),
    ):
        with pytest.raises(client.exceptions.PreconditionFailedException):
            operation(FunctionName="hello", RevisionId=before["RevisionId"], **given)
    unchanged = client.get_function_configuration(FunctionName="hello")
    assert (unchanged["MemorySize"], unchanged["RevisionId"]) == (256, after["RevisionId"])


def test_the_revision_moves_again_when_an_update_is_through(serve: Serve) -> None:
    """As on Lambda, an update's own RevisionId is outdated once the update is through."""
    clock = Clock()
    client, _ = serve(update_s=1.0, clock=clock)
    updated = client.update_function_configuration(FunctionName="hello", MemorySize=256)
    clock.now_s += 1
    through = client.get_function_configuration(FunctionName="hello")
    assert through["RevisionId"] != updated["RevisionId"]
    published = client.publish_version(FunctionName="hello", RevisionId=through["RevisionId"])
    assert (
        client.get_function_configuration(FunctionName="hello")["RevisionId"]
        != through["RevisionId"]
    )
    clock.now_s += 1
    version = client.get_function_configuration(FunctionName="hello", Qualifier="1")
    assert version["RevisionId"] == published["RevisionId"]


def test_an_update_is_in_progress_for_a_moment(serve: Serve) -> None:
    """Until it is through: InProgress, 409 for further changes, and the old settings still run."""
    clock, executor = Clock(), ScriptedExecutor(1.0, time_scale=0)
    client, _ = serve(update_s=0.5, clock=clock, executor=executor)
    updated = client.update_function_configuration(FunctionName="hello", MemorySize=256)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    for operation, given in (
        (client.update_function_configuration, {"MemorySize": 300}),
        (client.update_function_code, {"ZipFile": make_zip("x = 1")}),
        (client.publish_version, {}),
    ):
        with pytest.raises(client.exceptions.ResourceConflictException, match="in progress"):
            operation(FunctionName="hello", **given)
    client.invoke(FunctionName="hello")
    clock.now_s += 0.5
    client.invoke(FunctionName="hello")
    assert [call.memory_mb for call in executor.invocations] == [512, 256]
    done = client.get_function_configuration(FunctionName="hello")
    assert (done["LastUpdateStatus"], done["MemorySize"]) == ("Successful", 256)


def test_new_functions_and_versions_are_pending(serve: Serve) -> None:
    """A new function or version is Pending and cannot be invoked until it is Active."""
    clock = Clock()
    client, _ = serve(update_s=0.5, clock=clock)
    assert create(client, "fresh")["State"] == "Pending"
    version = client.publish_version(FunctionName="hello")
    assert (version["State"], version["StateReasonCode"]) == ("Pending", "Creating")
    for given in ({"FunctionName": "fresh"}, {"FunctionName": "hello", "Qualifier": "1"}):
        with pytest.raises(client.exceptions.ResourceConflictException, match="Pending"):
            client.invoke(**given)
    clock.now_s += 0.5
    assert client.get_function(FunctionName="fresh")["Configuration"]["State"] == "Active"
    assert client.invoke(FunctionName="hello", Qualifier="1")["ExecutedVersion"] == "1"


def test_boto_s_waiters_end(serve: Serve) -> None:
    """function_active_v2, function_updated_v2 and published_version_active see the end."""
    client, _ = serve(update_s=0.05)
    waits = {"WaiterConfig": {"Delay": 0.05, "MaxAttempts": 50}}
    create(client, "fresh")
    client.get_waiter("function_active_v2").wait(FunctionName="fresh", **waits)
    set_memory(client, 256)
    client.get_waiter("function_updated_v2").wait(FunctionName="hello", **waits)
    version = publish(client)
    client.get_waiter("published_version_active").wait(
        FunctionName="hello", Qualifier=version, **waits
    )


def test_publishing_deduplicates_as_lambda_does(client: Any) -> None:
    """Equal code and settings give the last version, whatever Description the request has."""
    assert publish(client) == "1"
    assert publish(client) == "1"
    assert publish(client, Description="another") == "1"
    client.update_function_configuration(FunctionName="hello", Description="changed")
    assert publish(client) == "2"
    set_memory(client, 256)
    assert publish(client) == "3"
    set_memory(client, 512)
    assert publish(client) == "4", "only the last version counts, though version 2 is equal"
    client.update_function_code(FunctionName="hello", ZipFile=make_zip("x = 1"))
    assert publish(client) == "5"


def test_a_published_description_overrides(client: Any) -> None:
    """The version has the request's Description, $LATEST its own; and it still deduplicates."""
    published = client.publish_version(FunctionName="hello", Description="for this version")
    assert published["Description"] == "for this version"
    assert client.get_function_configuration(FunctionName="hello")["Description"] == ""
    again = client.publish_version(FunctionName="hello")
    assert (again["Version"], again["Description"]) == ("1", "for this version")


def test_numbers_never_repeat(client: Any) -> None:
    """A deleted version's number is not given again, and the deleted one cannot be had."""
    for memory_mb in (128, 256, 384):
        set_memory(client, memory_mb)
        publish(client)
    for version in ("3", "1"):
        client.delete_function(FunctionName="hello", Qualifier=version)
    assert publish(client) == "4", "the last version is gone, so there is nothing to deduplicate"
    listed = client.list_versions_by_function(FunctionName="hello")["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "2", "4"]
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="hello:3"):
        client.get_function(FunctionName="hello", Qualifier="3")


def test_a_stale_code_hash_is_refused(client: Any) -> None:
    """PublishVersion with another CodeSha256 than that of $LATEST publishes nothing."""
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="different from"):
        publish(client, CodeSha256="somethingelse")
    current = client.get_function_configuration(FunctionName="hello")["CodeSha256"]
    assert publish(client, CodeSha256=current) == "1"


def test_publish_with_create_and_update(client: Any) -> None:
    """Publish=True answers for the version that it made."""
    created = create(client, "own", Publish=True)
    assert (created["Version"], created["FunctionArn"][-6:]) == ("1", ":own:1")
    updated = client.update_function_code(
        FunctionName="own", ZipFile=make_zip("x = 1"), Publish=True
    )
    assert updated["Version"] == "2"


def test_a_dry_run_changes_nothing(client: Any) -> None:
    """UpdateFunctionCode with DryRun tells what would be, and leaves code and revision alone."""
    before = client.get_function_configuration(FunctionName="hello")
    package = make_zip("x = 1")
    told = client.update_function_code(FunctionName="hello", ZipFile=package, DryRun=True)
    assert told["CodeSize"] == len(package)
    assert (
        client.get_function_configuration(FunctionName="hello")["RevisionId"]
        == (before["RevisionId"])
    )


def test_versions_are_immutable(client: Any) -> None:
    """A version keeps its memory and code while $LATEST moves on."""
    before = client.get_function_configuration(FunctionName="hello", Qualifier=publish(client))
    set_memory(client, 3008)
    client.update_function_code(FunctionName="hello", ZipFile=make_zip("x = 1"))
    after = client.get_function_configuration(FunctionName="hello", Qualifier="1")
    before.pop("ResponseMetadata")
    after.pop("ResponseMetadata")
    assert before == after


def test_what_must_not_be_deleted(client: Any) -> None:
    """$LATEST alone, a version under an alias, and an alias by DeleteFunction are all refused."""
    publish(client)
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="LATEST"):
        client.delete_function(FunctionName="hello", Qualifier="$LATEST")
    with pytest.raises(client.exceptions.ResourceConflictException, match=r"\[live\]"):
        client.delete_function(FunctionName="hello", Qualifier="1")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="aliases"):
        client.delete_function(FunctionName="hello", Qualifier="live")
    client.delete_alias(FunctionName="hello", Name="live")
    client.delete_function(FunctionName="hello:1")
    client.delete_function(FunctionName="hello", Qualifier="1")
    assert client.get_function(FunctionName="hello")["Configuration"]["Version"] == "$LATEST"


def test_a_deleted_function_is_gone_with_all_of_it(client: Any) -> None:
    """Deleting a function deletes its versions; the next of that name begins at 1."""
    publish(client)
    client.delete_function(FunctionName="hello")
    for operation in (client.get_function, client.delete_function, client.publish_version):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            operation(FunctionName="hello")
    create(client, "hello")
    assert publish(client) == "1"


def test_lists_are_paged(client: Any) -> None:
    """Lists give MaxItems and a marker, at most 50 a page, and boto3's paginator gets all."""
    for number in range(55):
        client.update_function_configuration(FunctionName="hello", Description=str(number))
        publish(client)
    first = client.list_versions_by_function(FunctionName="hello", MaxItems=10)
    assert len(first["Versions"]) == 10
    assert first["NextMarker"]
    assert len(client.list_versions_by_function(FunctionName="hello")["Versions"]) == 50
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName="hello")
    numbers = [version["Version"] for page in pages for version in page["Versions"]]
    assert numbers == ["$LATEST", *(str(number) for number in range(1, 56))]
    every = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    assert sum(len(page["Functions"]) for page in every) == 56
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="marker"):
        client.list_functions(Marker="?")


@pytest.mark.parametrize(
    "reference",
    ["hello", "123456789012:function:hello", "function:hello", ARN],
)
def test_every_form_of_a_name_is_taken(client: Any, reference: str) -> None:
    """Names, partial ARNs and ARNs, alone and with a qualifier, name the same function."""
    publish(client)
    plain = client.get_function_configuration(FunctionName=reference)
    assert (plain["Version"], plain["FunctionArn"]) == ("$LATEST", ARN)
    for given in (
        {"FunctionName": f"{reference}:1"},
        {"FunctionName": reference, "Qualifier": "1"},
    ):
        version = client.get_function_configuration(**given)
        assert (version["Version"], version["FunctionArn"]) == ("1", f"{ARN}:1")
        assert client.invoke(**given)["ExecutedVersion"] == "1"
    latest = client.get_function_configuration(FunctionName=reference, Qualifier="$LATEST")
    assert latest["FunctionArn"] == f"{ARN}:$LATEST"


def test_foreign_and_contradicting_names_are_refused(client: Any) -> None:
    """Another region or account, two qualifiers and malformed names each say what is wrong."""
    for given, code in (
        ({"FunctionName": ARN.replace("us-east-1", "eu-west-1")}, "ResourceNotFoundException"),
        ({"FunctionName": ARN.replace("12", "13", 1)}, "AccessDeniedException"),
        ({"FunctionName": "hello:1", "Qualifier": "2"}, "InvalidParameterValueException"),
        ({"FunctionName": "no spaces"}, "ValidationException"),
        ({"FunctionName": "hello", "Qualifier": "a b"}, "ValidationException"),
    ):
        with pytest.raises(ClientError) as refused:
            client.get_function(**given)
        assert code_of(refused) == code, given


REFUSED = "ValidationException"
INVALID = "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (
            {"MemorySize": 10241},
            REFUSED,
            "at 'memorySize' failed to satisfy constraint: Member must have value less than or",
        ),
        ({"Timeout": 901}, REFUSED, "'timeout'.*less than or equal to 900"),
        ({"EphemeralStorage": {"Size": 10241}}, REFUSED, "ephemeralStorage.size"),
        ({"MemorySize": 10241, "Timeout": 901}, REFUSED, "2 validation errors"),
        ({"Description": "x" * 257}, REFUSED, "length less than or equal to 256"),
        ({"Role": "me"}, REFUSED, "at 'role'"),
        ({"TracingConfig": {"Mode": "Odd"}}, REFUSED, "Active, PassThrough"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, INVALID, "Reserved.*AWS_REGION"),
        ({"Environment": {"Variables": {"AA": "x" * 4096}}}, INVALID, "4KB"),
        ({"Environment": {"Variables": {"1A": "x"}}}, REFUSED, "environment.variables"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"]}, INVALID, "not exist"),
        ({"Runtime": "ruby3.4"}, INVALID, "python3.9 to python3.14, nodejs18.x"),
        ({"Runtime": "python3.8"}, INVALID, "tune it on AWS"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_an_update_refuses(client: Any, given: dict[str, Any], code: str, words: str) -> None:
    """Values out of their limits are refused in AWS's words, and nothing is changed."""
    before = client.get_function_configuration(FunctionName="hello")["RevisionId"]
    with pytest.raises(ClientError, match=words) as refused:
        client.update_function_configuration(FunctionName="hello", **given)
    assert code_of(refused) == code
    assert client.get_function_configuration(FunctionName="hello")["RevisionId"] == before


def test_no_environment_value_is_in_a_message(client: Any) -> None:
    """A refused environment is told of by name and size only."""
    secret = "hunter2" * 600
    with pytest.raises(ClientError) as refused:
        client.update_function_configuration(
            FunctionName="hello", Environment={"Variables": {"TOKEN": secret}}
        )
    assert "hunter2" not in message_of(refused)


def test_memory_above_the_host_is_refused_as_by_a_capped_account(serve: Serve) -> None:
    """More than the host's cores show is refused with the limit, which a client can read."""
    client, _ = serve(executor=ScriptedExecutor(max_memory_mb=3538, core_count=2))
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        set_memory(client, 3539)
    assert message_of(refused).startswith(
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
        "equal to 3538"
    )
    assert "2 cores" in message_of(refused)
    set_memory(client, 3538)


def test_a_definition_above_the_host_does_not_start() -> None:
    """A template's function that this host cannot show ends the start with one line."""
    too_large = [FunctionDefinition("big", memory_mb=4096)]
    with pytest.raises(LocalError, match=r"function big: 'MemorySize'.*3538"):
        LocalLambda(too_large, executor=ScriptedExecutor(max_memory_mb=3538), neighbours=False)


IMAGE = {"Code": {"ImageUri": "repo:tag"}, "PackageType": "Image"}


def test_an_image_is_kept_by_its_name_where_nothing_runs(client: Any) -> None:
    """With execution switched off an image has what GetFunction tells of it, and no runtime."""
    settings = {"ImageConfig": {"Command": ["app.handler"]}, **IMAGE}
    made = client.create_function(FunctionName="contained", Role=ROLE, **settings)
    assert (made["PackageType"], "Runtime" in made, "Handler" in made) == ("Image", False, False)
    answer = client.get_function(FunctionName="contained")
    code, configuration = answer["Code"], answer["Configuration"]
    assert code["ImageUri"] == "repo:tag"
    assert code["ResolvedImageUri"] == f"repo@sha256:{configuration['CodeSha256']}"
    assert configuration["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.handler"]}}
    moved = client.update_function_code(FunctionName="contained", ImageUri=code["ResolvedImageUri"])
    assert moved["CodeSha256"] == configuration["CodeSha256"]


def test_an_image_is_refused_where_handlers_run(serve: Serve) -> None:
    """The local Lambda runs no containers, and says so."""

    class Running(ScriptedExecutor):
        @property
        def limits(self) -> HostLimits:
            return HostLimits(2, 10240, "cgroup-v1")

    client, _server = serve(executor=Running(time_scale=0))
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="not supported"):
        client.create_function(FunctionName="new", Role=ROLE, **IMAGE)


def test_creation_needs_its_members(client: Any) -> None:
    """Code from S3, missing code and an image with a runtime are refused with what to do."""
    for given, words in (
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "ZipFile"),
        (IMAGE, "Handler or Runtime"),
        ({"Code": {}}, "provide a source"),
    ):
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=words):
            create(client, "new", **given)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="new")


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(st.lists(st.sampled_from(["memory", "back", "publish", "delete"]), max_size=25))
def test_any_history_keeps_the_rules(history: list[str]) -> None:
    """Whatever is published and deleted, numbers grow, and equal settings give an equal answer."""
    executor = ScriptedExecutor(time_scale=0)
    with LocalLambda(
        [FunctionDefinition("hello", memory_mb=128)],
        executor=executor, neighbours=False, update_s=0.0,
    ) as server:  # fmt: skip
        client = make_client(server)
        made: list[int] = []
        alive: dict[int, int] = {}
        memory_mb = 128
        for step in history:
            if step in ("memory", "back"):
                memory_mb = memory_mb + 1 if step == "memory" else 128
                set_memory(client, memory_mb)
            elif step == "publish":
                number = int(publish(client))
                if made and alive.get(made[-1]) == memory_mb:
                    assert number == made[-1]
                else:
                    assert number == (made[-1] if made else 0) + 1
                    made.append(number)
                    alive[number] = memory_mb
            elif alive:
                gone = min(alive)
                del alive[gone]
                client.delete_function(FunctionName="hello", Qualifier=str(gone))
        listed = client.list_versions_by_function(FunctionName="hello")["Versions"][1:]
        assert {int(v["Version"]): v["MemorySize"] for v in listed} == alive
        client.close()
