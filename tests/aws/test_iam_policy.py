"""The least policy, as a document; that it is enough is shown with the gateway."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuner.aws.changing_policy import least_live_check_policy
from tuner.aws.iam_policy import least_policy
from tuner.errors import InputError

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:resize"


def statements(policy: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_name_and_arn_give_the_same_policy() -> None:
    """What an ARN says wins over arguments and defaults, and its qualifier means nothing here."""
    by_name = least_policy("resize", region="eu-west-1", account_id="123456789012")
    assert least_policy(FUNCTION) == by_name
    assert least_policy(f"{FUNCTION}:live", region="us-east-1", account_id="*") == by_name


def test_a_name_alone_leaves_region_and_account_open() -> None:
    """Without region and account the resource has stars in their connection, and nowhere else."""
    policy = statements(least_policy("resize"))
    assert policy["PublishSizesAndRestore"]["Resource"] == "arn:aws:lambda:*:*:function:resize"


def test_function_itself_can_be_neither_deleted_nor_invoked() -> None:
    """Deletion and invocation are allowed on versions only."""
    for sid in ("DeleteVersionsOnly", "InvokeVersionsOnly"):
        assert statements(least_policy(FUNCTION))[sid]["Resource"] == f"{FUNCTION}:*"


def test_versions_need_no_role_to_be_passed() -> None:
    """Only a copy is given a role, and then to Lambda alone."""
    assert "iam:PassRole" not in json.dumps(least_policy(FUNCTION, isolation="version"))
    passing = statements(least_policy(FUNCTION))["GiveTheCopyItsRole"]
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert passing["Condition"] == condition


READ_ONLY = ("ReadFunctionAndVersions", "ReadReservedConcurrency", "OptionalSeeItsAsyncSettings")


def test_a_copy_needs_no_change_of_the_function() -> None:
    """With isolation clone the function itself may only be read."""
    for sid, statement in statements(least_policy(FUNCTION, isolation="clone")).items():
        if FUNCTION in json.dumps(statement["Resource"]):
            assert sid in READ_ONLY


@pytest.mark.parametrize("isolation", ["auto", "version", "clone"])
def test_no_wildcard_action(isolation: Any) -> None:
    """Every action is spelled out, and a star as resource only where IAM knows no other."""
    for statement in least_policy(FUNCTION, isolation=isolation)["Statement"]:
        assert "*" not in json.dumps(statement["Action"])
        assert statement["Effect"] == "Allow"
        assert statement["Sid"].isalnum()
        if statement["Resource"] == "*":
            assert statement["Action"] in (
                "lambda:GetAccountSettings",
                "lambda:ListEventSourceMappings",
                "lambda:ListFunctions",
                "cloudwatch:GetMetricStatistics",
            )


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-central-1", "aws"),
        ("*", "aws"),
    ],
)
def test_partition_follows_the_region(region: str, partition: str) -> None:
    """A region of another partition gives that partition's ARNs."""
    policy = statements(least_policy("resize", region=region))
    assert policy["DeleteVersionsOnly"]["Resource"].startswith(f"arn:{partition}:lambda:{region}:")


def test_no_function_no_policy() -> None:
    """What is no function's name gets an error, not a policy for anything."""
    with pytest.raises(InputError):
        least_policy("*")


def test_a_live_check_changes_functions_of_its_own_only() -> None:
    """What changes anything is in the second step, on functions named lambda-tuner-*."""
    policy = statements(least_live_check_policy(FUNCTION))
    assert {sid[:5] for sid in policy} == {"Step1", "Step2"}
    reading = ("Get", "List", "Filter")
    for sid, statement in policy.items():
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        changes = [each for each in actions if not each.partition(":")[2].startswith(reading)]
        if sid == "Step2GiveTheFunctionItsRole":
            assert statement["Condition"]["StringEquals"] == {
                "iam:PassedToService": "lambda.amazonaws.com"
            }
        elif changes:
            assert sid.startswith("Step2")
            assert statement["Resource"].endswith("lambda-tuner-*")
