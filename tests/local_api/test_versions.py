"""Versions: how they are published, numbered and kept."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.local_api.conftest import (
    create,
    make_client,
    make_zip,
    publish,
    set_memory,
)
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda


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
    """A deleted version's number is not given again, and the deleted one isn't available."""
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


def test_versions_are_immutable(client: Any) -> None:
    """A version keeps its memory and code while $LATEST moves on."""
    before = client.get_function_configuration(FunctionName="hello", Qualifier=publish(client))
    set_memory(client, 3008)
    client.update_function_code(FunctionName="hello", ZipFile=make_zip("x = 1"))
    after = client.get_function_configuration(FunctionName="hello", Qualifier="1")
    before.pop("ResponseMetadata")
    after.pop("ResponseMetadata")
    assert before == after


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(st.lists(st.sampled_from(["memory", "back", "publish", "delete"]), max_size=25))
def test_any_history_keeps_the_rules(history: list[str]) -> None:
    """Whatever is published and deleted, numbers grow, and equal settings give an equal answer."""
    executor = ScriptedExecutor(time_scale=0)
    with LocalLambda(
        [FunctionDefinition("hello", memory_mb=128)],
        executor=executor, emulated_services=False, update_s=0.0,
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
