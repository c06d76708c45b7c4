"""A sweep against moto's server: another implementation of the Lambda API, without RevisionIds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tests.lease.account import a_zip
from tests.sweep.running import ServedFunction, codes
from tuner.aws import connect
from tuner.lease.journal import find_unfinished
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedFunction]:
    """moto answers invocations itself, with a fixed text."""
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": False})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        make_function(url)
        with connect(region="us-east-1", profile=None, endpoint_url=url) as gateway:
            yield ServedFunction(server, gateway, tmp_path)
    finally:
        server.stop()
        assert server._server is not None
        server._server.server_close()


def make_function(url: str) -> None:
    """Deploy a function of 512 MB with a release and an alias."""
    iam: Any = boto3.client("iam", endpoint_url=url, **KEYS)
    role = iam.create_role(RoleName="swept", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client: Any = boto3.client("lambda", endpoint_url=url, **KEYS)
    client.create_function(
        FunctionName="swept",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": a_zip()},
        MemorySize=512,
        Timeout=3,
        Environment={"Variables": {"TOKEN": "s3cret"}},
    )
    client.publish_version(FunctionName="swept", Description="release")
    client.create_alias(FunctionName="swept", Name="live", FunctionVersion="1")
    iam.close()
    client.close()


def test_versions_are_read_back_and_everything_is_given_back(served: ServedFunction) -> None:
    """Missing RevisionIds are told, every version has its memory, and the function is as before."""
    before = served.gateway.read_function("swept")
    published: dict[str, int] = {}

    class Reading:
        """Reads every version back over the wire before its first invocation."""

        def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> Any:
            published[version] = served.gateway.read_function(function, version).memory_mb
            return served.gateway.invoke(function, version, payload, timeout_s=timeout_s)

        def find_log(self, function: str, request_id: str) -> str | None:
            return served.gateway.find_log(function, request_id)

    plan = served.plan(memory_sizes_mb=(128, 512, 1769), repetition_count=1)
    sweep = served.run(plan, gateway=Reading())
    assert {one.version: one.memory_mb for one in sweep.invocations} == published
    assert all(one.outcome is Outcome.SUCCESS for one in sweep.invocations)
    assert "no_optimistic_locking" in codes(sweep)
    assert served.gateway.read_function("swept") == before
    assert [version.version for version in served.gateway.list_versions("swept")] == ["1"]
    assert find_unfinished(served.folder) == ()
