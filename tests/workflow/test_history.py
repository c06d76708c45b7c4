"""What executions of an account say of how they go, through the calls as AWS answers them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.workflow.functions import definition, task
from tests.workflow.worlds import choice_of
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.aws.state_machines import StateMachines
from tuner.decision.workflow.history import behavior_of
from tuner.errors import AccessDeniedError
from tuner.iac.asl import read_machine

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:orders:one"
START = datetime(2026, 11, 1, tzinfo=UTC)


class Events:
    """An execution's events, as GetExecutionHistory has them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, ms: float, before: int | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        event = {
            "timestamp": START + timedelta(milliseconds=ms),
            "type": kind,
            "id": number,
            "previousEventId": number - 1 if before is None else before,
            **details,
        }
        self.events.append(event)
        return number

    def enter(self, kind: str, name: str, ms: float, before: int | None = None) -> int:
        details = {"stateEnteredEventDetails": {"name": name}}
        return self.add(f"{kind}StateEntered", ms, before, **details)

    def leave(self, kind: str, name: str, ms: float, before: int | None = None) -> int:
        details = {"stateExitedEventDetails": {"name": name}}
        return self.add(f"{kind}StateExited", ms, before, **details)


def history() -> list[dict[str, Any]]:
    """Choice to A, which fails once and is retried; then a wait, and a map of two items."""
    made = Events()
    made.add("ExecutionStarted", 0, 0)
    made.enter("Choice", "C", 10)
    made.leave("Choice", "C", 11)
    made.enter("Task", "A", 31)
    called = {"resourceType": "lambda", "resource": "invoke"}
    scheduled = {"taskScheduledEventDetails": {**called, "region": "eu-west-1", "parameters": ""}}
    made.add("TaskScheduled", 32, **scheduled)
    made.add("TaskStarted", 33)
    failure = {**called, "error": "Busy"}
    made.add("TaskFailed", 90, taskFailedEventDetails=failure)
    made.add("TaskScheduled", 1090, **scheduled)
    made.add("TaskStarted", 1091)
    made.add("TaskSucceeded", 1150)
    made.leave("Task", "A", 1170)
    made.enter("Wait", "W", 1190)
    made.leave("Wait", "W", 1690)
    entered = made.enter("Map", "M", 1710)
    started = made.add("MapStateStarted", 1711, entered, mapStateStartedEventDetails={"length": 2})
    for _ in range(2):
        begun = made.add("MapIterationStarted", 1712, started)
        inside = made.enter("Task", "B", 1713, begun)
        call = made.add("TaskScheduled", 1714, inside, **scheduled)
        done = made.add("TaskSucceeded", 1800, call)
        left = made.leave("Task", "B", 1801, done)
        last = made.add("MapIterationSucceeded", 1802, left)
    made.add("MapStateSucceeded", 1803, last)
    made.leave("Map", "M", 1804)
    made.add("ExecutionSucceeded", 1805)
    return made.events


MACHINE = read_machine(
    Path("m.asl.json"),
    text=definition(
        "C", C=choice_of("A", "W"), A=task("a", Next="W"),
        W={"Type": "Wait", "SecondsPath": "$.s", "Next": "M"},
        M={"Type": "Map", "End": True,
           "ItemProcessor": {"StartAt": "B", "States": {"B": task("b")}}},
    ),
)  # fmt: skip


def test_branches_items_errors_and_waits_are_counted() -> None:
    """By hand from one execution: one of two attempts was Busy, the wait took 500 ms."""
    found = behavior_of(MACHINE, [history()])
    assert found.choices == {"C": {"A": 1}}
    assert found.items == {"M": (2,)}
    assert found.errors == {"A": {"Busy": 0.5}}
    assert found.times_ms == {"W": (500.0,)}
    # Between states 3 × 20, around A's attempts 20 + 3, around B's 2 × 2: 87 ms for six states.
    assert found.overhead_ms == 14.5
    assert found.execution_count == 1


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("LambdaFunctionFailed", "lambdaFunctionFailedEventDetails"),
        ("TaskSubmitFailed", "taskSubmitFailedEventDetails"),
        ("LambdaFunctionTimedOut", "lambdaFunctionTimedOutEventDetails"),
    ],
)
def test_an_error_is_read_of_every_kind_of_failure(kind: str, details: str) -> None:
    """Each kind of event has its error in details of its own."""
    made = Events()
    made.enter("Task", "A", 0)
    made.add("LambdaFunctionScheduled", 1)
    failure: dict[str, Any] = {details: {"error": "Busy"}}
    made.add(kind, 2, **failure)
    assert behavior_of(MACHINE, [made.events]).errors == {"A": {"Busy": 1.0}}


def test_another_definition_s_states_are_left_out() -> None:
    """Executions from before a deployment say nothing of states that are gone."""
    other = read_machine(Path("m.asl.json"), text=definition("X", X=task("a")))
    found = behavior_of(other, [history()])
    assert [found.choices, found.items, found.errors, found.times_ms] == [{}] * 4


@pytest.fixture
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="workflow", sleep=lambda _: None)


def test_executions_are_read_without_their_data(services: Services) -> None:
    """Pages are followed, running executions left out, and no input or output is asked for."""
    with Stubber(services.client("stepfunctions")) as stub:
        one = {"stateMachineArn": ARN, "name": "x", "startDate": START}
        stub.add_response(
            "list_executions",
            {"executions": [{**one, "executionArn": EXECUTION, "status": "SUCCEEDED"},
                            {**one, "executionArn": f"{EXECUTION}2", "status": "RUNNING"}]},
            {"stateMachineArn": ARN, "maxResults": 5},
        )  # fmt: skip
        asked = {"executionArn": EXECUTION, "maxResults": 1000, "includeExecutionData": False}
        run = {"mapRunStartedEventDetails": {"mapRunArn": f"{EXECUTION}/M:1"}}
        events = Events()
        events.add("MapRunStarted", 5, 0, **run)
        half = history()
        stub.add_response("get_execution_history", {"events": half[:9], "nextToken": "t"}, asked)
        stub.add_response(
            "get_execution_history",
            {"events": [*half[9:], *events.events]},
            {**asked, "nextToken": "t"},
        )
        counts = dict.fromkeys(
            ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "resultsWritten"),
            0,
        )
        stub.add_response(
            "describe_map_run",
            {"mapRunArn": "m", "executionArn": EXECUTION, "status": "SUCCEEDED",
             "startDate": START, "maxConcurrency": 5, "toleratedFailurePercentage": 0.0,
             "toleratedFailureCount": 0, "itemCounts": {**counts, "total": 700},
             "executionCounts": {**counts, "total": 70}},
            {"mapRunArn": f"{EXECUTION}/M:1"},
        )  # fmt: skip
        (found,) = StateMachines(services).histories(ARN, 5)
        stub.assert_no_pending_responses()
    assert len(found) == len(half) + 1
    assert found[-1]["itemCount"] == 700


def test_a_refusal_names_the_action(services: Services) -> None:
    """And how to print the policy."""
    with Stubber(services.client("stepfunctions")) as stub:
        stub.add_client_error("describe_state_machine", "AccessDeniedException", "no", 400)
        with pytest.raises(AccessDeniedError, match=r"states:DescribeStateMachine.*workflow"):
            StateMachines(services).describe(ARN)
