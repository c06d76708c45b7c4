"""Function URLs and policies of layers: kept as AWS keeps them, with nothing behind them."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import ARN, Serve, code_of, make_zip, message_of
from tuner.aws.gateway import connect

URL = {"FunctionName": "hello", "AuthType": "NONE"}
LAYER = {"LayerName": "tools", "VersionNumber": 1}
GRANT = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/any"
PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/any"
ABSENT = "The resource you requested does not exist."


def test_a_url_is_kept_changed_and_deleted(client: Any) -> None:
    """What was given is read back; a mode that was never given is in no change's reply."""
    made = client.create_function_url_config(**URL, Cors={"AllowOrigins": ["*"]})
    assert (made["FunctionArn"], made["AuthType"]) == (ARN, "NONE")
    assert not {"InvokeMode", "LastModifiedTime"} & {*made}
    read = client.get_function_url_config(FunctionName="hello")
    assert (read["FunctionUrl"], read["InvokeMode"]) == (made["FunctionUrl"], "BUFFERED")
    changed = client.update_function_url_config(FunctionName="hello", AuthType="AWS_IAM")
    assert (changed["AuthType"], changed["Cors"]) == ("AWS_IAM", {"AllowOrigins": ["*"]})
    client.delete_function_url_config(FunctionName="hello")
    with pytest.raises(ClientError) as refused:
        client.get_function_url_config(FunctionName="hello")
    assert (code_of(refused), message_of(refused)) == ("ResourceNotFoundException", ABSENT)


def test_a_url_belongs_to_a_function_or_an_alias(client: Any) -> None:
    """Each has one at most, and keeps it when the other's goes; a version can have none."""
    client.publish_version(FunctionName="hello")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    client.create_function_url_config(**URL)
    client.create_function_url_config(**URL, Qualifier="live")
    listed = client.list_function_url_configs(FunctionName="hello")["FunctionUrlConfigs"]
    assert [each["FunctionArn"] for each in listed] == [ARN, f"{ARN}:live"]
    for qualifier, code in (
        ({}, "ResourceConflictException"),
        ({"Qualifier": "1"}, "ValidationException"),
        ({"FunctionName": "hello:1"}, "ValidationException"),
        ({"Qualifier": "other"}, "ResourceNotFoundException"),
    ):
        with pytest.raises(ClientError) as refused:
            client.create_function_url_config(**{**URL, **qualifier})
        assert code_of(refused) == code
    client.delete_function_url_config(FunctionName="hello")
    assert client.get_function_url_config(FunctionName="hello", Qualifier="live")


def test_who_calls_a_url_is_told_to_invoke(serve: Serve) -> None:
    """Nothing is served at a function URL: the answer says so, and what to do."""
    client, server = serve()
    url = urlsplit(client.create_function_url_config(**URL)["FunctionUrl"])
    with closing(HTTPConnection(urlsplit(server.endpoint_url).netloc)) as connection:
        connection.request("GET", "/", headers={"Host": url.netloc})
        reply = connection.getresponse()
        assert reply.status == 501
        assert "use Invoke" in json.loads(reply.read())["Message"]


def test_a_url_is_seen_by_who_asks_what_reaches_a_function(serve: Serve) -> None:
    """A function with a URL has live traffic."""
    client, server = serve()
    client.create_function_url_config(**URL)
    with connect(region=None, profile=None, endpoint_url=server.endpoint_url) as gateway:
        assert gateway.live_traffic("hello").sources == ("a function URL",)


@pytest.fixture
def layered(client: Any) -> Any:
    client.publish_layer_version(LayerName="tools", Content={"ZipFile": make_zip()})
    return client


def test_a_layers_policy_is_kept_by_version(layered: Any) -> None:
    """A statement is read back as it was made, guarded by the policy's own revision."""
    made = layered.add_layer_version_permission(**LAYER, **GRANT)
    statement = json.loads(made["Statement"])
    assert statement["Resource"] == ARN.replace("function:hello", "layer:tools:1")
    read = layered.get_layer_version_policy(**LAYER)
    assert json.loads(read["Policy"])["Statement"] == [statement]
    assert read["RevisionId"] == made["RevisionId"]
    with pytest.raises(ClientError) as refused:
        layered.remove_layer_version_permission(**LAYER, StatementId="s1", RevisionId="old")
    assert "GetLayerPolicy" in message_of(refused)
    layered.remove_layer_version_permission(**LAYER, StatementId="s1")
    with pytest.raises(ClientError) as refused:
        layered.get_layer_version_policy(**LAYER)
    assert message_of(refused).endswith("layer:tools:1 does not have any resource policy.")


@pytest.mark.parametrize(
    ("operation", "given", "code", "words"),
    [
        (
            "get_event_source_mapping",
            {"UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2"},
            "ResourceNotFoundException",
            ABSENT,
        ),
        (
            "create_event_source_mapping",
            {"FunctionName": "absent", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"},
            "InvalidParameterValueException",
            "Function does not exist",
        ),
        (
            "create_event_source_mapping",
            {"FunctionName": "hello", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"},
            "InvalidParameterValueException",
            "not supported by the local Lambda: nothing polls",
        ),
        (
            "create_event_source_mapping",
            {"FunctionName": "hello", "EventSourceArn": STREAM},
            "InvalidParameterValueException",
            "Value null at 'startingPosition'",
        ),
        (
            "create_event_source_mapping",
            {
                "FunctionName": "hello",
                "EventSourceArn": STREAM,
                "StartingPosition": "AT_TIMESTAMP",
                "StartingPositionTimestamp": 1_700_000_000,
            },
            "InvalidParameterValueException",
            "nothing polls",
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "hello", "DestinationConfig": {"OnFailure": {"Destination": ARN}}},
            "InvalidParameterValueException",
            "You can't specify the function as a destination for itself.",
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "hello", "DestinationConfig": {"OnFailure": {"Destination": STREAM}}},
            "InvalidParameterValueException",
            f"(onSuccess=null, onFailure=OnFailure(destination={STREAM})) is invalid.",
        ),
        (
            "create_code_signing_config",
            {"AllowedPublishers": {"SigningProfileVersionArns": [PROFILE]}},
            "InvalidParameterValueException",
            "Code signing is not supported by the local Lambda",
        ),
        (
            "put_provisioned_concurrency_config",
            {"FunctionName": "hello", "Qualifier": "9", "ProvisionedConcurrentExecutions": 1},
            "ResourceNotFoundException",
            f"Function not found: {ARN}:9",
        ),
    ],
)
def test_what_is_not_here_is_refused_by_name(
    client: Any, operation: str, given: dict[str, Any], code: str, words: str
) -> None:
    """AWS's own refusals come first; what AWS would have made is refused in one line."""
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**given)
    assert code_of(refused) == code
    assert words in message_of(refused)


def test_deleting_what_never_was_is_as_on_aws(client: Any) -> None:
    """No provisioned concurrency and no code signing are deleted without a word."""
    client.publish_version(FunctionName="hello")
    client.delete_provisioned_concurrency_config(FunctionName="hello", Qualifier="1")
    client.delete_function_code_signing_config(FunctionName="hello")
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == []


def test_the_accounts_code_counts_layers_too(layered: Any) -> None:
    """A layer's package adds its size to the account's."""
    before = layered.get_account_settings()["AccountUsage"]["TotalCodeSize"]
    package = make_zip("x = 1")
    layered.publish_layer_version(LayerName="tools", Content={"ZipFile": package})
    after = layered.get_account_settings()["AccountUsage"]["TotalCodeSize"]
    assert after - before == len(package)
