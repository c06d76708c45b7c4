"""Aliases: pointers and shares of traffic."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def published(client: Any) -> Any:
    """A client of an endpoint whose function has versions 1 (128 MB) and 2 (256 MB)."""
    for memory_mb in (128, 256):
        client.update_function_configuration(FunctionName="hello", MemorySize=memory_mb)
        client.publish_version(FunctionName="hello")
    return client


def test_an_alias_is_followed(published: Any) -> None:
    """Invoke and the Get operations go where the alias points, before and after it moves."""
    published.create_alias(FunctionName="hello", Name="live", FunctionVersion="1", Description="d")
    assert published.invoke(FunctionName="hello", Qualifier="live")["ExecutedVersion"] == "1"
    read = published.get_function_configuration(FunctionName="hello:live")
    assert (read["Version"], read["MemorySize"]) == ("1", 128)
    assert read["FunctionArn"].endswith(":hello:live")
    moved = published.update_alias(FunctionName="hello", Name="live", FunctionVersion="2")
    assert moved["Description"] == "d"
    assert published.invoke(FunctionName="hello:live")["ExecutedVersion"] == "2"


def test_weights_share_the_traffic(published: Any) -> None:
    """With a weight of 0.5 both versions run; with all the weight elsewhere only that one."""
    published.create_alias(
        FunctionName="hello", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )  # fmt: skip

    def ran() -> set[str]:
        return {
            published.invoke(FunctionName="hello", Qualifier="live")["ExecutedVersion"]
            for _ in range(40)
        }

    assert ran() == {"1", "2"}
    published.update_alias(
        FunctionName="hello", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}}
    )
    assert ran() == {"2"}
    published.update_alias(FunctionName="hello", Name="live", RoutingConfig={})
    assert ran() == {"1"}


def test_a_weighted_version_cannot_be_deleted(published: Any) -> None:
    """An alias protects the versions that it only sends a share to, too."""
    published.create_alias(
        FunctionName="hello", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )  # fmt: skip
    with pytest.raises(published.exceptions.ResourceConflictException):
        published.delete_function(FunctionName="hello", Qualifier="2")


def test_revisions_of_aliases(published: Any) -> None:
    """An alias has its own RevisionId, which moves with every update and is checked."""
    created = published.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    moved = published.update_alias(
        FunctionName="hello", Name="live", FunctionVersion="2", RevisionId=created["RevisionId"]
    )
    assert moved["RevisionId"] != created["RevisionId"]
    with pytest.raises(published.exceptions.PreconditionFailedException):
        published.update_alias(FunctionName="hello", Name="live", RevisionId=created["RevisionId"])


def test_what_aliases_refuse(published: Any) -> None:
    """Absent versions, taken or numeric names, bad weights and unknown aliases are refused."""
    published.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    refusals = [
        ("ResourceConflictException", {"Name": "live", "FunctionVersion": "1"}),
        ("ResourceNotFoundException", {"Name": "next", "FunctionVersion": "9"}),
        (
            "InvalidParameterValueException",
            {
                "Name": "next",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}},
            },
        ),
        (
            "InvalidParameterValueException",
            {
                "Name": "next",
                "FunctionVersion": "$LATEST",
                "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}},
            },
        ),
        ("ClientError", {"Name": "7", "FunctionVersion": "1"}),
    ]
    for kind, given in refusals:
        with pytest.raises(getattr(published.exceptions, kind)):
            published.create_alias(FunctionName="hello", **given)
    with pytest.raises(published.exceptions.ResourceNotFoundException):
        published.get_alias(FunctionName="hello", Name="absent")
    with pytest.raises(published.exceptions.ResourceNotFoundException):
        published.invoke(FunctionName="hello", Qualifier="absent")


def test_listing_by_version(published: Any) -> None:
    """ListAliases gives all, in pages, or those of one version."""
    for name, version in (("a", "1"), ("b", "2"), ("c", "2")):
        published.create_alias(FunctionName="hello", Name=name, FunctionVersion=version)
    pages = published.get_paginator("list_aliases").paginate(
        FunctionName="hello", PaginationConfig={"PageSize": 2}
    )
    assert [alias["Name"] for page in pages for alias in page["Aliases"]] == ["a", "b", "c"]
    of_two = published.list_aliases(FunctionName="hello", FunctionVersion="2")["Aliases"]
    assert [alias["Name"] for alias in of_two] == ["b", "c"]
    published.delete_alias(FunctionName="hello", Name="absent")
