"""The least IAM policy for `tuner live-check`: what it reads, and what its second step does."""

from __future__ import annotations

from typing import Any

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.aws.iam_policy import allow, policy_of, scope_of
from tuner.aws.log_groups import LAMBDA_PREFIX
from tuner.lease.clone import COPY_PREFIX


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
    pass_role = allow(
        "Step2GiveTheFunctionItsRole",
        ["iam:PassRole"],
        [scope.roles],
    )
    statements = [
        allow("Step1ReadLimits", ["lambda:GetAccountSettings"], ["*"]),
        allow("Step1ReadPrices", ["pricing:GetProducts"], ["*"]),
        allow("Step1OptionalReadFunction", ["lambda:GetFunction"], [f"{functions}:{scope.name}"]),
        allow("Step1OptionalReadReports", ["logs:FilterLogEvents"], [f"{groups}{scope.name}:*"]),
        allow("Step1OptionalListMetrics", ["cloudwatch:ListMetrics"], ["*"]),
        allow(
            "Step2UseItsFunctions",
            [
                "lambda:CreateAlias",
                "lambda:CreateFunction",
                "lambda:DeleteFunction",
                "lambda:GetFunction",
                "lambda:GetFunctionConcurrency",
                "lambda:InvokeFunction",
                "lambda:ListAliases",
                "lambda:ListTags",
                "lambda:ListVersionsByFunction",
                "lambda:PublishVersion",
                "lambda:TagResource",
                "lambda:UntagResource",
                "lambda:UpdateFunctionConfiguration",
            ],
            [own],
        ),
        allow("Step2FindCopies", ["lambda:ListFunctions"], ["*"]),
        allow("Step2SeeItsEventSources", ["lambda:ListEventSourceMappings"], ["*"]),
        allow("Step2OptionalSeeAsyncSettings", ["lambda:GetFunctionEventInvokeConfig"], [own]),
        allow("Step2OptionalReadDuration", ["cloudwatch:GetMetricStatistics"], ["*"]),
        allow("Step2OptionalReadItsLog", ["logs:FilterLogEvents"], [f"{own_logs}:*"]),
        allow("Step2OptionalDeleteItsLogs", ["logs:DeleteLogGroup"], [own_logs]),
        {
            **pass_role,
            "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        },
    ]
    return policy_of(statements)
