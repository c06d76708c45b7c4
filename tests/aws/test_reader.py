"""What the reader finds in other services: shareable test events, and the log of one invocation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Received, Reply, WireServer, refusal
from tuner.aws.iam_policy import least_policy
from tuner.errors import AccessDeniedError, AwsError

if TYPE_CHECKING:
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


REQUEST = "8f5a0b0e-0000-4000-8000-000000000001"
REPORT = (
    f"REPORT RequestId: {REQUEST}\tDuration: 3.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\n"
)
FUNCTION = {"FunctionName": "resize", "MemorySize": 128, "Timeout": 3}


def answering(*pages: Reply, group: str | None = None) -> Any:
    """The function's configuration to whoever reads it, pages of log events to whoever filters."""
    waiting = list(pages)

    def answer(request: Received) -> Reply:
        if request.headers.get("x-amz-target", "").endswith("FilterLogEvents"):
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        logging = {"LoggingConfig": {"LogGroup": group}} if group else {}
        return Reply(body={"Configuration": FUNCTION | logging})

    return answer


def events(*messages: str, **more: str) -> Reply:
    return Reply(body={"events": [{"message": message} for message in messages], **more})


def asked(wire: WireServer) -> list[dict[str, Any]]:
    return [each.json for each in wire.received if "x-amz-target" in each.headers]


def test_the_log_is_read_over_pages_and_waited_for(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """An empty page is not the last one, and a line that has not arrived may arrive."""
    start = f"START RequestId: {REQUEST}\n"
    wire.answer = answering(events(start, nextToken="more"), events(), events(start, REPORT))
    assert gateway.find_log("resize", REQUEST) == f"{start}{REPORT}".rstrip("\n")
    first, second, _third = asked(wire)
    assert first["logGroupName"] == "/aws/lambda/resize"
    assert first["filterPattern"] == f'"{REQUEST}"'
    assert second["nextToken"] == "more"


def test_a_log_group_of_its_own_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """The function's configuration says where its log goes."""
    wire.answer = answering(events(REPORT), group="/shared/logs")
    assert gateway.find_log("resize", REQUEST) is not None
    assert asked(wire)[0]["logGroupName"] == "/shared/logs"


def test_what_may_not_be_read_or_never_arrives_is_none(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """The sweep goes on without: a refusal is no error, and waiting has an end."""
    wire.answer = answering(refusal(400, "AccessDeniedException", "no"))
    assert gateway.find_log("resize", REQUEST) is None
    wire.answer = answering(events("chat"))
    assert gateway.find_log("resize", REQUEST) is None


def test_a_request_id_that_is_none_is_not_asked_for(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """What an endpoint says is put into no filter pattern unseen."""
    assert gateway.find_log("resize", 'x" || "') is None
    assert wire.received == []
