"""How the services of production are asked: pages, throttles, pace, and what a refusal says."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Received, Reply, WireServer
from tuner.aws import function_list, metric_data
from tuner.aws.function_ref import FunctionRef
from tuner.aws.log_groups import from_ms
from tuner.aws.reading_policy import least_reading_policy
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from tuner.aws.session import Session

FUNCTION = {"FunctionName": "resize", "MemorySize": 512, "Timeout": 30}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:resize"


@pytest.fixture
def waited_s() -> list[float]:
    return []


@pytest.fixture
def session(wire: WireServer, opened: dict[str, Session]) -> Session:
    if wire.url not in opened:
        opened[wire.url] = open_session(region="eu-west-1", profile=None, endpoint_url=wire.url)
    return opened[wire.url]


@pytest.fixture
def services(session: Session, waited_s: list[float]) -> Services:
    return Services(session, purpose="scan", sleep=waited_s.append)


def test_every_page_is_asked_for(wire: WireServer, services: Services) -> None:
    """Lambda's list goes on at the marker that its last page gave, fifty functions at a time."""

    def answer(received: Received) -> Reply:
        [marker] = received.query.get("Marker", ["0"])
        page: dict[str, Any] = {"Functions": [{**FUNCTION, "FunctionName": f"f{marker}"}]}
        return Reply(body=page | ({"NextMarker": str(int(marker) + 1)} if marker != "2" else {}))

    wire.answer = answer
    assert [each.name for each in function_list.list_functions(services)] == ["f0", "f1", "f2"]
    assert [each.query["MaxItems"] for each in wire.received] == [["50"]] * 3


def test_a_list_that_stands_still_is_ended(wire: WireServer, services: Services) -> None:
    """A page whose marker is the one that was given is the last."""
    wire.say(Reply(body={"Functions": [FUNCTION], "NextMarker": "same"}))
    assert len([*function_list.list_functions(services)]) == 2


def test_what_the_function_logs_is_read_from_its_settings(
    wire: WireServer, services: Services
) -> None:
    """Group, format and level come from LoggingConfig, CPU time from the extension's layer."""
    settings = {
        "FunctionArn": ARN,
        "LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "/own"},
        "Layers": [
            {"Arn": "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:5"}
        ],
    }
    wire.say(Reply(body={"Configuration": FUNCTION | settings}))
    found = function_list.read_function(services, FunctionRef("resize"))
    assert (found.log_group, found.logs_json, found.log_has_reports) == ("/own", True, False)
    assert (found.has_lambda_insights, found.account) == (True, "123456789012")


def test_throttled_requests_are_waited_for_and_sent_again(
    wire: WireServer,
    services: Services,
    waited_s: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the SDK's own five tries, for which it waits by itself."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    body = {"__type": "ThrottlingException", "message": "Rate exceeded"}
    throttled = Reply(400, body)
    wire.say(*[throttled] * 6, Reply(body={"queryId": "q"}))
    answer = services.ask("logs", "StartQuery", queryString="x", startTime=0, endTime=1)
    assert answer["queryId"] == "q"
    assert waited_s == [1.0]


def test_requests_keep_below_ten_a_second(
    wire: WireServer, session: Session, waited_s: list[float]
) -> None:
    """All services together, by a clock that stands still: the twentieth waits for 19 turns.

    CloudTrail, which allows two a second, keeps below that.
    """
    services = Services(
        session, purpose="spend", least_interval_s=0.125, sleep=waited_s.append, clock=lambda: 0.0
    )
    wire.say(Reply(body={}))
    for _ in range(10):
        services.ask("lambda", "ListFunctions")
        services.ask("lambda", "ListEventSourceMappings")
    assert waited_s == [0.125 * turn for turn in range(1, 20)]
    services = Services(
        session, purpose="spend", least_interval_s=0.125, sleep=waited_s.append, clock=lambda: 0.0
    )
    for _ in range(3):
        services.ask("cloudtrail", "LookupEvents")
    assert max(waited_s[19:]) > 2 * 0.5


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("logs", "StartQuery", "logs:StartQuery"),
        ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData"),
        ("lambda", "ListFunctions", "lambda:ListFunctions"),
    ],
)
def test_a_denial_names_its_action_and_the_policy_that_has_it(
    wire: WireServer, services: Services, service: str, operation: str, action: str
) -> None:
    """The action is in the policy of the purpose that is named."""
    wire.say(
        Reply(
            403,
            {"__type": "AccessDeniedException", "message": ""},
            {"x-amzn-ErrorType": "AccessDeniedException"},
        )
    )
    needed: dict[str, dict[str, Any]] = {
        "StartQuery": {"queryString": "x", "startTime": 0, "endTime": 1},
        "GetMetricData": {
            "MetricDataQueries": [],
            "StartTime": from_ms(0),
            "EndTime": from_ms(1),
        },
    }
    with pytest.raises(AccessDeniedError, match=r"`tuner iam-policy` \(`purpose=scan`\)") as caught:
        services.ask(service, operation, **needed.get(operation, {}))
    assert caught.value.action == action
    allowed = [each["Action"] for each in least_reading_policy("scan")["Statement"]]
    assert action in allowed


def test_metrics_of_many_functions_are_one_question(
    wire: WireServer, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred functions are 500 metrics, what one call may hold; all pages are added up."""
    asked: list[dict[str, Any]] = []
    numbers = count(1)

    def ask(service: str, operation: str, **given: Any) -> dict[str, Any]:
        asked.append(given)
        result = {"Id": "m0", "Values": [float(next(numbers))]}
        return {"MetricDataResults": [result]} | ({"NextToken": "x"} if len(asked) == 1 else {})

    monkeypatch.setattr(services, "ask", ask)
    names = [f"f{n}" for n in range(metric_data.FUNCTIONS_A_QUESTION)]
    found = metric_data.function_metrics(services, names, start=from_ms(0), end=from_ms(1))
    assert len(asked[0]["MetricDataQueries"]) == 500
    assert found["f0"].invocation_count == 3


def test_provisioned_concurrency_is_listed_by_qualifier(
    wire: WireServer, services: Services
) -> None:
    """Each version or alias with the environments that are asked for."""
    config = {
        "FunctionArn": f"{ARN}:live",
        "RequestedProvisionedConcurrentExecutions": 5,
        "AllocatedProvisionedConcurrentExecutions": 4,
    }
    wire.say(Reply(body={"ProvisionedConcurrencyConfigs": [config]}))
    assert function_list.provisioned_counts(services, "resize") == (("live", 5),)
    wire.say(Reply(body={"ProvisionedConcurrencyConfigs": [config | {"FunctionArn": ""}]}))
    with pytest.raises(AwsError, match="names no version"):
        function_list.provisioned_counts(services, "resize")


def test_code_is_compared_by_digest(wire: WireServer, services: Services) -> None:
    """Each version's own, over all pages."""
    versions = [{"Version": "$LATEST", "CodeSha256": "a"}, {"Version": "1", "CodeSha256": "b"}]
    wire.say(Reply(body={"Versions": versions}))
    assert function_list.version_digests(services, "resize") == {"$LATEST": "a", "1": "b"}


def test_a_policy_only_reads() -> None:
    """No action of any purpose changes anything, and a name narrows it to one function."""
    reading = ("Get", "List", "Describe", "Lookup", "StartQuery", "Filter")
    for purpose in ("observe", "scan", "spend"):
        for statement in least_reading_policy(purpose)["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                assert action.partition(":")[2].startswith(reading)
    one = {each["Sid"]: each for each in least_reading_policy("observe", ARN)["Statement"]}
    assert one["ReadFunction"]["Resource"] == ARN
    assert one["QueryLogs"]["Resource"] == (
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/resize:*"
    )
