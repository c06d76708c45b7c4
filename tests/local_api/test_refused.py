"""What is refused of functions, in AWS's words, and what an image is here."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import (
    ARN,
    ROLE,
    Serve,
    code_of,
    create,
    message_of,
    set_memory,
)
from tests.scripted_executor import ScriptedExecutor
from tuner.errors import LocalError
from tuner.local import FunctionDefinition, HostLimits, LocalLambda

REFUSED = "ValidationException"
INVALID = "InvalidParameterValueException"


def test_foreign_and_contradicting_names_are_refused(client: Any) -> None:
    """Another region or account, two qualifiers and malformed names each say what is wrong."""
    for given, code in (
        ({"FunctionName": ARN.replace("us-east-1", "eu-west-1")}, "ResourceNotFoundException"),
        ({"FunctionName": ARN.replace("12", "13", 1)}, "AccessDeniedException"),
        ({"FunctionName": "hello:1", "Qualifier": "2"}, "InvalidParameterValueException"),
        ({"FunctionName": "no spaces"}, "ValidationException"),
        ({"FunctionName": "hello", "Qualifier": "a b"}, "ValidationException"),
    ):
        with pytest.raises(ClientError) as refused:
            client.get_function(**given)
        assert code_of(refused) == code, given


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (
            {"MemorySize": 10241},
            REFUSED,
            "at 'memorySize' failed to satisfy constraint: Member must have value less than or",
        ),
        ({"Timeout": 1801}, REFUSED, "'timeout'.*less than or equal to 1800"),
        ({"EphemeralStorage": {"Size": 10241}}, REFUSED, "ephemeralStorage.size"),
        ({"MemorySize": 10241, "Timeout": 1801}, REFUSED, "2 validation errors"),
        ({"Description": "x" * 257}, REFUSED, "length less than or equal to 256"),
        ({"Role": "me"}, REFUSED, "at 'role'"),
        ({"TracingConfig": {"Mode": "Odd"}}, REFUSED, "Active, PassThrough"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, INVALID, "Reserved.*AWS_REGION"),
        ({"Environment": {"Variables": {"AA": "x" * 4096}}}, INVALID, "4KB"),
        ({"Environment": {"Variables": {"1A": "x"}}}, REFUSED, "environment.variables"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"]}, INVALID, "not exist"),
        ({"Runtime": "ruby3.4"}, INVALID, "python3.6 to python3.15, nodejs"),
        ({"Runtime": "python2.7"}, INVALID, "tune it on AWS"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_an_update_refuses(client: Any, given: dict[str, Any], code: str, words: str) -> None:
    """Values out of their limits are refused in AWS's words, and nothing is changed."""
    before = client.get_function_configuration(FunctionName="hello")["RevisionId"]
    with pytest.raises(ClientError, match=words) as refused:
        client.update_function_configuration(FunctionName="hello", **given)
    assert code_of(refused) == code
    assert client.get_function_configuration(FunctionName="hello")["RevisionId"] == before


def test_no_environment_value_is_in_a_message(client: Any) -> None:
    """A refused environment is told of by name and size only."""
    secret = "hunter2" * 600
    with pytest.raises(ClientError) as refused:
        client.update_function_configuration(
            FunctionName="hello", Environment={"Variables": {"TOKEN": secret}}
        )
    assert "hunter2" not in message_of(refused)


def test_memory_above_the_host_is_refused_as_by_a_capped_account(serve: Serve) -> None:
    """More than the host's cores show is refused with the limit, which a client can read."""
    client, _ = serve(executor=ScriptedExecutor(max_memory_mb=3538, core_count=2))
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        set_memory(client, 3539)
    assert message_of(refused).startswith(
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
        "equal to 3538"
    )
    assert "2 cores" in message_of(refused)
    set_memory(client, 3538)


def test_a_definition_above_the_host_does_not_start() -> None:
    """A template's function that this host cannot show ends the start with one line."""
    too_large = [FunctionDefinition("big", memory_mb=4096)]
    with pytest.raises(LocalError, match=r"function big: 'MemorySize'.*3538"):
        LocalLambda(
            too_large, executor=ScriptedExecutor(max_memory_mb=3538), emulated_services=False
        )


IMAGE = {"Code": {"ImageUri": "repo:tag"}, "PackageType": "Image"}


def test_an_image_is_kept_by_its_name_where_nothing_runs(client: Any) -> None:
    """With execution switched off an image has what GetFunction tells of it, and no runtime."""
    settings = {"ImageConfig": {"Command": ["app.handler"]}, **IMAGE}
    made = client.create_function(FunctionName="contained", Role=ROLE, **settings)
    assert (made["PackageType"], "Runtime" in made, "Handler" in made) == ("Image", False, False)
    answer = client.get_function(FunctionName="contained")
    code, configuration = answer["Code"], answer["Configuration"]
    assert code["ImageUri"] == "repo:tag"
    assert code["ResolvedImageUri"] == f"repo@sha256:{configuration['CodeSha256']}"
    assert configuration["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.handler"]}}
    moved = client.update_function_code(FunctionName="contained", ImageUri=code["ResolvedImageUri"])
    assert moved["CodeSha256"] == configuration["CodeSha256"]


def test_an_image_is_refused_where_handlers_run(serve: Serve) -> None:
    """The local Lambda runs no containers, and says so."""

    class Running(ScriptedExecutor):
        @property
        def limits(self) -> HostLimits:
            return HostLimits(2, 10240, "cgroup-v1")

    client, _server = serve(executor=Running(time_scale=0))
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="not supported"):
        client.create_function(FunctionName="new", Role=ROLE, **IMAGE)


def test_creation_needs_its_members(client: Any) -> None:
    """Code from S3, missing code and an image with a runtime are refused with what to do."""
    for given, words in (
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "ZipFile"),
        (IMAGE, "Handler or Runtime"),
        ({"Code": {}}, "provide a source"),
    ):
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=words):
            create(client, "new", **given)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="new")
