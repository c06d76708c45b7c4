"""The least IAM policies for commands that only read: `tuner observe`, `tuner scan`,
`tuner spend`, `tuner watch`, and `tuner workflow` of a state machine's ARN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.aws.iam_policy import Scope, allow, partition_of, policy_of, scope_of
from tuner.aws.log_groups import LAMBDA_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.services import ReadingPurpose
    from tuner.observe.archive_table import S3Location


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
    scope = scope_of(reference, region)
    functions = scope.arn("lambda", f"function:{scope.name}")
    logs = scope.arn("logs", f"log-group:{LAMBDA_PREFIX}{scope.name}:*")
    statements = [
        allow("ReadFunction", "lambda:GetFunction", functions)
        if purpose in ("observe", "watch") or (purpose == "spend" and function is not None)
        else allow("ListFunctions", "lambda:ListFunctions", "*"),
        allow("FindLogGroups", "logs:DescribeLogGroups", "*"),
        allow("QueryLogs", "logs:StartQuery", logs),
        allow("ReadQueries", "logs:GetQueryResults", "*"),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
    ]
    return policy_of([*statements, *_optional(purpose, scope, functions, logs)])


def _optional(
    purpose: ReadingPurpose, scope: Scope, functions: str, logs: str
) -> Iterator[dict[str, Any]]:
    """What only some answers need."""
    if purpose != "spend":
        extension = scope.arn("logs", "log-group:/aws/lambda-insights:*")
        lines = " logs:FilterLogEvents" if purpose == "observe" else ""
        yield allow("OptionalReadCpuTime", f"logs:StartQuery{lines}", extension)
    if purpose == "observe":
        yield allow("OptionalReadCallers", "lambda:GetPolicy", functions)
        yield allow("OptionalReadEventSources", "lambda:ListEventSourceMappings", "*")
        yield allow("OptionalReadLayers", "lambda:ListVersionsByFunction", functions)
    if purpose != "scan":
        yield allow("OptionalReadLogsWithoutQuery", "logs:FilterLogEvents", logs)
    if purpose == "scan":
        yield allow(
            "OptionalSeeProvisionedConcurrency",
            "lambda:ListProvisionedConcurrencyConfigs",
            functions,
        )
        yield allow("OptionalSeeWhereItIsUsed", "cloudwatch:ListMetrics", "*")
        yield allow("OptionalCompareCode", "lambda:ListVersionsByFunction", functions)
        yield allow(
            "OptionalReadComputeOptimizer",
            "compute-optimizer:GetLambdaFunctionRecommendations",
            "*",
        )
    if purpose == "spend":
        yield allow("OptionalReadTags", "tag:GetResources", "*")
        yield allow("OptionalSeeDeployments", "cloudtrail:LookupEvents", "*")
    if purpose == "watch":
        yield allow("OptionalReadEventSources", "lambda:ListEventSourceMappings", "*")
        yield allow(
            "OptionalSeeDestinationsAndRecursion",
            "lambda:GetFunctionRecursionConfig lambda:ListFunctionEventInvokeConfigs",
            functions,
        )


def least_archive_policy(
    archive: S3Location, results: S3Location | None = None, *, region: str = "*"
) -> dict[str, Any]:
    """Return the IAM policy document for a scan of an archive by Athena.

    It reads the archive, makes and drops a table of its own, and reads and writes Athena's answers:
    in `results`, or (None) wherever the work group has them, which the policy can't name. For the
    resources of Glue see "Fine-grained access to databases and tables" in Athena's user guide.
    """
    scope = Scope("*", partition_of(region), region, "*")
    tables = [
        scope.arn("glue", each)
        for each in ("catalog", "database/default", "table/default/tuner_logs_*")
    ]
    s3 = f"arn:{scope.partition}:s3:::"
    answers = f"{s3}*" if results is None else f"{s3}{results.bucket}/{results.prefix}*"
    buckets = sorted({archive.bucket, *(() if results is None else (results.bucket,))})
    return policy_of(
        [
            allow(
                "RunQueries",
                "athena:StartQueryExecution athena:GetQueryExecution athena:GetQueryResults"
                " athena:StopQueryExecution",
                scope.arn("athena", "workgroup/*"),
            ),
            allow(
                "MakeTable",
                "glue:GetDatabase glue:GetTable glue:CreateTable glue:DeleteTable"
                " glue:GetPartitions glue:BatchGetPartition glue:BatchCreatePartition"
                " glue:BatchDeletePartition",
                *tables,
            ),
            allow(
                "FindArchive",
                "s3:ListBucket s3:GetBucketLocation",
                *(f"{s3}{each}" for each in buckets),
            ),
            allow("ReadArchive", "s3:GetObject", f"{s3}{archive.bucket}/{archive.prefix}*"),
            allow("KeepAnswers", "s3:GetObject s3:PutObject s3:AbortMultipartUpload", answers),
        ]
    )


def least_workflow_policy(*, region: str = "*") -> dict[str, Any]:
    """Return the IAM policy document for reading state machines and how their executions went."""
    scope = scope_of(FunctionRef("*"), region)
    machines = scope.arn("states", "stateMachine:*")
    return policy_of(
        [
            allow(
                "ReadStateMachines", "states:DescribeStateMachine states:ListExecutions", machines
            ),
            allow(
                "ReadExecutions", "states:GetExecutionHistory", scope.arn("states", "execution:*")
            ),
            allow("CountItems", "states:DescribeMapRun", scope.arn("states", "mapRun:*")),
        ]
    )
