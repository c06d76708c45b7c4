"""Executions of a state machine, as a fleet uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tuner.fleet.remote import ExecutionState, ExecutionStatus

if TYPE_CHECKING:
    from tuner.aws.services import Services

_RUNNING: Final = ("PENDING_REDRIVE", "RUNNING")


class MapExecutions:
    """Starts executions of a state machine with a map, and says where they are."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self, state_machine: str, name: str, document: str) -> str:
        """Start one, once for a name; return its ARN. Raises AwsError."""
        answer = self._services.ask(
            "stepfunctions",
            "StartExecution",
            stateMachineArn=state_machine,
            name=name,
            input=document,
        )
        return str(answer["executionArn"])

    def state(self, execution: str) -> ExecutionState:
        """Where it is. Raises AwsError."""
        answer = self._services.ask("stepfunctions", "DescribeExecution", executionArn=execution)
        status = answer["status"]
        named = "running" if status in _RUNNING else status.lower()
        reason = answer.get("cause") or answer.get("error")
        return ExecutionState(cast("ExecutionStatus", named), self._running(execution), reason)

    def stop(self, execution: str) -> None:
        """Start nothing more of it. Raises AwsError."""
        self._services.ask("stepfunctions", "StopExecution", executionArn=execution)

    def redrive(self, execution: str) -> None:
        """Run again what failed in it. Raises AwsError."""
        self._services.ask("stepfunctions", "RedriveExecution", executionArn=execution)

    def _running(self, execution: str) -> int:
        runs = self._services.ask("stepfunctions", "ListMapRuns", executionArn=execution)
        count = 0
        for each in runs["mapRuns"]:
            run = self._services.ask("stepfunctions", "DescribeMapRun", mapRunArn=each["mapRunArn"])
            count += run["itemCounts"]["running"]
        return count
