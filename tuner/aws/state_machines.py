"""State machines of Step Functions: their definitions, and the histories of their executions.

Nothing is started or changed, and no input or output of a state is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.services import Services

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class DescribedMachine:
    """A state machine as it is deployed."""

    name: str
    definition: str
    kind: str
    """`standard` or `express`."""


class StateMachines:
    """Reads state machines."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self, arn: str) -> DescribedMachine:
        """Read one, or a version or alias of one. Raises AwsError."""
        answer = self._services.ask("stepfunctions", "DescribeStateMachine", stateMachineArn=arn)
        return DescribedMachine(
            str(answer["name"]), str(answer["definition"]), str(answer["type"]).lower()
        )

    def histories(self, arn: str, count: int) -> Iterator[list[dict[str, Any]]]:
        """The events of the newest executions that have ended, at most `count`. Raises AwsError.

        A distributed map's items are counted in its own run: that event gets `itemCount`.
        """
        left = count
        for each in self._services.listed(
            "stepfunctions",
            "ListExecutions",
            stateMachineArn=arn,
            maxResults=min(count, _PAGE),
        ):
            if each["status"] in {"SUCCEEDED", "FAILED"}:
                yield self._history(each["executionArn"])
                left -= 1
                if not left:
                    return

    def _history(self, execution: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = [
            *self._services.listed(
                "stepfunctions",
                "GetExecutionHistory",
                executionArn=execution,
                maxResults=_PAGE,
                includeExecutionData=False,
            )
        ]
        for event in events:
            run = event.get("mapRunStartedEventDetails", {}).get("mapRunArn")
            if run is not None:
                counts = self._services.ask("stepfunctions", "DescribeMapRun", mapRunArn=run)
                event["itemCount"] = int(counts["itemCounts"]["total"])
        return events
