"""Holds what a gateway calls against what a policy allows, as IAM would."""

from __future__ import annotations

from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tuner.aws.gateway import LambdaGateway
from tuner.aws.iam_policy import least_policy
from tuner.aws.session import open_session
from tuner.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "eu-west-1:123456789012"
REQUEST_ID = "8f5c4a1e-0000-4000-8000-000000000000"
_ELSEWHERE = {
    "GetMetricStatistics": ("cloudwatch:GetMetricStatistics", "*"),
    "GetProducts": ("pricing:GetProducts", "*"),
    "ListMetrics": ("cloudwatch:ListMetrics", "*"),
    "DeleteLogGroup": ("logs:DeleteLogGroup", "arn:aws:logs:{account}:log-group:{logGroupName}"),
    "FilterLogEvents": (
        "logs:FilterLogEvents",
        "arn:aws:logs:{account}:log-group:{logGroupName}:*",
    ),
    "DescribeSchema": (
        "schemas:DescribeSchema",
        "arn:aws:schemas:{account}:schema/{RegistryName}/{SchemaName}",
    ),
}
"""Action and resource of what is not Lambda's."""


def check_agreement(
    url: str, function: str, isolation: Any, use: Callable[[LambdaGateway], None]
) -> None:
    """Every call of `use` is allowed by the policy, and nothing is allowed that is unused."""
    session = open_session(region="eu-west-1", profile=None, endpoint_url=url)
    calls: list[tuple[str, str]] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.extend(as_iam_sees(model.name, params))

    session.boto.events.register("provide-client-params", record)
    with LambdaGateway(session) as gateway:
        use(gateway)
        with suppress(AwsError):  # neither endpoint knows the registry
            gateway.shareable_events(function)
    policy = least_policy(
        function, region="eu-west-1", account_id="123456789012", isolation=isolation
    )
    check_allowed(calls, policy)


def check_allowed(calls: list[tuple[str, str]], policy: dict[str, Any]) -> None:
    """Every call, as (action, resource), is allowed, and every action that's allowed was used."""
    for action, resource in calls:
        assert any(
            action in _list(statement["Action"])
            and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
            for statement in policy["Statement"]
        ), f"{action} on {resource} is not allowed"
    used = {action for action, _resource in calls}
    assert used == {a for s in policy["Statement"] for a in _list(s["Action"])}


def as_iam_sees(operation: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions and resources that IAM authorizes (Service Authorization Reference)."""
    if operation == "GetCallerIdentity":
        return []  # needs no permission
    if operation in ("GetAccountSettings", "ListEventSourceMappings", "ListFunctions"):
        return [(f"lambda:{operation}", "*")]
    if operation in _ELSEWHERE:
        action, resource = _ELSEWHERE[operation]
        return [(action, resource.format(account=ACCOUNT, **params))]
    if "Resource" in params:
        return [(f"lambda:{operation}", params["Resource"])]
    action = "InvokeFunction" if operation == "Invoke" else operation
    named = params["FunctionName"] + (f":{params['Qualifier']}" if "Qualifier" in params else "")
    arn = f"arn:aws:lambda:{ACCOUNT}:function:{named}"
    if operation == "CreateFunction":
        return [
            ("iam:PassRole", params["Role"]),
            ("lambda:TagResource", arn),
            ("lambda:CreateFunction", arn),
        ]
    return [(f"lambda:{action}", arn)]


def _list(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else text
