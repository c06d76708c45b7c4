"""What isn't known of how a workflow's executions go, and what is assumed instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.finding import Finding
from tuner.model.interval import counted, figure, listed, percent
from tuner.model.workflow import Choice, Map, Task, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.workflow.function_times import FunctionTimes
    from tuner.model.workflow import State, Workflow


def unknown_findings(workflow: Workflow) -> Iterator[Finding]:
    """A finding for each kind of thing that nobody has said or seen."""
    known, states = workflow.behavior, list(workflow.machine.walk())
    choices = [
        each.name
        for each in states
        if isinstance(each, Choice) and len(each.targets) > 1 and each.name not in known.choices
    ]
    if choices:
        yield Finding(
            "choice_shares_assumed",
            "warning",
            f"how often each branch of {listed(choices)} is taken isn't known: all as often is "
            "assumed; say it with `choice`, or give the state machine's ARN to read it from its "
            "executions",
        )
    maps = [each.name for each in states if isinstance(each, Map) and each.name not in known.items]
    if maps:
        yield Finding(
            "map_items_assumed",
            "warning",
            f"how many items {listed(maps)} gets isn't known: one is assumed; say it with `items`",
        )
    unknown = [each.name for each in states if _takes_unknown_time(each, workflow)]
    if unknown:
        yield Finding(
            "state_time_unknown",
            "warning",
            f"how long {listed(unknown)} takes isn't known, and counts as nothing: say it with "
            "`state_time`",
        )


def _takes_unknown_time(state: State, workflow: Workflow) -> bool:
    if state.name in workflow.behavior.times_ms:
        return False
    if isinstance(state, Wait):
        return state.seconds is None
    if not isinstance(state, Task):
        return False
    return state.function is None or state.resource.endswith(".waitForTaskToken")


def assumptions_of(
    workflow: Workflow, functions: Sequence[FunctionTimes], transition_count: float
) -> tuple[str, ...]:
    """What the answer rests on, a sentence each."""
    known = workflow.behavior
    found = []
    if known.execution_count:
        seen = counted(f"{known.execution_count:,}", "execution")
        found.append(f"branches, items, errors and waits are as in the last {seen}")
    if not known.errors:
        found.append("no attempt fails, so nothing is retried")
    else:
        found.append("an attempt that fails takes as long as one that succeeds")
    shares = sorted({each.cold_share for each in functions})
    cold = " to ".join(dict.fromkeys(percent(share) for share in (shares[0], shares[-1])))
    found.append(f"{cold} of invocations start cold, each by itself")
    if workflow.kind == "chain":
        return tuple(found)
    between = (
        "the time between states isn't known and counts as nothing"
        if known.overhead_ms is None
        else f"a state transition takes {figure(known.overhead_ms)} ms"
    )
    found.append(between)
    price = (
        f"Step Functions' own price isn't included: about {figure(transition_count)} state "
        "transitions an execution"
        if workflow.kind == "standard"
        else "Step Functions' own price isn't included: requests, and duration by memory"
    )
    found.append(f"{price}, whatever the sizes")
    return tuple(found)
