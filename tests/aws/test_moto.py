"""Another server of the Lambda API, moto's, which leaves out much of what AWS says."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tests.aws.agreement import REQUEST_ID, check_agreement
from tuner.aws.gateway import LambdaGateway
from tuner.aws.reader import AccountSettings
from tuner.aws.session import open_session
from tuner.errors import FunctionNotFoundError
from tuner.model.function import Alias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_lambda.client import LambdaClient

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    assert server._server is not None
    server._server.server_close()


@pytest.fixture
def without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto answers invocations itself, with a fixed text."""
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": False})


@pytest.fixture
def function(moto_url: str) -> Iterator[str]:
    """A function of 1,024 MB."""
    clients = {
        name: boto3.client(name, region_name="eu-west-1", endpoint_url=moto_url, **KEYS)
        for name in ("iam", "lambda")
    }
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = clients["iam"].create_role(RoleName="resize", AssumeRolePolicyDocument=trust)
    clients["lambda"].create_function(
        FunctionName="resize",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        MemorySize=1024,
        Timeout=30,
    )
    yield "resize"
    clients["lambda"].delete_function(FunctionName="resize")
    clients["iam"].delete_role(RoleName="resize")
    for client in clients.values():
        client.close()


@pytest.fixture
def gateway(moto_url: str, open_gateway: Callable[[str], LambdaGateway]) -> LambdaGateway:
    return open_gateway(moto_url)


def test_read(gateway: LambdaGateway, function: str) -> None:
    """A function is read by name and by ARN, without a RevisionId if there is none."""
    config = gateway.read_function(function)
    assert (config.name, config.memory_mb, config.timeout_s) == ("resize", 1024, 30)
    assert (config.version, config.region) == ("$LATEST", "eu-west-1")
    assert config.code_sha256
    assert gateway.read_function(config.arn) == config


def test_publish_list_and_delete(gateway: LambdaGateway, function: str) -> None:
    """Sizes are published, listed, read back and deleted, and $LATEST ends as it was."""
    before = gateway.read_function(function)
    changed = gateway.update_memory(function, 512, before.revision_id)
    assert changed.memory_mb == 512
    assert changed.settings == before.settings
    published = gateway.publish_version(
        function, "by tuner", changed.code_sha256, changed.revision_id
    )
    assert (published.version, published.memory_mb) == ("1", 512)
    assert published.settings == before.settings
    gateway.update_memory(function, 1024, None)
    assert gateway.read_function(function) == before
    assert [v.version for v in gateway.list_versions(before.arn)] == ["1"]
    assert gateway.read_function(function, "1").memory_mb == 512
    gateway.delete_version(function, "1")
    gateway.delete_version(function, "1")
    assert gateway.list_versions(function) == ()
    assert gateway.read_function(function) == before


def test_aliases(gateway: LambdaGateway, function: str) -> None:
    """Aliases are listed with every version they route to."""
    config = gateway.read_function(function)
    gateway.publish_version(function, "one", config.code_sha256, None)
    lambda_client: LambdaClient = gateway._control.client
    lambda_client.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    assert gateway.list_aliases(function) == (Alias("live", ("1",)),)


def test_what_is_not_there(gateway: LambdaGateway) -> None:
    """A missing function is missing; settings that moto does not know are unknown."""
    with pytest.raises(FunctionNotFoundError, match="no function nothing in eu-west-1"):
        gateway.read_function("nothing")
    assert gateway.account_settings() == AccountSettings(None, None)


@pytest.mark.usefixtures("without_docker")
def test_invoke_reaches_the_version(gateway: LambdaGateway, function: str) -> None:
    """The version that is named is the one that runs, though moto overlooks Qualifier."""
    config = gateway.read_function(function)
    gateway.publish_version(function, "one", config.code_sha256, None)
    reply = gateway.invoke(function, "1", b"{}", timeout_s=3)
    assert (reply.status_code, reply.function_error) == (200, None)
    assert reply.payload


def test_recent_duration_since_the_last_change(moto_url: str, function: str) -> None:
    """The mean counts every invocation since the function last changed, and none before."""
    created = datetime.now(UTC)
    session = open_session(region="eu-west-1", profile=None, endpoint_url=moto_url)
    cloudwatch = session.client("cloudwatch")
    with LambdaGateway(session, now=lambda: created + timedelta(hours=2)) as gateway:
        assert gateway.recent_duration_ms(function) is None
        for minutes, values in ((-60, [9000.0]), (30, [100.0]), (90, [200.0, 200.0, 200.0])):
            cloudwatch.put_metric_data(
                Namespace="AWS/Lambda",
                MetricData=[
                    {
                        "MetricName": "Duration",
                        "Dimensions": [{"Name": "FunctionName", "Value": function}],
                        "Timestamp": created + timedelta(minutes=minutes),
                        "Value": value,
                        "Unit": "Milliseconds",
                    }
                    for value in values
                ],
            )
        assert gateway.recent_duration_ms(function) == pytest.approx(175)
    cloudwatch.close()


@pytest.mark.usefixtures("without_docker")
def test_policy_and_gateway_agree(moto_url: str, function: str) -> None:
    """Every call of the gateway is allowed by the policy, and nothing is allowed that is unused."""
    check_agreement(moto_url, function, "version", lambda gateway: _sweep_like(gateway, function))


def _sweep_like(gateway: LambdaGateway, function: str) -> None:
    """Use all of the gateway, as a sweep does."""
    gateway.account_settings()
    assert gateway.side_effects(function) == ()
    assert gateway.reserved_concurrency(function) is None
    gateway.recent_duration_ms(function)
    before = gateway.read_function(function)
    gateway.list_versions(function)
    gateway.list_aliases(function)
    gateway.update_memory(function, 512, before.revision_id)
    version = gateway.publish_version(function, "by tuner", before.code_sha256, None).version
    gateway.update_memory(function, before.memory_mb, None)
    gateway.set_tag(before.arn, "by", "tuner")
    assert gateway.read_tags(before.arn) == {"by": "tuner"}
    gateway.remove_tag(before.arn, "by")
    gateway.invoke(function, version, b"{}", timeout_s=3)
    gateway.find_log(function, REQUEST_ID)
    gateway.delete_version(function, version)
