"""In CloudFormation and SAM a function's memory is changed where it's written, and no other's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iac.editing import check_lines, edited, refusal
from tests.iac.writing import write
from tuner.iac import read_template

EXAMPLES = Path(__file__).parents[2] / "examples" / "template.yaml"
WHOLE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Memory:
    Type: Number
    Default: "1024"   # MB
    MaxValue: 3008
  Both: {Type: Number, Default: 896}
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
    Properties:
      Description: one
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
  One:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.one
      MemorySize:
        Ref: Both
      Timeout: 3
  Two:
    Type: AWS::Serverless::Function
    Properties: {MemorySize: !Ref Both, Timeout: 3}
  Bare:
    Type: AWS::Lambda::Function
    Properties:
      Timeout: 3  # s
      Code: x
  BySub:
    Type: AWS::Lambda::Function
    Properties: {MemorySize: !Sub "${Memory}"}
"""


@pytest.mark.parametrize(
    ("name", "now_mb", "before", "after", "shared_by"),
    [
        (
            "Own",
            2048,
            '    Properties: {Description: "Größe", MemorySize: 2048}  # of its own',
            '    Properties: {Description: "Größe", MemorySize: 256}  # of its own',
            (),
        ),
        ("shop-Own-1A2B3C4D", 2048, None, None, ()),
        (
            "shop-shared",
            768,
            '    Properties: {FunctionName: !Sub "${AWS::StackName}-shared"}',
            '    Properties: {FunctionName: !Sub "${AWS::StackName}-shared", MemorySize: 256}',
            ("Other",),
        ),
        ("ByIf", 512, None, "        Fn::If: [Prod, 3008, 256]", ()),
        ("ByMap", 640, None, "    dev: {Memory: 256}", ()),
        (
            "Other",
            768,
            "      Description: one",
            "      MemorySize: 256\n      Description: one",
            ("Shared",),
        ),
        (
            "One",
            896,
            "      MemorySize:\n        Ref: Both",
            "      MemorySize: 256",
            ("Two",),
        ),
        (
            "Two",
            896,
            None,
            "    Properties: {MemorySize: 256, Timeout: 3}",
            ("One",),
        ),
        (
            "Bare",
            128,
            "      Timeout: 3  # s",
            "      Timeout: 3  # s\n      MemorySize: 256",
            (),
        ),
    ],
)
def test_the_memory_is_changed_where_it_is_the_functions_own(
    tmp_path: Path,
    *,
    name: str,
    now_mb: int,
    before: str | None,
    after: str | None,
    shared_by: tuple[str, ...],
) -> None:
    """In its properties, a branch or a map; what others use too is left, and it gets its own."""
    path = write(tmp_path, WHOLE)
    found, data = edited(path, name)
    assert (found.was_mb, found.shared_by) == (now_mb, shared_by)
    assert before is None or found.before == before
    assert after is None or found.after == after
    check_lines(found, path.read_bytes(), data)


def test_a_parameter_that_nothing_else_uses_is_changed(tmp_path: Path) -> None:
    """Its Default, with quotes and comment kept."""
    path = write(tmp_path, WHOLE.replace('!Sub "${Memory}"', "128"))
    assert edited(path, "ByRef")[0].after == '    Default: "256"   # MB'


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("BySub", {}, r"template\.yaml:\d+: MemorySize uses !Sub: no single line sets it"),
        ("ByRef", {"Memory": "512"}, "change it where it is set"),
        ("missing", {}, "nothing here declares a function called missing"),
    ],
)
def test_what_has_no_line_is_said(
    tmp_path: Path, name: str, given: dict[str, str], words: str
) -> None:
    """With file and reason, never with a guess."""
    assert re.search(words, refusal(write(tmp_path, WHOLE), name, **given))


def test_a_size_that_the_parameter_refuses_is_said(tmp_path: Path) -> None:
    """The template would not deploy with it."""
    assert "at most 3008" in refusal(write(tmp_path, WHOLE), "ByRef", 4096)


SAMCONFIG = """\
version = 0.1
[default.deploy.parameters]
parameter_overrides = "Stage=\\"dev\\" Memory=\\"512\\"" # dev
[prod.deploy.parameters]
parameter_overrides = ["Stage=prod", "Memory=2048"]
"""


def test_a_parameter_is_changed_where_the_deployment_gives_it(tmp_path: Path) -> None:
    """In samconfig.toml its Default has no effect; of several environments the stage says which."""
    path = write(tmp_path, WHOLE.replace('!Sub "${Memory}"', "128"))
    config = tmp_path / "samconfig.toml"
    config.write_text(SAMCONFIG)
    assert "say which (`stage`)" in refusal(path, "ByRef")
    for stage, old in (("default", "512"), ("prod", "2048")):
        found, data = edited(path, "ByRef", stage=stage)
        assert (found.path, found.was_mb) == (config, int(old))
        assert data.decode() == SAMCONFIG.replace(old, "256")


def test_a_given_parameter_that_others_use_is_refused(tmp_path: Path) -> None:
    """The override would be for all environments."""
    path = write(tmp_path, WHOLE)
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG.replace("Memory=", "Both="))
    said = refusal(path, "Two", stage="prod")
    assert "samconfig.toml:5 gives, and One use it too" in said


def test_a_file_that_sets_another_memory_than_is_deployed_is_refused(tmp_path: Path) -> None:
    """It isn't what the function was deployed from; one that has the wanted memory is fine."""
    path = write(tmp_path, WHOLE)
    assert "has 2048 MB here, and the function is deployed with 512" in refusal(
        path, "Own", was_mb=512
    )
    found, _ = edited(path, "Own", 2048, was_mb=512)
    assert found.before == found.after


def test_names_of_the_same_shape_are_not_guessed(tmp_path: Path) -> None:
    """Two functions that may each be it are named; a parameter's value tells them apart."""
    text = "Parameters: {Stage: {Type: String}}\nResources:\n"
    for part in ("a", "b"):
        name = f"FunctionName: !Sub '${{Stage}}-{part}${{AWS::Region}}'"
        text += (
            f"  {part}: {{Type: AWS::Lambda::Function, Properties: {{{name}, MemorySize: 128}}}}\n"
        )
    path = write(tmp_path, text)
    assert edited(path, "x-a1")[0].line == 3
    said = refusal(path, "x-a-b1")
    assert f"{path}:3 (a), {path}:4 (b)" in said


_NEW_LINE = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=60)
@given(
    quote=st.sampled_from(["", "'", '"']),
    other=st.text("äx🙂 #:", max_size=4),
    memory=st.sampled_from(["", "MemorySize: 777"]),
    in_flow=st.booleans(),
    bom=st.booleans(),
    new_line=_NEW_LINE,
    at_end=st.booleans(),
    after_mb=st.integers(129, 10240),
)
def test_only_the_size_of_the_one_function_changes(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    quote: str,
    other: str,
    memory: str,
    in_flow: bool,
    bom: bool,
    new_line: str,
    at_end: bool,
    after_mb: int,
) -> None:
    """Byte for byte, with any line break, byte order mark, quotes, comments and anchors."""
    memory = memory.replace("777", f"{quote}777{quote}")
    inner = [f"Description: &d {yaml.dump(other, allow_unicode=True).splitlines()[0]}", memory]
    inner = [line for line in inner if line]
    if in_flow:
        inner[0] = "Description: '" + other.replace("'", "") + "'"
        body = f"    Properties: {{{', '.join(inner)}}} # end"
    else:
        body = "\n".join(["    Properties: # all", *(f"      {line}  # c" for line in inner)])
    text = f"# ä\nResources:\n  F:\n    Type: AWS::Lambda::Function\n{body}\n"
    text += "  G: {Type: AWS::Lambda::Function, Properties: {MemorySize: 777}}"
    text = text.replace("\n", new_line) + ("" if at_end else new_line)
    path = tmp_path_factory.mktemp("t") / "template.yaml"
    before = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    path.write_bytes(before)
    found, after = edited(path, "F", after_mb)
    check_lines(found, before, after)
    assert found.was_mb == (777 if memory else 128)
    old, new = (yaml.safe_load(each.decode("utf-8-sig")) for each in (before, after))
    properties = new["Resources"]["F"]["Properties"]
    assert int(properties.pop("MemorySize")) == after_mb
    old["Resources"]["F"]["Properties"].pop("MemorySize", None)
    assert new == old
    assert new_line == "\n" or after.count(b"\n") == after.count(b"\r\n")


def test_every_function_of_the_examples_has_its_line() -> None:
    """The place holds the memory that the template is read to have."""
    template = read_template(EXAMPLES)
    for function in template.functions:
        found, _ = edited(template.path, function.name, 10240)
        assert found.was_mb == function.memory_mb
        assert found.after == "      MemorySize: 10240"


def test_a_merged_size_is_overridden_and_an_anchored_one_is_left_to_its_others(
    tmp_path: Path,
) -> None:
    """What an anchor gives to several functions is changed for one of them, or refused."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Metadata:\n  Common: &common\n    MemorySize: 512\nResources:\n"
        "  F: {Type: AWS::Serverless::Function, Properties: {<<: *common}}\n"
        "  G: {Type: AWS::Serverless::Function, Properties: {<<: *common}}\n"
        "  H: {Type: AWS::Serverless::Function, Properties: {MemorySize: &size 256}}\n"
        "  I: {Type: AWS::Serverless::Function, Properties: {MemorySize: *size}}\n"
        "  J: {Type: AWS::Serverless::Function, Properties: &whole {Timeout: 3}}\n"
        "  K: {Type: AWS::Serverless::Function, Properties: *whole}\n"
    )
    found, _ = edited(path, "F", 768)
    assert (found.line, found.shared_by) == (5, ("G",))
    assert found.after.endswith("Properties: {MemorySize: 768, <<: *common}}")
    assert edited(path, "I", 768)[0].after.endswith("Properties: {MemorySize: 768}}")
    assert "the edit would change the memory of I too" in refusal(path, "H", 768)
    assert "the edit would change the memory of K too" in refusal(path, "J", 768)


@pytest.mark.parametrize(
    ("memory", "used", "after"),
    [
        ("!Ref Size", "EphemeralStorage: {Size: !Ref Size}", "MemorySize: 256"),
        ("!Ref Size", 'Description: !Sub "${Size} MB"', "MemorySize: 256"),
        ("!Ref Size", "Timeout: 3", "Default: 256}, Which: {Type: String, Default: all}}"),
        (
            "!FindInMap [Sizes, all, mb]",
            "EphemeralStorage: {Size: !FindInMap [Sizes, all, mb]}",
            "MemorySize: 256",
        ),
        (
            "!FindInMap [Sizes, !Ref Which, mb]",
            "EphemeralStorage: {Size: !FindInMap [Sizes, all, mb]}",
            None,
        ),
        ("!FindInMap [Sizes, all, mb]", "Timeout: !FindInMap [Sizes, all, s]", "mb: 256, s: 3}}}"),
        ("512", "EphemeralStorage: {Size: 512}", "MemorySize: 256"),
    ],
)
def test_what_else_a_value_sets_is_left(
    tmp_path: Path, memory: str, used: str, after: str | None
) -> None:
    """A parameter or a map's value may be the size of something else, too."""
    path = write(
        tmp_path,
        f"""\
        Parameters: {{Size: {{Type: Number, Default: 512}}, Which: {{Type: String, Default: all}}}}
        Mappings: {{Sizes: {{all: {{mb: 512, s: 3}}}}}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              MemorySize: {memory}
              {used}
        """,
    )
    if after is None:
        assert "F.EphemeralStorage.Size have the value too" in refusal(path, "F")
    else:
        assert edited(path, "F")[0].after.endswith(after)


def test_functions_that_a_loop_makes_are_refused_with_their_line(tmp_path: Path) -> None:
    """One line gives all of them their memory."""
    path = write(
        tmp_path,
        """\
        Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
        Resources:
          Fn::ForEach::Each:
            - Name
            - [A, B]
            - Fn${Name}:
                Type: AWS::Serverless::Function
                Properties: {MemorySize: 512}
        """,
    )
    assert ":3: Fn${Name} is made by a loop" in refusal(path, "shop-FnA-1A2B3C4D")


def test_a_json_template_keeps_its_form(tmp_path: Path) -> None:
    """A new property gets a line like its neighbor's, and characters beyond ASCII shift nothing."""
    path = tmp_path / "template.json"
    path.write_text(
        '{"Description": "\\ud83d\\ude00 ä",\n "Resources": {\n  "F": {\n'
        '   "Type": "AWS::Lambda::Function",\n   "Properties": {\n'
        '    "Handler": "a.b",\n    "Role": "r"\n   }\n  }\n }\n}\n'
    )
    found, data = edited(path, "F")
    assert found.after == '    "Handler": "a.b",\n    "MemorySize": 256,'
    check_lines(found, path.read_bytes(), data)


def test_a_name_that_only_looks_made_is_not_taken(tmp_path: Path) -> None:
    """CloudFormation ends a name with random letters and digits, some of them capitals."""
    path = write(tmp_path, WHOLE)
    assert edited(path, "shop-Own-AbCdEf1234gh")[0].was_mb == 2048
    assert "nothing here declares" in refusal(path, "shop-Own-worker")


def test_properties_that_a_macro_adds_to_are_refused(tmp_path: Path) -> None:
    """It may set the memory."""
    path = write(
        tmp_path,
        """\
        Resources:
          F:
            Type: AWS::Lambda::Function
            Properties:
              Timeout: 3
              Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/more.yaml}}
        """,
    )
    assert ":5: a macro (Fn::Transform) adds" in refusal(path, "F")
