"""The least IAM policy for a sweep: pure, so it can be printed without credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tuner.aws.function_ref import EVENT_REGISTRY, FunctionRef, parse_reference
from tuner.lease.clone import COPY_PREFIX

if TYPE_CHECKING:
    from tuner.model.plan import Isolation

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)

# See `Scope.policy`. IAM has no resource for what has `*`.
_READING: Final = """\
ReadFunctionAndVersions: lambda:GetFunction | lambda:function:{name} lambda:function:{name}:*
"""
_REACHING: Final = """\
SeeWhatReachesTheFunction: lambda:GetFunctionUrlConfig lambda:GetPolicy | lambda:function:{name}
"""
_PUBLISHING: Final = """\
ListVersionsAndAliases: lambda:ListAliases lambda:ListVersionsByFunction | lambda:function:{name}
PublishSizesAndRestore: lambda:PublishVersion lambda:UpdateFunctionConfiguration
    | lambda:function:{name}
OptionalMarkTheFunctionAsBeingSwept: lambda:ListTags lambda:TagResource lambda:UntagResource
    | lambda:function:{name}
InvokeVersionsOnly: lambda:InvokeFunction | lambda:function:{name}:*
DeleteVersionsOnly: lambda:DeleteFunction | lambda:function:{name}:*
"""
# The second is for `tuner recover --function`.
_COPYING: Final = """\
MakeMeasureAndDeleteCopies: lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction
    lambda:InvokeFunction lambda:ListVersionsByFunction lambda:PublishVersion lambda:TagResource
    lambda:UpdateFunctionConfiguration | lambda:function:{copies}
OptionalFindCopiesWithoutJournal: lambda:ListFunctions | *
OptionalDeleteLogsOfCopies: logs:DeleteLogGroup | logs:log-group:/aws/lambda/{copies}
GiveTheCopyItsRole: iam:PassRole | iam:role/*
"""
_LIMITS: Final = """\
SeeItsEventSources: lambda:ListEventSourceMappings | *
OptionalSeeItsAsyncSettings: lambda:GetFunctionEventInvokeConfig | lambda:function:{name}
ReadConcurrencyLimits: lambda:GetAccountSettings | *
ReadReservedConcurrency: lambda:GetFunctionConcurrency | lambda:function:{name}
"""
# What is behind a function and feeds it is found too; those names aren't known beforehand.
_LOADING: Final = """\
InvokeTheFunctionAsItIs: lambda:InvokeFunction | lambda:function:{name} lambda:function:{name}:*
OptionalFindWhatIsBehindIt: dynamodb:ListTables kinesis:ListStreams s3:ListAllMyBuckets
    sns:ListTopics sqs:ListQueues | *
OptionalReadTheLimitsOfThat: dynamodb:DescribeTable kinesis:DescribeStreamSummary
    | dynamodb:table/* kinesis:stream/*
OptionalReadQueues: sqs:GetQueueAttributes sqs:GetQueueUrl | sqs:*
OptionalReadConcurrencyOfConsumers: lambda:GetFunctionConcurrency | lambda:function:*
OptionalFindConsumers: lambda:ListEventSourceMappings | *
OptionalReadMetricsOfThat: cloudwatch:GetMetricData | *
OptionalReadItsRolesPolicies: iam:GetPolicy iam:GetPolicyVersion iam:GetRolePolicy
    iam:ListAttachedRolePolicies iam:ListRolePolicies | iam:role/* iam:policy/*
"""
# For planning, for who assumes roles of other accounts, and for who starts it on Step Functions.
_FLEET: Final = """\
OptionalListFunctionsAndDurations: cloudwatch:GetMetricData lambda:ListFunctions | *
OptionalFindFunctionsByTag: tag:GetResources | *
OptionalListTestEvents: schemas:ListSchemas | *
OptionalListAccounts: organizations:ListAccounts | *
OptionalReachOtherAccounts: sts:AssumeRole | iam:role/*
OptionalRunOnStepFunctions: states:DescribeExecution states:DescribeMapRun states:ListMapRuns
    states:RedriveExecution states:StartExecution states:StopExecution | states:*
OptionalExchangeWithItsWorkers: s3:GetObject s3:ListBucket s3:PutObject | s3:*
"""
_NEEDED_BY_ANY_LOAD: Final = frozenset(
    ("ReadFunctionAndVersions", "ReadConcurrencyLimits", "ReadReservedConcurrency")
)


def least_policy(
    function: str,
    *,
    region: str = "*",
    account_id: str = "*",
    isolation: Isolation = "auto",
) -> dict[str, Any]:
    """Return the IAM policy document (to be dumped as JSON) that a sweep needs.

    `function` is a name or an ARN; the ARN's region and account win over the arguments. Every Sid
    says what its statement is for. The resource types are those of the Service Authorization
    Reference ("Actions defined by AWS Lambda"); a trailing `:*` matches versions and aliases only,
    so DeleteFunction can't reach the function itself. With isolation clone, only functions named
    `lambda-tuner-*` may be changed, and iam:PassRole is needed to give the copy the function's
    role; version never sets a role; auto may do either, and checks what reaches the function. A Sid
    that begins with Optional may be left out. Raises InputError if it isn't a function.
    """
    return _policy(parse_reference(function), region, account_id, isolation)


def _policy(
    reference: FunctionRef, region: str, account_id: str, isolation: Isolation
) -> dict[str, Any]:
    table = _READING
    # Where Lambda logs by default; a group that the owner named has to be added.
    groups = []
    # For auto, the metric also tells whether $LATEST is invoked.
    metric = "ReadInvocationsAndDuration" if isolation == "auto" else "OptionalReadRecentDuration"
    if isolation == "auto":
        table += _REACHING
    if isolation != "clone":
        table += _PUBLISHING
        groups.append("logs:log-group:/aws/lambda/{name}:*")
    if isolation != "version":
        table += _COPYING
        groups.append("logs:log-group:/aws/lambda/{copies}:*")
    table += f"""\
{_LIMITS}\
{metric}: cloudwatch:GetMetricStatistics | *
OptionalReadReportsThatTheTailCutsOff: logs:FilterLogEvents | {" ".join(groups)}
OptionalReadShareableTestEvents: schemas:DescribeSchema | schemas:schema/{{schema}}
"""
    return scope_of(reference, region, account_id).policy(
        table, schema=f"{EVENT_REGISTRY}/{reference.event_schema}"
    )


def least_load_policy(
    function: str, *, region: str = "*", isolation: Isolation = "auto"
) -> dict[str, Any]:
    """What a load of one function needs: a sweep's, and to invoke the function as it is.

    What only several sizes need has a Sid that begins with Optional.
    """
    sweeping = least_policy(function, region=region, isolation=isolation)["Statement"]
    for statement in sweeping:
        sid = statement["Sid"]
        if sid not in _NEEDED_BY_ANY_LOAD and not sid.startswith("Optional"):
            statement["Sid"] = f"OptionalForSizes{sid}"
    policy = scope_of(parse_reference(function), region).policy(_LOADING)
    policy["Statement"][1:1] = sweeping
    return policy


def least_fleet_policy(*, region: str = "*", isolation: Isolation = "auto") -> dict[str, Any]:
    """The same for every function of a region and account: what `tuner fleet` needs in each."""
    every = FunctionRef("*")
    policy = _policy(every, region, "*", isolation)
    policy["Statement"] += scope_of(every, region).policy(_FLEET)["Statement"]
    return policy


class Scope(NamedTuple):
    """What a policy is narrowed to; `*` for any function, region or account."""

    name: str
    partition: str
    region: str
    account_id: str

    def policy(self, table: str, **given: str) -> dict[str, Any]:
        """A policy document from a table with a line for each statement.

        `SID: ACTION … | RESOURCE …`, where the Sid says what it's for. A line that is indented goes
        on with the one before. A resource is `*`, or an ARN's service and resource:
        `lambda:function:{name}`. `{name}` is the function's, `{copies}` what temporary copies are
        called, and others are `given`. A role may be passed to functions only.
        """
        lines = re.sub(r"\n +", " ", table).splitlines()
        given |= {"name": self.name, "copies": f"{COPY_PREFIX}*"}
        return {
            "Version": "2012-10-17",
            "Statement": [self._statement(line, given) for line in lines],
        }

    def _statement(self, line: str, given: dict[str, str]) -> dict[str, Any]:
        sid, _, what = line.partition(": ")
        actions, resources = (part.split() for part in what.split(" | "))
        arns = [each if each == "*" else self._arn(each.format(**given)) for each in resources]
        statement: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": actions if len(actions) > 1 else actions[0],
            "Resource": arns if len(arns) > 1 else arns[0],
        }
        if actions == ["iam:PassRole"]:
            only = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
            statement["Condition"] = only
        return statement

    def _arn(self, resource: str) -> str:
        """The whole one: roles and policies are in no region, and buckets in no account either."""
        service, _, rest = resource.partition(":")
        region = "" if service in {"iam", "s3"} else self.region
        account_id = "" if service == "s3" else self.account_id
        return f"arn:{self.partition}:{service}:{region}:{account_id}:{rest}"


def scope_of(reference: FunctionRef, region: str, account_id: str = "*") -> Scope:
    """A function's scope: what its ARN says of region and account wins."""
    region = reference.region or region
    partition = reference.partition or partition_of(region)
    return Scope(reference.name, partition, region, reference.account_id or account_id)


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to (botocore's partitions.json, by prefix)."""
    return next((found for prefix, found in _PARTITIONS if region.startswith(prefix)), "aws")
