"""The least IAM policies for commands that only read: `tuner observe`, `tuner scan`,
`tuner spend`, `tuner watch`, and `tuner workflow` of a state machine's ARN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.aws.iam_policy import scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.aws.services import ReadingPurpose
    from tuner.observe.archive_table import S3Location

_ONE: Final = "ReadFunction: lambda:GetFunction | lambda:function:{name}\n"
_ALL: Final = "ListFunctions: lambda:ListFunctions | *\n"
_READING: Final = """\
FindLogGroups: logs:DescribeLogGroups | *
QueryLogs: logs:StartQuery | logs:log-group:/aws/lambda/{name}:*
ReadQueries: logs:GetQueryResults | *
ReadMetrics: cloudwatch:GetMetricData | *
"""
_CPU: Final = "OptionalReadCpuTime: logs:StartQuery | logs:log-group:/aws/lambda-insights:*\n"
_LINES: Final = """\
OptionalReadLogsWithoutQuery: logs:FilterLogEvents | logs:log-group:/aws/lambda/{name}:*
"""
_OPTIONAL: Final[Mapping[ReadingPurpose, str]] = {
    "observe": """\
OptionalReadCpuTime: logs:StartQuery logs:FilterLogEvents
    | logs:log-group:/aws/lambda-insights:*
OptionalReadCallers: lambda:GetPolicy | lambda:function:{name}
OptionalReadEventSources: lambda:ListEventSourceMappings | *
OptionalReadLayers: lambda:ListVersionsByFunction | lambda:function:{name}
"""
    + _LINES,
    "scan": _CPU
    + """\
OptionalSeeProvisionedConcurrency: lambda:ListProvisionedConcurrencyConfigs
    | lambda:function:{name}
OptionalSeeWhereItIsUsed: cloudwatch:ListMetrics | *
OptionalCompareCode: lambda:ListVersionsByFunction | lambda:function:{name}
OptionalReadComputeOptimizer: compute-optimizer:GetLambdaFunctionRecommendations | *
""",
    "spend": _LINES
    + """\
OptionalReadTags: tag:GetResources | *
OptionalSeeDeployments: cloudtrail:LookupEvents | *
""",
    "watch": _CPU
    + _LINES
    + """\
OptionalReadEventSources: lambda:ListEventSourceMappings | *
OptionalSeeDestinationsAndRecursion: lambda:GetFunctionRecursionConfig
    lambda:ListFunctionEventInvokeConfigs | lambda:function:{name}
""",
}
"""What only some answers need."""
_QUERYING: Final = """\
RunQueries: athena:StartQueryExecution athena:GetQueryExecution athena:GetQueryResults
    athena:StopQueryExecution | athena:workgroup/*
MakeTable: glue:GetDatabase glue:GetTable glue:CreateTable glue:DeleteTable glue:GetPartitions
    glue:BatchGetPartition glue:BatchCreatePartition glue:BatchDeletePartition
    | glue:catalog glue:database/default glue:table/default/tuner_logs_*
"""
_ARCHIVE: Final = """\
ReadArchive: s3:GetObject | s3:{archive}*
KeepAnswers: s3:GetObject s3:PutObject s3:AbortMultipartUpload | s3:{answers}*
"""
_WORKFLOW: Final = """\
ReadStateMachines: states:DescribeStateMachine states:ListExecutions | states:stateMachine:*
ReadExecutions: states:GetExecutionHistory | states:execution:*
CountItems: states:DescribeMapRun | states:mapRun:*
"""


def least_reading_policy(
    purpose: ReadingPurpose, function: str | None = None, *, region: str = "*"
) -> dict[str, Any]:
    """Return the IAM policy document for a command that only reads; nothing in it changes anything.

    With `function`, a name or an ARN, it's narrowed to that one where IAM can (what an ARN says of
    region and account wins). Where IAM knows no resource for an action, the resource is `*`
    (Service Authorization Reference). A log group that its owner named has to be added. A Sid that
    begins with Optional may be left out: the answer then says what is missing. Raises InputError
    for what is no function.
    """
    reference = FunctionRef("*") if function is None else parse_reference(function)
    is_one = purpose in ("observe", "watch") or (purpose == "spend" and function is not None)
    table = (_ONE if is_one else _ALL) + _READING + _OPTIONAL[purpose]
    return scope_of(reference, region).policy(table)


def least_archive_policy(
    archive: S3Location, results: S3Location | None = None, *, region: str = "*"
) -> dict[str, Any]:
    """Return the IAM policy document for a scan of an archive by Athena.

    It reads the archive, makes and drops a table of its own, and reads and writes Athena's answers:
    in `results`, or (None) wherever the work group has them, which the policy can't name. For the
    resources of Glue see "Fine-grained access to databases and tables" in Athena's user guide.
    """
    buckets = {archive.bucket, *(() if results is None else (results.bucket,))}
    found = " ".join(f"s3:{each}" for each in sorted(buckets))
    return scope_of(FunctionRef("*"), region).policy(
        f"{_QUERYING}FindArchive: s3:ListBucket s3:GetBucketLocation | {found}\n{_ARCHIVE}",
        archive=f"{archive.bucket}/{archive.prefix}",
        answers="" if results is None else f"{results.bucket}/{results.prefix}",
    )


def least_workflow_policy(*, region: str = "*") -> dict[str, Any]:
    """Return the IAM policy document for reading state machines and how their executions went."""
    return scope_of(FunctionRef("*"), region).policy(_WORKFLOW)
