"""What surrounds a function, against botocore's own description of the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tuner.aws.event_wiring import read_wiring
from tuner.aws.reading_policy import least_reading_policy
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.model.account import AccountFunction

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.stub import Stubber

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
END = NOW.replace(second=0)
ACCOUNT = "123456789012"
FUNCTION = AccountFunction(ACCOUNT, "eu-west-1", "f", "x86_64", 512)
ARN = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"


@pytest.fixture
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="watch", sleep=lambda _: None)


def points(*values: float) -> dict[str, Any]:
    """One metric's answer, the latest first as CloudWatch gives it."""
    times = [END - timedelta(minutes=each) for each in range(len(values))]
    result = {"Id": "m0", "Timestamps": times, "Values": list(values), "StatusCode": "Complete"}
    return {"MetricDataResults": [result]}


def test_mappings_destinations_setting_and_metrics_are_read(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Disabled sources are none, and a destination's version is its function's."""
    functions, metrics = stub("lambda"), stub("cloudwatch")
    functions.add_response(
        "list_event_source_mappings",
        {"EventSourceMappings": [
            {"EventSourceArn": QUEUE, "State": "Enabled"},
            {"EventSourceArn": QUEUE + "-old", "State": "Disabled"},
        ]},
        {"FunctionName": "f"},
    )  # fmt: skip
    functions.add_response(
        "list_function_event_invoke_configs",
        {"FunctionEventInvokeConfigs": [
            {"DestinationConfig": {"OnSuccess": {"Destination": f"{ARN}:live"}, "OnFailure": {}}}
        ]},
        {"FunctionName": "f"},
    )  # fmt: skip
    functions.add_response(
        "get_function", {"Configuration": {"DeadLetterConfig": {"TargetArn": QUEUE}}}
    )
    functions.add_response("get_function_recursion_config", {"RecursiveLoop": "Terminate"})
    metrics.add_response("get_metric_data", points(2.0, 1.0))
    metrics.add_response("get_metric_data", points(120.0, 60.0))
    found = read_wiring(services, FUNCTION, end=NOW)
    assert (found.function_arn, found.sources) == (ARN, (QUEUE,))
    assert found.targets == ((ARN, "OnSuccess"), (QUEUE, "DeadLetter"))
    assert found.recursive_loop == "Terminate"
    minute = timedelta(minutes=1)
    assert found.dropped == ((END - minute, 1.0), (END, 2.0))
    assert found.queue_ages_s == (("jobs", ((END - minute, 60.0), (END, 120.0))),)
    assert found.unread == ()


def test_what_is_refused_is_told_and_the_rest_is_read(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Each refusal says what it left out; what isn't set is none of them."""
    functions, metrics = stub("lambda"), stub("cloudwatch")
    functions.add_client_error("list_event_source_mappings", "AccessDeniedException", "no", 403)
    functions.add_client_error(
        "list_function_event_invoke_configs", "ResourceNotFoundException", "none", 404
    )
    functions.add_response("get_function", {"Configuration": {}})
    functions.add_client_error("get_function_recursion_config", "AccessDeniedException", "no", 403)
    metrics.add_response("get_metric_data", points())
    found = read_wiring(services, FUNCTION, end=NOW)
    assert (found.sources, found.targets, found.recursive_loop, found.dropped) == ((), (), None, ())
    assert [each.partition(" (")[0] for each in found.unread] == [
        "its event sources", "its RecursiveLoop setting"
    ]  # fmt: skip
    assert "purpose=watch" in found.unread[0]


def test_the_policy_has_every_call_and_changes_nothing() -> None:
    """Whatever a watch asks for is in it; no action is a write."""
    policy = least_reading_policy("watch", "f")
    actions: set[str] = set()
    for statement in policy["Statement"]:
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    assert actions >= {
        "lambda:GetFunction", "lambda:ListEventSourceMappings", "cloudwatch:GetMetricData",
        "lambda:GetFunctionRecursionConfig", "lambda:ListFunctionEventInvokeConfigs",
        "logs:StartQuery", "logs:GetQueryResults", "logs:FilterLogEvents",
    }  # fmt: skip
    assert all(
        each.partition(":")[2].startswith(("Get", "List", "Describe", "StartQuery", "Filter"))
        for each in actions
    )
