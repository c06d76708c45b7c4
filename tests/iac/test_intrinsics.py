"""CloudFormation's functions come to what CloudFormation makes of them, without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.writing import write
from tuner.errors import TemplateError
from tuner.iac import IgnoredPart, TemplateFunction, read_template

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Size: {Type: Number, Default: 512, MinValue: 128, MaxValue: 1024}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Bare: {Type: String}
  Secret: {Type: String, NoEcho: true, Default: hunter2, AllowedPattern: "[a-z]+[0-9]"}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b}
Mappings:
  Sizes:
    dev: {memory: 256, tags: [x, y]}
    prod: {memory: 1024}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [{Condition: IsProd}, !Equals [1, 1]]
  Either: !Or [!Condition IsProd, !Equals [!Ref Size, "512"]]
  Circle: !Not [!Condition Circle]
  Odd: !Ref Stage
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.11
"""


def function(folder: Path, *properties: str, **parameters: str) -> TemplateFunction:
    """Read F with more properties and given parameters."""
    text = HEAD + "".join(f"      {line}\n" for line in properties)
    [found] = read_template(
        write(folder, text), parameters=parameters, region="eu-west-1"
    ).functions
    return found


def value(folder: Path, written: str, **parameters: str) -> str:
    """What a value comes to, in an environment variable."""
    read = function(folder, f"Environment: {{Variables: {{KEY: {written}}}}}", **parameters)
    return dict(read.environment)["KEY"]


@pytest.mark.parametrize(
    ("written", "comes_to"),
    [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Ref Size", "512"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref AWS::AccountId", "123456789012"),
        ("!Ref Secret", "hunter2"),
        ("!Sub 'x-${Stage}-${AWS::Partition}-${!Stage}'", "x-dev-aws-${Stage}"),
        ("{Fn::Sub: ['${A}/${Stage}/${ A }', {A: !Ref Size}]}", "512/dev/512"),
        ("!Sub ['${Stage}', {Stage: mine}]", "mine"),
        ("!FindInMap [Sizes, !Ref Stage, memory]", "256"),
        ("{'Fn::FindInMap': [Sizes, prod, memory]}", "1024"),
        ("!If [IsProd, large, small]", "small"),
        ("!If [IsDev, !Sub 'in ${Stage}', small]", "in dev"),
        ("!If [Both, yes, no]", "false"),
        ("!If [Either, yes, no]", "true"),
        ("!Join ['-', [a, !Ref Stage, b]]", "a-dev-b"),
        ("!Join ['', !Ref Names]", "abc"),
        ("!Join [':', [arn, !If [IsProd, x, !Ref AWS::NoValue], lambda]]", "arn:lambda"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [0, !Split ['.', 'a.b']]", "a"),
        ("!Ref F", "F"),
        ("!GetAtt F.Arn", "arn:aws:lambda:eu-west-1:123456789012:function:F"),
        ("{Fn::GetAtt: [F, Arn]}", "arn:aws:lambda:eu-west-1:123456789012:function:F"),
        ("!Sub '${F.Arn}:live'", "arn:aws:lambda:eu-west-1:123456789012:function:F:live"),
        ("!Select ['1', [x, !FindInMap [Sizes, dev, memory]]]", "256"),
        ("!Join [',', !FindInMap [Sizes, dev, tags]]", "x,y"),
    ],
)
def test_a_function_comes_to_its_value(tmp_path: Path, written: str, comes_to: str) -> None:
    """In the short form and in the long one, nested as one likes."""
    assert value(tmp_path, written) == comes_to


def test_given_parameters_win(tmp_path: Path) -> None:
    """What is given takes the place of the default, and conditions follow."""
    assert value(tmp_path, "!Ref Bare", Bare="given") == "given"
    assert value(tmp_path, "!If [IsProd, large, small]", Stage="prod") == "large"
    assert value(tmp_path, "!FindInMap [Sizes, !Ref Stage, memory]", Stage="prod") == "1024"
    assert value(tmp_path, "!Ref Stored", Stored="the value itself") == "the value itself"
    assert function(tmp_path, "MemorySize: !Ref Size", Size="1000").memory_mb == 1000


def test_settings_of_every_kind_are_resolved(tmp_path: Path) -> None:
    """Numbers, lists, whole mappings and properties that a condition takes away."""
    read = function(
        tmp_path,
        "FunctionName: !Sub resize-${Stage}",
        "MemorySize: !If [IsProd, 3008, !FindInMap [Sizes, !Ref Stage, memory]]",
        "Timeout: !If [IsProd, 60, !Ref AWS::NoValue]",
        "Architectures: !If [IsProd, [arm64], [x86_64]]",
        "Description: !Join [' ', [in, !Ref Stage]]",
        "Environment:",
        "  Variables: !If [IsProd, {AA: b}, {CC: !Ref Stage, DD: !Ref AWS::NoValue}]",
        "Policies: !GetAtt Somewhere.Else",
    )
    assert (read.name, read.memory_mb, read.timeout_s) == ("resize-dev", 256, 3)
    assert (read.architecture, read.description) == ("x86_64", "in dev")
    assert dict(read.environment) == {"CC": "dev"}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("!Ref Bare", "the parameter Bare has no Default: give `template_parameters=Bare=VALUE`"),
        ("!Ref Table", "KEY refers to Table, which is neither a parameter nor a resource"),
        ("!Sub '${Table.Arn}'", "KEY refers to Table.Arn, which can't be resolved here"),
        (
            "!Ref Stored",
            "the parameter Stored is read from Parameter Store, which needs an account",
        ),
        ("!Sub '${Names}'", "puts the list Names into a string: join it"),
        ("!Ref Names", "KEY must be a single value"),
        ("!FindInMap [Sizes, test, memory]", "the map Sizes has no test"),
        ("!FindInMap [Sizes, dev, disk]", "the map Sizes has no dev.disk"),
        ("!FindInMap [Size, dev, disk]", "there is no map Size in Mappings"),
        ("!FindInMap [Sizes, dev]", "takes a map and two keys"),
        ("!If [IsTest, a, b]", "there is no condition IsTest in the template"),
        ("!If [Circle, a, b]", "the condition Circle depends on itself"),
        ("!If [Odd, a, b]", "the condition Odd must be made of Fn::Equals"),
        ("!If [IsProd, a]", "takes 3 arguments and has 2"),
        ("!If IsProd", "its arguments must be a list"),
        ("!Select [3, !Ref Names]", "must name one of 3 in Fn::Select"),
        ("!Select [-1, !Ref Names]", "must name one of 3 in Fn::Select"),
        ("!Split ['', abc]", "needs a delimiter"),
        ("!Base64 abc", "uses !Base64, which can't be resolved here"),
        ("!GetAtt A.B", "KEY refers to A.B, which can't be resolved here"),
        ("{Fn::GetAtt: [Table, Arn]}", "KEY refers to Table.Arn, which can't be resolved"),
        ("{Fn::ImportValue: x}", "uses Fn::ImportValue, which can't be resolved here"),
    ],
)
def test_what_cannot_be_resolved_is_refused_where_it_stands(
    tmp_path: Path, written: str, says: str
) -> None:
    """One line with what is missing and what to do."""
    with pytest.raises(TemplateError) as refused:
        value(tmp_path, written)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given_value", "says"),
    [
        ({"Stage": "test"}, ":2: the value of the parameter Stage must be one of dev, prod"),
        ({"Size": "64"}, ":3: the value of the parameter Size must have at least 128"),
        ({"Size": "9999"}, ":3: the value of the parameter Size must have at most 1024"),
        ({"Size": "many"}, ":3: the value of the parameter Size must be a number"),
        ({"Size": "NaN"}, ":3: the value of the parameter Size must be a number"),
        ({"Secret": "letmein"}, ":6: the value of the parameter Secret must match the pattern"),
        ({"Bare": "x" * 4097}, ":5: the value of the parameter Bare is over 4096 characters"),
        ({"Stag": "dev"}, "there is no parameter Stag in the template: it has Stage, Size, Names"),
    ],
)
def test_values_that_a_parameter_does_not_allow(
    tmp_path: Path, given_value: dict[str, str], says: str
) -> None:
    """The parameter's own line is given, and never the value."""
    used = "!Sub '${Stage}${Size}${Bare}${Secret}'"
    with pytest.raises(TemplateError) as refused:
        value(tmp_path, used, **{"Bare": "x", **given_value})
    assert says in str(refused.value)
    assert "letmein" not in str(refused.value)


def test_a_parameter_that_nothing_uses_needs_no_value(tmp_path: Path) -> None:
    """A template for a whole stack is read although most of its parameters are the account's."""
    assert function(tmp_path, "MemorySize: !Ref Size").memory_mb == 512


def test_a_function_whose_condition_does_not_hold_is_left_out(tmp_path: Path) -> None:
    """With a note; the condition may be another's in a parameter."""
    text = HEAD + (
        "  G:\n    Type: AWS::Serverless::Function\n    Condition: IsProd\n"
        "    Properties: {CodeUri: code, Handler: a.b, Runtime: python3.11, Role: !Ref Nowhere}\n"
    )
    path = write(tmp_path, text)
    template = read_template(path)
    assert [each.name for each in template.functions] == ["F"]
    assert template.ignored == (IgnoredPart("G", "", "its condition IsProd does not hold", 26),)
    both = read_template(path, parameters={"Stage": "prod"})
    assert [each.name for each in both.functions] == ["F", "G"]


def test_globals_are_resolved(tmp_path: Path) -> None:
    """Globals may use functions, too."""
    text = HEAD.replace("Resources:", "Globals:\n  Function: {MemorySize: !Ref Size}\nResources:")
    assert read_template(write(tmp_path, text)).functions[0].memory_mb == 512


def test_a_plain_function_of_cloudformation(tmp_path: Path) -> None:
    """AWS::Lambda::Function is read beside SAM's, takes no globals, and its code may be a path."""
    text = """\
        Globals: {Function: {MemorySize: 512}}
        Resources:
          Plain:
            Type: AWS::Lambda::Function
            Properties:
              Code: ./code
              Handler: app.handler
              Runtime: nodejs22.x
              Role: !GetAtt Role.Arn
              TracingConfig: {Mode: Active}
              Tags: [{Key: a, Value: b}]
          Inline:
            Type: AWS::Lambda::Function
            Properties:
              Code:
                ZipFile: !Sub |
                  def handler(event, context):
                      return "${AWS::Region}"
              Handler: index.handler
              Runtime: python3.12
        """
    plain, inline = read_template(write(tmp_path, text)).functions
    assert (plain.code_dir, plain.memory_mb) == ((tmp_path / "code").resolve(), 128)
    assert inline.code_dir is None
    assert inline.inline_code == 'def handler(event, context):\n    return "us-east-1"\n'


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("{S3Bucket: b, S3Key: k}", "Code of F is in S3, where a deployment tool"),
        ("{ImageUri: x.dkr.ecr/y}", "images can't be run here"),
        ("{Zip: x}", "Zip of Code is not supported"),
        ("{}", "Code is empty"),
        ("{ZipFile: ''}", "ZipFile must hold the code"),
        ("s3://bucket/key", "Code is in S3"),
        ("nowhere", "there is no folder or ZIP 'nowhere' (Code)"),
    ],
)
def test_code_that_cannot_be_had(tmp_path: Path, code: str, says: str) -> None:
    """One line says what is needed instead."""
    text = (
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        f"      Code: {code}\n      Handler: a.b\n      Runtime: python3.11\n"
    )
    with pytest.raises(TemplateError) as refused:
        read_template(write(tmp_path, text))
    assert says in str(refused.value)


LAYERS = """\
    Globals: {Function: {Layers: [!Ref Shared]}}
    Resources:
      Shared:
        Type: AWS::Serverless::LayerVersion
        Properties: {ContentUri: shared, CompatibleRuntimes: [python3.11], LayerName: shared-code}
      Own:
        Type: AWS::Lambda::LayerVersion
        Properties: {Content: own}
      F:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: code
          Handler: app.handler
          Runtime: python3.11
          Layers: [!Ref Own]
          Environment: {Variables: {LAYER: !Ref Own}}
    """


def test_layers_of_the_template_are_found(tmp_path: Path) -> None:
    """A layer is a folder; the globals' come first, and Ref gives the ARN that it has locally."""
    for name in ("shared", "own"):
        (tmp_path / name).mkdir()
    [function_] = read_template(write(tmp_path, LAYERS)).functions
    assert [(layer.name, layer.folder.name) for layer in function_.layers] == [
        ("shared-code", "shared"),
        ("Own", "own"),
    ]
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:Own:1"
    assert dict(function_.environment) == {"LAYER": arn}


def test_a_layer_of_an_account_is_refused(tmp_path: Path) -> None:
    """The ARN is named, and what to do; a layer's folder must be there."""
    arn = "arn:aws:lambda:us-east-1:017000801446:layer:Tools:5"
    path = write(tmp_path, LAYERS.replace("[!Ref Own]", f"['{arn}']"))
    with pytest.raises(TemplateError, match="there is no folder or ZIP 'shared'"):
        read_template(path)
    for name in ("shared", "own"):
        (tmp_path / name).mkdir()
    with pytest.raises(TemplateError, match=f"the layer {arn} is in an AWS account"):
        read_template(path)


def test_a_value_of_any_size_is_refused(tmp_path: Path) -> None:
    """A few references can stand for a value that fills the memory."""
    many = f"!Sub '{'${Bare}' * 100}'", f"{{Fn::ToJsonString: [{'!Ref Bare,' * 100}]}}"
    for written in many:
        with pytest.raises(TemplateError, match="over 100000 characters"):
            value(tmp_path, written, Bare="x" * 4096)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)


@settings(max_examples=50, deadline=None)
@given(TEXTS, TEXTS)
def test_sub_of_a_parameter_puts_it_in_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, before: str, bare: str
) -> None:
    """No character of a value is taken for syntax."""
    before = before.replace("$", "").replace("'", "")
    folder = tmp_path_factory.mktemp("sub")
    assert value(folder, f"!Sub '{before}<${{Bare}}>'", Bare=bare) == f"{before}<{bare}>"
