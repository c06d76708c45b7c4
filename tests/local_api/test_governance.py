"""Tags, reservations and permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


def test_tags_come_and_go(client: Any) -> None:
    """Tags are added, replaced, listed and removed by key; versions have none of their own."""
    client.tag_resource(Resource=ARN, Tags={"team": "a", "cost center": "12 + 3 = 15"})
    client.tag_resource(Resource=ARN, Tags={"team": "b"})
    assert client.list_tags(Resource=ARN)["Tags"] == {"team": "b", "cost center": "12 + 3 = 15"}
    client.untag_resource(Resource=ARN, TagKeys=["team", "absent"])
    assert client.list_tags(Resource=ARN)["Tags"] == {"cost center": "12 + 3 = 15"}
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="versions"):
        client.tag_resource(Resource=f"{ARN}:1", Tags={"a": "b"})


@pytest.mark.parametrize(
    "tags",
    [
        {"journal": '{"memory": 128}'},
        {"a": "x" * 257},
        {"k" * 129: "a"},
        {"aws:a": "b"},
        {str(number): "" for number in range(51)},
    ],
    ids=["JSON", "long value", "long key", "reserved", "fifty-one"],
)
def test_tags_that_lambda_refuses(client: Any, tags: dict[str, str]) -> None:
    """JSON in values, long keys and values, reserved keys and a 51st tag are refused."""
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.tag_resource(Resource=ARN, Tags=tags)
    assert client.list_tags(Resource=ARN)["Tags"] == {}


def test_tags_take_letters_of_any_script(client: Any) -> None:
    """Letters and digits of any script are letters and digits."""
    client.tag_resource(Resource=ARN, Tags={"größe": "東京 _.:/=+-@ ٣"})
    assert client.list_tags(Resource=ARN)["Tags"] == {"größe": "東京 _.:/=+-@ ٣"}


def test_reservations_are_counted(client: Any) -> None:
    """A reservation shows in the function and the account, and leaves 100 unreserved."""
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=900)
    assert client.get_function(FunctionName="hello")["Concurrency"] == {
        "ReservedConcurrentExecutions": 900
    }
    limits = client.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 100)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"\[100\]"):
        client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=901)


def test_permissions(client: Any) -> None:
    """A permission is a statement of the policy, by qualifier, and can be removed."""
    client.publish_version(FunctionName="hello")
    statement = client.add_permission(
        FunctionName="hello", StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket",
    )["Statement"]  # fmt: skip
    policy = client.get_policy(FunctionName="hello")
    assert json.loads(policy["Policy"])["Statement"] == [json.loads(statement)]
    assert json.loads(statement)["Principal"] == {"Service": "s3.amazonaws.com"}
    assert json.loads(statement)["Condition"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}
    }
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="hello", Qualifier="1")
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(
            FunctionName="hello", StatementId="s3", Action="lambda:InvokeFunction", Principal="*"
        )
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.remove_permission(FunctionName="hello", StatementId="s3", RevisionId="stale")
    client.remove_permission(
        FunctionName="hello", StatementId="s3", RevisionId=policy["RevisionId"]
    )
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="hello")
