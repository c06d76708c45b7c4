"""Figures by version from CloudWatch, and CodeDeploy's groups, by botocore's own description."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from tuner.aws.code_deploy import deployment_group
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.aws.version_figures import LogFigures, MetricFigures
from tuner.errors import AccessDeniedError
from tuner.rollout.figures import Arm

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
END = START + timedelta(minutes=1)
GROUP = "/aws/lambda/thumbs"
TAGS = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "Thumbs"}


@pytest.fixture(scope="module")
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="apply", sleep=lambda _: None)


def report(number: int, duration_ms: float = 20.0, more: str = "") -> str:
    return (
        f"REPORT RequestId: 00000000-0000-4000-8000-{number:012d}\tDuration: {duration_ms:.2f} ms"
        f"\tBilled Duration: {duration_ms:.0f} ms\tMemory Size: 512 MB\tMax Memory Used: 60 MB\t"
        f"{more}\n"
    )


def event(message: str, *, version: str, at_s: float, stream: str = "a") -> dict[str, Any]:
    return {
        "timestamp": int((START.timestamp() + at_s) * 1000),
        "logStreamName": f"2026/11/30/[{version}]{stream * 32}",
        "message": message,
    }


def test_reports_are_counted_by_version_and_outcome(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Each stream's version, warm durations apart, errors by what the runtime said before."""
    lost = "00000000-0000-4000-8000-000000000004"
    events = [
        event("[ERROR] ValueError: before\nTraceback (most recent call last):\n", version="8",
              at_s=-1.1),
        event(report(1), version="8", at_s=-1),
        event(report(2, 30), version="7", at_s=1),
        event(report(3, 90, "Init Duration: 200.00 ms"), version="8", at_s=2, stream="b"),
        event("[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n", version="8", at_s=3),
        event(report(2), version="8", at_s=3.1),
        event(f"RequestId: {lost} Error: Runtime exited with error: signal: killed\n",
              version="8", at_s=4),
        event(report(4, 15, "Status: error\tError Type: Runtime.ExitError"), version="8", at_s=4),
        event(report(5, 3000, "Status: timeout"), version="8", at_s=5),
        event(report(6, 25), version="8", at_s=6),
        event(report(7, 35), version="$LATEST", at_s=7),
    ]  # fmt: skip
    logs = stub("logs")
    asked = {
        "logGroupName": GROUP,
        "startTime": int(START.timestamp() * 1000) - 5000,
        "endTime": int(END.timestamp() * 1000) - 1,
        "filterPattern": ANY,
    }
    logs.add_response("filter_log_events", {"events": events[:6], "nextToken": "more"}, asked)
    logs.add_response("filter_log_events", {"events": events[5:]}, asked | {"nextToken": "more"})
    found = LogFigures(services, GROUP, logs_json=False).read("thumbs", ["7", "8"], START, END)
    assert found == {
        "7": Arm(count=1, durations_ms=(30.0,), billed_ms=(30.0,)),
        "8": Arm(5, 3, 1, 1, durations_ms=(25.0,), billed_ms=(25.0,)),
    }


def test_json_reports_say_the_same(services: Services, stub: Callable[[str], Stubber]) -> None:
    """The records of JSON logs, a failed one among them."""

    def record(number: int, status: str) -> str:
        metrics = {"durationMs": 12.5, "billedDurationMs": 13, "memorySizeMB": 512,
                   "maxMemoryUsedMB": 60}  # fmt: skip
        inner = {"requestId": f"r-{number}", "metrics": metrics, "status": status}
        return json.dumps(
            {"time": "2026-11-30T12:00:01.000Z", "type": "platform.report", "record": inner}
        )

    events = [event(record(n, s), version="8", at_s=n) for n, s in ((1, "success"), (2, "error"))]
    stub("logs").add_response("filter_log_events", {"events": events})
    found = LogFigures(services, GROUP, logs_json=True).read("thumbs", ["7", "8"], START, END)
    assert found == {"8": Arm(2, 1, durations_ms=(12.5,), billed_ms=(13.0,))}


def test_metrics_are_asked_by_alias_and_executed_version(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Both versions in one question; a version without data points has none."""
    values = [90.0, 1.0, 2.0, 1800.0]
    results = [{"Id": f"m{number}", "Values": [value]} for number, value in enumerate(values)]
    cloudwatch = stub("cloudwatch")
    cloudwatch.add_response(
        "get_metric_data", {"MetricDataResults": [*results, {"Id": "m4", "Values": []}]}
    )
    metrics = MetricFigures(services, "live")
    found = metrics.read("thumbs", ["7", "8"], START, END)
    assert found == {
        "7": Arm(90, 1, throttle_count=2, mean_duration_ms=20.0),
        "8": Arm(),
    }
    assert metrics._dimensions("thumbs", "7") == {
        "FunctionName": "thumbs",
        "Resource": "thumbs:live",
        "ExecutedVersion": "7",
    }


def resources(*named: tuple[str, str]) -> dict[str, Any]:
    return {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": f"shop-{logical_id}",
                "ResourceType": f"AWS::{kind}",
                "LastUpdatedTimestamp": START,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for logical_id, kind in named
        ]
    }


def test_a_deployment_preference_is_seen_in_the_stack(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """SAM names the group after the function; another function's group is none of this one's."""
    own = resources(("ThumbsDeploymentGroup", "CodeDeploy::DeploymentGroup"))
    other = resources(("MailDeploymentGroup", "CodeDeploy::DeploymentGroup"))
    stack = stub("cloudformation")
    stack.add_response("list_stack_resources", own, {"StackName": "shop"})
    found = deployment_group(services, TAGS, "thumbs", "live")
    assert found == "deployment group ThumbsDeploymentGroup of the stack shop"
    stack.add_response("list_stack_resources", other, {"StackName": "shop"})
    assert deployment_group(services, TAGS, "thumbs", "live") is None
    assert deployment_group(services, {}, "thumbs", "live") is None


@pytest.mark.parametrize("names", ["json", "yaml"])
def test_a_group_is_known_by_its_last_deployment(
    services: Services, stub: Callable[[str], Stubber], names: str
) -> None:
    """An AppSpec names function and alias, however the group is called."""
    given = [{"F": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "thumbs",
             "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}}}]  # fmt: skip
    text = json.dumps({"version": 0.0, "Resources": given})
    if names == "yaml":
        text = (
            "version: 0.0\nResources:\n- F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
            "      Name: thumbs\n      Alias: live\n"
        )
    found = resources(("Blue", "CodeDeploy::DeploymentGroup"), ("App", "CodeDeploy::Application"))
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}
    stack, code_deploy = stub("cloudformation"), stub("codedeploy")
    for alias in ("live", "other"):
        stack.add_response("list_stack_resources", found)
        code_deploy.add_response(
            "get_deployment_group",
            {"deploymentGroupInfo": {"targetRevision": revision}},
            {"applicationName": "shop-App", "deploymentGroupName": "shop-Blue"},
        )
        answer = deployment_group(services, TAGS, "thumbs", alias)
        assert (answer is not None) == (alias == "live")


def test_a_denial_names_the_policy(services: Services, stub: Callable[[str], Stubber]) -> None:
    """Which action is missing, and which command prints what a rollout needs."""
    stub("cloudformation").add_client_error("list_stack_resources", "AccessDenied", "no")
    with pytest.raises(AccessDeniedError, match=r"cloudformation:ListStackResources.*apply"):
        deployment_group(services, TAGS, "thumbs", "live")
