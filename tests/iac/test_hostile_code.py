"""Files that nobody writes by hand: nested without end, numbers of thousands of digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.iac.editing import edited, refusal
from tuner.errors import TemplateError
from tuner.iac.dialects import find_units
from tuner.iac.edit import read_declarations
from tuner.iac.sam import read_template
from tuner.iac.setting import Sources, Stage

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = "from aws_cdk import aws_lambda as l\n"
TYPESCRIPT = 'import * as l from "aws-cdk-lib/aws-lambda";\n'
MANY = 3000
NESTED = "lookup(" * MANY + "var.x" + ", 1)" * MANY
DIGITS = "1" * 5000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.py", f"{PYTHON}x = {' + '.join(['1'] * MANY)}\nl.Function(self, 'F')"),
        ("app.py", f"{PYTHON}x = {'-' * 20_000}1\nl.Function(self, 'F')"),
        ("app.ts", f"{TYPESCRIPT}new l.Function(this, {'+'.join(['a'] * MANY)}, {{}});"),
        (
            "main.tf",
            f'resource "aws_lambda_function" "f" {{\n  memory_size = {NESTED}\n}}\n',
        ),
    ],
)
def test_code_that_is_nested_without_end_is_told_and_the_rest_is_read(
    tmp_path: Path, name: str, text: str
) -> None:
    """One line says which file; functions beside it are found all the same."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / name).write_text(text)
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  Send:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      MemorySize: 512\n"
    )
    declared = read_declarations(find_units([tmp_path]), Sources(), Stage())
    [told] = declared.unreadable
    assert "nested too deeply" in told.reason
    assert "\n" not in str(told)
    edit, _ = edited(tmp_path / "template.yaml", "Send")
    assert edit.after.strip() == "MemorySize: 256"


def test_deep_code_beside_a_function_is_told_when_it_is_edited(tmp_path: Path) -> None:
    """What only the edit looks at is no reason for a traceback either."""
    deep = " + ".join(["1"] * 600)
    file = tmp_path / "app.py"
    file.write_text(f"{PYTHON}X = {deep}\nMB = 128\nl.Function(self, 'F', memory_size=MB)\n")
    assert "nested too deeply" in refusal(file, "F")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.ts", f"{TYPESCRIPT}new l.Function(this, 'F', {{memorySize: {DIGITS}}});"),
        (".chalice/config.json", f'{{"stages": {{"F": {{"lambda_memory_size": "{DIGITS}"}}}}}}'),
    ],
)
def test_a_number_of_thousands_of_digits_is_no_memory(tmp_path: Path, name: str, text: str) -> None:
    """It's shown as it's written, like any other expression."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    declared = read_declarations(find_units([file]), Sources(), Stage())
    [(_, [function])] = declared.functions
    assert function.memory == DIGITS


def test_a_parameter_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    """In samconfig.toml, with its line."""
    file = tmp_path / "template.yaml"
    file.write_text(
        "Parameters:\n  Size:\n    Type: Number\n    Default: 512\nResources:\n  Send:\n"
        "    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: !Ref Size\n"
    )
    given = f'parameter_overrides = "Size={DIGITS}"'
    (tmp_path / "samconfig.toml").write_text(f"[default.deploy.parameters]\n{given}\n")
    assert "samconfig.toml:2: the parameter Size" in refusal(file, "Send")


def test_an_index_beyond_the_list_is_refused_however_it_is_written(tmp_path: Path) -> None:
    """Leading zeros don't hide it from Fn::Select."""
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources:\n  Send:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      InlineCode: x\n      Handler: a.b\n      Runtime: python3.13\n"
        '      Description: !Select ["0000000009", [a, b]]\n'
    )
    with pytest.raises(TemplateError, match=r"template.yaml:8: Description must name one of 2"):
        read_template(file)
