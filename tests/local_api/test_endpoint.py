"""What else the port answers: its status, packages, and who is not there."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import make_client, message_of
from tests.scripted_executor import ScriptedExecutor
from tuner import local
from tuner.errors import LocalError
from tuner.iac import TemplateResource
from tuner.local import FunctionDefinition, LocalLambda, emulated_services
from tuner.local.execution.run_folder import RunFolder, clean_leftovers

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., tuple[Any, LocalLambda]]


def test_the_status_says_what_this_host_can_show(serve: Serve) -> None:
    """GET /_tuner/status gives endpoint, functions, CPU control, limits and findings."""
    _, server = serve(executor=ScriptedExecutor(max_memory_mb=3538, core_count=2))
    with urllib.request.urlopen(f"{server.endpoint_url}/_tuner/status") as reply:
        status = json.load(reply)
    assert status == {
        "endpoint_url": server.endpoint_url,
        "region": "us-east-1",
        "account_id": "123456789012",
        "functions": ["hello"],
        "left_out": {},
        "cpu_control": "none",
        "max_memory_mb": 3538,
        "core_count": 2,
        "host_findings": [],
        "findings": [],
        "function_findings": {"hello": []},
    }


def test_packages_need_their_address(client: Any) -> None:
    """A package is served at the address that GetFunction gives, and nowhere else."""
    location = client.get_function(FunctionName="hello")["Code"]["Location"]
    urllib.request.urlopen(location).close()
    token = location.split("/")[-2]
    for wrong in (
        location.replace(token, "x"),
        location.replace("/code/", "/zip/"),
        location + "x",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong)
        refused.value.close()
        assert refused.value.code == 404


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("s3", lambda c: c.list_buckets()),
        ("dynamodb", lambda c: c.list_tables()),
        ("sqs", lambda c: c.list_queues()),
        ("sts", lambda c: c.get_caller_identity()),
    ],
)
def test_absent_services_are_told_of(
    serve: Serve, service: str, call: Callable[[Any], Any]
) -> None:
    """Where no other services are, each one's own protocol carries that message."""
    _, server = serve()
    client = make_client(server, service)
    with pytest.raises(ClientError) as refused:
        call(client)
    client.close()
    assert "Lambda only" in message_of(refused)


def test_a_missing_extra_is_asked_for_where_a_service_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without moto functions run; a bucket, and a call to S3, name the pip command."""
    monkeypatch.setattr(emulated_services, "_NEEDED", ("moto", "no_such_module"))
    bucket = TemplateResource("Thumbs", "AWS::S3::Bucket", "thumbs", {}, 4)
    with LocalLambda(
        [FunctionDefinition("hello")], executor=ScriptedExecutor(), resources=[bucket]
    ) as server:
        client, s3 = make_client(server), make_client(server, "s3")
        assert client.invoke(FunctionName="hello")["StatusCode"] == 200
        with pytest.raises(ClientError) as refused:
            s3.list_buckets()
        client.close()
        s3.close()
        [told] = [each for each in server.findings if each.code == "template_resource_not_made"]
    asked = "no_such_module is not installed, which S3, SQS, DynamoDB and logs need: pip install"
    assert asked in message_of(refused)
    assert asked in told.message


def test_a_region_must_look_like_one() -> None:
    """A region that is none is refused before anything starts."""
    with pytest.raises(LocalError, match="not the name of an AWS region"):
        LocalLambda(region="moon", executor=ScriptedExecutor(), emulated_services=False)


def test_folders_of_killed_runs_are_removed(tmp_path: Path) -> None:
    """A folder whose process is gone is removed by the next run; that of a living one is kept."""
    living = RunFolder(tmp_path, "api")
    dead = tmp_path / "api-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "code").write_text("x")
    assert clean_leftovers(tmp_path, "api") == 1
    assert not dead.exists()
    assert living.path.exists()
    assert living.path.stat().st_mode & 0o077 == 0
    living.close()
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_that_another_run_removes_meanwhile_is_no_failure(tmp_path: Path) -> None:
    """Of two that start at once, the one that comes late leaves it and goes on with the rest."""
    (tmp_path / "api-gone").symlink_to(tmp_path / "removed")
    (tmp_path / "api-dead").mkdir()
    clean_leftovers(tmp_path, "api")
    assert not (tmp_path / "api-dead").exists()


def test_every_public_name_is_there() -> None:
    """What the rest of the project may import of the local Lambda can be had, and nothing else."""
    for name in local.__all__:
        assert getattr(local, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Deployer'"):
        _ = local.Deployer
