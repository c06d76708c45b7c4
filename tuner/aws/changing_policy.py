"""The least IAM policies of commands that change something and are no sweep.

A rollout (`tuner apply --live`, and `tuner recover` after it), an emergency stop (`tuner watch
--stop-at`, and `recover` after it), and `tuner live-check`: what it reads, and what its second step
does.
"""

from __future__ import annotations

from typing import Any

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.aws.iam_policy import allow, allow_pass_role, policy_of, scope_of
from tuner.aws.log_groups import LAMBDA_PREFIX
from tuner.aws.reading_policy import least_reading_policy
from tuner.lease.clone import COPY_PREFIX


def least_rollout_policy(function: str, *, region: str = "*") -> dict[str, Any]:
    """Return the IAM policy document that rolling out a size of one function needs.

    What an ARN says of region and account wins. IAM knows no resource for metrics and event
    sources. A log group that its owner named has to be added. A Sid that begins with Optional may
    be left out: the plan then says what isn't known. Raises InputError for what is no function.
    """
    scope = scope_of(parse_reference(function), region)
    arn = scope.arn("lambda", f"function:{scope.name}")
    group = scope.arn("logs", f"log-group:/aws/lambda/{scope.name}:*")
    return policy_of(
        [
            allow("ReadFunctionAndVersions", "lambda:GetFunction", arn, f"{arn}:*"),
            allow(
                "ReadAliasAndListVersions",
                "lambda:GetAlias lambda:ListAliases lambda:ListVersionsByFunction",
                arn,
            ),
            allow(
                "PublishTheSizeAndRestore",
                "lambda:PublishVersion lambda:UpdateFunctionConfiguration",
                arn,
            ),
            allow("ShiftTheAlias", "lambda:UpdateAlias", arn),
            allow("DeleteVersionsOnly", "lambda:DeleteFunction", f"{arn}:*"),
            allow("ReadReportsByVersion", "logs:FilterLogEvents", group),
            allow("OptionalCountErrorsAndThrottles", "cloudwatch:GetMetricData", "*"),
            allow(
                "OptionalMarkTheFunctionAsBeingChanged",
                "lambda:ListTags lambda:TagResource lambda:UntagResource",
                arn,
            ),
            allow(
                "OptionalSeeProvisionedConcurrency", "lambda:ListProvisionedConcurrencyConfigs", arn
            ),
            allow(
                "OptionalSeeIfCodeDeployShiftsTheAlias",
                "cloudformation:ListStackResources codedeploy:GetDeploymentGroup",
                scope.arn("cloudformation", "stack/*"),
                scope.arn("codedeploy", "deploymentgroup:*"),
            ),
            allow(
                "OptionalSeeWhatReachesTheFunction",
                "lambda:GetFunctionUrlConfig lambda:GetPolicy",
                arn,
            ),
            allow(
                "OptionalSeeItsTraffic",
                "cloudwatch:GetMetricStatistics lambda:ListEventSourceMappings",
                "*",
            ),
        ]
    )


def least_stop_policy(function: str, *, region: str = "*") -> dict[str, Any]:
    """Return what watching one function takes, and its reserved concurrency.

    What an ARN says of region and account wins. Raises InputError for what is no function.
    """
    scope = scope_of(parse_reference(function), region)
    arn = scope.arn("lambda", f"function:{scope.name}")
    reading = least_reading_policy("watch", function, region=region)
    stopping = [
        allow("OptionalSeeSizesOfAliases", "lambda:ListAliases lambda:ListVersionsByFunction", arn),
        allow("ReadReservedConcurrency", "lambda:GetFunctionConcurrency", arn),
        allow(
            "StopItAndLetItRunAgain",
            "lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency",
            arn,
        ),
    ]
    return policy_of([*reading["Statement"], *stopping])


def least_live_check_policy(
    function: str | None = None, *, region: str = "*", account_id: str = "*"
) -> dict[str, Any]:
    """Return the IAM policy document of both steps; every Sid begins with its step.

    Without the statements of Step2 the check can only read. `function` narrows what the first step
    reads; the second changes functions named `lambda-tuner-*` only. Narrow the role that may be
    passed to the one you give it. GetCallerIdentity needs no permission. Raises InputError for what
    is no function.
    """
    reference = FunctionRef("*") if function is None else parse_reference(function)
    scope = scope_of(reference, region, account_id)
    functions = scope.arn("lambda", "function")
    groups = scope.arn("logs", f"log-group:{LAMBDA_PREFIX}")
    own, own_logs = f"{functions}:{COPY_PREFIX}*", f"{groups}{COPY_PREFIX}*"
    statements = [
        allow("Step1ReadLimits", "lambda:GetAccountSettings", "*"),
        allow("Step1ReadPrices", "pricing:GetProducts", "*"),
        allow("Step1OptionalReadFunction", "lambda:GetFunction", f"{functions}:{scope.name}"),
        allow("Step1OptionalReadReports", "logs:FilterLogEvents", f"{groups}{scope.name}:*"),
        allow("Step1OptionalListMetrics", "cloudwatch:ListMetrics", "*"),
        allow(
            "Step2UseItsFunctions",
            "lambda:CreateAlias lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction"
            " lambda:GetFunctionConcurrency lambda:InvokeFunction lambda:ListAliases"
            " lambda:ListTags lambda:ListVersionsByFunction lambda:PublishVersion"
            " lambda:TagResource lambda:UntagResource lambda:UpdateFunctionConfiguration",
            own,
        ),
        allow("Step2FindCopies", "lambda:ListFunctions", "*"),
        allow("Step2SeeItsEventSources", "lambda:ListEventSourceMappings", "*"),
        allow("Step2OptionalSeeAsyncSettings", "lambda:GetFunctionEventInvokeConfig", own),
        allow("Step2OptionalReadDuration", "cloudwatch:GetMetricStatistics", "*"),
        allow("Step2OptionalReadItsLog", "logs:FilterLogEvents", f"{own_logs}:*"),
        allow("Step2OptionalDeleteItsLogs", "logs:DeleteLogGroup", own_logs),
        allow_pass_role("Step2GiveTheFunctionItsRole", scope.roles),
    ]
    return policy_of(statements)
