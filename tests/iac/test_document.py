"""Files that are no templates, and files made to do harm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.iac.writing import read, refusal, with_properties, write
from tuner.errors import TemplateError
from tuner.iac import read_template

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = "{Type: AWS::Serverless::Function}"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    """The path is named."""
    path = tmp_path / "other.yaml"
    with pytest.raises(TemplateError, match=rf"there is no template {path}: check the path"):
        read_template(path)
    with pytest.raises(TemplateError, match="can't be read"):
        read_template(tmp_path / ("x" * 5000))


def test_a_folder_without_a_template_says_what_it_looked_for(tmp_path: Path) -> None:
    """Both names are told."""
    with pytest.raises(TemplateError, match=r"no template\.yaml or template\.yml in .*: name"):
        read_template(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", " is empty: an AWS SAM template is needed"),
        ("# nothing\n", " is empty"),
        ("hello", ":1: the template must be a mapping"),
        ("[1, 2]", ":1: the template must be a mapping"),
        ("null", ":1: the template must be a mapping"),
        ("A: 1\nA: 2\n", ":2: A is given twice in the template"),
        ("Description: x\n", ":1: the template has no Resources"),
        ("Resources: {}\n", " has no resource of the type AWS::Serverless::Function"),
        ("Resources: []\n", ":1: Resources must be a mapping"),
        ("Resources: !Include x\n", ":1: Resources uses !Include"),
        ("Resources:\n  Fn::Transform: {Name: AWS::Include}\n", ":2: Resources uses Fn::Transform"),
        ("Resources:\n  F: 1\n", ":2: resource F must be a mapping"),
        ("Resources:\n  F: {}\n", ":2: resource F has no Type"),
        ("Resources:\n  F: {Type: AWS::S3::Bucket}\n", " has no resource of the type AWS"),
        ("Resources:\n  F: {Type: AWS::Lambda::Function}\n", ":2: F has no code: Code is need"),
        (f"Resources:\n  F: {FUNCTION[:-1]}, Condition: Prod}}\n", ":2: there is no condition"),
        (f"Resources:\n  F: {FUNCTION[:-1]}, Propertes: {{}}}}\n", ":2: Propertes is not sup"),
        ("Transform: AWS::Include\n", ":1: the transform AWS::Include can't be applied here"),
        ("Transform: [{Name: Mine, Parameters: {a: b}}]\n", ":1: the transform Mine can't be"),
        ("Resource: {}\n", ":1: Resource is not supported: did you mean Resources?"),
        ("Globals: {Function: {FunctionName: x}}\nResources: {}\n", ":1: FunctionName can't be"),
        ("Globals:\n  Function:\n    ImageUri: x\nResources: {}\n", ":3: ImageUri of Globals is"),
        ('"a\\nb\\e[0m": 1\n', ":1: a?b?[0m is not supported"),
        ("A: [1\nB: 2\n", ":2: not valid YAML: "),
        ("A: 'x\n", ":2: not valid YAML: "),
        ("A:\n\t- 1\n", ":2: not valid YAML: "),
        ("A: 1\n---\nB: 2\n", ":2: not valid YAML: "),
        ("A: \x07\n", " is not valid YAML: it contains control characters"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    """One line: the file, where in it, and what is wrong."""
    assert refusal(write(tmp_path, text)).startswith(says)


def test_a_file_that_is_not_utf_8_says_where(tmp_path: Path) -> None:
    """Latin-1 in a comment is enough."""
    path = tmp_path / "template.yaml"
    path.write_bytes("A: 1\n# Größe\n".encode("latin-1"))
    assert refusal(path) == ":2: not UTF-8"


def test_a_template_may_be_as_large_as_cloudformation_takes(tmp_path: Path) -> None:
    """A megabyte passes, a byte more does not."""
    path = with_properties(tmp_path)
    text = path.read_text()
    path.write_text(text + "#" * (1_000_000 - len(text)))
    assert read_template(path).functions
    path.write_text(text + "#" * (1_000_001 - len(text)))
    with pytest.raises(TemplateError, match="is over 1 MB"):
        read_template(path)


BOMB = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
)
HOSTILE = {
    "aliases": (BOMB, ":6: the file's aliases expand to over 100,000 values: write some out"),
    "loop": ("A: &a\n  B: *a\n", ":2: the alias \\*a has no anchor that ends before it"),
    "merges": ("A: &a\n  <<: *a\n", ":2: the alias \\*a has no anchor"),
    "deep": (
        "\n".join(["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 70))]),
        ":60: nested deeper than 60 levels",
    ),
    "mergers": (
        "\n".join(
            ["a0: &a0 {x: 1}"]
            + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 30)]
        ),
        ":6: the file's aliases expand to over 100,000 values",
    ),
    "depth": ("A: " + "[" * 900_000, ":1: nested deeper than 60 levels"),
    "braces": ("{a: " * 200_000, ":1: nested deeper than 60 levels"),
    "dashes": ("- " * 400_000, ":1: nested deeper than 60 levels"),
    "questions": ("? " * 400_000, ":1: nested deeper than 60 levels"),
    "keys": ("\n".join(f"k{i}: 1" for i in range(80_000)), ":1: k0 is not supported"),
    "items": ("Transform: [" + "x," * 150_000 + "]", ":1: the transform x can't be applied"),
    "long": ("k" * 900_000 + ": 1", ".*"),
    "quoted": ('"' + "\\x41" * 200_000, ":1: not valid YAML"),
    "spaces": ("A:" + " " * 900_000 + "1", ":1: A is not supported"),
    "commas": ("A: {" + "," * 900_000, ":1: not valid YAML"),
    "colons": ("a: " * 300_000, ":1: not valid YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_do_harm_is_refused_in_time(tmp_path: Path, name: str) -> None:
    """Alias bombs, loops, depth and size end in one line after some seconds of CPU at most."""
    text, says = HOSTILE[name]
    path = write(tmp_path, text)
    start_s = time.process_time()
    with pytest.raises(TemplateError, match=says) as caught:
        read_template(path)
    # Expanded, the bomb has 9 to the 29th nodes; a quadratic reader takes minutes.
    assert time.process_time() - start_s < 20
    assert len(str(caught.value)) < 1000


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            ["Resources:", "  F:", "    Type: AWS::Serverless::Function", "Globals: {Function: ",
             "!Ref x", "&a", "*a", "{", "}", "[", "]", "- ", "? ", ": ", "|\n", "'", '"', "<<: ",
             "    Properties:", "      MemorySize: 9", "%YAML 9.9", "---", "!!binary x", "\t", "#"]
        )
        | st.text(max_size=5),
        max_size=12,
    ),
    st.sampled_from(["\n", " ", ""]),
)  # fmt: skip
def test_any_file_is_a_template_or_the_one_error(
    tmp_path: Path, parts: list[str], joint: str
) -> None:
    """Whatever a file holds, nothing but TemplateError comes out."""
    path = tmp_path / "template.yaml"
    path.write_bytes(joint.join(parts).encode())
    with pytest.raises(TemplateError):
        read_template(path)


def test_anchors_and_merge_keys_are_what_they_stand_for(tmp_path: Path) -> None:
    """What a mapping says itself wins; of several merged ones the first."""
    text = """\
        Metadata:
          Common: &common
            CodeUri: code
            Handler: app.handler
            Runtime: python3.11
            MemorySize: 512
            Timeout: 9
          More: &more {Timeout: 20, Description: merged}
          Values: &values {STAGE: test}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              <<: [*more, *common]
              MemorySize: 1024
              Environment: {Variables: {<<: *values, TABLE: orders}}
          G:
            Type: AWS::Serverless::Function
            Properties: {<<: *common, Environment: {Variables: *values}}
        """
    first, second = read_template(write(tmp_path, text)).functions
    assert (first.memory_mb, first.timeout_s, first.description) == (1024, 20, "merged")
    assert dict(first.environment) == {"STAGE": "test", "TABLE": "orders"}
    assert (second.memory_mb, second.timeout_s) == (512, 9)
    assert dict(second.environment) == {"STAGE": "test"}


def test_json_may_hold_escaped_emoji(tmp_path: Path) -> None:
    """A pair of surrogates is one character, and an escaped backslash none of it."""
    path = write(
        tmp_path,
        r"""{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {
        "CodeUri": "code", "Handler": "a.b", "Runtime": "python3.11",
        "Description": "\ud83d\ude00 \\ud83d"}}}}""",
        "template.json",
    )
    assert read_template(path).functions[0].description == "\N{GRINNING FACE} \\ud83d"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("MemorySize: 0512", ":8: MemorySize 0512 is octal in YAML, 330: write 512, or 330"),
        ("MemorySize: !FindInMap [Sizes, all, mb]", ":12: MemorySize 01000 is octal in YAML, 512"),
        ("MemorySize: !Ref Size", ":14: the Default of the parameter Size 0700 is octal in YAML"),
        ("Timeout: 010", ":8: Timeout 010 is octal in YAML, 8: write 10, or 8"),
    ],
)
def test_a_number_that_yaml_reads_as_octal_is_refused(
    tmp_path: Path, written: str, says: str
) -> None:
    """CloudFormation would take another number than is written: say both, and the line."""
    path = with_properties(tmp_path, written)
    path.write_text(
        path.read_text()
        + "Mappings:\n  Sizes:\n    all:\n      mb: 01000\n"
        + "Parameters:\n  Size: {Type: Number, Default: 0700}\n"
    )
    assert says in refusal(path)


@pytest.mark.parametrize("written", ['"0512"', "512", "!!str 0512"])
def test_a_quoted_number_means_its_digits(tmp_path: Path, written: str) -> None:
    """A text is read as it stands."""
    assert read(tmp_path, f"MemorySize: {written}").functions[0].memory_mb == 512
