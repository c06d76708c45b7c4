"""Timeouts of states and of the whole: what reaches them isn't chosen, or is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.workflow.functions import definition, exact, task
from tuner.decision.workflow.answer import answer_workflow
from tuner.iac.asl import read_machine
from tuner.model.goal import Goal
from tuner.model.workflow import Task, Workflow

if TYPE_CHECKING:
    from tuner.model.workflow import WorkflowAnswer

FALLING = exact("a", [3000, 1500, 700], [1.0, 2.0, 4.0], spread=0.1)
CHEAPEST = Goal(time_weight=0.0)


def answer(text: str, function: Any = FALLING, goal: Goal = CHEAPEST) -> WorkflowAnswer:
    machine = read_machine(Path("m.asl.json"), text=text)
    return answer_workflow(Workflow("m", machine), [function], goal)


def said(found: WorkflowAnswer) -> list[tuple[str, str]]:
    return [
        (each.severity, each.message)
        for each in found.findings
        if each.code == "workflow_state_times_out"
    ]


@pytest.mark.parametrize(("timeout_s", "memory_mb"), [(4, 128), (2, 256), (1.6, 384), (1, 384)])
def test_the_cheapest_size_within_the_states_timeout_is_chosen(
    timeout_s: float, memory_mb: int
) -> None:
    """A size at which one call in a thousand more than must takes longer isn't chosen."""
    found = answer(definition("A", A=task("a", TimeoutSeconds=timeout_s)))
    assert found.functions[0].memory_mb == memory_mb


def test_what_times_out_now_is_said() -> None:
    """At 128 MB every call takes longer: the figures for now don't show that, a finding does."""
    [(severity, message)] = said(answer(definition("A", A=task("a", TimeoutSeconds=2))))
    assert severity == "warning"
    assert "state A (2 s) in 100% of calls at 128 MB: they fail now" in message


def test_what_times_out_at_every_size_is_said() -> None:
    """The size at which the fewest do is chosen, with a warning."""
    found = answer(definition("A", A=task("a", TimeoutSeconds=0.7)))
    assert found.functions[0].memory_mb == 384
    [(severity, message)] = said(found)
    assert severity == "warning"
    assert "in 50% of calls at 384 MB: they fail" in message


def test_sizes_that_a_timeout_rules_out_are_named() -> None:
    """Where neither the present size nor the chosen one times out, it's no warning."""
    rising = exact("a", [500, 1500, 2500], [4.0, 2.0, 1.0])
    found = answer(definition("A", A=task("a", TimeoutSeconds=1)), rising)
    assert found.functions[0].memory_mb == 128
    [(severity, message)] = said(found)
    assert severity == "info"
    assert message.startswith("a isn't given 256 to 384 MB")


def test_a_cold_start_may_reach_a_timeout() -> None:
    """INIT counts: warm calls take half a second, a tenth of all wait two seconds before."""
    cold = exact("a", [500, 400], [1.0, 2.0], cold_share=0.1, init_ms=2000.0)
    [(_, message)] = said(answer(definition("A", A=task("a", TimeoutSeconds=2)), cold))
    assert "in 10% of calls at 128 MB" in message


@pytest.mark.parametrize(
    "state",
    [
        task("a"),
        task("a", TimeoutSeconds="{% $states.input.limit %}"),
        task("a", TimeoutSeconds="${Limit}"),
        {
            **task("a", TimeoutSeconds=1),
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        },
    ],
)
def test_a_timeout_that_nobody_knows_or_is_anothers_rules_nothing_out(state: Any) -> None:
    """One that only an execution's input has, a placeholder's, and that of a callback."""
    found = answer(definition("A", A=state))
    assert found.functions[0].memory_mb == 128
    assert not said(found)


def test_the_whole_has_a_timeout_too() -> None:
    """Executions that take longer than the state machine's own are said."""
    text = definition("A", A=task("a")).replace("{", '{"TimeoutSeconds": 3, ', 1)
    [(severity, message)] = said(answer(text))
    assert severity == "warning"
    assert message.startswith("50% of executions take longer than the state machine's")


def test_timeouts_are_read() -> None:
    """A state's and the machine's; none is None."""
    text = definition("A", A=task("a", TimeoutSeconds=7, Next="B"), B=task("b"))
    machine = read_machine(Path("m.asl.json"), text=text)
    timeouts = [each.timeout_s for each in machine.states if isinstance(each, Task)]
    assert (machine.timeout_s, timeouts) == (None, [7.0, None])
