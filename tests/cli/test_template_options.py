"""`--parameter` and `--build` reach the template's functions, and say what is wrong with them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run_here

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = f"""\
Parameters:
  Size: {{Type: Number, Default: 256, MinValue: 128}}
Resources:
  Hello:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: hello
      Code: {{ZipFile: "def handler(event, context): return 1"}}
      Handler: index.handler
      Runtime: python3.{sys.version_info.minor}
      MemorySize: !Ref Size
  Native:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: makefile}}
    Properties:
      FunctionName: native
      CodeUri: code
      Handler: x
      Runtime: provided.al2023
      MemorySize: !Ref Size
"""


@pytest.fixture
def template(tmp_path: Path) -> str:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "Makefile").write_text(
        "build-Native:\n\tprintf '#!/bin/sh' > $(ARTIFACTS_DIR)/bootstrap\n"
        "\tchmod 755 $(ARTIFACTS_DIR)/bootstrap\n"
    )
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return str(path)


def test_a_parameter_is_given_and_a_function_built(template: str) -> None:
    """The plan shows the memory that the parameter gave, and a function that make had to build."""
    plan = ["--local", template, "--dry-run", "--json", "--parameter", "Size=640", "--build"]
    ran = run_here("tune", "native", *plan)
    assert ran.returncode == 0, ran.stderr
    planned = json.loads(ran.stdout)["function"]
    assert (planned["memory_mb"], planned["runtime"]) == (640, "provided.al2023")


def test_a_function_that_was_left_out_says_why(template: str) -> None:
    """Not that there is none, but where it stands, what it lacks and what to do."""
    line = one_line(run_here("tune", "native", "--local", template))
    assert "template.yaml:12: function native: provided.al2023 needs" in line
    assert "--build" in line


def test_a_function_that_the_template_has_not(template: str) -> None:
    """The nearest name and all that there are, not how to ask an endpoint that is gone."""
    line = one_line(run_here("tune", "hallo", "--local", template))
    assert "no function hallo: did you mean hello? It has " in line


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--parameter", "Size=64"], 1, "the parameter Size must have at least 128"),
        (["--parameter", "Sise=64"], 1, "no parameter Sise"),
        (["--parameter", "Size"], 2, "write --parameter NAME=VALUE"),
        (["--env", "STAGE"], 2, "write --env NAME=VALUE"),
        (["--env", "STAGE=x"], 1, "environment variable STAGE"),
    ],
)
def test_parameters_that_cannot_be(
    template: str, arguments: list[str], code: int, words: str
) -> None:
    """One line says what the template wants."""
    ran = run_here("tune", "hello", "--local", template, *arguments)
    assert ran.returncode == code
    assert words in one_line(ran)
    ran = run_here("local", "serve", template, *arguments)
    assert (ran.returncode, words in one_line(ran)) == (code, True)


@pytest.mark.parametrize("arguments", [["--build"], ["--parameter", "A=b"], ["--env", "A=b"]])
def test_without_a_template_they_mean_nothing(arguments: list[str]) -> None:
    """A function in an account is neither built nor given parameters."""
    ran = run_here("tune", "hello", "--region", "eu-west-1", *arguments)
    assert ran.returncode == 2
    assert "are for a template: name one with --local" in one_line(ran)


def test_payloads_are_tried_on_a_template_with_parameters(template: str) -> None:
    """`payload check --try` takes the same options."""
    arguments = ["payload", "check", "{}", "--try", "hello", "--local", template]
    ran = run_here(*arguments, "--parameter", "Size=1")
    assert ran.returncode == 1
    assert "must have at least 128" in ran.stderr
