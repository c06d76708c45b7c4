"""Refusals and replies in AWS's own words, where nothing but the words tells what happened."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_api.conftest import (
    ARN,
    CREDENTIALS,
    ROLE,
    Serve,
    code_of,
    create,
    make_zip,
    message_of,
)

ADD = {"StatementId": "s1", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
HELLO = {"FunctionName": "hello"}
CALM = {"ReservedConcurrentExecutions": 1}
ABSENT, WRONG = "ResourceNotFoundException", "InvalidParameterValueException"
SHORTER = "must have length less than or equal to"


@pytest.fixture
def careless(serve: Serve) -> Any:
    """A client that sends whatever it is given."""
    server = serve()[1]
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    client = boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        config=config,
        **CREDENTIALS,
    )
    yield client
    client.close()


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        (
            "get_function",
            {"Qualifier": "q" * 129},
            f"1 validation error.*'qualifier'.*{SHORTER}",
        ),
        (
            "get_function",
            {"FunctionName": "he!lo", "Qualifier": "?"},
            "2 validation errors.*'he!lo' at 'functionName'.*'[?]' at 'qualifier'",
        ),
        ("list_functions", {"FunctionVersion": "NONE"}, r"'functionVersion'.*value set: \[ALL\]"),
        (
            "untag_resource",
            {"Resource": ARN, "TagKeys": []},
            "Value null at 'tagKeys'.*be null",
        ),
        ("tag_resource", {"Resource": "hello", "Tags": {"a": "b"}}, "Value 'hello' at 'resource'"),
        ("create_function", {"FunctionName": "a:b:c"}, "'a:b:c' at 'functionName'.*pattern"),
        (
            "update_function_configuration",
            {"VpcConfig": {"SubnetIds": ["x"]}},
            r"'\[x\]' at 'vpcConfig.subnetIds'.*: \[.*pattern: subnet-\[0-9a-z\]\*\]",
        ),
    ],
)
def test_a_broken_constraint_is_a_validation_exception(
    careless: Any, operation: str, given: dict[str, Any], words: str
) -> None:
    """Path, query, and body are held against the model, and all that is wrong is told at once."""
    named = {} if operation in {"list_functions", "tag_resource", "untag_resource"} else HELLO
    if operation == "create_function":
        named = {"Runtime": "python3.12", "Role": ROLE, "Handler": "h.h"}
        named |= {"Code": {"ZipFile": make_zip()}}
    with pytest.raises(ClientError, match=words) as refused:
        getattr(careless, operation)(**{**named, **given})
    assert code_of(refused) == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "given", "code", "words"),
    [
        ("invoke", {"FunctionName": "none"}, ABSENT, r"not found: arn:\S+:none:\$LATEST$"),
        ("get_function", {"FunctionName": "none:3"}, ABSENT, "not found: .*:none:3$"),
        ("delete_function", {"Qualifier": "$latest"}, ABSENT, "not found: .*:hello$"),
        ("delete_function", {"Qualifier": "live"}, WRONG, "Deletion of aliases is not"),
        ("update_function_code", {"FunctionName": "hello:1", "ZipFile": b""}, WRONG, "not support"),
        ("put_function_concurrency", {**CALM, "FunctionName": "none"}, ABSENT, r"none:\$LATEST$"),
        ("put_function_concurrency", {**CALM, "FunctionName": "hello:1"}, WRONG, "functions only"),
        ("add_permission", {**ADD, "Principal": "sns.example.com"}, WRONG, "principal was invalid"),
        ("add_permission", {**ADD, "Qualifier": "next"}, ABSENT, "Cannot find alias arn: .*:next$"),
        ("add_permission", {**ADD, "Qualifier": "7"}, ABSENT, "Function not found: .*:7$"),
        ("remove_permission", {"StatementId": "s1"}, ABSENT, "No policy is associated"),
        (
            "get_function_event_invoke_config",
            {"FunctionName": "none"},
            ABSENT,
            "doesn't have an",
        ),
        ("put_function_event_invoke_config", {}, WRONG, "at least one of error handling"),
        ("get_provisioned_concurrency_config", {"Qualifier": "$LATEST"}, WRONG, "or a published"),
        ("get_provisioned_concurrency_config", {"Qualifier": "next"}, ABSENT, "Cannot find alias"),
        ("delete_provisioned_concurrency_config", {"Qualifier": "$LATEST"}, WRONG, "a published"),
        (
            "update_function_code",
            {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1"},
            WRONG,
            "Please don't provide ImageUri when updating a function with packageType Zip",
        ),
        ("update_function_url_config", {"FunctionName": "none"}, ABSENT, "Function does not exist"),
    ],
)
def test_what_is_refused_is_named_as_aws_names_it(
    client: Any, operation: str, given: dict[str, Any], code: str, words: str
) -> None:
    """An error's words say which form of the ARN, the version, or the alias was looked for."""
    with pytest.raises(ClientError, match=words) as refused:
        getattr(client, operation)(**{**HELLO, **given})
    assert code_of(refused) == code


def test_a_new_name_is_at_most_64_characters(client: Any) -> None:
    """The model allows an ARN's length; a longer name is refused in a way of its own."""
    with pytest.raises(ClientError, match=f"'functionName'.*{SHORTER} 64") as refused:
        create(client, "n" * 65)
    assert code_of(refused) == WRONG


def test_other_resources_have_no_tags_here(client: Any) -> None:
    """A resource that can be tagged and is no function is not found, by its kind."""
    mapping = "event-source-mapping:01234567-89ab-cdef-0123-456789abcdef"
    with pytest.raises(ClientError, match=f"Event source mapping not found: .*:{mapping}") as no:
        client.list_tags(Resource=ARN.replace("function:hello", mapping))
    assert code_of(no) == ABSENT


def test_tags_move_the_revision(client: Any) -> None:
    """A tag is no setting, and yet it makes a RevisionId stale that was read before it."""
    before = client.get_function_configuration(**HELLO)["RevisionId"]
    client.tag_resource(Resource=ARN, Tags={"team": "a"})
    between = client.get_function_configuration(**HELLO)["RevisionId"]
    client.untag_resource(Resource=ARN, TagKeys=["team"])
    after = client.get_function_configuration(**HELLO)["RevisionId"]
    assert len({before, between, after}) == 3


def test_what_was_emptied_is_not_what_was_never_set(client: Any) -> None:
    """No variables and no subnets are told as such; AWS leaves out what was never there."""
    assert "Environment" not in client.get_function_configuration(**HELLO)
    emptied = client.update_function_configuration(
        **HELLO,
        Environment={"Variables": {}},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
    )
    assert emptied["Environment"] == {"Variables": {}}
    assert emptied["VpcConfig"]["VpcId"] == ""


def test_variables_are_measured_as_json(client: Any) -> None:
    """Names, values, quotes, and braces may take 4,096 bytes, and no value is in the message."""
    for size, fits in ((4096 - len('{"KEY":""}'), True), (4097 - len('{"KEY":""}'), False)):
        given = {**HELLO, "Environment": {"Variables": {"KEY": "v" * size}}}
        if fits:
            client.update_function_configuration(**given)
            continue
        with pytest.raises(ClientError, match="exceeded the 4KB limit") as refused:
            client.update_function_configuration(**given)
        assert "vv" not in message_of(refused)


def test_a_first_permission_may_be_guarded_by_the_alias_s_revision(client: Any) -> None:
    """Before there is a policy, the RevisionId is that of what the permission is added to."""
    client.publish_version(**HELLO)
    alias = client.create_alias(**HELLO, Name="live", FunctionVersion="1")
    given = {**HELLO, **ADD, "Qualifier": "live"}
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.add_permission(**given, RevisionId="stale")
    client.add_permission(**given, RevisionId=alias["RevisionId"])
    assert client.get_policy(**HELLO, Qualifier="live")["RevisionId"] != alias["RevisionId"]
