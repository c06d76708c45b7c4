"""Templates served by a child process, which ends with its parent however that one ends."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import CREDENTIALS
from tests.scripted_executor import ScriptedExecutor
from tuner.errors import EndpointError, LocalError, TemplateError
from tuner.local import LocalLambda
from tuner.local.child_process import start_local_lambda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local import RunningLocalLambda

pytestmark = pytest.mark.slow
SNOOP = """
import os

def read(pid):
    try:
        return open(f"/proc/{pid}/environ").read()
    except OSError:
        return ""

def handler(event, context):
    found, pid = [], os.getpid()
    while pid not in (0, 1, event["top"]):
        found.append(read(pid))
        pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    return {"text": "".join(found), "count": len(found)}
"""
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


LOGGED = """  Logged:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: logged
      CodeUri: code/
      Handler: app.handler
      Runtime: python3.11
      LoggingConfig: {LogFormat: JSON, LogGroup: /own/group}
"""


def write(folder: Path, source: str, template: str) -> Path:
    """A template with its code beside it."""
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(source)
    path = folder / "template.yaml"
    path.write_text(template)
    return path


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return write(tmp_path, "def handler(event, context):\n    return event\n", TEMPLATE)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    set_secrets(monkeypatch)


def set_secrets(patch: pytest.MonkeyPatch) -> None:
    """What an operator's shell may hold."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(name, "operators-own")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLocalLambda]:
    """An endpoint that was started where the environment holds secrets; its handler looks."""
    path = write(tmp_path_factory.mktemp("served"), SNOOP, TEMPLATE + LOGGED)
    with pytest.MonkeyPatch.context() as patch:
        set_secrets(patch)
        patch.setenv("DATABASE_PASSWORD", "operators-own")
        local = start_local_lambda(path, python=sys.executable, region="eu-west-1")
    with local:
        yield local


def client_of(local: RunningLocalLambda, service: str = "lambda") -> Any:
    return boto3.client(
        service, endpoint_url=local.endpoint_url, region_name="eu-west-1", **CREDENTIALS
    )


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
        client = client_of(local)
        read = client.get_function_configuration(FunctionName="hello")
        client.close()
        assert (read["MemorySize"], read["Timeout"], read["Runtime"]) == (256, 5, "python3.11")
        assert read["Environment"] == {"Variables": {"STAGE": "test"}}
        pid = local.pid
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's variables")
def test_no_credentials_reach_a_handler(served: RunningLocalLambda) -> None:
    """Neither its own variables nor those of the processes above it, up to the caller's, tell."""
    check_what_is_seen(served)


CALLER = """
import json, pathlib, sys
from tuner.local.child_process import start_local_lambda
import boto3
path = pathlib.Path(sys.argv[1])
with start_local_lambda(path, python=sys.executable, region="eu-west-1") as local:
    client = boto3.client("lambda", endpoint_url=local.endpoint_url, region_name="eu-west-1")
    reply = client.invoke(FunctionName="hello", Payload=json.dumps({"top": 0}).encode())
    sys.stdout.buffer.write(reply["Payload"].read())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's variables")
def test_a_handler_cannot_read_the_credentials_of_the_processes_above(template: Path) -> None:
    """`tuner` itself was started with keys: a handler below it reads its own variables only."""
    (template.parent / "code" / "app.py").write_text(SNOOP)
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "operators-own")
    done = subprocess.run(
        [sys.executable, "-c", CALLER, str(template)],
        env={**os.environ, **keys},
        capture_output=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["count"] >= 4  # the runtime, its supervisor, the endpoint, the caller
    assert "AWS_LAMBDA_FUNCTION_NAME=hello" in seen["text"]
    assert "operators-own" not in seen["text"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's variables")
def test_a_build_keeps_credentials_from_a_handler(tmp_path: Path, secrets: None) -> None:
    """What a package manager may need stays there, but nothing of AWS's."""
    path = write(tmp_path, SNOOP, TEMPLATE)
    with start_local_lambda(path, python=sys.executable, region="eu-west-1", build=True) as local:
        check_what_is_seen(local)


def check_what_is_seen(local: RunningLocalLambda) -> None:
    client = client_of(local)
    seen = json.loads(invoke(client, "hello")["Payload"])
    client.close()
    assert seen["count"] >= 3  # the runtime, its supervisor, the endpoint
    assert "AWS_LAMBDA_FUNCTION_NAME=hello" in seen["text"]
    assert "operators-own" not in seen["text"]


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="/proc tells root what a process has open"
)
def test_files_are_their_owner_s(served: RunningLocalLambda) -> None:
    """What an endpoint and its environments make lies below folders that only the owner enters."""
    client = client_of(served)
    invoke(client, "hello")
    client.close()
    held = []
    for link in Path(f"/proc/{served.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            held.append(link.readlink())
    locks = [path for path in held if path.name == "lock"]
    assert len(locks) == 2  # the API's folder and the run's
    for folder in (locks[0].parent, locks[1].parent, locks[0].parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_changes_take_the_key_of_the_endpoint(served: RunningLocalLambda) -> None:
    """Reading and invoking are anybody's; a change needs the access key id that was given out."""
    stranger, key = client_of(served), served.status.access_key_id
    owner = boto3.client(
        "lambda",
        endpoint_url=served.endpoint_url,
        region_name="eu-west-1",
        **{**CREDENTIALS, "aws_access_key_id": key},
    )
    before = stranger.get_function_configuration(FunctionName="logged")["RevisionId"]
    refused: list[Any] = [
        lambda client: client.update_function_configuration(FunctionName="logged", MemorySize=512),
        lambda client: client.publish_version(FunctionName="logged"),
        lambda client: client.update_function_code(FunctionName="logged", ZipFile=b"PK"),
        lambda client: client.delete_function(FunctionName="logged"),
    ]
    for change in refused:
        with pytest.raises(ClientError, match="AWS_ACCESS_KEY_ID") as caught:
            change(stranger)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert stranger.get_function_configuration(FunctionName="logged")["RevisionId"] == before
    assert owner.publish_version(FunctionName="hello")["Version"] == "1"
    with urllib.request.urlopen(f"{served.endpoint_url}/_tuner/status") as answer:
        assert key not in answer.read().decode()
    assert key not in json.dumps(json.loads(invoke(stranger, "hello")["Payload"]))
    for client in (stranger, owner):
        client.close()


def invoke(client: Any, name: str) -> dict[str, Any]:
    event = json.dumps({"top": os.getpid()}).encode()
    reply: dict[str, Any] = client.invoke(FunctionName=name, Payload=event, LogType="Tail")
    reply["Payload"] = reply["Payload"].read()
    return reply


def test_the_log_format_of_a_template(served: RunningLocalLambda) -> None:
    """LoggingConfig of a template is the function's, and its log is records."""
    clients = [client_of(served, name) for name in ("lambda", "logs")]
    reply = invoke(clients[0], "logged")
    tail = base64.b64decode(reply["LogResult"]).decode()
    kept = wait_for_log(clients[1], "/own/group", 3)
    for client in clients:
        client.close()
    kinds = ["platform.initStart", "platform.start", "platform.report"]
    assert [json.loads(line)["type"] for line in tail.splitlines()] == kinds[1:]
    assert [json.loads(line)["type"] for line in kept] == kinds


def wait_for_log(logs: Any, group: str, count: int) -> list[str]:
    """Lines come from a thread of their own, a moment after the answer."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.filter_log_events(logGroupName=group)["events"]
            if len(events) >= count:
                return [event["message"] for event in events]
        time.sleep(0.05)
    return []


def test_the_child_ends_when_its_parent_is_killed(template: Path) -> None:
    """After SIGKILL of the parent neither the child nor its emulated services are left."""
    program = (
        "import sys, pathlib, time\n"
        "from tuner.local.child_process import start_local_lambda\n"
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
        template, executor=ScriptedExecutor(), emulated_services=False
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
    unread = OTHER.replace("ruby3.4", "python3.11\n      MemorySize: !Ref Size")
    template.write_text(TEMPLATE + unread)
    with LocalLambda.from_template(
        template, executor=ScriptedExecutor(), emulated_services=False
    ) as server:
        assert server.status()["functions"] == ["hello"]
        assert "MemorySize refers to Size" in server.status()["left_out"]["other"]
    template.write_text(TEMPLATE.replace("python3.11", "java21"))
    with pytest.raises(LocalError, match=r"template\.yaml:5: function hello.*java21"):
        LocalLambda.from_template(template, executor=ScriptedExecutor(), emulated_services=False)


def test_an_environment_value_reaches_the_function_and_no_command_line(tmp_path: Path) -> None:
    """What `--env` gives is the function's, and nothing that `ps` shows."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        '      Code: {ZipFile: "def handler(event, context): return 1"}\n'
        "      Handler: index.handler\n      Runtime: python3.11\n"
        "      Environment: {Variables: {TOKEN: !ImportValue token}}\n"
    )
    with start_local_lambda(
        path, python=sys.executable, region="us-east-1", environment={"TOKEN": "hunter2"}
    ) as local:
        shown = subprocess.run(
            ["ps", "-o", "args=", "-p", str(local.pid)], capture_output=True, text=True, check=True
        )
        client = boto3.client(
            "lambda", endpoint_url=local.endpoint_url, region_name="us-east-1", **CREDENTIALS
        )
        found = client.get_function_configuration(FunctionName="F")["Environment"]["Variables"]
        client.close()
    assert found == {"TOKEN": "hunter2"}
    assert "tuner.local" in shown.stdout
    assert "hunter2" not in shown.stdout
