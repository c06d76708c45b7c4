"""State machines as they are written: all states, all forms of naming a function, and mistakes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflow.functions import definition, task
from tests.workflow.worlds import draw_world
from tuner.api.workflow import WorkflowRequest, read_workflow
from tuner.errors import TemplateError, TunerError
from tuner.iac.asl import read_machine
from tuner.iac.placeholders import Substitutions
from tuner.model.goal import Goal
from tuner.model.request import Target
from tuner.model.workflow import Choice, Machine, Map, Parallel, Pass, Retrier, Task, Wait

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:charge"


def read(text: str, **values: str) -> Machine:
    return read_machine(Path("m.asl.json"), Substitutions(values), text=text)


@pytest.mark.parametrize(
    "state",
    [
        task("charge"),
        task("charge:live"),
        task(f"{ARN}:$LATEST"),
        task("123456789012:function:charge:7"),
        task("${ChargeArn}"),
        {"Type": "Task", "Resource": ARN, "End": True},
        {"Type": "Task", "Resource": f"{ARN}:live", "End": True},
        {"Type": "Task", "Resource": "${ChargeArn}", "End": True},
        {**task("x"), "Resource": "arn:aws-cn:states:::lambda:invoke.waitForTaskToken",
         "Parameters": {"FunctionName": ARN}},
        {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "QueryLanguage": "JSONata",
         "Arguments": {"FunctionName": ARN, "Payload": "{% $states.input %}"}, "End": True},
        {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:lambda:invoke",
         "Parameters": {"FunctionName": "${Prefix}rge"}, "End": True},
        {"Type": "Task", "Resource": "${Name}", "End": True},
        task("{% 'charge' %}"),
        task("${Name}:${alias}"),
        task("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:charge"),
        task("arn:aws:lambda:${region}:${account_id}:function:${Prefix}rge:${alias}"),
        task("arn:aws:lambda:{REGION}:<ACCOUNT>:function:charge"),
        {**task("charge"), "Resource": "arn:${AWS::Partition}:states:::lambda:invoke"},
    ],
)  # fmt: skip
def test_a_function_is_found_however_it_is_named(state: dict[str, Any]) -> None:
    """ARNs, qualifiers, partial ARNs, both query languages and placeholders name one function."""
    machine = read(definition("A", A=state), ChargeArn=ARN, Prefix="cha", Name="charge")
    assert machine.functions == ("charge",)


def test_every_kind_of_state_is_read() -> None:
    """With the language's defaults where nothing is written."""
    inner = {"StartAt": "M1", "States": {"M1": task("a")}}
    retry = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"], "MaxAttempts": 0,
             "IntervalSeconds": 2, "BackoffRate": 1.5, "MaxDelaySeconds": 9,
             "JitterStrategy": "FULL"}]  # fmt: skip
    machine = read(
        definition(
            "W",
            W={"Type": "Wait", "Seconds": 3, "Next": "D"},
            D={"Type": "Wait", "SecondsPath": "$.s", "Next": "C"},
            C={
                "Type": "Choice",
                "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "P"},
                            {"Condition": "{% true %}", "Next": "P"}],
                "Default": "M",
            },
            P={"Type": "Parallel", "Branches": [
                {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}],
               "Next": "Bad", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "M"}]},
            M={"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": 60, "End": True,
               "Retry": retry},
            Bad={"Type": "Fail"},
        )
    )  # fmt: skip
    wait, dynamic, choice, parallel, mapped, bad = machine.states
    assert (wait, dynamic) == (Wait("W", "D", 3.0), Wait("D", "C", None))
    assert choice == Choice("C", ("P", "M"))
    assert isinstance(parallel, Parallel)
    assert parallel.branches[0].states == (Pass("B"),)
    assert parallel.catchers[0].next == "M"
    assert isinstance(mapped, Map)
    assert (mapped.max_concurrency, mapped.is_distributed) == (40, False)  # an inline map's most
    assert mapped.retriers == (
        Retrier(("States.ALL",)),
        Retrier(("X",), 2.0, 0, 1.5, 9.0, full_jitter=True),
    )
    assert bad == Pass("Bad", fails=True)


def test_a_distributed_map_and_its_batches() -> None:
    """No limit means all items at once, and a batch is one run."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "M1",
        "States": {"M1": task("a")},
    }
    state = {"Type": "Map", "ItemProcessor": processor, "ItemBatcher": {"MaxItemsPerBatch": 10},
             "End": True}  # fmt: skip
    (found,) = read(definition("M", M=state)).states
    assert isinstance(found, Map)
    assert (found.is_distributed, found.max_concurrency, found.batch_size) == (True, None, 10)


def test_an_asynchronous_invocation_is_not_waited_for() -> None:
    """It's a call of the function all the same."""
    state = task("a")
    state["Parameters"]["InvocationType"] = "Event"
    (found,) = read(definition("A", A=state)).states
    assert isinstance(found, Task)
    assert (found.function, found.awaits_result) == ("a", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ": not valid YAML"),
        ("[]", "must be a mapping"),
        ("{}", "no StartAt"),
        (definition("B", A=task("a")), "starts at B, which isn't one of its States"),
        (definition("A", A=task("a", Next="B")), "Next of state A is B, which isn't a state"),
        (definition("A", A={"Type": "Task", "End": True}), "state A has no Resource"),
        (definition("A", A={"Type": "Pass"}), "neither Next nor End"),
        (definition("A", A={"Type": "Jump", "End": True}), "has the Type Jump"),
        (definition("A", A=task("${X}")), "refers to ${X}"),
        (definition("A", A=task("not a name")), "calls 'not a name'"),
        (definition("A", A=task("{% $f %}")), "`calls=A=FUNCTION`"),
        (definition("A", A={"Type": "Wait", "Seconds": -1, "End": True}), "is '-1'"),
        (definition("A", A={"Type": "Choice", "Choices": []}), "no Choices with a Next"),
        (definition("A", A={"Type": "Map", "End": True}), "no ItemProcessor"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, said: str) -> None:
    """One line: the file, the line, the state and what is wrong."""
    with pytest.raises(TemplateError) as error:
        read(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9),
                    lambda each: st.lists(each, max_size=3)
                    | st.dictionaries(st.sampled_from(["StartAt", "States", "A", "Type", "Next",
                                                       "Choices", "Retry", "Branches"]),
                                      each | st.sampled_from(["A", "Task", "Choice", "Parallel"]),
                                      max_size=4), max_leaves=12))  # fmt: skip
def test_anything_is_read_or_refused(document: Any) -> None:
    """No document raises anything but the one error."""
    with contextlib.suppress(TunerError):
        read(json.dumps(document))


@pytest.mark.parametrize("seed", range(8))
def test_what_is_generated_is_read_whole(seed: int) -> None:
    """Every function of a drawn machine is called in what was read."""
    world = draw_world(seed, 6)
    assert {*read(json.dumps(world.machine)).functions} == {*world.functions}


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Charge:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: charge-it, Runtime: python3.13, Handler: a.b, CodeUri: s3://a/b}
  Ship:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: a.b, CodeUri: s3://a/b}
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionUri: orders.asl.json
      DefinitionSubstitutions:
        ChargeArn: !GetAtt Charge.Arn
        ShipArn: !Sub "${Ship.Arn}"
        TableName: !Ref Elsewhere
  Inline:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A: {Type: Task, Resource: !GetAtt Ship.Arn, End: true}
"""


def request(source: Path, **more: Any) -> WorkflowRequest:
    return WorkflowRequest(str(source), Goal(), Target(), **more)


def test_a_template_says_what_placeholders_stand_for(tmp_path: Path) -> None:
    """Given beside the definition, or as the source itself; what it can't resolve does no harm."""
    template, file = tmp_path / "template.yaml", tmp_path / "orders.asl.json"
    template.write_text(TEMPLATE)
    file.write_text(definition("A", A=task("${ChargeArn}", Next="B"), B=task("${ShipArn}")))
    beside, _ = read_workflow(request(file, template=template))
    named, _ = read_workflow(request(template, state_machine="Orders"))
    inline, _ = read_workflow(request(template, state_machine="Inline"))
    assert beside.machine == named.machine
    assert (beside.machine.functions, beside.kind) == (("charge-it", "Ship"), "express")
    assert (inline.machine.functions, inline.kind) == (("Ship",), "standard")
    with pytest.raises(TunerError, match=r"which state machine of .*Orders, Inline"):
        read_workflow(request(template))
