"""A function's whole life by the AWS CLI, where one is installed, and by boto3: real code runs."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import ROLE, log_tail, make_client, make_zip
from tuner.local import LocalLambda
from tuner.logs import parse_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Aws = Callable[..., Any]

AWS = shutil.which("aws")
SOURCE = """\
def handler(event, context):
    print("version", context.function_version, "with", context.memory_limit_in_mb, "MB")
    if event.get("fail"):
        raise ValueError("as asked")
    return {"event": event, "version": context.function_version, "step": STEP}
"""


def source(step: int) -> str:
    return f"STEP = {step}\n{SOURCE}"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    """An endpoint with nothing on it, which runs handlers for real."""
    with LocalLambda(emulated_services=False, update_s=0.05) as made:
        yield made


@pytest.fixture
def aws(server: LocalLambda, tmp_path: Path) -> Aws:
    """Run the CLI; gives what it printed as JSON, or with `fails` its error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }

    def run(command: str, *arguments: str, fails: bool = False) -> Any:
        ran = subprocess.run(
            [str(AWS), "--output", "json", "lambda", *command.split(), *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ran.returncode != 0) == fails, ran.stderr
        if fails:
            return ran.stderr
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    return run


@pytest.mark.slow
@pytest.mark.skipif(AWS is None, reason="no `aws` command on PATH")
def test_a_function_is_made_run_and_deleted_by_the_cli(
    aws: Aws, server: LocalLambda, tmp_path: Path
) -> None:
    """Create from a ZIP, invoke with its log, delete: each command says what AWS's Lambda says."""
    (tmp_path / "code.zip").write_bytes(make_zip(source(1)))
    made = aws(
        "create-function --function-name short --runtime python3.11 --handler handler.handler "
        f"--memory-size 256 --zip-file fileb://code.zip --role {ROLE}"
    )
    assert (made["State"], made["MemorySize"]) == ("Pending", 256)
    invoked = aws("invoke --function-name short --log-type Tail out")
    assert parse_report(base64.b64decode(invoked["LogResult"]).decode()).memory_size_mb == 256
    assert json.loads((tmp_path / "out").read_text())["version"] == "$LATEST"
    aws("delete-function --function-name short")
    assert server.status()["functions"] == []


@pytest.mark.slow
@pytest.mark.timeout(360)  # dozens of commands, each of which starts the CLI
@pytest.mark.skipif(AWS is None, reason="no `aws` command on PATH")
def test_a_whole_life_by_the_cli(aws: Aws, server: LocalLambda, tmp_path: Path) -> None:
    """Create from a ZIP, invoke with its log, change memory, publish, alias, throttle, delete."""
    (tmp_path / "code.zip").write_bytes(make_zip(source(1)))
    (tmp_path / "event.json").write_text('{"a": 1}')
    made = aws(
        "create-function --function-name life --runtime python3.11 --handler handler.handler "
        f"--memory-size 256 --zip-file fileb://code.zip --role {ROLE}"
    )
    assert (made["State"], made["MemorySize"]) == ("Pending", 256)
    aws("wait function-active-v2 --function-name life")
    assert [f["FunctionName"] for f in aws("list-functions")["Functions"]] == ["life"]

    def invoke(qualified: str = "life") -> tuple[Any, str]:
        invoked = aws(
            f"invoke --function-name {qualified} --log-type Tail --payload fileb://event.json out"
        )
        answer = json.loads((tmp_path / "out").read_text())
        assert invoked["ExecutedVersion"] == answer["version"]
        return answer, base64.b64decode(invoked["LogResult"]).decode()

    answer, log = invoke()
    assert answer == {"event": {"a": 1}, "version": "$LATEST", "step": 1}
    assert "version $LATEST with 256 MB\n" in log
    assert parse_report(log).memory_size_mb == 256
    changed = aws("update-function-configuration --function-name life --memory-size 512")
    assert (changed["MemorySize"], changed["LastUpdateStatus"]) == (512, "InProgress")
    aws("wait function-updated-v2 --function-name life")
    assert aws("publish-version --function-name life")["Version"] == "1"
    aws("create-alias --function-name life --name live --function-version 1")
    weights = json.dumps({"AdditionalVersionWeights": {"2": 1.0}})
    aws("update-function-configuration --function-name life --memory-size 1024")
    aws("wait function-updated-v2 --function-name life")
    assert aws("publish-version --function-name life")["Version"] == "2"
    aws("update-alias --function-name life --name live", "--routing-config", weights)
    answer, log = invoke("life:live")
    assert (answer["version"], parse_report(log).memory_size_mb) == ("2", 1024)
    aws("put-function-concurrency --function-name life --reserved-concurrent-executions 0")
    refused = aws("invoke --function-name life out", fails=True)
    assert "TooManyRequestsException" in refused
    aws("delete-function --function-name life")
    assert server.status()["functions"] == []


def test_a_whole_life_by_boto3(server: LocalLambda) -> None:
    """The same by the SDK, with new code, a weighted alias and the reason of the throttle."""
    client = make_client(server)
    client.create_function(
        FunctionName="life", Runtime="python3.11", Handler="handler.handler", Role=ROLE,
        Code={"ZipFile": make_zip(source(1))}, MemorySize=256,
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName="life", WaiterConfig={"Delay": 0.05})
    updated = client.get_waiter("function_updated_v2")

    def invoke(payload: bytes = b"{}", **qualifier: str) -> tuple[dict[str, Any], Any]:
        reply = client.invoke(FunctionName="life", LogType="Tail", Payload=payload, **qualifier)
        return reply, json.loads(reply["Payload"].read())

    reply, answer = invoke(b'{"a": 1}')
    assert answer == {"event": {"a": 1}, "version": "$LATEST", "step": 1}
    assert parse_report(log_tail(reply)).init_duration_ms is not None
    failed, error = invoke(b'{"fail": true}')
    assert failed["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "as asked")

    client.update_function_configuration(FunctionName="life", MemorySize=512)
    updated.wait(FunctionName="life", WaiterConfig={"Delay": 0.05})
    first = client.publish_version(FunctionName="life", Description="first")
    client.update_function_code(FunctionName="life", ZipFile=make_zip(source(2)))
    updated.wait(FunctionName="life", WaiterConfig={"Delay": 0.05})
    second = client.publish_version(FunctionName="life")
    assert (first["Version"], second["Version"]) == ("1", "2")
    assert (first["MemorySize"], first["CodeSha256"] != second["CodeSha256"]) == (512, True)

    client.create_alias(FunctionName="life", Name="live", FunctionVersion="1")
    assert invoke(Qualifier="live")[1]["step"] == 1
    client.update_alias(
        FunctionName="life", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )  # fmt: skip
    seen: Counter[int] = Counter()
    for _ in range(40):
        reply, answer = invoke(Qualifier="live")
        assert reply["ExecutedVersion"] == answer["version"] == str(answer["step"])
        seen[answer["step"]] += 1
    assert min(seen[1], seen[2]) >= 5

    client.put_function_concurrency(FunctionName="life", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        invoke(Qualifier="live")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    reason = refused.value.response["Reason"]
    assert reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    client.delete_function_concurrency(FunctionName="life")
    assert invoke(Qualifier="live")[1]["step"] in (1, 2)

    client.delete_alias(FunctionName="life", Name="live")
    client.delete_function(FunctionName="life", Qualifier="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        invoke(Qualifier="1")
    client.delete_function(FunctionName="life")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="life")
    client.close()


def test_an_image_is_refused_where_code_is_run(server: LocalLambda) -> None:
    """A container image cannot be run here: one line says so, and what can be sent instead."""
    client = make_client(server)
    image = {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"}
    with pytest.raises(ClientError, match="Container images are not supported by the local") as no:
        client.create_function(FunctionName="made", PackageType="Image", Role=ROLE, Code=image)
    assert no.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert server.status()["functions"] == []
    client.close()
