"""The least IAM policy for a sweep: pure, so it can be printed without credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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

_NEEDED_BY_ANY_LOAD = frozenset(
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
    reference = parse_reference(function)
    return _policy(reference, region=region, account_id=account_id, isolation=isolation)


def _policy(
    reference: FunctionRef, *, region: str, account_id: str, isolation: Isolation
) -> dict[str, Any]:
    scope = scope_of(reference, region, account_id)
    arn = scope.arn("lambda", f"function:{scope.name}")
    versions = f"{arn}:*"
    statements = [allow("ReadFunctionAndVersions", "lambda:GetFunction", arn, versions)]
    if isolation == "auto":
        reaching = "lambda:GetFunctionUrlConfig lambda:GetPolicy"
        statements.append(allow("SeeWhatReachesTheFunction", reaching, arn))
    if isolation != "clone":
        statements += _to_publish_versions(arn)
    if isolation != "version":
        statements += _to_copy(arn, scope.roles)
    statements += [
        # IAM has no resource for this one.
        allow("SeeItsEventSources", "lambda:ListEventSourceMappings", "*"),
        allow("OptionalSeeItsAsyncSettings", "lambda:GetFunctionEventInvokeConfig", arn),
        allow("ReadConcurrencyLimits", "lambda:GetAccountSettings", "*"),
        allow("ReadReservedConcurrency", "lambda:GetFunctionConcurrency", arn),
        # For auto, the metric also tells whether $LATEST is invoked.
        allow(
            "ReadInvocationsAndDuration" if isolation == "auto" else "OptionalReadRecentDuration",
            "cloudwatch:GetMetricStatistics",
            "*",
        ),
        allow(
            "OptionalReadReportsThatTheTailCutsOff",
            "logs:FilterLogEvents",
            *_log_groups(arn, reference.name, isolation),
        ),
        allow(
            "OptionalReadShareableTestEvents",
            "schemas:DescribeSchema",
            scope.arn("schemas", f"schema/{EVENT_REGISTRY}/{reference.event_schema}"),
        ),
    ]
    return policy_of(statements)


def least_load_policy(
    function: str, *, region: str = "*", isolation: Isolation = "auto"
) -> dict[str, Any]:
    """What a load of one function needs: a sweep's, and to invoke the function as it is.

    What only several sizes need has a Sid that begins with Optional.
    """
    policy = least_policy(function, region=region, isolation=isolation)
    scope = scope_of(parse_reference(function), region)
    arn = scope.arn("lambda", f"function:{scope.name}")
    for statement in policy["Statement"]:
        sid = statement["Sid"]
        if sid not in _NEEDED_BY_ANY_LOAD and not sid.startswith("Optional"):
            statement["Sid"] = f"OptionalForSizes{sid}"
    invoking = allow("InvokeTheFunctionAsItIs", "lambda:InvokeFunction", arn, f"{arn}:*")
    return policy_of([invoking, *policy["Statement"], *_to_see_around(scope)])


def _to_see_around(scope: Scope) -> list[dict[str, Any]]:
    """What is behind the function and what feeds it; a resource's name isn't known beforehand."""
    policies = f"arn:{scope.partition}:iam::{scope.account_id}:policy/*"
    return [
        allow(
            "OptionalFindWhatIsBehindIt",
            "dynamodb:ListTables kinesis:ListStreams s3:ListAllMyBuckets sns:ListTopics"
            " sqs:ListQueues",
            "*",
        ),
        allow(
            "OptionalReadTheLimitsOfThat",
            "dynamodb:DescribeTable kinesis:DescribeStreamSummary",
            scope.arn("dynamodb", "table/*"),
            scope.arn("kinesis", "stream/*"),
        ),
        allow(
            "OptionalReadQueues", "sqs:GetQueueAttributes sqs:GetQueueUrl", scope.arn("sqs", "*")
        ),
        allow(
            "OptionalReadConcurrencyOfConsumers",
            "lambda:GetFunctionConcurrency",
            scope.arn("lambda", "function:*"),
        ),
        allow("OptionalFindConsumers", "lambda:ListEventSourceMappings", "*"),
        allow("OptionalReadMetricsOfThat", "cloudwatch:GetMetricData", "*"),
        allow(
            "OptionalReadItsRolesPolicies",
            "iam:GetPolicy iam:GetPolicyVersion iam:GetRolePolicy iam:ListAttachedRolePolicies"
            " iam:ListRolePolicies",
            scope.roles,
            policies,
        ),
    ]


def least_fleet_policy(*, region: str = "*", isolation: Isolation = "auto") -> dict[str, Any]:
    """The same for every function of a region and account: what `tuner fleet` needs in each.

    The optional ones are for planning, for who assumes the roles of other accounts, and for who
    starts a fleet on Step Functions.
    """
    every = FunctionRef("*")
    policy = _policy(every, region=region, account_id="*", isolation=isolation)
    scope = scope_of(every, region)
    policy["Statement"] += [
        allow(
            "OptionalListFunctionsAndDurations",
            "cloudwatch:GetMetricData lambda:ListFunctions",
            "*",
        ),
        allow("OptionalFindFunctionsByTag", "tag:GetResources", "*"),
        allow("OptionalListTestEvents", "schemas:ListSchemas", "*"),
        allow("OptionalListAccounts", "organizations:ListAccounts", "*"),
        allow("OptionalReachOtherAccounts", "sts:AssumeRole", scope.roles),
        allow(
            "OptionalRunOnStepFunctions",
            "states:DescribeExecution states:DescribeMapRun states:ListMapRuns "
            "states:RedriveExecution states:StartExecution states:StopExecution",
            scope.arn("states", "*"),
        ),
        allow(
            "OptionalExchangeWithItsWorkers",
            "s3:GetObject s3:ListBucket s3:PutObject",
            f"arn:{scope.partition}:s3:::*",
        ),
    ]
    return policy


class Scope(NamedTuple):
    """What a policy is narrowed to; `*` for any function, region or account."""

    name: str
    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of what a service has there."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def roles(self) -> str:
        """Every role of the account."""
        return f"arn:{self.partition}:iam::{self.account_id}:role/*"


def scope_of(reference: FunctionRef, region: str, account_id: str = "*") -> Scope:
    """A function's scope: what its ARN says of region and account wins."""
    region = reference.region or region
    partition = reference.partition or partition_of(region)
    return Scope(reference.name, partition, region, reference.account_id or account_id)


def policy_of(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """A policy document of statements."""
    return {"Version": "2012-10-17", "Statement": statements}


def _log_groups(arn: str, name: str, isolation: Isolation) -> list[str]:
    """Where Lambda logs by default; a group that the owner named has to be added."""
    groups = arn.replace(":lambda:", ":logs:", 1).rpartition(":function:")[0] + ":log-group"
    own = [] if isolation == "clone" else [f"{groups}:/aws/lambda/{name}:*"]
    copies = [] if isolation == "version" else [f"{groups}:/aws/lambda/{COPY_PREFIX}*:*"]
    return own + copies


def _to_publish_versions(arn: str) -> list[dict[str, Any]]:
    return [
        allow("ListVersionsAndAliases", "lambda:ListAliases lambda:ListVersionsByFunction", arn),
        allow(
            "PublishSizesAndRestore",
            "lambda:PublishVersion lambda:UpdateFunctionConfiguration",
            arn,
        ),
        allow(
            "OptionalMarkTheFunctionAsBeingSwept",
            "lambda:ListTags lambda:TagResource lambda:UntagResource",
            arn,
        ),
        allow("InvokeVersionsOnly", "lambda:InvokeFunction", f"{arn}:*"),
        allow("DeleteVersionsOnly", "lambda:DeleteFunction", f"{arn}:*"),
    ]


def _to_copy(arn: str, roles: str) -> list[dict[str, Any]]:
    copies = f"{arn.rpartition(':')[0]}:{COPY_PREFIX}*"
    logs = f"{copies.replace(':lambda:', ':logs:', 1).rpartition(':function:')[0]}:log-group"
    return [
        allow(
            "MakeMeasureAndDeleteCopies",
            "lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction lambda:InvokeFunction"
            " lambda:ListVersionsByFunction lambda:PublishVersion lambda:TagResource"
            " lambda:UpdateFunctionConfiguration",
            copies,
        ),
        # For `tuner recover --function`; IAM has no resource for this one.
        allow("OptionalFindCopiesWithoutJournal", "lambda:ListFunctions", "*"),
        allow(
            "OptionalDeleteLogsOfCopies",
            "logs:DeleteLogGroup",
            f"{logs}:/aws/lambda/{COPY_PREFIX}*",
        ),
        allow_pass_role("GiveTheCopyItsRole", roles),
    ]


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to (botocore's partitions.json, by prefix)."""
    return next((found for prefix, found in _PARTITIONS if region.startswith(prefix)), "aws")


def allow(sid: str, actions: str, *resources: str) -> dict[str, Any]:
    """A statement; `sid` says what it's for, and `actions` have spaces between them."""
    several = actions.split()
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": several if len(several) > 1 else actions,
        "Resource": [*resources] if len(resources) > 1 else resources[0],
    }


def allow_pass_role(sid: str, roles: str) -> dict[str, Any]:
    """A statement that lets functions be given these roles, and nothing else."""
    only = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    return {**allow(sid, "iam:PassRole", roles), "Condition": only}
