"""Definitions as they lie in repositories: placeholders, templates' gaps, what only input tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.functions import definition, task
from tuner.errors import TemplateError
from tuner.iac.asl import read_machine
from tuner.iac.asl_template import declared_machines
from tuner.iac.placeholders import Substitutions
from tuner.model.workflow import Machine, Map, Task, Wait

INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {}}
MACHINE = "AWS::StepFunctions::StateMachine"


def read(text: str, substitutions: Substitutions | None = None) -> Machine:
    return read_machine(Path("m.asl.json"), substitutions, text=text)


def declared(tmp_path: Path, properties: dict[str, Any], **resources: Any) -> Machine:
    """The machine M of a template with the functions given."""
    template = tmp_path / "template.json"
    machine = {"Type": MACHINE, "Properties": properties}
    template.write_text(json.dumps({"Resources": {"M": machine, **resources}}))
    return declared_machines(template)[0].machine(Substitutions())


def test_numbers_may_be_placeholders() -> None:
    """In quotes or, as in Terraform's templates, without: the value that was given counts."""
    wait = {"Type": "Wait", "Seconds": "${Pause}", "Next": "M"}
    within = {"StartAt": "A", "States": {"A": task("a", Retry=[
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": "${Most}"}])}}  # fmt: skip
    each = {"Type": "Map", "MaxConcurrency": "${Most}", "ItemProcessor": within, "End": True}
    text = definition("W", W=wait, M=each)
    known = Substitutions({"Pause": "7", "Most": "4"})
    for written in (text, text.replace('"${Most}"', "${Most}").replace('"${Pause}"', "${Pause}")):
        waited, mapped = read(written, known).states
        assert isinstance(waited, Wait)
        assert waited.seconds == 7
        assert isinstance(mapped, Map)
        assert mapped.max_concurrency == 4
        (inner,) = mapped.body.states
        assert isinstance(inner, Task)
        assert inner.retriers[0].max_attempts == 4
        with pytest.raises(TemplateError, match=r"refers to \$\{\w+\}: .*=NUMBER"):
            read(written)


@pytest.mark.parametrize(
    "state",
    [
        task("not a name!"),
        {"Type": "Task", "Resource": "${Unknown}", "End": True},
        {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:<name>", "End": True},
        {"Type": "Task", "Resource": INVOKE, "Arguments": "{% $input %}", "End": True},
        {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName.$": "$.f"}, "End": True},
    ],
)
def test_a_function_that_cannot_be_told_is_said_with_calls(state: dict[str, Any]) -> None:
    """Whatever is written there: refused with the line and the option, and read with it."""
    text = definition("A", A=state)
    with pytest.raises(TemplateError, match=r"^m.asl.json:1: .*`(calls=A|substitution=Unknown)="):
        read(text)
    assert read(text, Substitutions(called={"A": "charge"})).functions == ("charge",)


def test_a_refused_name_is_shown_as_it_is_written() -> None:
    """Not with its ARN's account and region taken off, so that it can be found in the file."""
    with pytest.raises(TemplateError, match="calls 'arn:aws:lambda:us-east-1:<id>:function:<f>'"):
        read(definition("A", A=task("arn:aws:lambda:us-east-1:<id>:function:<f>")))


def test_a_placeholder_of_another_service_is_no_function(tmp_path: Path) -> None:
    """A plain name counts as a function only if the user gave it, not if a template did."""
    machine = declared(
        tmp_path,
        {
            "DefinitionString": definition(
                "A", A={"Type": "Task", "Resource": "${Act}", "Next": "B"}, B=task("${Fn}")
            ),
            "DefinitionSubstitutions": {"Act": {"Ref": "Work"}, "Fn": {"Ref": "Charge"}},
        },
        Work={"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": "work"}},
        Charge=FUNCTION,
    )
    assert machine.functions == ("Charge",)


def test_what_only_an_account_knows_does_not_keep_a_machine_from_being_read(tmp_path: Path) -> None:
    """A cluster's ARN, a parameter or an import within a definition's text, as CDK writes it."""
    text = definition(
        "A",
        A={"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync",
           "Parameters": {"Cluster": "@0", "Group": "@1", "Role": "@2"}, "Next": "B"},
        B=task("@3"),
    )  # fmt: skip
    unknown = (
        {"Fn::GetAtt": ["Cluster", "Arn"]},
        {"Ref": "Nowhere"},
        {"Fn::ImportValue": "shared-role"},
        {"Fn::GetAtt": ["Charge", "Arn"]},
    )
    pieces: list[Any] = [text]
    for number, value in enumerate(unknown):
        before, after = pieces.pop().split(f"@{number}")
        pieces += [before, value, after]
    machine = declared(
        tmp_path,
        {"DefinitionString": {"Fn::Join": ["", pieces]}},
        Cluster={"Type": "AWS::ECS::Cluster"},
        Charge=FUNCTION,
    )
    assert machine.functions == ("Charge",)


def test_a_function_whose_name_only_an_account_knows_has_its_logical_id(tmp_path: Path) -> None:
    """It doesn't keep the others, or their aliases, from being found."""
    machine = declared(
        tmp_path,
        {"Definition": json.loads(definition(
            "A", A=task("x", Parameters={"FunctionName": {"Ref": "Live"}}, Next="B"),
            B=task("x", Parameters={"FunctionName": {"Fn::GetAtt": ["Odd", "Arn"]}})))},
        Odd={**FUNCTION, "Properties": {"FunctionName": {"Ref": "AWS::StackId"}}},
        Charge=FUNCTION,
        Live={"Type": "AWS::Lambda::Alias",
              "Properties": {"FunctionName": {"Ref": "Charge"}, "Name": "live"}},
    )  # fmt: skip
    assert machine.functions == ("Charge", "Odd")


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"DefinitionUri": "gone.asl.json"}, "gone.asl.json, which isn't here"),
        ({"DefinitionUri": "s3://bucket/m.asl.json"}, "no definition here: give its FILE.asl.json"),
        ({"DefinitionUri": {"Bucket": "b", "Key": "k"}}, "no definition here"),
        ({"DefinitionString": definition("A", A=task("${F}"))}, "json doesn't say: give `substit"),
        ({"DefinitionString": definition("A", A=task("${F}")),
          "DefinitionSubstitutions": {"F": {"Ref": "Gone"}}}, "`substitution=F=FUNCTION` ("),
        ({"DefinitionString": definition("A", A={"Type": "Parallel", "End": True})}, "no Branches"),
        ({"DefinitionString": " "}, "is empty: a state machine's definition is needed"),
    ],
)  # fmt: skip
def test_what_a_template_lacks_is_one_line(
    tmp_path: Path, properties: dict[str, Any], said: str
) -> None:
    """With the file, and what to do."""
    with pytest.raises(TemplateError) as refused:
        declared(tmp_path, properties)
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)
