"""The least IAM policy for a sweep: pure, so that it can be printed without credentials."""

from __future__ import annotations

from typing import Any

from tuner.aws.reference import parse_reference

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def least_policy(
    function: str, *, region: str = "*", account_id: str = "*", partition: str = "aws"
) -> dict[str, Any]:
    """Return the IAM policy document (to be dumped as JSON) that a version sweep needs.

    `function` is a name or an ARN; what an ARN says of region, account and partition wins over the
    arguments. Every Sid tells what its statement is for. The resource types are those of the
    Service Authorization Reference ("Actions defined by AWS Lambda"); a trailing `:*` matches
    versions and aliases only, so DeleteFunction cannot reach the function itself. iam:PassRole is
    not needed: the role is never set. The last statement may be left out: it only makes the
    estimate of a sweep's duration and cost better. Raises InputError for what is no function.
    """
    reference = parse_reference(function)
    region = reference.region or region
    partition = reference.partition or (_partition_of(region) if partition == "aws" else partition)
    account_id = reference.account_id or account_id
    arn = f"arn:{partition}:lambda:{region}:{account_id}:function:{reference.name}"
    versions = f"{arn}:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow("ReadFunctionAndVersions", ["lambda:GetFunction"], [arn, versions]),
            _allow(
                "ListVersionsAndAliases",
                ["lambda:ListAliases", "lambda:ListVersionsByFunction"],
                [arn],
            ),
            _allow(
                "PublishSizesAndRestore",
                ["lambda:PublishVersion", "lambda:UpdateFunctionConfiguration"],
                [arn],
            ),
            _allow("InvokeVersionsOnly", ["lambda:InvokeFunction"], [versions]),
            _allow("DeleteVersionsOnly", ["lambda:DeleteFunction"], [versions]),
            _allow("ReadConcurrencyLimits", ["lambda:GetAccountSettings"], ["*"]),
            _allow("OptionalReadRecentDuration", ["cloudwatch:GetMetricStatistics"], ["*"]),
        ],
    }


def _partition_of(region: str) -> str:
    """Return the partition that a region belongs to (botocore's partitions.json, by prefix)."""
    for prefix, partition in _PARTITIONS:
        if region.startswith(prefix):
            return partition
    return "aws"


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions if len(actions) > 1 else actions[0],
        "Resource": resources if len(resources) > 1 else resources[0],
    }
