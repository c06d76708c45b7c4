"""A workflow's TOML file: chains without a state machine, and what is said of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cli.running import ROOT
from tests.workflow.functions import definition, exact, task
from tuner.api.workflow import WorkflowRequest, read_workflow, tune_workflow
from tuner.decision.workflow.executions import sample_executions
from tuner.decision.workflow.latency import Latency
from tuner.errors import InputError
from tuner.iac import read_template
from tuner.model.goal import Goal
from tuner.model.request import Target

if TYPE_CHECKING:
    from tuner.model.workflow import Workflow

CHAIN = """
name = "thumbnails"
[[steps]]
function = "upload"
[[steps]]
name = "queue"
wait_ms = 200
[[steps]]
function = "resize"
count = 4
concurrency = 2
[[steps]]
function = "index"
share = 0.5
[[steps]]
[[steps.branches]]
[[steps.branches.steps]]
function = "index"
[[steps.branches]]
[[steps.branches.steps]]
function = "upload"
"""


def workflow_of(folder: Path, text: str) -> Workflow:
    (folder / "w.toml").write_text(text)
    return read_workflow(WorkflowRequest(str(folder / "w.toml"), Goal(), Target()))[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"executions": 5}, "has no history, and `executions`"),
        ({"substitutions": {"A": "b"}}, "leave out `substitution`"),
        (
            {"template": Path("t.yaml"), "state_machine": "S"},
            "leave out `template`, `state_machine`",
        ),
        ({"parameters": {"Stage": "prod"}}, "leave out `template_parameters`"),
    ],
)
def test_what_a_chain_has_no_use_for_is_refused(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    """One line names what to leave out, instead of nothing being done with it."""
    (tmp_path / "w.toml").write_text(CHAIN)
    with pytest.raises(InputError, match=said):
        read_workflow(WorkflowRequest(str(tmp_path / "w.toml"), Goal(), Target(), **given))


def test_a_chain_is_a_workflow(tmp_path: Path) -> None:
    """By hand: 10 + 200 + 2 rounds of 30 + 7 for half of them + the longer of 7 and 10."""
    found = workflow_of(tmp_path, CHAIN)
    assert (found.name, found.kind) == ("thumbnails", "chain")
    assert found.machine.functions == ("upload", "resize", "index")
    times = [exact(n, [ms], [1.0]) for n, ms in (("upload", 10), ("resize", 30), ("index", 7))]
    runs = sample_executions(found.machine, found.behavior, seed=1)
    latency = Latency(runs, times, [each.typical for each in times])
    assert sorted({*np.round(latency.durations_ms([0, 0, 0]), 6)}) == [280, 287]
    assert latency.call_counts == pytest.approx([2, 4, 1.5], abs=1e-3)


def test_what_is_said_of_a_definition(tmp_path: Path) -> None:
    """Shares, items, errors, times and functions, by the states' names; paths are the file's."""
    (tmp_path / "m.asl.json").write_text(
        definition("A", A=task("${F}", Next="B"), B=task("{% $f %}"))
    )
    found = workflow_of(
        tmp_path,
        'definition = "m.asl.json"\noverhead_ms = 12\n[substitutions]\nF = "one"\n'
        '[calls]\nB = "two"\n[error_rates]\nA = 0.1\nB = {"States.Timeout" = 0.2}\n',
    )
    assert found.machine.functions == ("one", "two")
    assert found.behavior.errors == {"A": {"": 0.1}, "B": {"States.Timeout": 0.2}}
    assert found.behavior.overhead_ms == 12


def test_the_example_names_examples() -> None:
    """Its functions are in the examples' template, and a quarter of its orders are large."""
    file = ROOT / "examples" / "workflow" / "orders.toml"
    found, _ = read_workflow(WorkflowRequest(str(file), Goal(), Target()))
    known = {each.name for each in read_template(ROOT / "examples" / "template.yaml").functions}
    assert {*found.machine.functions} == {"mixed", "cpu-bound", "io-wait"} <= known
    assert found.behavior.choices == {"Is it large?": {"Check and ask": 1, "Ask": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "give one of definition, state_machine and"),
        ("steps = 1", "steps isn't a list of tables"),
        ("[[steps]]", "needs one of function, wait_ms and branches"),
        ('[[steps]]\nfunction = "a"\nshare = 2', "steps.share is 2: 0 to 1"),
        ('[[steps]]\nfunction = "a"\nspeed = 2', "steps.speed isn't known here"),
        ('[[steps]]\nfunction = "a"\n[choices.x]\na = 1', "no such state x"),
        ('[[steps]]\nfunction = "a"\n[error_rates]\na = {x = 0.7, y = 0.7}', "add up to over 1"),
        ('[[steps]]\nfunction = "a"\ncount = 0.5', "steps.count is 0.5: it must be a whole number"),
        ('[[steps]]\nfunction = "a"\nattempts = 2.5', "steps.attempts is 2.5: it must be a whole"),
        ("[[steps]\n", "isn't TOML"),
        ("name = " + "[" * 5_000, "isn't TOML: it's nested too deeply"),
        ("overhead_ms = " + "9" * 5_000, "isn't TOML: "),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    """One line with the key."""
    with pytest.raises(InputError) as error:
        workflow_of(tmp_path, text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_machine_that_only_starts_others_says_which_to_give(tmp_path: Path) -> None:
    """It calls no function itself, so the answer names the states that start other machines."""
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}
    path = tmp_path / "outer.asl.json"
    path.write_text(definition("Ship", Ship={**start, "End": True}))
    with pytest.raises(InputError, match=r"calls no function itself.*that Ship starts\)$"):
        tune_workflow(WorkflowRequest(str(path), Goal(), Target()), state_dir=tmp_path)
