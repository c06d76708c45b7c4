"""`local serve` says how to connect, and ends cleanly when asked to."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, one_line, run_here, variables_for

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: hello
      Description: Greets.
      CodeUri: hello/
      Handler: app.handler
      Runtime: python3.11
      MemorySize: 256
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "app.py").write_text("def handler(event, context):\n    return event\n")
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_endpoint_is_told_and_ends_with_a_signal(
    template: Path, number: signal.Signals
) -> None:
    """URL, exports, functions and CPU control on stdout; exit code 0 and silence at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tuner", "local", "serve", str(template), "--region", "eu-west-1"],
        cwd=ROOT,
        env=variables_for(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C ends it." not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        url = said.split()[2]
        with urllib.request.urlopen(f"{url}/_tuner/status") as answer:
            status = json.load(answer)
        process.send_signal(number)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (rest, err) == ("", "")
    assert status["region"] == "eu-west-1"
    assert f"export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=eu-west-1" in said
    assert re.search(r"^  export AWS_ACCESS_KEY_ID=LOCAL[0-9A-F]{32} ", said, re.MULTILINE)
    assert "  hello    256 MB  Greets." in said.splitlines()
    assert f"CPU shares by {status['cpu_control']}" in said


@pytest.mark.parametrize(
    ("name", "words"), [("nope.yaml", "nope.yaml"), ("hello", "no template.yaml")]
)
def test_a_template_that_is_not_there_is_told(template: Path, name: str, words: str) -> None:
    """A missing file, and a folder without a template in it."""
    ran = run_here("local", "serve", str(template.parent / name))
    assert ran.returncode == 1
    assert words in one_line(ran)


def test_what_is_not_supported_is_named_with_its_line(template: Path) -> None:
    """The refusal points into the file."""
    template.write_text(TEMPLATE + "      Layers: [arn:aws:lambda:us-east-1:1:layer:x:1]\n")
    ran = run_here("local", "serve", str(template))
    assert ran.returncode == 1
    line = one_line(ran)
    assert "template.yaml" in line
    assert "13" in line
    assert "the layer arn:aws" in line


def test_a_port_in_use_is_told(template: Path) -> None:
    """The line names the port and the option."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run_here("local", "serve", str(template), "--port", str(port))
    assert ran.returncode == 1
    assert str(port) in one_line(ran)
    assert "--port" in one_line(ran)
