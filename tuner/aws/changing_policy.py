"""The least IAM policies of commands that change something and are no sweep.

A rollout (`tuner apply --live`, and `tuner recover` after it), an emergency stop (`tuner watch
--stop-at`, and `recover` after it), and `tuner live-check`: what it reads, and what its second step
does.
"""

from __future__ import annotations

from typing import Any, Final

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.aws.iam_policy import scope_of
from tuner.aws.reading_policy import least_reading_policy

_ROLLING_OUT: Final = """\
ReadFunctionAndVersions: lambda:GetFunction | lambda:function:{name} lambda:function:{name}:*
ReadAliasAndListVersions: lambda:GetAlias lambda:ListAliases lambda:ListVersionsByFunction
    | lambda:function:{name}
PublishTheSizeAndRestore: lambda:PublishVersion lambda:UpdateFunctionConfiguration
    | lambda:function:{name}
ShiftTheAlias: lambda:UpdateAlias | lambda:function:{name}
DeleteVersionsOnly: lambda:DeleteFunction | lambda:function:{name}:*
ReadReportsByVersion: logs:FilterLogEvents | logs:log-group:/aws/lambda/{name}:*
OptionalCountErrorsAndThrottles: cloudwatch:GetMetricData | *
OptionalMarkTheFunctionAsBeingChanged: lambda:ListTags lambda:TagResource lambda:UntagResource
    | lambda:function:{name}
OptionalSeeProvisionedConcurrency: lambda:ListProvisionedConcurrencyConfigs | lambda:function:{name}
OptionalSeeIfCodeDeployShiftsTheAlias: cloudformation:ListStackResources
    codedeploy:GetDeploymentGroup | cloudformation:stack/* codedeploy:deploymentgroup:*
OptionalSeeWhatReachesTheFunction: lambda:GetFunctionUrlConfig lambda:GetPolicy
    | lambda:function:{name}
OptionalSeeItsTraffic: cloudwatch:GetMetricStatistics lambda:ListEventSourceMappings | *
"""
_STOPPING: Final = """\
OptionalSeeSizesOfAliases: lambda:ListAliases lambda:ListVersionsByFunction | lambda:function:{name}
ReadReservedConcurrency: lambda:GetFunctionConcurrency | lambda:function:{name}
StopItAndLetItRunAgain: lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency
    | lambda:function:{name}
"""
_CHECKING: Final = """\
Step1ReadLimits: lambda:GetAccountSettings | *
Step1ReadPrices: pricing:GetProducts | *
Step1OptionalReadFunction: lambda:GetFunction | lambda:function:{name}
Step1OptionalReadReports: logs:FilterLogEvents | logs:log-group:/aws/lambda/{name}:*
Step1OptionalListMetrics: cloudwatch:ListMetrics | *
Step2UseItsFunctions: lambda:CreateAlias lambda:CreateFunction lambda:DeleteFunction
    lambda:GetFunction lambda:GetFunctionConcurrency lambda:InvokeFunction lambda:ListAliases
    lambda:ListTags lambda:ListVersionsByFunction lambda:PublishVersion lambda:TagResource
    lambda:UntagResource lambda:UpdateFunctionConfiguration | lambda:function:{copies}
Step2FindCopies: lambda:ListFunctions | *
Step2SeeItsEventSources: lambda:ListEventSourceMappings | *
Step2OptionalSeeAsyncSettings: lambda:GetFunctionEventInvokeConfig | lambda:function:{copies}
Step2OptionalReadDuration: cloudwatch:GetMetricStatistics | *
Step2OptionalReadItsLog: logs:FilterLogEvents | logs:log-group:/aws/lambda/{copies}:*
Step2OptionalDeleteItsLogs: logs:DeleteLogGroup | logs:log-group:/aws/lambda/{copies}
Step2GiveTheFunctionItsRole: iam:PassRole | iam:role/*
"""


def least_rollout_policy(function: str, *, region: str = "*") -> dict[str, Any]:
    """Return the IAM policy document that rolling out a size of one function needs.

    What an ARN says of region and account wins. IAM knows no resource for metrics and event
    sources. A log group that its owner named has to be added. A Sid that begins with Optional may
    be left out: the plan then says what isn't known. Raises InputError for what is no function.
    """
    return scope_of(parse_reference(function), region).policy(_ROLLING_OUT)


def least_stop_policy(function: str, *, region: str = "*") -> dict[str, Any]:
    """Return what watching one function takes, and its reserved concurrency.

    What an ARN says of region and account wins. Raises InputError for what is no function.
    """
    policy = least_reading_policy("watch", function, region=region)
    stopping = scope_of(parse_reference(function), region).policy(_STOPPING)
    policy["Statement"] += stopping["Statement"]
    return policy


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
    return scope_of(reference, region, account_id).policy(_CHECKING)
