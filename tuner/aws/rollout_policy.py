"""The least IAM policy for a rollout: `tuner apply --live`, and `tuner recover` after it."""

from __future__ import annotations

from typing import Any

from tuner.aws.function_ref import parse_reference
from tuner.aws.iam_policy import allow, policy_of, scope_of


def least_rollout_policy(
    function: str, *, region: str = "*", account_id: str = "*"
) -> dict[str, Any]:
    """Return the IAM policy document that rolling out a size of one function needs.

    What an ARN says of region and account wins. IAM knows no resource for metrics and event
    sources. A log group that its owner named has to be added. A Sid that begins with Optional may
    be left out: the plan then says what isn't known. Raises InputError for what is no function.
    """
    scope = scope_of(parse_reference(function), region, account_id)
    arn = scope.arn("lambda", f"function:{scope.name}")
    group = scope.arn("logs", f"log-group:/aws/lambda/{scope.name}:*")
    listing = ["lambda:GetAlias", "lambda:ListAliases", "lambda:ListVersionsByFunction"]
    return policy_of(
        [
            allow("ReadFunctionAndVersions", ["lambda:GetFunction"], [arn, f"{arn}:*"]),
            allow("ReadAliasAndListVersions", listing, [arn]),
            allow(
                "PublishTheSizeAndRestore",
                ["lambda:PublishVersion", "lambda:UpdateFunctionConfiguration"],
                [arn],
            ),
            allow("ShiftTheAlias", ["lambda:UpdateAlias"], [arn]),
            allow("DeleteVersionsOnly", ["lambda:DeleteFunction"], [f"{arn}:*"]),
            allow("ReadReportsByVersion", ["logs:FilterLogEvents"], [group]),
            allow("OptionalCountErrorsAndThrottles", ["cloudwatch:GetMetricData"], ["*"]),
            allow(
                "OptionalMarkTheFunctionAsBeingChanged",
                ["lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
                [arn],
            ),
            allow(
                "OptionalSeeProvisionedConcurrency",
                ["lambda:ListProvisionedConcurrencyConfigs"],
                [arn],
            ),
            allow(
                "OptionalSeeIfCodeDeployShiftsTheAlias",
                ["cloudformation:ListStackResources", "codedeploy:GetDeploymentGroup"],
                [
                    scope.arn("cloudformation", "stack/*"),
                    scope.arn("codedeploy", "deploymentgroup:*"),
                ],
            ),
            allow(
                "OptionalSeeWhatReachesTheFunction",
                ["lambda:GetFunctionUrlConfig", "lambda:GetPolicy"],
                [arn],
            ),
            allow(
                "OptionalSeeItsTraffic",
                ["cloudwatch:GetMetricStatistics", "lambda:ListEventSourceMappings"],
                ["*"],
            ),
        ]
    )
