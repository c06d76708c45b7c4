"""What only SAM, a deployment or an account makes: taken where it can be told, else named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.iac.writing import refusal, with_properties, write
from tuner.iac import Template, read_template

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Conditions: {Never: !Equals [a, b]}
Mappings: {Sizes: {prod: {Memory: 512}}}
Globals: {Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11}}
Resources:
  Gate: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  Old: {Type: AWS::ApiGateway::Stage, Properties: {StageName: test}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, Name: live}}
  Flow: {Type: AWS::Serverless::StateMachine}
  Lines: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "/aws/lambda/${F}"}}
  Thumbs: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${G}-thumbs"}}
  G: {Type: AWS::Serverless::Function, Properties: {FunctionName: resize}}
"""
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function"


def read(folder: Path, written: str) -> Template:
    """Read F, whose variable KEY has this value, beside a G that has nothing of its own."""
    text = (
        "  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      AutoPublishAlias: now\n      Environment: {{Variables: {{KEY: {written}}}}}\n"
    )
    return read_template(write(folder, HEAD + text))


@pytest.mark.parametrize(
    ("written", "comes_to"),
    [
        ("!Select [1, !Split ['/', !Ref AWS::StackId]]", "local"),
        ("!Ref Old", "test"),
        ("!Ref Gatev1Stage", "v1"),
        ("!Ref Gate.Stage", "v1"),
        ("!Ref Live", f"{LAMBDA}:F:live"),
        ("!Ref G.Alias", None),
        ("!Ref F.Alias", f"{LAMBDA}:F:now"),
        ("!Ref FAliasnow", f"{LAMBDA}:F:now"),
        ("!Ref F.Version", f"{LAMBDA}:F:1"),
        ("!GetAtt FRole.Arn", "arn:aws:iam::123456789012:role/local-FRole"),
        ("!Ref FlowRole", "local-FlowRole"),
        ("!Sub 'https://${ServerlessRestApi}/Prod/'", "https://local-ServerlessRestApi/Prod/"),
        ("!Ref ServerlessRestApiProdStage", "Prod"),
        ("!Sub '${ServerlessHttpApi.Stage}'", "$default"),
        ("!Ref Thumbs", "resize-thumbs"),
        ("!Ref Lines", "/aws/lambda/F"),
        ("!FindInMap [Sizes, dev, Memory, {DefaultValue: 256}]", "256"),
        ("!FindInMap [Sizes, prod, Memory, {DefaultValue: 256}]", "512"),
        ("{Fn::Length: [a, b]}", "2"),
        ("{Fn::ToJsonString: {a: 1, b: '1', c: true, d: [x, 1.5, !Ref Old]}}",
         '{"a":1,"b":"1","c":true,"d":["x",1.5,"test"]}'),
        ("!ToJsonString [!Ref Live, null, {none: !Ref AWS::NoValue, n: 'é\"'}]",
         f'["{LAMBDA}:F:live",null,{{"n":"é\\""}}]'),
        ("{Fn::ToJsonString: {zip: 0x10, old: 0512, day: 2024-01-02}}",
         '{"zip":"0x10","old":"0512","day":"2024-01-02"}'),
        ("{Fn::ToJsonString: text}", None),
        ("{Fn::ToJsonString: {a: !GetAtt Flow.Name}}", None),
    ],
)  # fmt: skip
def test_what_a_deployment_would_make_is_known_by_its_name(
    tmp_path: Path, written: str, comes_to: str | None
) -> None:
    """Stages, aliases, ids that SAM generates, and the extensions of the language."""
    template = read(tmp_path, written)
    found = {each.name: dict(each.environment) for each in template.functions}
    assert found.get("F") == (None if comes_to is None else {"KEY": comes_to})


def test_a_log_group_or_bucket_named_after_a_function_is_no_trouble(tmp_path: Path) -> None:
    """The bucket is made under that name, and no line says that either could not be."""
    template = read(tmp_path, "x")
    assert template.not_made == ()
    assert [each.name for each in template.resources] == ["resize-thumbs"]


def test_what_only_an_account_can_resolve_is_named_and_may_be_given(tmp_path: Path) -> None:
    """`{{resolve:…}}` is neither passed on as it is written nor repeated."""
    path = with_properties(
        tmp_path, "Environment: {Variables: {TOKEN: '{{resolve:secretsmanager:prod/db:x}}'}}"
    )
    line = refusal(path)
    assert "TOKEN is a dynamic reference ({{resolve:" in line
    assert line.endswith("write the value out, or give `template_environment=TOKEN=VALUE`")
    assert "prod/db" not in line
    [function] = read_template(path, environment={"TOKEN": ""}).functions
    assert dict(function.environment) == {"TOKEN": ""}


def test_a_loop_is_refused_by_its_name_and_only_where_it_is(tmp_path: Path) -> None:
    """Resources in a loop are left out, variables in one leave their function out."""
    loop = "  Fn::ForEach::Topics: [Name, [A, B], {'T${Name}': {Type: AWS::SNS::Topic}}]\n"
    template = read_template(write(tmp_path, HEAD + loop))
    assert [each.name for each in template.functions] == ["resize"]
    assert (
        "Fn::ForEach::Topics generates entries in a loop"
        in template.left_out["Fn::ForEach::Topics"]
    )
    inner = "Environment: {Variables: {AB: c, 'Fn::ForEach::Keys': [K, [A], {'${K}': x}]}}"
    assert "Fn::ForEach::Keys generates entries in a loop" in refusal(
        with_properties(tmp_path, inner)
    )


def test_an_attribute_that_means_nothing_here_does_not_fail(tmp_path: Path) -> None:
    """It is noted; one that looks like Properties is still a mistake."""
    own = "  F:\n    Type: AWS::Serverless::Function\n    Description: x\n    Owner: team\n"
    template = read_template(write(tmp_path, HEAD + own))
    noted = {each.name for each in template.ignored if each.whose == " of F"}
    assert (len(template.functions), noted) == (2, {"Description", "Owner"})
    wrong = own.replace("Owner: team", "Propertys: {}")
    assert "did you mean Properties" in read_template(write(tmp_path, HEAD + wrong)).left_out["F"]


def test_a_function_may_refuse_globals(tmp_path: Path) -> None:
    """As SAM's IgnoreGlobals says: all of them, or those that it lists."""
    own = "  F:\n    Type: AWS::Serverless::Function\n    IgnoreGlobals: {}\n    Properties: {}\n"
    listed = own.replace("{}", "[Runtime]", 1).replace("{}", "{Runtime: python3.13}")
    functions = read_template(write(tmp_path, HEAD + listed)).functions
    assert [each.runtime for each in functions] == ["python3.11", "python3.13"]
    every = read_template(write(tmp_path, HEAD + own.replace("{}", "'*'", 1)))
    assert "F has no Runtime" in every.left_out["F"]


def test_a_broken_layer_fails_only_those_that_use_it(tmp_path: Path) -> None:
    """Its own line is the reason."""
    layer = "  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: nowhere}}\n"
    uses = "  F: {Type: AWS::Serverless::Function, Properties: {Layers: [!Ref L]}}\n"
    path = write(tmp_path, HEAD + layer + uses)
    template = read_template(path)
    assert [each.name for each in template.functions] == ["resize"]
    assert template.left_out["F"].startswith(f"{path}:13: there is no folder or ZIP 'nowhere'")


def test_functions_that_no_condition_lets_be_say_so(tmp_path: Path) -> None:
    """Not that there is no function: which condition, where, and what decides it."""
    text = HEAD.replace("Properties: {FunctionName", "Condition: Never, Properties: {FunctionName")
    line = refusal(write(tmp_path, text))
    assert line.startswith(":12: G does not exist")
    assert "condition Never" in line
    assert "NAME=VALUE" in line


@pytest.mark.parametrize(
    ("runtime", "instead"),
    [
        ("go1.x", "build for provided.al2023, as an executable called bootstrap"),
        ("dotnetcore3.1", "use dotnet8"),
        ("nodejs8.10", "use nodejs22.x"),
    ],
)
def test_a_retired_runtime_says_what_replaces_it(
    tmp_path: Path, runtime: str, instead: str
) -> None:
    """It was one of Lambda's, and the line says what to do."""
    line = refusal(with_properties(tmp_path, f"Runtime: {runtime}"))
    assert f"the runtime {runtime} is retired, and Lambda no longer runs it: {instead}" in line
