"""Templates served by a child process, which ends with its parent however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.local_api.conftest import CREDENTIALS
from tuner.errors import EndpointError, LocalError, TemplateError
from tuner.local.process import start_local_lambda
from tuner.local.scripted import ScriptedExecutor
from tuner.local.serve import LocalLambda

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: hello
      CodeUri: code/
      Handler: app.handler
      Runtime: python3.11
      MemorySize: 256
      Timeout: 5
      Environment: {Variables: {STAGE: test}}
"""
OTHER = """  Other:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: other
      CodeUri: code/
      Handler: app.handler
      Runtime: ruby3.4
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context):\n    return event\n")
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds; one that only waits to be reaped has ended."""
    for _ in range(200):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_a_template_is_served_by_a_child(template: Path) -> None:
    """The child tells its status, answers with the template's settings, and ends with the block."""
    with start_local_lambda(template, python=sys.executable, region="eu-west-1") as local:
        assert local.status.functions == ("hello",)
        assert local.status.core_count >= 1
        client = boto3.client(
            "lambda", endpoint_url=local.endpoint_url, region_name="eu-west-1", **CREDENTIALS
        )
        read = client.get_function_configuration(FunctionName="hello")
        client.close()
        assert (read["MemorySize"], read["Timeout"], read["Runtime"]) == (256, 5, "python3.11")
        assert read["Environment"] == {"Variables": {"STAGE": "test"}}
        pid = local.pid
    assert gone(pid)


def test_the_child_ends_when_its_parent_is_killed(template: Path) -> None:
    """After SIGKILL of the parent neither the child nor its neighbours are left."""
    program = (
        "import sys, pathlib, time\n"
        "from tuner.local.process import start_local_lambda\n"
        "local = start_local_lambda(pathlib.Path(sys.argv[1]), python=sys.executable,"
        " region='us-east-1')\n"
        "print(local.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(template)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        below = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(child)], capture_output=True, text=True, check=True
        )
        family = [child, *map(int, below.stdout.split())]
        assert len(family) >= 2
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert all(gone(pid) for pid in family)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ending_the_child_itself(template: Path, number: signal.Signals) -> None:
    """A child that is ended or killed takes its own children with it."""
    local = start_local_lambda(template, python=sys.executable, region="us-east-1")
    below = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(local.pid)], capture_output=True, text=True, check=True
    )
    os.kill(local.pid, number)
    assert all(gone(pid) for pid in map(int, below.stdout.split()))
    local.close()


def test_the_child_s_errors_are_the_parent_s(tmp_path: Path, template: Path) -> None:
    """What the child meets is raised here as what it is, with its message."""
    with pytest.raises(TemplateError, match=r"absent\.yaml"):
        start_local_lambda(tmp_path / "absent.yaml", python=sys.executable, region="us-east-1")
    with pytest.raises(LocalError, match="not the name of an AWS region"):
        start_local_lambda(template, python=sys.executable, region="moon")
    with pytest.raises((LocalError, EndpointError), match="did not start"):
        start_local_lambda(template, python="/bin/false", region="us-east-1")


def test_functions_that_cannot_be_shown_are_left_out(template: Path) -> None:
    """A runtime that is not run here is left out with its line; alone it ends the start."""
    template.write_text(TEMPLATE + OTHER)
    (template.parent / "code" / "requirements.txt").write_text("requests\n")
    with LocalLambda.from_template(
        template, executor=ScriptedExecutor(), neighbours=False
    ) as server:
        assert server.status()["functions"] == ["hello"]
        said = {finding.code: finding.message for finding in server.findings}
        assert "template.yaml:15: function other" in said["function_left_out"]
        assert "requirements.txt" in said["requirements_not_installed"]
        client = boto3.client(
            "lambda", endpoint_url=server.endpoint_url, region_name="us-east-1", **CREDENTIALS
        )
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=r"ruby3\.4"):
            client.get_function(FunctionName="other")
        client.close()
    template.write_text(TEMPLATE.replace("python3.11", "java21"))
    with pytest.raises(LocalError, match=r"template\.yaml:5: function hello.*java21"):
        LocalLambda.from_template(template, executor=ScriptedExecutor(), neighbours=False)
