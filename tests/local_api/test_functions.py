"""Functions: what is created, changed, listed and deleted, and how they are named."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
from typing import Any

import pytest

from tests.local_api.conftest import (
    ARN,
    Clock,
    Serve,
    create,
    make_zip,
    publish,
    set_memory,
)
from tests.scripted_executor import ScriptedExecutor


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


def test_a_dead_letter_queue_goes_with_an_empty_arn(client: Any) -> None:
    """An empty configuration leaves it as it was."""
    queue = {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    for given, kept in ((queue, queue), ({}, queue), ({"TargetArn": ""}, None)):
        reply = client.update_function_configuration(FunctionName="hello", DeadLetterConfig=given)
        assert reply.get("DeadLetterConfig") == kept


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
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
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
    """A new function is Pending, with what it's published as, and runs once it is Active."""
    clock = Clock()
    client, _ = serve(update_s=0.5, clock=clock)
    version = create(client, "fresh", Publish=True)
    assert (version["State"], version["StateReasonCode"]) == ("Pending", "Creating")
    for given in ({"FunctionName": "fresh"}, {"FunctionName": "fresh", "Qualifier": "1"}):
        with pytest.raises(client.exceptions.ResourceConflictException, match="Pending"):
            client.invoke(**given)
    clock.now_s += 0.5
    assert client.get_function(FunctionName="fresh")["Configuration"]["State"] == "Active"
    assert client.invoke(FunctionName="fresh", Qualifier="1")["ExecutedVersion"] == "1"


def test_a_version_of_what_runs_is_active_at_once(serve: Serve) -> None:
    """What PublishVersion makes of an active $LATEST is Active in its own reply, as on AWS."""
    client, _ = serve(update_s=0.5, clock=Clock())
    version = client.publish_version(FunctionName="hello")
    assert (version["State"], version["LastUpdateStatus"]) == ("Active", "Successful")
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
    for marker in ("?", "é"):
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="marker"):
            client.list_functions(Marker=marker)


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
