"""Shareable test events, as EventBridge's schema registry keeps them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Reply, refusal
from tuner.aws.iam_policy import least_policy
from tuner.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
    from tests.aws.wire import WireServer
    from tuner.aws.gateway import LambdaGateway


def document(examples: dict[str, Any] | None) -> Reply:
    """The registry's answer, with the OpenAPI document that the console writes."""
    components: dict[str, Any] = {"schemas": {"Event": {"type": "object"}}}
    if examples is not None:
        components["examples"] = {name: {"value": value} for name, value in examples.items()}
    content = {
        "openapi": "3.0.0",
        "info": {"version": "1.0.0", "title": "Event"},
        "paths": {},
        "components": components,
    }
    return described(json.dumps(content))


def described(content: str) -> Reply:
    body = {"Content": content, "SchemaName": "_resize-schema", "Type": "OpenApi3"}
    return Reply(200, body)


def test_events_are_read_from_the_functions_schema(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """One request to the registry's own address; values become JSON again."""
    wire.say(document({"small": {"bild": "ä.jpg"}, "list": [1, 2], "text": "x"}))
    assert gateway.shareable_events("resize:live") == {
        "small": '{"bild":"ä.jpg"}'.encode(),
        "list": b"[1,2]",
        "text": b'"x"',
    }
    [asked] = wire.received
    assert asked.method == "GET"
    assert asked.path == (
        "/v1/registries/name/lambda-testevent-schemas/schemas/name/_resize-schema"
    )


@pytest.mark.parametrize("code", ["NotFoundException"])
def test_a_function_without_events_has_none(
    wire: WireServer, gateway: LambdaGateway, code: str
) -> None:
    """No registry, no schema, or a schema without examples."""
    wire.say(refusal(404, code, "Schema does not exist."))
    assert gateway.shareable_events("resize") == {}
    wire.say(document(None))
    assert gateway.shareable_events("resize") == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"components": {"examples": {"a": {}}}}', "[" * 100_000]
)
def test_what_is_no_such_document_is_one_clear_line(
    wire: WireServer, gateway: LambdaGateway, content: str
) -> None:
    """It names the schema, and repeats nothing of it."""
    wire.say(described(content))
    with pytest.raises(AwsError, match="_resize-schema in the registry lambda-testevent") as caught:
        gateway.shareable_events("resize")
    assert "\n" not in str(caught.value)


def test_a_denial_names_the_action_and_the_policy_has_it(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """An optional statement, for this function's schema alone."""
    wire.say(refusal(403, "ForbiddenException", "User is not authorized"))
    with pytest.raises(AccessDeniedError, match="schemas:DescribeSchema on function resize"):
        gateway.shareable_events("resize")
    policy = least_policy("resize", region="eu-west-1", account_id="123456789012")
    [statement] = [
        each for each in policy["Statement"] if each["Sid"] == "OptionalReadShareableTestEvents"
    ]
    assert statement["Action"] == "schemas:DescribeSchema"
    assert statement["Resource"] == (
        "arn:aws:schemas:eu-west-1:123456789012:schema/lambda-testevent-schemas/_resize-schema"
    )
