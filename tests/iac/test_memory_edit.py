"""The line that sets a function's memory is found, wherever the value comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.writing import write
from tuner.errors import TemplateError
from tuner.iac import MemoryEdit, memory_edit, read_template

EXAMPLES = Path(__file__).parents[2] / "examples" / "template.yaml"
WHOLE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Memory:
    Type: Number
    Default: "1024"   # MB
    MaxValue: 3008
Conditions:
  Prod: !Equals [!Ref Stage, prod]
Mappings:
  Sizes:
    dev: {Memory: 640}
Globals:
  Function:
    MemorySize: 768
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Own:
    Type: AWS::Lambda::Function
    Properties: {Description: "Größe", MemorySize: 2048}  # of its own
  Shared:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: !Sub "${AWS::StackName}-shared"}
  Other:
    Type: AWS::Serverless::Function
  ByRef:
    Type: AWS::Serverless::Function
    Properties: {MemorySize: !Ref Memory}
  ByIf:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize:
        Fn::If: [Prod, 3008, 512]
  ByMap:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
  Bare:
    Type: AWS::Lambda::Function
  BySub:
    Type: AWS::Lambda::Function
    Properties: {MemorySize: !Sub "${Memory}"}
"""


def edit(folder: Path, name: str, memory_mb: int = 256, **given: str) -> MemoryEdit:
    return memory_edit(write(folder, WHOLE), name, memory_mb, parameters=given)


@pytest.mark.parametrize(
    ("name", "now_mb", "after"),
    [
        ("Own", 2048, '    Properties: {Description: "Größe", MemorySize: 256}  # of its own'),
        ("shop-Own-1A2B3C4D", 2048, None),
        ("shop-shared", 768, "    MemorySize: 256"),
        ("ByRef", 1024, '    Default: "256"   # MB'),
        ("ByIf", 512, "        Fn::If: [Prod, 3008, 256]"),
        ("ByMap", 640, "    dev: {Memory: 256}"),
    ],
)
def test_the_line_is_found_where_the_value_stands(
    tmp_path: Path, name: str, now_mb: int, after: str | None
) -> None:
    """In the function, Globals, a parameter's Default, a branch or a map; only the size changes."""
    found = edit(tmp_path, name)
    assert found.memory_mb == now_mb
    assert found.now == WHOLE.split("\n")[found.line - 1]
    assert after is None or found.after == after
    assert found.after.replace("256", str(now_mb)) == found.now


def test_a_line_that_other_functions_share_names_them(tmp_path: Path) -> None:
    """Globals reach every function without a size of its own; a CloudFormation one it does not."""
    assert edit(tmp_path, "Other").shared_by == ("Shared",)
    assert edit(tmp_path, "Own").shared_by == ()


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("Bare", {}, "Bare has no MemorySize"),
        ("BySub", {}, "uses !Sub: no single line sets it"),
        ("ByRef", {"Memory": "512"}, "change it where it is set"),
        ("missing", {}, "no function of the template is called missing"),
    ],
)
def test_what_has_no_line_is_said(
    tmp_path: Path, name: str, given: dict[str, str], words: str
) -> None:
    """With file and reason, never with a guess."""
    with pytest.raises(TemplateError, match=words):
        edit(tmp_path, name, **given)


def test_a_size_that_the_parameter_refuses_is_said(tmp_path: Path) -> None:
    """The template would not deploy with it."""
    with pytest.raises(TemplateError, match="at most 3008"):
        edit(tmp_path, "ByRef", 4096)


def test_names_of_the_same_shape_are_not_guessed(tmp_path: Path) -> None:
    """Two functions that may each be it are named; a parameter's value tells them apart."""
    text = "Parameters: {Stage: {Type: String}}\nResources:\n"
    for part in ("a", "b"):
        name = f"FunctionName: !Sub '${{Stage}}-{part}${{AWS::Region}}'"
        text += (
            f"  {part}: {{Type: AWS::Lambda::Function, Properties: {{{name}, MemorySize: 128}}}}\n"
        )
    path = write(tmp_path, text)
    assert memory_edit(path, "x-a1", 256).line == 3
    with pytest.raises(TemplateError, match="a, b may each be x-a-b1"):
        memory_edit(path, "x-a-b1", 256)


@settings(max_examples=40)
@given(
    st.sampled_from(["", "'", '"']),
    st.text("äx🙂", max_size=3),
    st.integers(128, 10240),
    st.integers(128, 10240),
)
def test_the_line_as_it_would_be_sets_the_size(
    tmp_path_factory: pytest.TempPathFactory, quote: str, before: str, now_mb: int, after_mb: int
) -> None:
    """Put into the template, it reads as the wanted size and changes nothing else."""
    value = f"{{Description: '{before}', MemorySize: {quote}{now_mb}{quote}}}"
    text = f"Resources:\n F:\n  Type: AWS::Lambda::Function\n  Properties:\n   {value}\n"
    path = write(tmp_path_factory.mktemp("t"), text)
    found = memory_edit(path, "F", after_mb)
    path.write_text(text.replace(found.now, found.after))
    properties = yaml.safe_load(path.read_text())["Resources"]["F"]["Properties"]
    assert (properties["Description"], int(properties["MemorySize"])) == (before, after_mb)


def test_every_function_of_the_examples_has_its_line() -> None:
    """The line holds the memory that the template is read to have."""
    template = read_template(EXAMPLES)
    for function in template.functions:
        found = memory_edit(template.path, function.name, 10240)
        assert found.memory_mb == function.memory_mb
        assert found.after == "      MemorySize: 10240"


def test_a_merged_size_is_edited_where_it_stands_and_an_anchored_one_is_not(
    tmp_path: Path,
) -> None:
    """The mapping that is merged has the line, with all that it is merged into."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Metadata:\n  Common: &common\n    MemorySize: 512\nResources:\n"
        "  F: {Type: AWS::Serverless::Function, Properties: {<<: *common}}\n"
        "  G: {Type: AWS::Serverless::Function, Properties: {<<: *common}}\n"
        "  H: {Type: AWS::Serverless::Function, Properties: {MemorySize: &size 256}}\n"
        "  I: {Type: AWS::Serverless::Function, Properties: {MemorySize: *size}}\n"
    )
    edit = memory_edit(path, "F", 768)
    assert (edit.line, edit.after, edit.shared_by) == (3, "    MemorySize: 768", ("G",))
    for name in ("H", "I"):
        with pytest.raises(TemplateError, match=r"template\.yaml:7: .*768 there"):
            memory_edit(path, name, 768)


@pytest.mark.parametrize(
    ("memory", "used", "expected"),
    [
        ("!Ref Size", "EphemeralStorage: {Size: !Ref Size}", ("F.EphemeralStorage.Size",)),
        ("!Ref Size", 'Description: !Sub "${Size} MB"', ("F.Description",)),
        ("!Ref Size", "Timeout: 3", ()),
        (
            "!FindInMap [Sizes, all, mb]",
            "EphemeralStorage: {Size: !FindInMap [Sizes, all, mb]}",
            ("F.EphemeralStorage.Size",),
        ),
        ("!FindInMap [Sizes, all, mb]", "Timeout: !FindInMap [Sizes, all, s]", ()),
        ("512", "EphemeralStorage: {Size: 512}", ()),
    ],
)
def test_what_else_a_value_sets_is_named(
    tmp_path: Path, memory: str, used: str, expected: tuple[str, ...]
) -> None:
    """A parameter or a map's value may be the size of something else, too."""
    path = write(
        tmp_path,
        f"""\
        Parameters: {{Size: {{Type: Number, Default: 512}}}}
        Mappings: {{Sizes: {{all: {{mb: 512, s: 3}}}}}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              MemorySize: {memory}
              {used}
        """,
    )
    assert memory_edit(path, "F", 256).used_by == expected


def test_a_value_that_a_condition_chose_is_marked(tmp_path: Path) -> None:
    """It may be another environment's."""
    assert edit(tmp_path, "ByIf").is_chosen
    assert edit(tmp_path, "ByMap").is_chosen
    assert not edit(tmp_path, "ByRef").is_chosen
