"""Every operation, called by boto3; the client's hook holds each raw reply against the model."""

from __future__ import annotations

import re
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_api.conftest import ROLE, Serve, code_of, make_zip
from tests.local_api.model import problems_of, service_model
from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.lambda_api import read_routes
from tuner.local.control_plane.validation import check

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


def test_every_operation_of_the_model_has_a_route_of_its_own() -> None:
    """A request as the model makes it finds its operation first, queries in its path included."""
    routes = read_routes()
    for name in service_model().operation_names:
        http = service_model().operation_model(name).http
        path, _, query = re.sub(r"\{\w+\}", "some%20thing", http["requestUri"]).partition("?")
        found = next(each for each in routes if each.match(http["method"], path, query) is not None)
        assert found.operation == name


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        ("CreateAlias", {"Name": "7", "FunctionVersion": "1"}, r"Value '7' at 'name'.*\(\?!\^"),
        ("CreateAlias", {"Name": "live"}, "Value null at 'functionVersion'.*must not be null"),
        ("CreateAlias", {}, "2 validation errors detected: "),
        ("UpdateFunctionConfiguration", {"MemorySize": 127}, "greater than or equal to 128"),
        ("UpdateFunctionConfiguration", {"MemorySize": 10241}, "less than or equal to 10240"),
        (
            "UpdateFunctionConfiguration",
            {"LoggingConfig": {"LogFormat": "XML"}},
            r"Value 'XML' at 'loggingConfig.logFormat'.*\[JSON, Text\]",
        ),
        (
            "UpdateFunctionCode",
            {"Architectures": ["arm64", "z80"]},
            r"2 validation errors.*'\[arm64, z80\]' at 'architectures'.*satisfy constraint: \[Mem",
        ),
    ],
)
def test_a_request_is_held_against_the_model(
    operation: str, given: dict[str, Any], words: str
) -> None:
    """Every broken constraint of the service model is told in AWS's words, nested ones too."""
    with pytest.raises(ApiError, match=words) as refused:
        check(operation, given)
    assert (refused.value.status, refused.value.code) == (400, "ValidationException")


def test_headers_and_queries_are_held_against_the_model(client: Any) -> None:
    """A kind of log and a number of items that the model does not have are refused."""
    with pytest.raises(ClientError, match=r"'Head' at 'logType'.*enum value set: \[None, Tail\]"):
        client.invoke(FunctionName="hello", LogType="Head")
    with pytest.raises(ClientError, match=r"'10001' at 'maxItems'.*less than or equal to 10000"):
        client.list_functions(MaxItems=10001)


@pytest.mark.parametrize("value", ["512", True, 1.5])
def test_a_value_of_another_type_is_no_request(value: object) -> None:
    """What cannot be read as its member's type is refused before any limit is looked at."""
    with pytest.raises(ApiError, match="memorySize must be an integer") as refused:
        check("UpdateFunctionConfiguration", {"MemorySize": value})
    assert refused.value.code == "SerializationException"


def test_the_check_itself_finds_deviations() -> None:
    """An unknown member, a wrong type and a value outside its enumeration are all reported."""
    shape = service_model().shape_for("FunctionConfiguration")
    wrong = {"Memory": 1, "MemorySize": "512", "State": "Busy"}
    assert len(list(problems_of(wrong, shape, "reply"))) == 3


READS: list[tuple[str, dict[str, Any]]] = [
    ("get_function", {"FunctionName": "hello"}),
    ("get_function_configuration", {"FunctionName": "hello"}),
    ("list_functions", {}),
    ("list_functions", {"FunctionVersion": "ALL"}),
    ("list_versions_by_function", {"FunctionName": "hello"}),
    ("list_aliases", {"FunctionName": "hello"}),
    ("get_alias", {"FunctionName": "hello", "Name": "live"}),
    ("list_tags", {"Resource": ARN}),
    ("get_function_concurrency", {"FunctionName": "hello"}),
    ("get_account_settings", {}),
    ("get_policy", {"FunctionName": "hello"}),
    ("list_event_source_mappings", {"FunctionName": "hello"}),
    ("list_event_source_mappings", {}),
    ("list_function_url_configs", {"FunctionName": "hello"}),
    ("list_function_event_invoke_configs", {"FunctionName": "hello"}),
    ("list_provisioned_concurrency_configs", {"FunctionName": "hello"}),
    ("get_function_code_signing_config", {"FunctionName": "hello"}),
    ("get_runtime_management_config", {"FunctionName": "hello"}),
    ("get_function_recursion_config", {"FunctionName": "hello"}),
]


@pytest.fixture
def furnished(client: Any) -> Any:
    """A client of an endpoint whose function has a version, an alias, tags and a permission."""
    client.publish_version(FunctionName="hello")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    client.tag_resource(Resource=ARN, Tags={"team": "a"})
    client.add_permission(
        FunctionName="hello",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
    )
    return client


@pytest.mark.parametrize(("operation", "arguments"), READS, ids=lambda value: str(value)[:40])
def test_reads_are_as_modelled(furnished: Any, operation: str, arguments: dict[str, Any]) -> None:
    """Every read that a sweep, the AWS CLI or another tuner makes is answered as modelled."""
    reply = getattr(furnished, operation)(**arguments)
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert reply["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_function_url_config", "ResourceNotFoundException"),
        ("get_function_event_invoke_config", "ResourceNotFoundException"),
    ],
)
def test_what_a_function_has_not_is_a_modelled_error(
    client: Any, operation: str, code: str
) -> None:
    """Absent URL and event-invoke configurations raise the exception class of the model."""
    with pytest.raises(getattr(client.exceptions, code)) as refused:
        getattr(client, operation)(FunctionName="hello")
    assert code_of(refused) == code


def test_absent_provisioned_concurrency_is_a_modelled_error(client: Any) -> None:
    """A version without provisioned concurrency raises the model's own exception."""
    client.publish_version(FunctionName="hello")
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        client.get_provisioned_concurrency_config(FunctionName="hello", Qualifier="1")


@pytest.mark.parametrize(
    "operation", sorted({name for name, given in READS if "FunctionName" in given})
)
def test_an_unknown_function_is_a_modelled_error(client: Any, operation: str) -> None:
    """Every operation on an unknown function raises ResourceNotFoundException in AWS's words."""
    given = {"Name": "live"} if operation == "get_alias" else {}
    words = {
        "get_policy": "The resource you requested does not exist",
        "list_function_event_invoke_configs": "The function doesn't exist",
        "list_function_url_configs": "Function does not exist",
    }.get(operation, "function:nobody")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=words):
        getattr(client, operation)(FunctionName="nobody", **given)


def test_an_operation_that_is_not_served_says_so(client: Any) -> None:
    """An operation of the model that is not served is refused by name, and is not retried."""
    with pytest.raises(ClientError, match="ListCapacityProviders is not supported") as refused:
        client.list_capacity_providers()
    assert code_of(refused) == "InvalidParameterValueException"


def test_a_full_create_round_trips(client: Any) -> None:
    """Every setting that a create request has comes back as it was, and lists have no states."""
    wanted = {
        "Description": "all of it",
        "MemorySize": 1024,
        "Timeout": 30,
        "EphemeralStorage": {"Size": 1024},
        "Environment": {"Variables": {"STAGE": "test", "EMPTY": ""}},
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"},
        "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
        "Architectures": ["arm64"],
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/own/group"},
        "SnapStart": {"ApplyOn": "PublishedVersions"},
    }
    created = client.create_function(
        FunctionName="full",
        Runtime="python3.12",
        Role=ROLE,
        Handler="handler.handler",
        Code={"ZipFile": make_zip()},
        Tags={"team": "a"},
        **wanted,
    )
    read = client.get_function(FunctionName="full")
    assert read["Tags"] == {"team": "a"}
    for reply in (created, read["Configuration"]):
        for member, value in wanted.items():
            assert (
                reply[member] == value
                if not isinstance(value, dict)
                else (value.items() <= reply[member].items())
            ), member
        assert reply["Version"] == "$LATEST"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", reply["LastModified"])
    listed = next(f for f in client.list_functions()["Functions"] if f["FunctionName"] == "full")
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(listed)
    assert listed["Environment"] == created["Environment"]


def test_every_operation_is_served_or_refused_by_name(serve: Serve) -> None:
    """Whatever the model has is answered, or refused in one line that names it; nothing fails."""
    _, server = serve()
    client = HTTPConnection(server.endpoint_url.removeprefix("http://"))
    authorization = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/lambda/aws4_request"
    with closing(client):
        for name in service_model().operation_names:
            operation = service_model().operation_model(name)
            path = re.sub(r"\{[^}]+\}", "1", operation.http["requestUri"])
            client.request(
                operation.http["method"],
                path,
                b"{}",
                {"Authorization": authorization, "Content-Type": "application/json"},
            )
            reply = client.getresponse()
            body = reply.read().decode()
            assert reply.status < 500, (name, body)
            assert "UnknownOperation" not in (reply.headers["x-amzn-ErrorType"] or ""), name
            if "not supported by the local Lambda" in body:
                assert reply.headers["x-amzn-ErrorType"] == "InvalidParameterValueException"
                assert name in body
