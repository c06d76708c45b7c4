"""From the histories of executions to how executions go: branches, items, errors and times.

An event names the one that led to it (`previousEventId`), so the events of branches that run at
once are told apart. Names of events and their details are those of Step Functions'
GetExecutionHistory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from tuner.model.workflow import Behavior, Choice, Map, Task, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.model.workflow import Machine

    Event = Mapping[str, Any]

_FAILED: Final = (
    "TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed", "LambdaFunctionFailed",
    "LambdaFunctionTimedOut", "LambdaFunctionStartFailed", "LambdaFunctionScheduleFailed",
)  # fmt: skip
_SCHEDULED: Final = ("TaskScheduled", "LambdaFunctionScheduled")
_STARTED: Final = ("TaskStarted", "LambdaFunctionStarted")
_SUCCEEDED: Final = ("TaskSucceeded", "LambdaFunctionSucceeded")
_TIMED_OUT: Final = "States.Timeout"


def behavior_of(machine: Machine, histories: Sequence[Sequence[Event]]) -> Behavior:
    """What the executions show of the machine's states; of others (an older definition) nothing."""
    seen = _Seen({each.name: each for each in machine.walk()})
    for events in histories:
        seen.add(events)
    return seen.behavior(len(histories))


class _Seen:
    def __init__(self, states: Mapping[str, Any]) -> None:
        self._states = states
        self._choices: dict[str, Counter[str]] = defaultdict(Counter)
        self._items: dict[str, list[int]] = defaultdict(list)
        self._attempts: Counter[str] = Counter()
        self._errors: dict[str, Counter[str]] = defaultdict(Counter)
        self._times: dict[str, list[float]] = defaultdict(list)
        self._overheads: list[float] = []
        """Of each execution: time that is neither a state's nor a retry's, by states entered."""
        self._between_ms = 0.0

    def add(self, events: Sequence[Event]) -> None:
        """Read one execution's events."""
        self._between_ms, entered_count = 0.0, 0
        by_id = {int(event["id"]): event for event in events}
        state_of: dict[int, str] = {}
        entered_at: dict[int, Any] = {}
        for event in sorted(events, key=lambda each: int(each["id"])):
            number, kind = int(event["id"]), str(event["type"])
            previous = int(event.get("previousEventId", 0))
            before = by_id.get(previous)
            if kind.endswith("StateEntered"):
                name = str(event.get("stateEnteredEventDetails", {}).get("name", ""))
                state_of[number], entered_at[number] = name, event["timestamp"]
                self._entered(name, event, before, state_of)
                entered_count += 1
            elif previous in state_of:
                state_of[number] = state_of[previous]
                entered_at[number] = entered_at[previous]
            name = state_of.get(number, "")
            self._inside(name, kind, event, before)
            if kind.endswith("StateExited"):
                name = str(event.get("stateExitedEventDetails", {}).get("name", name))
                self._exited(name, event, entered_at.get(number))
        if entered_count:
            self._overheads.append(self._between_ms / entered_count)

    def _entered(
        self, name: str, event: Event, before: Event | None, state_of: Mapping[int, str]
    ) -> None:
        if before is None or not str(before["type"]).endswith("StateExited"):
            return
        came_from = state_of.get(int(before["id"]), "")
        state = self._states.get(came_from)
        if isinstance(state, Choice) and name in state.targets:
            self._choices[came_from][name] += 1
        self._between_ms += _ms_between(before, event)

    def _inside(self, name: str, kind: str, event: Event, before: Event | None) -> None:
        state = self._states.get(name)
        if kind == "MapStateStarted" and isinstance(state, Map):
            details = event.get("mapStateStartedEventDetails", {})
            if "length" in details and not state.is_distributed:
                self._items[name].append(int(details["length"]))
        elif kind == "MapRunStarted" and isinstance(state, Map) and "itemCount" in event:
            self._items[name].append(int(event["itemCount"]))
        if not isinstance(state, Task):
            return
        if before is not None and (
            (kind in (*_SCHEDULED, *_STARTED) and before["type"] not in _FAILED)
            or (kind.endswith("StateExited") and before["type"] in _SUCCEEDED)
        ):
            self._between_ms += _ms_between(before, event)
        if kind in _SCHEDULED:
            self._attempts[name] += 1
        elif kind in _FAILED:
            timed_out = kind.endswith("TimedOut")
            error = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {}).get("error")
            self._errors[name][str(error or (_TIMED_OUT if timed_out else ""))] += 1

    def _exited(self, name: str, event: Event, entered: Any) -> None:
        state = self._states.get(name)
        waits = isinstance(state, Wait) and state.seconds is None
        is_elsewhere = isinstance(state, Task) and state.function is None
        if entered is not None and (waits or is_elsewhere):
            self._times[name].append(1000 * (event["timestamp"] - entered).total_seconds())

    def behavior(self, count: int) -> Behavior:
        return Behavior(
            choices={name: dict(found) for name, found in self._choices.items()},
            items={name: tuple(found) for name, found in self._items.items()},
            errors={
                name: {error: times / self._attempts[name] for error, times in found.items()}
                for name, found in self._errors.items()
                if self._attempts[name]
            },
            times_ms={name: tuple(found) for name, found in self._times.items()},
            overhead_ms=median(self._overheads) if self._overheads else None,
            execution_count=count,
        )


def _ms_between(first: Event, second: Event) -> float:
    return float(max(1000 * (second["timestamp"] - first["timestamp"]).total_seconds(), 0.0))
