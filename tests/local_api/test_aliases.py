"""Aliases: pointers and shares of traffic."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import code_of


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
                "FunctionVersion": "$LATEST",
                "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}},
            },
        ),
        ("ClientError", {"Name": "7", "FunctionVersion": "1"}),
    ]
    for kind, given in refusals:
        with pytest.raises(getattr(published.exceptions, kind)):
            published.create_alias(FunctionName="hello", **given)
    with pytest.raises(published.exceptions.ResourceNotFoundException, match="Cannot find alias"):
        published.get_alias(FunctionName="hello", Name="absent")
    with pytest.raises(published.exceptions.ResourceNotFoundException, match="Alias not found"):
        published.update_alias(FunctionName="hello", Name="absent")
    with pytest.raises(published.exceptions.ResourceNotFoundException):
        published.invoke(FunctionName="hello", Qualifier="absent")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"2": 3}, r"Value '\{2=3.0\}' at 'routingConfig.additionalVersionWeights' failed"),
        ({"1": 3}, r"Map value must satisfy constraint: \[Member .*, Member must not be null\]"),
        ({"live": 0.5}, r"'\{live=0.5\}'.*Map keys must satisfy constraint: \[.*: \[0-9\]\+\]"),
    ],
)
def test_weights_are_told_as_aws_tells_a_map(
    published: Any, weights: dict[str, float], words: str
) -> None:
    """A weight or a version beyond the model's limits is told with the whole map and all rules."""
    with pytest.raises(ClientError, match=words) as refused:
        published.create_alias(
            FunctionName="hello",
            Name="next",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
    assert code_of(refused) == "ValidationException"


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
